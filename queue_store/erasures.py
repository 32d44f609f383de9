"""Who was erased, remembered by a digest: what the shop tells of such a person again comes in without the person.

Bounded by time: what was placed after the erasure is a new matter, and is taken
in as of anybody. What was open when its person was erased keeps its person
until it is over.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import bindparam, select, update
from sqlalchemy.orm import Session

from queue_store.anonymous import erased_body, erased_order
from queue_store.models import Activity, Erasure, ErasureRest
from queue_store.payloads import Order
from queue_store.prebuilt import Prebuilt
from queue_store.states import ActivityState

#: States in which nothing of an activity goes anywhere by itself any more.
OVER: frozenset[ActivityState] = frozenset(
    {ActivityState.SUCCEEDED, ActivityState.SUPERSEDED, ActivityState.CANCELLED}
)
#: A customer of QuickBooks of whom no more is kept than which one it is.
CUSTOMER_WITHOUT_PERSON: Mapping[str, Any] = {
    "email_key": "",
    "first_name": "",
    "last_name": "",
    "postcode": "",
    "fields": b"{}",
}
_LOCAL = re.compile(rb"[\w.!#$%&'*+/=?^`{|}~-]+\Z")
_DOMAIN = re.compile(rb"[\w-]+(?:\.[\w-]+)+")

_STANDING = Prebuilt(
    select(Erasure.id, Erasure.digest, Erasure.asked_at, Erasure.returned_at).where(
        Erasure.company_id == bindparam("company_id"),
        Erasure.digest.in_(bindparam("digests", expanding=True)),
    )
)


def fold_email(email: str) -> str:
    """How addresses are compared: trimmed and case-blind."""
    return email.strip().casefold()


def email_digest(company_id: int, email: str) -> str:
    """What is remembered of an address. Another one in each company, so that no list made elsewhere fits.

    Who has the database and guesses an address can still find out whether it was erased.
    """
    key = company_id.to_bytes(8, "big")
    return hashlib.blake2b(
        fold_email(email).encode(), key=key, digest_size=32, person=b"qbwoo-erasure"
    ).hexdigest()


def erasures_of(db: Session, company_id: int, emails: Iterable[str]) -> dict[str, Erasure]:
    """The erasures that stand, by folded address."""
    folded = {email_digest(company_id, one): fold_email(one) for one in emails if one.strip()}
    if not folded:
        return {}
    found = db.scalars(
        select(Erasure).where(Erasure.company_id == company_id, Erasure.digest.in_(list(folded)))
    ).all()
    return {folded[one.digest]: one for one in found}


def without_erased(db: Session, company_id: int, store_id: int, orders: Sequence[Order]) -> list[Order]:
    """These orders as they may be kept: without the person where that one was erased since."""
    digests: dict[str, list[int]] = {}
    for place, order in enumerate(orders):
        for email in {order.billing.email, order.shipping.email}:
            if email.strip():
                digests.setdefault(email_digest(company_id, email), []).append(place)
    if not digests:
        return list(orders)
    found = _STANDING.rows(db, {"company_id": company_id, "digests": list(digests)})
    if not found:
        return list(orders)
    kept = list(orders)
    for one in found:
        for place in digests[one.digest]:
            order = orders[place]
            if order.created_at > one.asked_at:
                if one.returned_at is None:
                    _returned(db, one.id, order.created_at)
            elif not _is_open(db, one.id, store_id, str(order.order_id)):
                kept[place] = erased_order(order)
    return kept


def body_without_erased(db: Session, company_id: int, body: bytes) -> bytes:
    """A body that could not be used, as it may be kept."""
    return erased_body(body) if erased_among(db, company_id, emails_in(body)) else body


def emails_in(body: bytes) -> set[str]:
    """All that look like e-mail addresses in a text, folded."""
    found = set()
    # From each @ so far as addresses go: a body may be a megabyte of digits.
    for at in re.finditer(b"@", body):
        local = _LOCAL.search(body[max(0, at.start() - 64) : at.start()])
        domain = _DOMAIN.match(body[at.end() : at.end() + 255])
        if local and domain:
            found.add(fold_email((local[0] + b"@" + domain[0]).decode(errors="replace")))
    return found


def erased_among(db: Session, company_id: int, emails: Collection[str]) -> set[str]:
    """Those of these folded addresses whose person was erased to the end, and has ordered nothing since."""
    found = erasures_of(db, company_id, emails)
    return {email for email, one in found.items() if one.returned_at is None and one.finished_at is not None}


def is_erased(db: Session, company_id: int, email: str) -> bool:
    """True if the person of this address was erased, with nothing left, and has ordered nothing since."""
    return bool(erased_among(db, company_id, [email]))


def _is_open(db: Session, erasure_id: int, store_id: int, order_id: str) -> bool:
    """True if something of this order was left, since it was open, and still is."""
    return (
        db.scalars(
            select(Activity.id)
            .join(ErasureRest, ErasureRest.activity_id == Activity.id)
            .where(
                ErasureRest.erasure_id == erasure_id,
                Activity.store_id == store_id,
                Activity.order_id == order_id,
                Activity.state.not_in(OVER),
            )
            .limit(1)
        ).first()
        is not None
    )


def _returned(db: Session, erasure_id: int, at: datetime) -> None:
    db.execute(
        update(Erasure)
        .where(Erasure.id == erasure_id, Erasure.returned_at.is_(None))
        .values(returned_at=at)
        .execution_options(synchronize_session=False)
    )
