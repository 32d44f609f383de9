"""Making activities ready before the Web Connector comes, so that a refusal shows at once."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from qbwc_service.errors import NotSendable
from qbwc_service.kinds import KINDS
from qbwc_service.kinds.sale import web_orders_of
from qbwc_service.needs import Prepared, decode_prepared, encode_prepared
from qbwc_service.run import Run
from qbwc_service.waiters import let_waiters_go
from queue_store import meters
from queue_store.activities import QUICKBOOKS, SALE
from queue_store.database import Database
from queue_store.drain import Change, change
from queue_store.log_context import about
from queue_store.models import Activity, Company
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState

logger = logging.getLogger(__name__)


def prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    """One activity made ready; what was lost of its texts goes to the log. Raises NotSendable."""
    prepared = KINDS[activity.kind].prepare(run, activity, payload)
    for remark in prepared.remarks:
        logger.info("activity %s: %s", activity.id, remark)
    return prepared


def known_prepared(run: Run, candidates: Sequence[Any]) -> list[tuple[Any, Prepared | None]]:
    """Candidates with what was made ready before; a sale whose web order was found in the books since is not."""
    fulfils = web_orders_of(run, [row for row in candidates if row.kind == SALE])
    # What one depends on besides its payload is the same for all of a store.
    valid = {store_id: run.prepared_with(store_id) for store_id in {row.store_id for row in candidates}}
    known: list[tuple[Any, Prepared | None]] = []
    for row in candidates:
        current = None
        if row.prepared is not None and row.prepared_with == valid[row.store_id]:
            current = decode_prepared(row.prepared)
        if current is not None and row.kind == SALE and current.sales_order != fulfils.get(row.id, ""):
            current = None
        known.append((row, current))
    return known


def prepare_pending(database: Database, limit: int = 100) -> int:
    """Make up to `limit` waiting activities ready, oldest first; gives how many were looked at."""
    return database.write_again(lambda db: _prepare_some(db, limit))


def _prepare_some(db: Session, limit: int) -> int:
    done = 0
    for company in db.scalars(select(Company).order_by(Company.id)):
        run = Run(db, company, datetime.now(UTC))
        rows = db.scalars(
            select(Activity)
            .where(
                Activity.company_id == company.id,
                Activity.target == QUICKBOOKS,
                Activity.state == ActivityState.PENDING,
                Activity.prepared.is_(None),
            )
            .order_by(Activity.id)
            .limit(limit - done)
            .with_for_update(skip_locked=True)
        ).all()
        for activity in rows:
            with about(company=company.name, activity=activity.id):
                prepare_one(run, activity)
        db.flush()
        done += len(rows)
        if done >= limit:
            break
    return done


def prepare_one(run: Run, activity: Activity) -> None:
    """Keep the prepared request with the activity, or fail it with the sentence."""
    try:
        prepared = prepare(run, activity, activity.payload)
    except NotSendable as refusal:
        change(
            run.db,
            [
                Change(
                    activity_id=activity.id,
                    before=activity.state,
                    after=ActivityState.FAILED,
                    sentence=refusal.sentence,
                )
            ],
        )
        meters.FAILURES.add_after(run.db, run.company.id, meters.NOT_SENDABLE)
        let_waiters_go(run.db, [(activity.id, activity.kind, refusal.sentence)])
        run.db.expire(activity)
        note_outcomes(run.db, run.company, [activity.id])
        return
    activity.prepared = encode_prepared(prepared)
    activity.prepared_with = run.prepared_with(activity.store_id)
