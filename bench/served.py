"""A server in a process of its own: started, waited for, weighed by /proc, ended."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from ops_console.settings import ProcessSettings

ROOT = Path(__file__).resolve().parent.parent
_QBWOO = (sys.executable, "-c", "from ops_console.cli import main; main()")
_PATIENCE = 60.0
_SERVING = re.compile(r"Serving at (http://\S+)")


@dataclass(frozen=True, slots=True)
class Weight:
    """What a process has cost so far; all 0.0 where there is no /proc."""

    cpu_seconds: float = 0.0
    #: Resident now, and at most until now; MiB.
    resident: float = 0.0
    most_resident: float = 0.0


@dataclass(frozen=True, slots=True)
class Server:
    """A running server."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path

    @property
    def pid(self) -> int:
        return self.process.pid

    def weight(self) -> Weight:
        """What it has cost so far."""
        try:
            status = Path(f"/proc/{self.pid}/status").read_text(encoding="ascii")
            times = Path(f"/proc/{self.pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        except OSError:
            return Weight()
        kib = dict(re.findall(r"^(VmRSS|VmHWM):\s+(\d+) kB", status, re.MULTILINE))
        ticks = int(times[11]) + int(times[12])
        return Weight(ticks / os.sysconf("SC_CLK_TCK"), int(kib["VmRSS"]) / 1024, int(kib["VmHWM"]) / 1024)


def environment(settings: ProcessSettings) -> dict[str, str]:
    """The environment of a qbwoo process that works with `settings` alone."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("QBWOO_")},
        "QBWOO_DATA_DIR": str(settings.data_dir),
        "QBWOO_DATABASE_URL": settings.database_url,
        "QBWOO_LOG_LEVEL": settings.log_level,
        "QBWOO_ALLOW_PRIVATE_STORES": str(settings.allow_private_stores).lower(),
    }


def qbwoo(settings: ProcessSettings, *words: str) -> None:
    """Run one command to its end, unheard. Raises CalledProcessError, with what it said in `stderr`."""
    subprocess.run(
        [*_QBWOO, *words],
        cwd=ROOT,
        env=environment(settings),
        check=True,
        capture_output=True,
        timeout=_PATIENCE,
    )


@contextmanager
def serve(settings: ProcessSettings, *options: str) -> Iterator[Server]:
    """`qbwoo serve` on a free port, with its log in the data folder; ended as an operator would."""
    command = [*_QBWOO, "serve", "--port", "0", *options]
    with run_server(command, environment(settings), settings.data_dir / "server.log", None) as server:
        yield server


@contextmanager
def run_server(
    command: Sequence[str], env: Mapping[str, str], log: Path, url: str | None, *, cwd: Path = ROOT
) -> Iterator[Server]:
    """Any server: `url` is where it will listen; None: its log says so, as qbwoo's does."""
    with log.open("wb") as file:
        process = subprocess.Popen(command, cwd=cwd, env=dict(env), stdout=file, stderr=file)
    try:
        yield Server(_wait_for(process, log, url), process, log)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(_PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def free_port() -> int:
    """A port of the loopback interface that nobody listens at just now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait_for(process: subprocess.Popen[bytes], log: Path, url: str | None) -> str:
    """The address at which it answers."""
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends and process.poll() is None:
        address = url
        if address is None:
            said = _SERVING.search(log.read_text(encoding="utf-8", errors="replace"))
            address = said[1] if said else None
        if address is not None and _listens(address):
            return address
        time.sleep(0.05)
    raise RuntimeError(f"The server did not start. Its log, {log}, ends:\n{log.read_text()[-2000:]}")


def _listens(url: str) -> bool:
    host, _, port = url.removeprefix("http://").partition("/")[0].rpartition(":")
    try:
        with socket.create_connection((host, int(port)), timeout=1):
            return True
    except OSError:
        return False
