"""Alerts in the database: opened and closed by their causes, and the messages that tell of them.

One node at a time looks at a company (`claim`), and keeps what it found only
while nobody else has looked since (`keep`): so each cause is told once. What is
to be told goes into a message in the same transaction, and a message stays
until it was sent.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, or_, select, update
from sqlalchemy.orm import Session

from queue_store.alert_causes import Cause
from queue_store.errors import LostClaim
from queue_store.models import Alert, AlertMessage, AlertWatch, Company
from queue_store.upsert import upsert

#: How often a company's causes are looked for.
EVERY = timedelta(minutes=1)
#: A message whose sender does not come back goes again after this long; all its time-outs are shorter.
CLAIM_ENDS = timedelta(minutes=5)
#: Closed alerts and sent messages are kept for so long.
_KEPT = timedelta(days=90)
#: From the first try that came to nothing to the next; then it doubles, up to the last.
_FIRST_RETRY, _LAST_RETRY = timedelta(minutes=1), timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """How a company wants to be told, see its settings `alerts.*`."""

    #: "mail", "url": those that are set up.
    channels: tuple[str, ...]
    pause: timedelta
    #: timedelta(0): never again.
    reminder: timedelta
    when_over: bool
    #: True: not at this hour.
    is_quiet: bool = False


# Looking -------------------------------------------------------------------


def due(db: Session, now: datetime) -> list[int]:
    """The companies whose causes are to be looked for now."""
    query = (
        select(Company.id)
        .outerjoin(AlertWatch, AlertWatch.company_id == Company.id)
        # One that is due far ahead was planned by a clock that has been put back since.
        .where(
            or_(AlertWatch.next_at.is_(None), AlertWatch.next_at <= now, AlertWatch.next_at > now + 2 * EVERY)
        )
        .order_by(Company.id)
    )
    return list(db.scalars(query))


def claim(db: Session, company_id: int, now: datetime) -> int | None:
    """Take one look for this node; its number, None if another was first."""
    fresh = {"company_id": company_id, "next_at": now, "claim": 0}
    upsert(db, AlertWatch, [fresh], ("company_id",), replace=False)
    return db.scalars(
        update(AlertWatch)
        .where(
            AlertWatch.company_id == company_id,
            or_(AlertWatch.next_at <= now, AlertWatch.next_at > now + 2 * EVERY),
        )
        .values(claim=AlertWatch.claim + 1, next_at=now + EVERY)
        .returning(AlertWatch.claim)
        .execution_options(synchronize_session=False)
    ).first()


def keep(
    db: Session, company_id: int, number: int, causes: Iterable[Cause], telling: Telling, now: datetime
) -> int:
    """Open what is new, close what is over, and make what is to be told now into messages; how many changed.

    Raises LostClaim if another node has looked since.
    """
    watch = db.scalars(
        select(AlertWatch)
        .where(AlertWatch.company_id == company_id, AlertWatch.claim == number)
        .with_for_update()
    ).first()
    if watch is None:
        raise LostClaim("alerts")
    changed = _open_and_close(db, company_id, causes, telling, now)
    if telling.channels and not telling.is_quiet and _may_tell(watch, telling, now):
        told = _to_tell(db, company_id, telling, now)
        if told:
            for channel in telling.channels:
                _put_into_message(db, company_id, channel, told, now)
            watch.told_at = now
    if changed:
        _forget_old(db, company_id, now)
    db.flush()
    return changed


def _open_and_close(
    db: Session, company_id: int, causes: Iterable[Cause], telling: Telling, now: datetime
) -> int:
    there = {alert.cause: alert for alert in open_alerts(db, company_id)}
    found = {cause.key: cause for cause in causes}
    for key, cause in found.items():
        alert = there.get(key)
        if alert is None:
            db.add(
                Alert(
                    company_id=company_id,
                    cause=key,
                    topic=cause.topic,
                    sentence=cause.sentence,
                    opened_at=now,
                )
            )
        elif alert.sentence != cause.sentence:
            alert.sentence = cause.sentence
    over = [alert for key, alert in there.items() if key not in found]
    for alert in over:
        alert.closed_at = now
        if alert.told_at is None or not telling.when_over:
            # Nobody heard of it, or wants to hear more.
            alert.closing_told_at = now
    db.flush()
    return len(found.keys() - there.keys()) + len(over)


def _may_tell(watch: AlertWatch, telling: Telling, now: datetime) -> bool:
    return watch.told_at is None or not timedelta(0) <= now - watch.told_at < telling.pause


def _to_tell(db: Session, company_id: int, telling: Telling, now: datetime) -> dict[str, list[int]]:
    """Ids of alerts by what is to be told of them; they count as told from now on."""
    told: dict[str, list[int]] = {"opened": [], "closed": [], "open": []}
    for alert in open_alerts(db, company_id):
        last = alert.retold_at or alert.told_at
        if last is None:
            told["opened"].append(alert.id)
            alert.told_at = now
        elif telling.reminder and now - last >= telling.reminder:
            told["open"].append(alert.id)
            alert.retold_at = now
    for alert in db.scalars(
        select(Alert).where(
            Alert.company_id == company_id, Alert.closed_at.is_not(None), Alert.closing_told_at.is_(None)
        )
    ):
        told["closed"].append(alert.id)
        alert.closing_told_at = now
    return {what: ids for what, ids in told.items() if ids}


def _put_into_message(
    db: Session, company_id: int, channel: str, told: Mapping[str, list[int]], now: datetime
) -> None:
    """Into the one that waits already, if none is at it; else into a new one."""
    waiting = db.scalars(
        select(AlertMessage)
        .where(
            AlertMessage.company_id == company_id,
            AlertMessage.channel == channel,
            AlertMessage.sent_at.is_(None),
            AlertMessage.claimed_until.is_(None),
        )
        .order_by(AlertMessage.id.desc())
        .limit(1)
        .with_for_update()
    ).first()
    if waiting is None:
        db.add(
            AlertMessage(
                company_id=company_id, channel=channel, told=json.dumps(told), next_at=now, created_at=now
            )
        )
        return
    before: dict[str, list[int]] = json.loads(waiting.told)
    for what, ids in told.items():
        before[what] = [*before.get(what, []), *(one for one in ids if one not in before.get(what, []))]
    waiting.told = json.dumps(before)


def _forget_old(db: Session, company_id: int, now: datetime) -> None:
    old = now - _KEPT
    for query in (
        delete(Alert).where(Alert.company_id == company_id, Alert.closed_at < old),
        delete(AlertMessage).where(AlertMessage.company_id == company_id, AlertMessage.sent_at < old),
    ):
        db.execute(query.execution_options(synchronize_session=False))


# Reading -------------------------------------------------------------------


def open_alerts(db: Session, company_id: int | None = None) -> Sequence[Alert]:
    """Those that are not over, oldest first."""
    query = select(Alert).where(Alert.closed_at.is_(None)).order_by(Alert.id)
    return db.scalars(query if company_id is None else query.where(Alert.company_id == company_id)).all()


def list_alerts(db: Session, company_id: int | None, *, closed: bool, limit: int) -> Sequence[Alert]:
    """Newest first; with `closed` also what is over."""
    query = select(Alert).order_by(Alert.id.desc()).limit(limit)
    if company_id is not None:
        query = query.where(Alert.company_id == company_id)
    return db.scalars(query if closed else query.where(Alert.closed_at.is_(None))).all()


def alerts_by_id(db: Session, ids: Collection[int]) -> dict[int, Alert]:
    """Those of these that are still kept."""
    return {alert.id: alert for alert in db.scalars(select(Alert).where(Alert.id.in_(ids)))}


# Messages ------------------------------------------------------------------


def next_message(db: Session, now: datetime) -> AlertMessage | None:
    """The message that is due longest and that nobody is at."""
    return db.scalars(
        select(AlertMessage)
        .where(AlertMessage.sent_at.is_(None), AlertMessage.next_at <= now, _is_free(now))
        .order_by(AlertMessage.next_at, AlertMessage.id)
        .limit(1)
    ).first()


def claim_message(db: Session, message_id: int, tries: int, now: datetime) -> AlertMessage | None:
    """Take it for one try; None if another node was first."""
    return db.scalars(
        update(AlertMessage)
        .where(
            AlertMessage.id == message_id,
            AlertMessage.tries == tries,
            AlertMessage.sent_at.is_(None),
            _is_free(now),
        )
        .values(tries=AlertMessage.tries + 1, claimed_until=now + CLAIM_ENDS)
        .returning(AlertMessage)
        .execution_options(synchronize_session=False, populate_existing=True)
    ).first()


def message_sent(db: Session, message_id: int, tries: int, now: datetime) -> None:
    """This try arrived."""
    _settle(db, message_id, tries, sent_at=now, problem="")


def message_failed(db: Session, message_id: int, tries: int, problem: str, now: datetime) -> None:
    """This try came to nothing: the next is after 1, 2, 4 ... minutes, an hour at most."""
    wait = min(_FIRST_RETRY * 2 ** min(tries - 1, 10), _LAST_RETRY)
    _settle(db, message_id, tries, next_at=now + wait, problem=problem)


def _settle(db: Session, message_id: int, tries: int, **values: Any) -> None:
    db.execute(
        update(AlertMessage)
        .where(AlertMessage.id == message_id, AlertMessage.tries == tries, AlertMessage.sent_at.is_(None))
        .values(claimed_until=None, **values)
        .execution_options(synchronize_session=False)
    )


def unsent(db: Session, company_id: int | None = None) -> Sequence[AlertMessage]:
    """Messages that are still to be sent, oldest first."""
    query = select(AlertMessage).where(AlertMessage.sent_at.is_(None)).order_by(AlertMessage.id)
    if company_id is not None:
        query = query.where(AlertMessage.company_id == company_id)
    return db.scalars(query).all()


def _is_free(now: datetime) -> Any:
    return or_(AlertMessage.claimed_until.is_(None), AlertMessage.claimed_until < now)
