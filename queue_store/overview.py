"""What stands in the queue and who called last, in numbers alone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from queue_store.activities import count_by_state
from queue_store.models import OperatorTask, QbwcSession, Store
from queue_store.states import ActivityState

#: Every state by the word that people see.
STATES = tuple(dict.fromkeys(state.shown for state in ActivityState))


@dataclass(frozen=True, slots=True, kw_only=True)
class Overview:
    """All companies together, at one moment."""

    #: How many activities, for each of `STATES`.
    counts: dict[str, int]
    open_tasks: int
    refused_webhooks: int
    last_web_connector_call: datetime | None
    last_webhook: datetime | None


def read_overview(db: Session) -> Overview:
    """The numbers of all companies."""
    counts = count_by_state(db)
    last_webhook, refused = db.execute(
        select(func.max(Store.last_webhook_at), func.coalesce(func.sum(Store.refused_webhooks), 0))
    ).one()
    return Overview(
        counts={state: counts.get(state, 0) for state in STATES},
        open_tasks=db.execute(
            select(func.count()).select_from(OperatorTask).where(OperatorTask.open)
        ).scalar_one(),
        refused_webhooks=int(refused),
        last_web_connector_call=db.execute(select(func.max(QbwcSession.last_call_at))).scalar(),
        last_webhook=last_webhook,
    )
