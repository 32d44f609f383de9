"""One run of the Web Connector: the calls in their order, and what each answer makes it do.

serverVersion, clientVersion, authenticate; then either closeConnection at once, or
connectionError while QuickBooks does not open, or sendRequestXML and receiveResponseXML
in turn, getLastError when something is amiss, closeConnection.
Source: QuickBooks Web Connector Programmer's Guide.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NoReturn

from lxml import etree

from ops_sandbox.request_processor import RequestProcessor, RequestProcessorError, RequestProcessorSession
from ops_sandbox.web_connector.calls import Calls, Ended
from ops_sandbox.web_connector.events import shorten
from ops_sandbox.web_connector.faults import Faults, StoredAnswer, with_illegal_characters
from ops_sandbox.web_connector.report import Outcome, RunReport

#: Seconds between two questions while the service answers `NoOp`.
NO_OP_SECONDS = 5.0
# The real Web Connector knows none of these limits; without them a defective service would hold a
# rehearsal for ever.
MOST_CONNECTION_ERRORS = 20
MOST_NO_OPS = 720
MOST_SETS = 10_000

_REFUSALS: dict[str, tuple[Outcome, str, str | None]] = {
    "none": ("none", "No data exchange required", None),
    "nvu": ("invalid user", "Invalid password for username", "QBWC1040"),
    "busy": ("busy", "Application Busy", None),
}


@dataclass(frozen=True, kw_only=True)
class Setting:
    """What a run needs besides the service: who logs in, to which QuickBooks, with which luck."""

    user_name: str
    password: str
    request_processor: RequestProcessor
    client_version: str
    faults: Faults
    sleep: Callable[[float], None]
    #: The user's answer to a `W:` dialog.
    go_on_after_warning: bool
    #: Whether the application's box is ticked; authRet[2] and [3] act only then.
    auto_run: bool


class Run:
    """One run; call `go` once."""

    def __init__(self, calls: Calls, setting: Setting) -> None:
        self._calls = calls
        self._setting = setting
        self._faults = setting.faults
        self._sets = 0
        self._requests = 0
        self._percentages: list[int] = []
        self._late_percentages: list[int] = []
        self._ticket = ""
        self._last_error = ""
        self._postponed = 0
        self._minimum = 0

    def go(self) -> RunReport:
        """The whole conversation. What the service does wrong ends in the report, not in an error."""
        company: RequestProcessorSession | None = None
        try:
            self._greet()
            company = self._open_company(self._authenticate())
            self._exchange_sets(company)
        except Ended as ended:
            self._calls.note(f"{ended.code}: {ended.text}" if ended.code else ended.text)
            return self._report(ended)
        finally:
            if company is not None:
                company.end()
            self._calls.close()

    # -- 1. versions

    def _greet(self) -> None:
        # Both calls are optional for a service: the log gets the fault, the run goes on.
        try:
            self._calls.server_version()
        except Ended as ended:
            self._calls.odd(f"serverVersion failed: {ended.text}")
        try:
            answer = self._calls.client_version(self._setting.client_version)
        except Ended as ended:
            self._calls.odd(f"clientVersion failed (QBWC1036): {ended.text}")
            return
        if answer == "" or answer.startswith("O:"):
            return
        prefix, _, text = answer.partition(":")
        if prefix == "W":
            self._calls.odd(f"clientVersion W: asks the user, whom an unattended run has not: {text}")
            if self._setting.go_on_after_warning:
                return
        if prefix in ("W", "E"):
            raise Ended("failed", text, "QBWC1037")
        raise Ended("failed", f"clientVersion answered {shorten(answer)!r}", "QBWC1046")

    # -- 2. authenticate

    def _authenticate(self) -> str:
        """The company file to open. Ends the run when there is none."""
        strings = self._calls.authenticate(self._setting.user_name, self._setting.password)
        for number, string in enumerate(strings[1:], start=1):
            self._calls.note(f"authRet[{number}] = {string}")
        if not 2 <= len(strings) <= 4:
            self._calls.odd(f"authenticate returned {len(strings)} strings; Intuit's services return 2 to 4")
        try:
            self._ticket, company = strings[0], strings[1]
        except IndexError as error:
            raise Ended(
                "failed", f"index out of range: authenticate returned {len(strings)} strings", "QBWC1012"
            ) from error
        if self._setting.auto_run:
            self._postponed = self._seconds(strings, 2)
            self._minimum = self._seconds(strings, 3)
        self._deliver_late_after("authenticate")

        if self._postponed:
            self._close()
            raise Ended("postponed", f"Update postponed by application: {self._postponed} s")
        refusal = _REFUSALS.get(company.strip().casefold())
        if refusal is not None:
            self._close()
            raise Ended(*refusal)
        if not self._ticket:
            self._calls.odd("authenticate gave an empty ticket together with work")
        return company

    def _seconds(self, strings: list[str], number: int) -> int:
        text = strings[number].strip() if len(strings) > number else ""
        if text and not (text.isascii() and text.isdecimal()):
            self._calls.odd(f"authRet[{number}] is {text!r}, no number of seconds")
            return 0
        return int(text or 0)

    # -- 3. QuickBooks

    def _open_company(self, company: str) -> RequestProcessorSession:
        failed: RequestProcessorError | None = None
        for _ in range(MOST_CONNECTION_ERRORS):
            try:
                return self._begin_session(company)
            except RequestProcessorError as error:
                failed = error
            company = self._calls.connection_error(self._ticket, failed.hresult, failed.message)
            if company.strip().casefold() == "done":
                # closeConnection is not certain to follow, so this player leaves it out.
                raise Ended("failed", str(failed), "QBWC1013")
        self._calls.odd(f"connectionError not done after {MOST_CONNECTION_ERRORS} calls; given up")
        raise Ended("failed", str(failed), "QBWC1013")

    def _begin_session(self, company: str) -> RequestProcessorSession:
        processor = self._setting.request_processor
        try:
            return processor.begin_session(company)
        except RequestProcessorError as first:
            self._calls.note(f"opening QuickBooks failed, second try: {first}")
            return processor.begin_session(company)

    # -- 4. sets

    def _exchange_sets(self, company: RequestProcessorSession) -> NoReturn:
        hcp_response = company.hcp_response
        no_ops = 0
        while self._sets < MOST_SETS:
            request = self._ask(company, hcp_response)
            if _is_set(request) and self._faults.strikes("duplicate_send", self._faults.sets_seen + 1):
                request = self._ask(company, hcp_response)
            hcp_response = ""  # it goes with the first call alone
            self._deliver_late_after("sendRequestXML")
            if _is_set(request):
                no_ops = 0
                self._carry_out(request, company)
                continue
            if request == "":
                text = self._ask_last_error()
                if not _is_no_op(text):
                    self._end_on_last_error(text)
            no_ops += 1
            if no_ops > MOST_NO_OPS:
                self._calls.odd(f"NoOp more than {MOST_NO_OPS} times in a row; given up")
                raise Ended("failed", "The service answered NoOp without end")
            self._setting.sleep(NO_OP_SECONDS)
        self._calls.odd(f"{MOST_SETS} sets and no end; given up")
        raise Ended("failed", f"The service did not come to an end within {MOST_SETS} sets")

    def _ask(self, company: RequestProcessorSession, hcp_response: str) -> str:
        return self._calls.send_request_xml(
            self._ticket,
            hcp_response,
            company.company_file_name,
            company.country,
            company.major_version,
            company.minor_version,
        )

    def _carry_out(self, request: str, company: RequestProcessorSession) -> None:
        faults = self._faults
        faults.sets_seen += 1
        number = faults.sets_seen
        self._sets += 1
        self._requests += self._count_requests(request)
        if faults.strikes("die_before_execution", number):
            raise Ended("failed", "The Web Connector died before QuickBooks saw the set")
        if faults.strikes("hresult_before_execution", number):
            answer = StoredAnswer(self._ticket, request, "", faults.hresult, faults.hresult_message, number)
        else:
            answer = self._spoil(self._execute(request, company, number))

        percent = self._receive(answer)
        if faults.strikes("duplicate_receive", number):
            percent = self._receive(answer)
        self._percentages.append(percent)
        if percent < 0:
            text = self._ask_last_error()
            self._close()
            raise Ended("failed", text)
        if percent > 100:
            self._calls.odd(f"receiveResponseXML answered {percent}; taken as 100")
        if percent >= 100:
            raise Ended("ok", self._close())

    def _execute(self, request: str, company: RequestProcessorSession, number: int) -> StoredAnswer:
        try:
            response, hresult, message = company.process(request), "", ""
        except RequestProcessorError as error:
            self._calls.note(f"the request processor failed: {error}")
            response, hresult, message = "", error.hresult, error.message
        return StoredAnswer(self._ticket, request, response, hresult, message, number)

    def _spoil(self, answer: StoredAnswer) -> StoredAnswer:
        """The answer as it goes on its way, with the faults that are due."""
        faults, number, true_answer = self._faults, answer.set_number, answer
        previous, faults.last_response = faults.last_response, answer.response or faults.last_response
        if faults.strikes("lose_answer", number):
            faults.lost_answers.append(answer)
            raise Ended("failed", "The connection broke after QuickBooks had executed the set")
        if faults.strikes("late_answer", number):
            faults.late_answers.append(answer)
            raise Ended("failed", "The connection broke; the answer will come late")
        if faults.strikes("truncate_response", number):
            answer = replace(answer, response=answer.response[: len(answer.response) // 2])
        if faults.strikes("illegal_characters", number):
            # Nothing is lost, so nothing is stored.
            answer = replace(answer, response=with_illegal_characters(answer.response))
            true_answer = replace(true_answer, response=answer.response)
        if faults.strikes("hresult_after_execution", number):
            answer = replace(answer, response="", hresult=faults.hresult, message=faults.hresult_message)
        if faults.strikes("answer_of_another_set", number) or faults.mix_up_waits:
            faults.mix_up_waits = previous is None
            answer = replace(answer, response=previous) if previous is not None else answer
        if answer != true_answer:
            faults.lost_answers.append(true_answer)
        return answer

    def _receive(self, answer: StoredAnswer) -> int:
        return self._calls.receive_response_xml(
            answer.ticket, answer.response, answer.hresult, answer.message
        )

    def _count_requests(self, request: str) -> int:
        parser = etree.XMLParser(resolve_entities=False, encoding="utf-8", huge_tree=True)
        try:
            root = etree.fromstring(request.encode(), parser)
        except etree.XMLSyntaxError:
            self._calls.odd(f"sendRequestXML gave what is not XML: {shorten(request)!r}")
            return 0
        return sum(1 for message_set in root for _ in message_set.iterchildren(etree.Element))

    def _deliver_late_after(self, method: str) -> None:
        faults = self._faults
        if method != faults.late_answer_after:
            return
        while faults.late_answers:
            answer = faults.late_answers.pop(0)
            try:
                self._late_percentages.append(self._receive(answer))
            except Ended as refused:
                # It is not a call of this run, so the run goes on.
                self._calls.odd(f"the late answer was refused: {refused.text}")
                faults.lost_answers.append(answer)

    # -- 5. the end

    def _ask_last_error(self) -> str:
        self._last_error = self._calls.get_last_error(self._ticket)
        if self._last_error == "":
            self._calls.odd("getLastError answered nothing; the user sees no reason")
        return self._last_error

    def _end_on_last_error(self, text: str) -> NoReturn:
        interactive = text.strip().casefold() == "interactive mode"
        if interactive:
            self._calls.odd("Interactive mode was asked for; this player does not support it")
        self._close()
        raise Ended("failed" if interactive else "ok", text)

    def _close(self) -> str:
        self._faults.ends_seen += 1
        if self._faults.strikes("skip_close", self._faults.ends_seen):
            return ""
        return self._calls.close_connection(self._ticket)

    def _report(self, ended: Ended) -> RunReport:
        return RunReport(
            outcome=ended.outcome,
            calls=MappingProxyType(dict(self._calls.count)),
            sets=self._sets,
            requests=self._requests,
            percentages=tuple(self._percentages),
            status_text=ended.text,
            qbwc_code=ended.code,
            last_error=self._last_error,
            oddities=self._calls.oddities,
            longest_call_seconds=self._calls.longest_seconds,
            slowest_method=self._calls.slowest_method,
            ticket=self._ticket,
            postponed_seconds=self._postponed,
            minimum_seconds=self._minimum,
            late_percentages=tuple(self._late_percentages),
        )


def _is_no_op(text: str) -> bool:
    return text.strip().casefold() == "noop"


def _is_set(text: str) -> bool:
    return text != "" and not _is_no_op(text)
