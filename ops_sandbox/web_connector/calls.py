"""The calls of one run: each counted, timed and told, each failure the end of the run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from ops_sandbox.web_connector.errors import CallFailed
from ops_sandbox.web_connector.events import Event, shorten
from ops_sandbox.web_connector.report import Outcome
from ops_sandbox.web_connector.soap_client import SoapClient

T = TypeVar("T")

#: The Web Connector's own codes for a method that failed.
CODES = {
    "authenticate": "QBWC1012",
    "sendRequestXML": "QBWC1041",
    "receiveResponseXML": "QBWC1042",
    "getLastError": "QBWC1043",
    "closeConnection": "QBWC1044",
    "connectionError": "QBWC1045",
}


class Ended(Exception):
    """The run is over: how, what the status column says, and the Web Connector's code if it has one."""

    def __init__(self, outcome: Outcome, text: str, code: str | None = None) -> None:
        super().__init__(text)
        self.outcome = outcome
        self.text = text
        self.code = code


class Calls:
    """The service's methods on `soap`, for one run, and the record of it.

    Every method raises `Ended` after an HTTP error or a Fault: the Web Connector does not
    repeat a call. Null and "" are one to it.
    """

    def __init__(
        self, soap: SoapClient, clock: Callable[[], datetime], on_event: Callable[[Event], None] | None
    ) -> None:
        self._soap = soap
        self._clock = clock
        self._on_event = on_event
        # A dict keeps the order and says each thing once, even in a loop of thousands.
        self._oddities: dict[str, None] = {}
        self.count: Counter[str] = Counter()
        self.longest_seconds = 0.0
        self.slowest_method = ""

    @property
    def oddities(self) -> tuple[str, ...]:
        """What was strange, in order of first appearance."""
        return tuple(self._oddities)

    def server_version(self) -> str:
        return self._call("serverVersion", self._soap.server_version) or ""

    def client_version(self, version: str) -> str:
        return self._call("clientVersion", lambda: self._soap.client_version(version)) or ""

    def authenticate(self, user_name: str, password: str) -> list[str]:
        return self._call("authenticate", lambda: self._soap.authenticate(user_name, password))

    def connection_error(self, ticket: str, hresult: str, message: str) -> str:
        post = self._soap.connection_error
        return self._call("connectionError", lambda: post(ticket, hresult, message)) or ""

    def send_request_xml(
        self, ticket: str, hcp_response: str, company: str, country: str, major: int, minor: int
    ) -> str:
        post = self._soap.send_request_xml
        return (
            self._call("sendRequestXML", lambda: post(ticket, hcp_response, company, country, major, minor))
            or ""
        )

    def receive_response_xml(self, ticket: str, response: str, hresult: str, message: str) -> int:
        post = self._soap.receive_response_xml
        return self._call("receiveResponseXML", lambda: post(ticket, response, hresult, message))

    def get_last_error(self, ticket: str) -> str:
        return self._call("getLastError", lambda: self._soap.get_last_error(ticket)) or ""

    def close_connection(self, ticket: str) -> str:
        return self._call("closeConnection", lambda: self._soap.close_connection(ticket)) or ""

    def close(self) -> None:
        """Drop the connection."""
        self._soap.close()

    def note(self, text: str) -> None:
        """Tell of something between two calls."""
        self._tell(Event(self._clock(), "", 0.0, text))

    def odd(self, text: str) -> None:
        """Note something strange, once."""
        if text not in self._oddities:
            self._oddities[text] = None
            self.note(f"odd: {text}")

    def _call(self, method: str, post: Callable[[], T]) -> T:
        self.count[method] += 1
        started = self._clock()
        try:
            answer = post()
        except CallFailed as failed:
            self._log(method, started, f"failed: {failed.sentence}")
            raise Ended("failed", failed.sentence, CODES.get(method)) from failed
        for remark in self._soap.remarks:
            self.odd(remark)
        shown = f"{len(answer)} strings" if isinstance(answer, list) else shorten(str(answer))
        self._log(method, started, f"received {shown}")
        return answer

    def _log(self, method: str, started: datetime, text: str) -> None:
        ended = self._clock()
        seconds = (ended - started).total_seconds()
        if seconds > self.longest_seconds or not self.slowest_method:
            self.longest_seconds, self.slowest_method = seconds, method
        self._tell(Event(ended, method, seconds, text))

    def _tell(self, event: Event) -> None:
        if self._on_event is not None:
            self._on_event(event)
