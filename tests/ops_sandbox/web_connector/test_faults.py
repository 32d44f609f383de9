"""Misfortunes to order: what each makes of the conversation, and what the service sees."""

from __future__ import annotations

import pytest

from ops_sandbox.web_connector import CallFailed, Every, Faults, Once, StoredAnswer


@pytest.fixture
def run(service, make_connector):
    """Runs with these faults, three sets each; the connector is `run.connector`."""

    def start(**faults):
        service.on["receiveResponseXML"] = [30, 60, 100]
        run.connector = make_connector(faults=Faults(**faults))
        return run.connector.run_once()

    run = start
    return start


def answers(service):
    return [received["response"] for received in service.received("receiveResponseXML")]


def whole(number):
    return f'<?xml version="1.0" ?>\n<QBXML><QBXMLMsgsRs><Name>set {number}</Name></QBXMLMsgsRs></QBXML>'


def test_once_strikes_once_and_every_strikes_every_nth():
    assert [number for number in range(1, 8) if Once(3).hits(number)] == [3]
    assert [number for number in range(1, 8) if Every(3).hits(number)] == [3, 6]
    assert Once().hits(1)
    assert Every().hits(7)


def test_a_lost_answer_ends_the_run_after_quickbooks_has_executed(service, company, run):
    report = run(lose_answer=Once(2))
    assert report.outcome == "failed"
    assert (report.sets, report.percentages) == (2, (30,))
    assert service.methods[-1] == "sendRequestXML"
    assert len(company.processed) == 2
    assert company.open_sessions == 0
    assert run.connector.lost_answers == [
        StoredAnswer(ticket="{A1}", request="<QBXML/>", response=whole(2), set_number=2)
    ]


def test_faults_count_sets_from_run_to_run(service, run):
    run(lose_answer=Every(4))
    service.on["receiveResponseXML"] = [30, 60, 100]
    assert run.connector.run_once().sets == 1
    assert run.connector.faults.struck == [("lose_answer", 4)]


def test_a_lost_answer_can_be_delivered_by_hand(service, run):
    run(lose_answer=Once(1))
    service.on["receiveResponseXML"] = [-1]
    (answer,) = run.connector.lost_answers
    assert run.connector.deliver_late(answer) == -1
    assert answers(service) == [whole(1)]
    assert run.connector.lost_answers == []


def test_a_delivery_by_hand_that_fails_stays_lost(service, run):
    run(lose_answer=Once(1))
    service.on["receiveResponseXML"] = None
    with pytest.raises(CallFailed):
        run.connector.deliver_late(run.connector.lost_answers[0])
    assert len(run.connector.lost_answers) == 1


@pytest.mark.parametrize("after", ["authenticate", "sendRequestXML"])
def test_a_late_answer_comes_in_the_next_run_under_the_old_ticket(service, run, after):
    assert run(late_answer=Once(1), late_answer_after=after).outcome == "failed"
    service.heard.clear()
    service.on |= {"authenticate": ["{B2}", ""], "receiveResponseXML": [-1, 100]}
    report = run.connector.run_once()
    late, own = service.received("receiveResponseXML")
    assert (late["ticket"], late["response"]) == ("{A1}", whole(1))
    assert (own["ticket"], own["response"]) == ("{B2}", whole(2))
    assert service.methods[service.methods.index("receiveResponseXML") - 1] == after
    assert (report.outcome, report.late_percentages, report.percentages) == ("ok", (-1,), (100,))
    assert run.connector.lost_answers == []


def test_a_late_answer_comes_even_when_the_next_run_has_no_work(service, run):
    run(late_answer=Once(1))
    service.on["authenticate"] = ["{B2}", "none"]
    report = run.connector.run_once()
    assert (report.outcome, len(report.late_percentages)) == ("none", 1)


def test_a_late_answer_that_is_refused_does_not_end_the_run(service, say, run):
    run(late_answer=Once(1))
    service.on["receiveResponseXML"] = [say.answer(say.fault("unknown ticket")), 100]
    report = run.connector.run_once()
    assert report.outcome == "ok"
    assert report.oddities == ("the late answer was refused: unknown ticket",)
    assert len(run.connector.lost_answers) == 1


def test_an_hresult_may_hide_what_was_executed(service, company, run):
    report = run(hresult_after_execution=Once(2), hresult="0x8004040D", hresult_message="Invalid ticket.")
    received = service.received("receiveResponseXML")[1]
    assert received == {
        "ticket": "{A1}",
        "response": "",
        "hresult": "0x8004040D",
        "message": "Invalid ticket.",
    }
    assert (report.outcome, len(company.processed)) == ("ok", 3)
    assert [answer.response for answer in run.connector.lost_answers] == [whole(2)]


def test_an_hresult_may_come_without_execution(service, company, run):
    run(hresult_before_execution=Once(2))
    assert service.received("receiveResponseXML")[1]["hresult"] == "0x80040402"
    assert len(company.processed) == 2


def test_an_answer_may_be_posted_twice(service, run):
    report = run(duplicate_receive=Once(2))
    assert answers(service) == [whole(1), whole(2), whole(2)]
    # The second answer to the second set said 100.
    assert (report.percentages, report.sets) == ((30, 100), 2)


def test_a_set_may_be_thrown_away_and_asked_for_again(service, company, run):
    service.on["sendRequestXML"] = ["<first/>", "<second/>", "<third/>", "<fourth/>"]
    report = run(duplicate_send=Once(1))
    first, again = service.received("sendRequestXML")[:2]
    assert first == again
    assert company.processed == ["<second/>", "<third/>", "<fourth/>"]
    assert (report.outcome, report.sets) == ("ok", 3)


def test_a_set_may_never_reach_quickbooks(service, company, run):
    report = run(die_before_execution=Once(2))
    assert (report.outcome, report.sets, len(company.processed)) == ("failed", 2, 1)
    assert service.methods[-1] == "sendRequestXML"
    assert run.connector.lost_answers == []


def test_the_close_may_be_skipped(service, run):
    report = run(skip_close=Every(1))
    assert report.outcome == "ok"
    assert "closeConnection" not in report.calls
    service.on["authenticate"] = ["{A1}", "none"]
    assert run.connector.run_once().calls == {"serverVersion": 1, "clientVersion": 1, "authenticate": 1}


def test_a_response_may_be_cut_in_half(service, run):
    run(truncate_response=Once(2))
    assert answers(service)[1] == whole(2)[: len(whole(2)) // 2]


def test_illegal_characters_are_in_the_envelope_and_in_the_document(service, run):
    run(illegal_characters=Once(2))
    posted = [heard for heard in service.heard if heard.method == "receiveResponseXML"][1]
    assert b"&lt;Name&gt;&#x1;&amp;#x1;set 2&lt;/Name&gt;" in posted.body
    assert run.connector.lost_answers == []


def test_the_answer_of_the_set_before_may_be_posted(service, run):
    run(answer_of_another_set=Once(2))
    assert answers(service) == [whole(1), whole(1), whole(3)]
    assert [answer.response for answer in run.connector.lost_answers] == [whole(2)]


def test_the_answer_of_another_set_waits_for_one(service, run):
    run(answer_of_another_set=Once(1))
    assert answers(service) == [whole(1), whole(1), whole(3)]


def test_two_connectors_may_share_the_misfortune(service, make_connector):
    faults = Faults(lose_answer=Once(2))
    assert make_connector(faults=faults).run_once().outcome == "ok"
    assert make_connector(faults=faults).run_once().outcome == "failed"
