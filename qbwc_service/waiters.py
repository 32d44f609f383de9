"""What waits for an activity that failed: it fails with it, or goes without it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy.orm import Session

from qbwc_service.kinds import KINDS
from queue_store.waits import fail_waiters, wake_waiters


def let_waiters_go(
    db: Session, failed: Collection[tuple[int, str, str]], *, exchange_id: int | None = None
) -> None:
    """Nothing waits any longer for these: (activity, kind, sentence) each."""
    spared = [activity_id for activity_id, kind, _ in failed if KINDS[kind].is_dispensable]
    if spared:
        wake_waiters(db, spared, exchange_id=exchange_id, cause="what it waited for failed: it goes without")
    fail_waiters(
        db,
        [(activity_id, why) for activity_id, kind, why in failed if not KINDS[kind].is_dispensable],
        exchange_id=exchange_id,
    )
