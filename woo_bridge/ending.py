"""How activities that were done many at a time end: each by itself, all in a few statements.

A hundred settled one by one would take longer than the calls that did them.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from queue_store import meters
from queue_store.drain import Change, change
from queue_store.models import Activity, Company
from queue_store.settings import company_settings
from queue_store.shop_claim import still_claimed
from queue_store.states import ActivityState
from woo_bridge.errors import ShopError, TooManyRequests
from woo_bridge.kinds.kind import Again, Done, Ended, Held, Refused

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_LONGEST_WAIT = timedelta(hours=1)
S = ActivityState


def end_many(db: Session, attempts: Mapping[int, int], ended: Mapping[int, Ended], now: datetime) -> None:
    """Settle these claimed activities, given with the number of the attempt, by how each of them ended.

    A claim that ended meanwhile is left alone: somebody else does it, or did it already.
    """
    activities = still_claimed(db, attempts)
    if not activities:
        return
    company = db.get_one(Company, next(iter(activities.values())).company_id)
    base: int = company_settings(db, company)["retry.base_seconds"]
    # One statement takes changes of the same columns.
    alike: dict[tuple[str, ...], list[Change]] = defaultdict(list)
    for number, activity in activities.items():
        made = _change(activity, ended[number], base, now)
        alike[tuple(sorted(made.values or ()))].append(made)
        if made.after == S.FAILED:
            meters.FAILURES.add_after(db, company.id, meters.SHOP)
    for changes in alike.values():
        change(db, changes)


def wait_of(attempts: int, base_seconds: int, error: ShopError) -> timedelta:
    """2, 4, 8 ... minutes with the default setting, an hour at most; longer if the shop says so."""
    wait = min(timedelta(seconds=base_seconds * 2 ** min(attempts - 1, 12)), _LONGEST_WAIT)
    if isinstance(error, TooManyRequests) and error.retry_after is not None:
        wait = max(wait, min(timedelta(seconds=error.retry_after), _LONGEST_WAIT))
    return wait


def subject(activity: Activity) -> str:
    """What sentences call it."""
    return f"{activity.kind.replace('_', ' ').capitalize()} {activity.reference or activity.record_id}"


def failure(activity: Activity, error: ShopError) -> str:
    """What a person reads of one that trying again would not help."""
    return f"{subject(activity)}: {error} Then run: qbwoo activity retry {activity.id}"


def delay(activity: Activity, error: ShopError) -> str:
    """What a person reads of one that is tried again."""
    return f"{subject(activity)}: {error} It is tried again by itself."


def _change(activity: Activity, end: Ended, base_seconds: int, now: datetime) -> Change:
    """What becomes of one; a newer payload that came meanwhile takes the place of what was done."""
    made = Change(activity_id=activity.id, before=S.SENT, after=S.SUCCEEDED)
    newest = {"payload": activity.newer_payload or activity.payload, "newer_payload": None}
    if isinstance(end, ShopError):
        made.cause, made.values = str(end), newest
        if end.retriable:
            made.after, made.sentence = S.DELAYED, delay(activity, end)
            made.next_at = now + wait_of(activity.attempts, base_seconds, end)
        else:
            made.after, made.sentence = S.FAILED, failure(activity, end)
    elif activity.newer_payload is not None or isinstance(end, Again):
        made.after, made.values = S.PENDING, newest
        made.cause = end.cause if isinstance(end, Again) else "asked for again while it was done"
        if isinstance(end, Done):
            made.values = {**newest, "attempts": 0}
    elif isinstance(end, Done):
        made.cause, made.sentence = end.cause, end.sentence
    elif isinstance(end, Held):
        made.after, made.cause, made.sentence = S.HELD, end.sentence, end.sentence
        made.reason, made.values = end.reason, {"payload": end.payload}
    elif isinstance(end, Refused):
        made.after, made.cause = S.FAILED, end.sentence
        made.sentence = f"{end.sentence} Then run: qbwoo activity retry {activity.id}"
    else:
        made.after, made.cause = S.CANCELLED, end.sentence
        made.sentence, made.values = f"{subject(activity)}: {end.sentence}", {"newer_payload": None}
    return made
