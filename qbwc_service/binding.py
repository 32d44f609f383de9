"""An activity and its document in the books: bound, held against what was sent, told where they differ."""

from __future__ import annotations

import logging
import re
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any

from qbwc_service.flavours.spelling import Written
from qbwc_service.run import Run, exchange_suffix
from qbxml.statuses import NOT_BALANCED
from queue_store.activities import attempts_of, called, get_activity
from queue_store.drain import Change
from queue_store.fingerprint import content_digest
from queue_store.intake import changed_after_sent
from queue_store.log_context import about
from queue_store.quoting import quoted
from queue_store.settings import set_company_setting
from queue_store.states import ActivityState
from queue_store.tasks import REFUSED_TOTAL, open_tasks, raise_task

logger = logging.getLogger(__name__)


_REQUEST_ID = re.compile(r"([0-9]{1,19})-([0-9]{1,9})\.([0-9]{1,19})")


def request_id_of(activity_id: int, number: int, exchange_id: int) -> str:
    """requestID of a write: the activity, its attempt, and the exchange.

    Attempts are counted anew after a backup was put back; no exchange comes twice.
    """
    return f"{activity_id}-{number}{exchange_suffix(exchange_id)}"


def read_request_id(request_id: str | None) -> tuple[int, int, int] | None:
    """(activity, attempt, exchange), or None for an id that is not ours."""
    found = _REQUEST_ID.fullmatch(request_id or "")
    return (int(found[1]), int(found[2]), int(found[3])) if found else None


def bound_change(row: Any, written: Written, fingerprint: str, *, cause: str) -> Change:
    """An activity is in the books as `written`."""
    return Change(
        activity_id=row.id,
        before=row.state,
        after=ActivityState.SUCCEEDED,
        cause=cause,
        values={
            "txn_id": row.txn_id or written.txn_id,
            "txn_number": written.number,
            "total": written.total,
            "fingerprint": fingerprint or row.fingerprint,
            "set_failures": 0,
            "suspect_size": 0,
            "suspect_of": None,
        },
    )


@dataclass(frozen=True, slots=True)
class Place:
    """Where a payload belongs in the queue, as the shop's side decided when it arrived."""

    state: ActivityState
    reason: str
    sentence: str


def take_newer(run: Run, activity_id: int) -> Place:
    """The payload that waited beside a sent activity takes its place; gives where it belongs."""
    activity = get_activity(run.db, activity_id)
    if activity.newer_payload is None:
        return Place(ActivityState.PENDING, "", "")
    place = Place(
        ActivityState(activity.newer_state or ActivityState.PENDING),
        activity.newer_reason,
        activity.newer_sentence,
    )
    activity.payload = activity.newer_payload
    activity.fingerprint = activity.newer_fingerprint
    activity.modified_at = activity.newer_modified_at
    activity.digest = content_digest(activity.payload)
    activity.newer_payload, activity.newer_fingerprint, activity.newer_modified_at = None, "", None
    activity.prepared = None
    activity.unwanted = activity.unwanted or place.state is ActivityState.CANCELLED
    # A fresh start: what was wrong with the old content need not be wrong with this.
    activity.set_failures, activity.suspect_size, activity.suspect_of = 0, 0, None
    run.db.flush()
    return place


def bound_fingerprint(run: Run, activity_id: int) -> str:
    """Fingerprint of the attempt that the activity is bound to; of its own content where that is not known."""
    activity = get_activity(run.db, activity_id)
    attempts = attempts_of(run.db, activity_id)
    bound = next((one for one in attempts if activity.txn_id and one.txn_id == activity.txn_id), None)
    return bound.fingerprint if bound else activity.fingerprint


def compare_newer(run: Run, activity_id: int, sent_fingerprint: str, *, content: str) -> None:
    """What waited beside it, else its `content`, against what is in the books: equal, or "changed after sent"."""
    activity = get_activity(run.db, activity_id)
    waited = activity.newer_payload is not None
    newest = activity.newer_fingerprint if waited else content
    if activity.unwanted or newest != sent_fingerprint:
        changed_after_sent(run.db, activity)
        return
    if activity.newer_payload is not None:
        activity.payload, activity.modified_at = activity.newer_payload, activity.newer_modified_at
        activity.newer_payload, activity.newer_fingerprint, activity.newer_modified_at = None, "", None
        run.db.flush()


def check_total(
    run: Run, row: Any, total: Decimal | None, predicted: Decimal | None, *, discounted: bool = False
) -> None:
    """QuickBooks' Total against ours: any unexplained difference stops further documents."""
    if total is None or predicted is None or total == predicted:
        return
    activity = get_activity(run.db, row.id)
    sentence = (
        f"{called(row)}: QuickBooks computed a total of {total} for receipt {activity.txn_number}, "
        f"{predicted} was expected (difference {total - predicted}). "
    )
    if discounted:
        sentence += "QuickBooks took a discount of its own: look at the customer's price level and rewards."
    else:
        sentence += _stop(run, "compare the receipt's lines and tax")
    activity.sentence = sentence
    _total_differs(run, row.id, sentence)


def check_refused_total(run: Run, row: Any) -> None:
    """QuickBooks refused a document as not balanced: it computed another total than the one that was tendered.

    One may be its customer's price level or rewards. A second one, while a person has not looked at the first, is a
    switch that does not fit this Point of Sale: further documents are stopped.
    """
    known = [task for task in open_tasks(run.db, run.company.id) if task.kind == REFUSED_TOTAL]
    sentence = (
        f"{called(row)}: QuickBooks computed another total than {row.predicted_total}, and refused it (status "
        f"{NOT_BALANCED}). It has prices, "
        "discounts or taxes of its own, or a setting does not fit it: "
    )
    if any(task.activity_id != row.id for task in known):
        sentence += _stop(run, _how_to_fit(run))
    else:
        sentence += f"{_how_to_fit(run)}, then run: qbwoo activity retry {row.id}"
    get_activity(run.db, row.id).sentence = sentence
    _total_differs(run, row.id, sentence, kind=REFUSED_TOTAL)


def _how_to_fit(run: Run) -> str:
    """What a person does where QuickBooks' totals are not the predicted ones."""
    return (
        "look at the customer's price level and rewards, and find out the settings in practice mode: "
        f"qbwoo company calibrate {quoted(run.company.name)}"
    )


def _stop(run: Run, deed: str) -> str:
    set_company_setting(run.db, run.company, "documents.stopped", "true", who="qbwoo")
    run.__dict__.pop("settings", None)
    return (
        f"No further documents are sent until you have looked: {deed}, then run: qbwoo company set "
        f"{quoted(run.company.name)} documents.stopped false"
    )


def _total_differs(run: Run, activity_id: int, sentence: str, *, kind: str = "total differs") -> None:
    raise_task(
        run.db,
        company_id=run.company.id,
        kind=kind,
        subject=str(activity_id),
        sentence=sentence,
        activity_id=activity_id,
    )
    with about(activity=activity_id):
        logger.error("activity %s: %s", activity_id, sentence)


def back_off(run: Run, times: int) -> timedelta:
    """2, 4, 8, 16 minutes, then hourly (with the default base of 120 seconds)."""
    base: int = run.settings["retry.base_seconds"]
    return timedelta(seconds=min(3600, base * 2 ** min(max(times - 1, 0), 12)))
