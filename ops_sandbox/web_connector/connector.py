"""The played QuickBooks Web Connector: one application, run by hand or by its schedule."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ops_sandbox.request_processor import RequestProcessor
from ops_sandbox.web_connector.calls import Calls
from ops_sandbox.web_connector.errors import NoSchedule
from ops_sandbox.web_connector.events import Event
from ops_sandbox.web_connector.faults import Faults, StoredAnswer
from ops_sandbox.web_connector.qwc_file import QwcFile
from ops_sandbox.web_connector.report import RunReport
from ops_sandbox.web_connector.run import Run, Setting
from ops_sandbox.web_connector.soap_client import SoapClient
from ops_sandbox.web_connector.transport import CONTINUE_WAIT


def utc_now() -> datetime:
    """The time, UTC."""
    return datetime.now(UTC)


class WebConnector:
    """The Web Connector with one application added and its password entered.

    Everything it knows of the service stands in the .qwc file. Runs of one object follow
    one another; two objects play two machines.
    """

    def __init__(
        self,
        qwc: QwcFile,
        password: str,
        request_processor: RequestProcessor,
        *,
        client_version: str = "2.3.0.215",
        faults: Faults | None = None,
        on_event: Callable[[Event], None] | None = None,
        clock: Callable[[], datetime] = utc_now,
        sleep: Callable[[float], None] = time.sleep,
        source_address: str | None = None,
        ca_file: Path | None = None,
        timeout: float = 100,
        continue_wait: float = CONTINUE_WAIT,
        go_on_after_warning: bool = True,
    ) -> None:
        """`clock` gives UTC, `sleep` takes seconds (it serves `NoOp`); the rest as for `SoapClient`.

        A `ca_file` that cannot be read raises OSError when a run starts.

        `go_on_after_warning` is the user's answer when clientVersion says `W:`.
        """
        self.qwc = qwc
        self.faults = faults if faults is not None else Faults()
        self._password = password
        self._request_processor = request_processor
        self._client_version = client_version
        self._on_event = on_event
        self._clock = clock
        self._sleep = sleep
        self._source_address = source_address
        self._ca_file = ca_file
        self._timeout = timeout
        self._continue_wait = continue_wait
        self._go_on_after_warning = go_on_after_warning

    @property
    def lost_answers(self) -> list[StoredAnswer]:
        """Answers that the service never got, oldest first; take one and `deliver_late` it."""
        return self.faults.lost_answers

    def run_once(self, *, auto_run: bool = True) -> RunReport:
        """One update, from serverVersion to its end.

        `auto_run` is the application's check box: without it authRet[2] and [3] have no effect.
        """
        setting = Setting(
            user_name=self.qwc.user_name,
            password=self._password,
            request_processor=self._request_processor,
            client_version=self._client_version,
            faults=self.faults,
            sleep=self._sleep,
            go_on_after_warning=self._go_on_after_warning,
            auto_run=auto_run,
        )
        return Run(Calls(self._soap_client(), self._clock, self._on_event), setting).go()

    def auto_run(
        self,
        stop: threading.Event,
        *,
        every_seconds: float | None = None,
        on_report: Callable[[RunReport], None] | None = None,
    ) -> None:
        """Run at once, then by the interval, until `stop` is set. Raises `NoSchedule`.

        The interval is that of the .qwc's Scheduler, or `every_seconds`, and counts from start
        to start. authRet[3] raises it for good, authRet[2] sets the wait once. A failed run
        waits for the next interval like any other.
        """
        interval = every_seconds if every_seconds is not None else self.qwc.run_every_seconds
        if interval is None:
            raise NoSchedule(self.qwc.app_name)
        while not stop.is_set():
            started = self._clock()
            report = self.run_once()
            if on_report is not None:
                on_report(report)
            interval = max(interval, report.minimum_seconds)
            elapsed = (self._clock() - started).total_seconds()
            stop.wait(report.postponed_seconds or max(interval - elapsed, 0.0))

    def deliver_late(self, answer: StoredAnswer) -> int:
        """Post a stored answer under its own ticket, outside of any run: receiveResponseXML's answer.

        Raises `CallFailed`. A delivered answer is no longer among the lost ones.
        """
        with self._soap_client() as soap:
            percent = soap.receive_response_xml(
                answer.ticket, answer.response, answer.hresult, answer.message
            )
        if answer in self.lost_answers:
            self.lost_answers.remove(answer)
        return percent

    def _soap_client(self) -> SoapClient:
        return SoapClient(
            self.qwc.app_url,
            self._timeout,
            self._source_address,
            ca_file=self._ca_file,
            continue_wait=self._continue_wait,
        )
