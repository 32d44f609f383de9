"""What waits for a person."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, utc_now


class OperatorTask(Base):
    """Something that a person must decide or look at."""

    __tablename__ = "operator_tasks"
    __table_args__ = (UniqueConstraint("company_id", "kind", "subject"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    kind: Mapped[str] = mapped_column(String(32))
    subject: Mapped[str] = mapped_column(String(120))
    sentence: Mapped[str] = mapped_column(Text)
    activity_id: Mapped[int | None]
    open: Mapped[bool] = mapped_column(default=True)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class HandRun(Base):
    """A push or pull of many records that a person began and that has not come to its end."""

    __tablename__ = "hand_runs"

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    #: "push customers" ...
    name: Mapped[str] = mapped_column(String(32), primary_key=True)
    #: What was asked for, in one line: another selection is another run.
    selection: Mapped[str] = mapped_column(Text)
    #: Where it goes on: all up to here is done.
    place: Mapped[str] = mapped_column(String(64), default="")
    done: Mapped[int] = mapped_column(default=0)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class KeptBody(Base):
    """A webhook body that could not be used, kept with the reason."""

    __tablename__ = "kept_bodies"
    __table_args__ = (Index(None, "store_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    at: Mapped[datetime] = mapped_column(default=utc_now)
    topic: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes]
    digest: Mapped[str] = mapped_column(String(32), default="")
    times: Mapped[int] = mapped_column(default=1)
