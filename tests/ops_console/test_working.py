"""The loop of the worker."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from ops_console.working import WorkLoop


def test_work_is_looked_for_again_at_once_as_long_as_there_is_some() -> None:
    left, idle = [3], threading.Event()

    def work() -> int:
        if left[0]:
            left[0] -= 1
            return 1
        idle.set()
        return 0

    loop = WorkLoop(work, interval=3600)
    loop.start()
    assert idle.wait(5)
    loop.stop()
    assert left == [0]


def test_a_failure_is_logged_and_the_loop_goes_on(caplog: pytest.LogCaptureFixture) -> None:
    calls, again = [0], threading.Event()

    def work() -> int:
        calls[0] += 1
        if calls[0] == 1:
            raise RuntimeError("no luck")
        again.set()
        return 0

    loop = WorkLoop(work, interval=0.001, after_failure=0.001)
    loop.start()
    assert again.wait(5)
    loop.stop()
    assert "the worker failed" in caplog.text


def test_a_loop_that_never_began_can_be_stopped() -> None:
    WorkLoop(lambda: 0).stop()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_worker_ends_cleanly_at_a_signal(number: signal.Signals, tmp_path: Path) -> None:
    worker = subprocess.Popen(
        [sys.executable, "-c", "from ops_console.cli import main; main()", "worker"],
        cwd=Path(__file__).parents[2],
        env={"QBWOO_DATA_DIR": str(tmp_path), "HOME": str(tmp_path), "PATH": ""},
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert worker.stderr is not None
        assert any(line.startswith("Working.") for line in worker.stderr)
        worker.send_signal(number)
        _, rest = worker.communicate(timeout=20)
        assert (worker.returncode, "Traceback" in rest) == (0, False), rest
    finally:
        worker.kill()
        worker.communicate()
