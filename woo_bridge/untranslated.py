"""Orders that cannot be translated: kept as failed activities with their bodies, and tried again by a newer version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_store import meters
from queue_store.activities import SALE, add_activity, move, newest_of_record, note
from queue_store.erasures import body_without_erased, without_erased
from queue_store.fingerprint import content_digest, order_fingerprint
from queue_store.models import Activity, Company, Store
from queue_store.payloads import encode
from queue_store.returns import follow_sale
from queue_store.settings import Settings
from queue_store.shop_notes import note_outcomes
from queue_store.states import AT_HOME, ActivityState
from queue_store.tasks import raise_task
from queue_store.webhook_log import keep_body
from woo_bridge import raw
from woo_bridge.disposition import Disposition, decide, order_rules
from woo_bridge.errors import Untranslatable
from woo_bridge.take_refunds import UNTRANSLATABLE, see_to_refunds
from woo_bridge.translate_orders import translate_order

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def refuse_order(
    db: Session, store: Store, topic: str, body: bytes, problem: Untranslatable
) -> Activity | None:
    """An order that cannot be translated fails with its body kept, so that nothing is lost.

    None where there is no activity to fail: no id, or what is there must not be
    touched (sent, in the books, held by a person). Then a task says so.
    """
    body = body_without_erased(db, store.company_id, body)
    keep_body(db, store_id=store.id, topic=topic, reason=str(problem), body=body)
    known = raw.identify(body)
    if known is None or known.id is None:
        _unreadable_task(db, store, store.name, str(problem))
        return None
    activity = newest_of_record(
        db, company_id=store.company_id, store_id=store.id, kind=SALE, record_id=str(known.id)
    )
    try:
        modified_at = raw.moment(known.date_modified_gmt)
    except ValueError:
        modified_at = None
    digest = content_digest(body)
    sentence = (
        f"{problem} Its body is kept. Mend the order in the shop and save it there, or retry this activity "
        "with a newer version of qbwoo."
    )
    company = db.get_one(Company, store.company_id)
    if activity is None:
        added = add_activity(
            db,
            Activity(
                company_id=store.company_id,
                store_id=store.id,
                kind=SALE,
                record_id=str(known.id),
                state=ActivityState.FAILED,
                reason=UNTRANSLATABLE,
                sentence=sentence,
                payload=body,
                digest=digest,
                modified_at=modified_at,
                order_id=str(known.id),
                reference=(raw.line(known.number) or str(known.id))[:120],
            ),
            cause=sentence,
        )
        meters.FAILURES.add_after(db, company.id, meters.UNREADABLE)
        note_outcomes(db, company, [added.id])
        return added
    if activity.digest == digest:
        return activity
    if modified_at and activity.modified_at and modified_at < activity.modified_at:
        return activity
    if activity.state not in AT_HOME or activity.reason == "operator":
        _unreadable_task(db, store, f"{store.name} {known.id}", sentence, activity)
        return None
    if activity.state == ActivityState.CANCELLED:
        move(db, activity, ActivityState.PENDING, cause="changed in the shop")
    move(
        db,
        activity,
        ActivityState.FAILED,
        cause=sentence,
        sentence=sentence,
        reason=UNTRANSLATABLE,
        payload=body,
        digest=digest,
        modified_at=modified_at or activity.modified_at,
        prepared=None,
        unwanted=False,
    )
    meters.FAILURES.add_after(db, company.id, meters.UNREADABLE)
    follow_sale(db, activity)
    note_outcomes(db, company, [activity.id])
    return activity


def is_untranslated(activity: Activity) -> bool:
    """True if its payload is a raw body: retry it by `retranslate`, never as it is."""
    return activity.reason == UNTRANSLATABLE


def retranslate(db: Session, store: Store, settings: Settings, activity: Activity) -> Disposition:
    """Try again to translate a body that this version may understand. Raises Untranslatable."""
    [order] = without_erased(db, store.company_id, store.id, [translate_order(activity.payload)])
    disposition = decide(order, order_rules(store, settings))
    payload = encode(order)
    to = disposition.state
    if to is ActivityState.PENDING or to in (
        ActivityState.WAITING,
        ActivityState.HELD,
        ActivityState.CANCELLED,
    ):
        move(
            db,
            activity,
            to,
            cause=disposition.sentence or "translated again",
            sentence=disposition.sentence,
            reason=disposition.reason,
            payload=payload,
            digest=content_digest(payload),
            fingerprint=order_fingerprint(order),
            modified_at=order.modified_at,
            reference=order.number[:120],
            unwanted=to is ActivityState.CANCELLED,
        )
        follow_sale(db, activity)
        see_to_refunds(db, store, order)
    return disposition


def _unreadable_task(
    db: Session, store: Store, subject: str, sentence: str, activity: Activity | None = None
) -> None:
    if activity is not None:
        note(db, activity.id, activity.state, activity.state, sentence)
    raise_task(
        db,
        company_id=store.company_id,
        kind="unreadable webhook",
        subject=subject,
        sentence=sentence,
        activity_id=activity.id if activity is not None else None,
    )
