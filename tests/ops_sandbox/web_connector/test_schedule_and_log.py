"""Auto-Run by the schedule, and the line that each event leaves."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta, timezone

import pytest

from ops_sandbox.web_connector import Event, NoSchedule, log_line


class Stop(threading.Event):
    """Counts the waits instead of waiting, and is set after a number of them."""

    def __init__(self, clock, waits):
        super().__init__()
        self.clock = clock
        self.left = waits
        self.waited = []

    def wait(self, timeout=None):
        self.waited.append(timeout)
        self.clock.sleep(timeout)
        self.left -= 1
        if self.left == 0:
            self.set()
        return self.is_set()


def auto_run(connector, clock, waits, **options):
    stop = Stop(clock, waits)
    reports = []
    connector.auto_run(stop, on_report=reports.append, **options)
    return stop.waited, [report.outcome for report in reports]


def test_auto_run_follows_the_scheduler(clock, make_connector):
    connector = make_connector(scheduler="<RunEveryNMinutes>5</RunEveryNMinutes>")
    assert auto_run(connector, clock, 2) == ([300, 300], ["ok", "ok"])


def test_a_given_interval_replaces_the_scheduler(clock, make_connector):
    connector = make_connector(scheduler="<RunEveryNMinutes>5</RunEveryNMinutes>")
    assert auto_run(connector, clock, 2, every_seconds=2.5)[0] == [2.5, 2.5]


def test_without_a_schedule_there_is_no_auto_run(connector):
    with pytest.raises(NoSchedule, match="Shop Sync"):
        connector.auto_run(threading.Event())


def test_a_set_stop_runs_nothing(service, connector):
    stop = threading.Event()
    stop.set()
    connector.auto_run(stop, every_seconds=1)
    assert service.heard == []


def test_a_failed_run_waits_for_the_next_interval(service, clock, connector):
    service.on["authenticate"] = None
    assert auto_run(connector, clock, 2, every_seconds=60) == ([60, 60], ["failed", "failed"])


def test_the_service_raises_the_interval_for_good_and_never_lowers_it(service, clock, connector):
    service.on["authenticate"] = [["{A1}", "none", "", "120"], ["{A1}", "none", "", "30"], ["{A1}", "none"]]
    assert auto_run(connector, clock, 3, every_seconds=60)[0] == [120, 120, 120]


def test_a_postponement_sets_the_wait_once(service, clock, connector):
    service.on["authenticate"] = [["{A1}", "", "15"], ["{A1}", "none"]]
    waited, outcomes = auto_run(connector, clock, 2, every_seconds=60)
    assert (waited, outcomes) == ([15, 60], ["postponed", "none"])


def test_the_interval_counts_from_start_to_start(service, clock, connector):
    service.on["sendRequestXML"] = ["NoOp", "NoOp", "<QBXML/>"]
    assert auto_run(connector, clock, 2, every_seconds=60)[0] == [50, 60]


def test_a_line_reads_as_in_the_log_of_the_web_connector():
    at = datetime(2026, 1, 31, 9, 15, 7, tzinfo=timezone(timedelta(hours=1)))
    assert log_line(Event(at, "authenticate", 0.25, "received 2 strings")) == (
        "20260131.08:15:07 UTC : QBWebConnector.SOAPWebService.do_authenticate() : received 2 strings"
    )
    assert log_line(Event(at.astimezone(UTC), "", 0.0, "done")) == "20260131.08:15:07 UTC : done"


def test_a_run_tells_each_call_and_keeps_secrets_and_documents_short(service, make_connector):
    events = []
    service.on["sendRequestXML"] = ["<QBXML>\n" + "<Name>Ann</Name>" * 100 + "</QBXML>"]
    make_connector(on_event=events.append).run_once()
    calls = [event.method for event in events if event.method]
    assert calls == service.methods
    lines = "\n".join(map(log_line, events))
    assert "secret" not in lines
    assert "{A1}" not in lines
    assert max(len(event.text) for event in events) < 80
    assert "authRet[1] = " in lines


def test_what_is_odd_is_told_when_it_happens(service, make_connector):
    events = []
    service.on["receiveResponseXML"] = [101]
    make_connector(on_event=events.append).run_once()
    assert "odd: receiveResponseXML answered 101; taken as 100" in [event.text for event in events]
