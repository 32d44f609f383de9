"""Webhooks that came to nothing: bodies kept with the reason, refusals counted."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from queue_store.fingerprint import content_digest
from queue_store.models import KeptBody, Store

#: Newest bodies kept per store, and how much of each.
MOST_BODIES = 1000
MOST_BYTES = 1_000_000

# Made once: it runs for every webhook, and putting a statement together is most of its cost.
_store_by_name = select(Store).where(Store.name == bindparam("name"))


def find_store(db: Session, name: str) -> Store | None:
    """The store whose webhook URL ends in `name`."""
    return db.scalars(_store_by_name, {"name": name}).first()


def keep_body(db: Session, *, store_id: int, topic: str, reason: str, body: bytes) -> KeptBody:
    """Keep a body that could not be used; the same one again is only counted."""
    digest = content_digest(body)
    kept = db.scalars(
        select(KeptBody).where(KeptBody.store_id == store_id, KeptBody.digest == digest).limit(1)
    ).first()
    if kept is not None:
        kept.times += 1
        kept.at = datetime.now(UTC)
        kept.reason = reason
        db.flush()
        return kept
    kept = KeptBody(store_id=store_id, topic=topic[:64], reason=reason, body=body[:MOST_BYTES], digest=digest)
    db.add(kept)
    db.flush()
    oldest = db.scalars(
        select(KeptBody.id)
        .where(KeptBody.store_id == store_id)
        .order_by(KeptBody.id.desc())
        .offset(MOST_BODIES)
        .limit(1)
    ).first()
    if oldest is not None:
        db.execute(delete(KeptBody).where(KeptBody.store_id == store_id, KeptBody.id <= oldest))
    return kept


def kept_bodies(db: Session, store_id: int, *, limit: int = 50) -> Sequence[KeptBody]:
    """Newest first."""
    return db.scalars(
        select(KeptBody).where(KeptBody.store_id == store_id).order_by(KeptBody.id.desc()).limit(limit)
    ).all()


def count_refused(db: Session, store_id: int, times: int) -> None:
    """Add unsigned and wrongly signed deliveries to the store's count."""
    db.execute(
        update(Store)
        .where(Store.id == store_id)
        .values(refused_webhooks=Store.refused_webhooks + times)
        .execution_options(synchronize_session=False)
    )


def webhook_arrived(db: Session, store_id: int, at: datetime) -> None:
    """Remember when the newest rightly signed delivery came."""
    db.execute(
        update(Store)
        .where(Store.id == store_id)
        .values(last_webhook_at=at)
        .execution_options(synchronize_session=False)
    )
