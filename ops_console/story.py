"""An activity as people see it: what it is, what happened to it, what was said to QuickBooks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree
from sqlalchemy.orm import Session

from qbwc_service.binding import request_id_of
from qbwc_service.kinds import KINDS
from qbwc_service.needs import Prepared
from qbwc_service.previewing import Preview, expected_sale, preview, preview_sent
from qbwc_service.run import Run
from qbxml.errors import QbxmlError
from qbxml.reader import read_requests, read_response
from queue_store.activities import QUICKBOOKS, RETURN, attempts_of, events_of
from queue_store.models import Activity, Company, Exchange
from queue_store.returns import sale_of
from queue_store.states import AT_HOME, ActivityState
from woo_bridge.untranslated import is_untranslated


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


@dataclass(frozen=True, slots=True)
class Document:
    """What an activity is in QuickBooks, or would be."""

    preview: Preview
    #: True: as it was sent; False: as it would leave now.
    sent: bool


def document(db: Session, activity: Activity) -> Document | None:
    """The document of an activity; None for work of the shop's side, and where none is known. Writes nothing."""
    if activity.target != QUICKBOOKS or activity.kind not in KINDS:
        return None
    if is_untranslated(activity):
        return Document(Preview(refusal=activity.sentence), sent=False)
    run = Run(db, db.get_one(Company, activity.company_id), datetime.now(UTC))
    payload = activity.payload if activity.newer_payload is None else activity.newer_payload
    if activity.state in AT_HOME and activity.state != ActivityState.CANCELLED:
        return Document(preview(run, activity, payload, sale=_unsent_sale(run, activity)), sent=False)
    made = attempts_of(db, activity.id)
    attempt = next(
        (one for one in made if one.txn_id and one.txn_id == activity.txn_id), made[-1] if made else None
    )
    exchange = db.get(Exchange, attempt.exchange_id) if attempt else None
    if attempt is None or exchange is None:
        return None
    request = _request(exchange, request_id_of(activity.id, attempt.number, attempt.exchange_id))
    try:
        return Document(
            preview_sent(run, activity, payload, request or "", attempt.predicted_total), sent=True
        )
    except QbxmlError:
        # The request itself is shown with its attempt.
        return None


def _unsent_sale(run: Run, activity: Activity) -> Prepared | None:
    """What a return goes after, where that is not in QuickBooks yet."""
    if activity.kind != RETURN:
        return None
    sale = sale_of(run.db, activity.company_id, activity.store_id, activity.order_id)
    if sale is None or sale.state not in AT_HOME or is_untranslated(sale):
        return None
    return expected_sale(run, sale, sale.payload)


def _request(exchange: Exchange, request_id: str) -> str | None:
    if not exchange.request:
        # Pruned.
        return None
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
