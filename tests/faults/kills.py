"""The real service, killed in the middle of its work again and again; afterwards the books must be right.

    python -m tests.faults.kills --kills 200            SIGKILL at random moments
    python -m tests.faults.kills --kills 8 --seed 3     another story

`qbwoo serve` runs as a process of its own. Webhooks arrive at it as fast as it answers, and a sandbox Web
Connector drains it into a played Point of Sale. What a killed service had taken in, written or sent is found out as
after any bad day: the quiet time and the invariants are those of the simulator. The moments come from the seed, but
what the service is doing then depends on the machine, so that no run is exactly like another.
"""

from __future__ import annotations

import argparse
import http.client
import logging
import os
import random
import signal
import socket
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

from ops_sandbox.web_connector import QwcFile, WebConnector
from ops_sandbox.web_connector.events import Event
from qbwc_service.qwc import render_qwc
from queue_store.companies import get_store
from tests.faults import shopkeeping
from tests.faults.day import Day
from tests.faults.scene import Plot, Scene, Violation
from tests.faults.shop import total_of
from tests.faults.stage import SECRET_KEY, sqlite_stage
from tests.faults.wire import Wire
from tests.harness import PASSWORD

#: Answers that a service gives at most before it is killed, however fast the machine is; then so many seconds more.
_ANSWERS, _MOMENT = 60, 0.03
#: Seconds for which it lives at most: without answers, and one that is killed while it starts.
_LIFE, _START = 20.0, 0.5
_ONE_IN_TEN = 0.1
#: Seconds that a start may take.
_PATIENCE = 120.0
#: Orders after which the shop places no more, only changes: a quiet time has its bounds.
_MOST_ORDERS = 30


@dataclass
class Kills:
    """What was done, and what was broken."""

    kills: int = 0
    while_starting: int = 0
    webhooks: int = 0
    unanswered: int = 0
    sessions: int = 0
    receipts: int = 0
    violations: list[str] = field(default_factory=list)


class _Storm:
    """Webhooks and sessions that go on whatever becomes of the service."""

    def __init__(self, scene: Scene, port: int, seed: int, told: Kills) -> None:
        self._scene, self._told = scene, told
        self._rng = random.Random(f"storm {seed}")
        self._end = threading.Event()
        self._wire = Wire()
        self._wire.port = port
        qwc = render_qwc(
            app_name="qbwoo",
            app_url=f"http://127.0.0.1:{port}/qbwc",
            support_url=f"http://127.0.0.1:{port}/qbwc/support",
            username="connector",
            owner_guid="{57F3B9B6-86F1-4FCC-B1FF-966DE1813D20}",
            file_guid="{57F3B9B6-86F1-4FCC-B1FF-166DE1813D20}",
            qb_type="QBPOS",
            every_minutes=1,
            description="Killed again and again",
            allow_plain_http=True,
        )
        self._connector = WebConnector(
            QwcFile.parse(qwc, allow_plain_http=True), PASSWORD, scene.pos, timeout=30, on_event=self._heard
        )
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._shop, self._sessions)]
        #: What ended one of the threads.
        self.broken: list[BaseException] = []
        #: To webhooks and to calls of the Web Connector.
        self.answers = 0

    def __enter__(self) -> _Storm:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        for thread in self._threads:
            thread.join(60)

    def _heard(self, event: Event) -> None:
        self.answers += "failed" not in event.text

    def wait(self, service: subprocess.Popen[bytes], answers: int, moment: float) -> None:
        """Until it has given so many more answers, and a moment longer. Raises Violation if it ends by itself."""
        until, goal = time.monotonic() + _LIFE, self.answers + answers
        while self.answers < goal and time.monotonic() < until:
            _wait(service, 0.002)
        _wait(service, moment)

    def _shop(self) -> None:
        try:
            while not self._end.is_set():
                body = self._change()
                self._told.webhooks += 1
                try:
                    self._scene.post_webhook(body, self._wire)
                    self.answers += 1
                except (OSError, http.client.HTTPException):
                    # Killed over it, or not up yet: WooCommerce does not send again.
                    self._told.unanswered += 1
                    self._end.wait(0.2)
        except BaseException as error:  # noqa: BLE001 - the edge of a thread
            self.broken.append(error)

    def _change(self) -> bytes:
        shop, rng = self._scene.shop, self._rng
        ids, what = shop.ids(), rng.random()
        if not ids or (what < 0.4 and len(ids) < _MOST_ORDERS):
            return shopkeeping.raw(shop.place(rng))
        order_id = rng.choice(ids)
        refunded = shop.refund(order_id, rng) if what < 0.5 else None
        return shopkeeping.raw(refunded or shop.change(order_id, rng))

    def _sessions(self) -> None:
        try:
            while not self._end.is_set():
                report = self._connector.run_once()
                self._told.sessions += report.sets > 0
                if not report.sets:
                    self._end.wait(0.05)
        except BaseException as error:  # noqa: BLE001 - the edge of a thread
            self.broken.append(error)


def _serve(folder: Path, port: int) -> subprocess.Popen[bytes]:
    environ = {
        **os.environ,
        "QBWOO_DATA_DIR": str(folder),
        "QBWOO_SECRET_KEY": SECRET_KEY,
        "QBWOO_ALLOW_PRIVATE_STORES": "true",
    }
    command = "from ops_console.cli import main; main()"
    return subprocess.Popen(
        [sys.executable, "-c", command, "serve", "--port", str(port)],
        env=environ,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _is_up(port: int, service: subprocess.Popen[bytes]) -> bool:
    """Wait until it answers; False if it ended instead."""
    until = time.monotonic() + _PATIENCE
    while time.monotonic() < until:
        if service.poll() is not None:
            return False
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            threading.Event().wait(0.02)
        else:
            return True
    return False


def run(kills: int, seed: int, *, seconds: float = float("inf")) -> Kills:
    """Kill the service so often, or until `seconds` have passed, then look at the books."""
    told, rng = Kills(), random.Random(f"kills {seed}")
    with sqlite_stage() as stage, socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        day = Day(stage, seed, plot=Plot())
        scene = day.scene
        with stage.database.write() as db:
            # Nobody answers there: what is asked of the shop waits for the quiet time.
            get_store(db, "main").url = "https://127.0.0.1:9"
        folder = Path(stage.database.engine.url.database or "").parent
        # Nothing of ours is open over a file that another process recovers.
        stage.database.engine.dispose()
        until = time.monotonic() + seconds
        with _Storm(scene, port, seed, told) as storm:
            while told.kills < kills and time.monotonic() < until and not storm.broken:
                service = _serve(folder, port)
                try:
                    if rng.random() < _ONE_IN_TEN:
                        told.while_starting += 1
                        _wait(service, rng.uniform(0, _START))
                    elif not _is_up(port, service):
                        raise Violation(f"the service did not start again after {told.kills} kills")
                    else:
                        storm.wait(service, rng.randrange(_ANSWERS), rng.uniform(0, _MOMENT))
                finally:
                    service.send_signal(signal.SIGKILL)
                    service.wait()
                told.kills += 1
        told.violations += [repr(error) for error in storm.broken]
        _look(day, told)
    return told


def _wait(service: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        code = service.wait(seconds)
    except subprocess.TimeoutExpired:
        return
    raise Violation(f"the service ended by itself, with {code}")


def _look(day: Day, told: Kills) -> None:
    scene = day.scene
    for order_id in scene.shop.ids():
        # What was sent is not known here: any content that the shop ever had.
        scene.known[order_id] = list(scene.shop.versions[order_id])
        scene.sent[order_id] = {total_of(body) for body in scene.shop.versions[order_id]}
    day.restart()
    try:
        day.settle(told.violations)
    except Violation as violation:
        told.violations.append(str(violation))
    told.receipts = sum(
        receipt.type == "Sales"
        and receipt.total > Decimal(0)
        and (receipt.comments or "").startswith("WMAIN-")
        for receipt in scene.pos.receipts()
    )


def main(arguments: list[str] | None = None) -> int:
    """The command; 1 if anything was broken."""
    parser = argparse.ArgumentParser(prog="python -m tests.faults.kills")
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="end the storm after so long")
    asked = parser.parse_args(arguments)
    logging.disable(logging.CRITICAL)
    told = run(asked.kills, asked.seed, seconds=asked.seconds)
    for violation in told.violations:
        sys.stdout.write(f"  {violation}\n")
    sys.stdout.write(
        f"{told.kills} kills ({told.while_starting} while starting), {told.webhooks} webhooks ({told.unanswered} "
        f"unanswered), {told.sessions} sessions with work, {told.receipts} receipts: "
        f"{len(told.violations)} broken promises\n"
    )
    return 1 if told.violations else 0


if __name__ == "__main__":
    sys.exit(main())
