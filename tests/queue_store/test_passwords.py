"""Checking passwords: right and wrong ones, and what it costs."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from queue_store.secrets import hash_password, password_fits

ROOT = str(Path(__file__).parents[2])
#: Prints how many MB its peak memory rises while threads, each new, check a password one after the other.
CHECKING = """
import re, threading
from pathlib import Path
from queue_store.secrets import hash_password, password_fits

def peak_kb():
    return int(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])

hashed = hash_password("right")
assert password_fits("right", hashed)
before = peak_kb()
# All live at once, as a server's threads do: one that ended would leave its memory to the next.
go_on = [threading.Event() for _ in range(8)]
done = [threading.Event() for _ in range(8)]
def check(number):
    go_on[number].wait(30)
    assert password_fits("right", hashed)
    done[number].set()
    end.wait(30)
end = threading.Event()
threads = [threading.Thread(target=check, args=(number,)) for number in range(8)]
for thread in threads:
    thread.start()
for number in range(8):
    go_on[number].set()
    assert done[number].wait(30)
end.set()
for thread in threads:
    thread.join()
print((peak_kb() - before) // 1024)
"""


def test_a_password_fits_its_own_hash_and_no_other():
    hashed = hash_password("right")
    assert password_fits("right", hashed)
    assert not password_fits("wrong", hashed)
    assert not password_fits("right", "no hash at all")


def test_checking_passwords_costs_the_memory_of_one_check_whichever_thread_asks():
    if not Path("/proc/self/status").exists():
        pytest.skip("peak memory is read from /proc")
    checked = subprocess.run(
        [sys.executable, "-c", CHECKING],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": ROOT},
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )
    # A check takes 8 MB.
    assert int(checked.stdout) < 8
