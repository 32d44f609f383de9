"""An activity as people see it: what it is, what happened to it, what was said to QuickBooks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lxml import etree
from sqlalchemy.orm import Session

from qbwc_service.binding import request_id_of
from qbxml.errors import QbxmlError
from qbxml.reader import read_requests, read_response
from queue_store.activities import attempts_of, events_of
from queue_store.models import Activity, Exchange
from queue_store.states import ActivityState


def summary(activity: Activity, companies: Mapping[int, str], stores: Mapping[int, str]) -> dict[str, Any]:
    """One activity in plain values; names by id."""
    return {
        "id": str(activity.id),
        "kind": activity.kind,
        "state": ActivityState(activity.state).shown,
        "company": companies.get(activity.company_id, ""),
        "store": stores.get(activity.store_id, ""),
        "target": activity.target,
        "record_id": activity.record_id,
        "generation": activity.generation,
        "order_id": activity.order_id,
        "reference": activity.reference,
        "attempts": activity.attempts,
        "reason": activity.reason,
        "sentence": activity.sentence,
        "priority": activity.priority,
        "next_at": activity.next_at,
        "created_at": activity.created_at,
        "updated_at": activity.updated_at,
        "txn_id": activity.txn_id,
        "txn_number": activity.txn_number,
        "total": activity.total,
    }


def events(db: Session, activity: Activity) -> list[dict[str, Any]]:
    """What happened, oldest first."""
    return [
        {
            "at": event.at,
            "from_state": _shown(event.from_state),
            "to_state": _shown(event.to_state),
            "cause": event.cause,
            "exchange": None if event.exchange_id is None else str(event.exchange_id),
        }
        for event in events_of(db, activity.id)
    ]


def attempts(db: Session, activity: Activity) -> list[dict[str, Any]]:
    """What was sent and answered, oldest first, each element as it travelled."""
    found = []
    for attempt in attempts_of(db, activity.id):
        exchange = db.get(Exchange, attempt.exchange_id)
        request_id = request_id_of(activity.id, attempt.number, attempt.exchange_id)
        found.append(
            {
                "number": attempt.number,
                "state": attempt.state,
                "exchange": str(attempt.exchange_id),
                "session": None if exchange is None else str(exchange.session_id),
                "sent_at": None if exchange is None else exchange.sent_at,
                "received_at": None if exchange is None else exchange.received_at,
                "status_code": attempt.status_code,
                "status_message": attempt.status_message,
                "hresult": "" if exchange is None else exchange.hresult,
                "message": "" if exchange is None else exchange.message,
                "predicted_total": attempt.predicted_total,
                "txn_id": attempt.txn_id,
                "request": None if exchange is None else _request(exchange, request_id),
                "answer": None if exchange is None else _answer(exchange, request_id),
            }
        )
    return found


def _request(exchange: Exchange, request_id: str) -> str | None:
    try:
        found = [one for one in read_requests(exchange.request) if one.request_id == request_id]
    except QbxmlError:
        # Better all of it than nothing.
        return exchange.request.decode("utf-8", "replace")
    return "\n".join(_text(one.element) for one in found) or None


def _answer(exchange: Exchange, request_id: str) -> str | None:
    if not exchange.response:
        return None
    try:
        found = [one for one in read_response(exchange.response).responses if one.request_id == request_id]
    except QbxmlError:
        return exchange.response.decode("utf-8", "replace")
    return "\n".join(one.xml() for one in found) or None


def _text(element: etree._Element) -> str:
    return etree.tostring(element, encoding="unicode", with_tail=False)


def _shown(state: str) -> str:
    return ActivityState(state).shown if state in ActivityState._value2member_map_ else state
