"""What runs by itself, with its last and next run."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, utc_now


class Schedule(Base):
    """One thing that runs by itself for one store, on whatever node comes first."""

    __tablename__ = "schedules"
    __table_args__ = (UniqueConstraint("company_id", "store_id", "name"), Index(None, "next_at"))

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    #: "orders", "refunds", "webhooks" ...
    name: Mapped[str] = mapped_column(String(32))
    #: When it is due, or goes on; None: not by itself (interval 0, store not live).
    next_at: Mapped[datetime | None]
    #: When a run was asked for beside the timetable, after a gap; None: it was not.
    wanted_at: Mapped[datetime | None]
    #: Counts the claims. Who claims compares and raises it; who commits a piece compares it, so that a node
    #: which was taken for dead commits nothing.
    claim: Mapped[int] = mapped_column(default=0)
    #: A claim ends by itself then: its node died. None: nobody is at it.
    claimed_until: Mapped[datetime | None]
    #: When the run at hand began; None: none is.
    running_since: Mapped[datetime | None]
    #: When the last run began, and ended.
    began_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    #: Of the last run: "done", "failed", or "" before the first.
    result: Mapped[str] = mapped_column(String(8), default="")
    #: What the last run did, or why it could not.
    sentence: Mapped[str] = mapped_column(Text, default="")
    #: Runs in a row that failed.
    failures: Mapped[int] = mapped_column(default=0)
    #: Where the run goes on, and what it found so far (JSON); "": at its beginning.
    place: Mapped[str] = mapped_column(Text, default="")
    #: What it keeps from run to run (JSON).
    memory: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
