"""What somebody was, or is to be, told of: alerts, when they were looked for, and the messages about them."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, utc_now


class Alert(Base):
    """One cause of one company, from when it was first seen until it was over; a cause that comes back is another."""

    __tablename__ = "alerts"
    __table_args__ = (
        # One open alert for each cause, whatever nodes do at once.
        Index(
            "uq_alerts_open",
            "company_id",
            "cause",
            unique=True,
            sqlite_where=text("closed_at IS NULL"),
            postgresql_where=text("closed_at IS NULL"),
        ),
        Index(None, "company_id", "closed_at"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: What tells causes apart: "connector", "failed 251658240000123", "task webhooks main" ...
    cause: Mapped[str] = mapped_column(String(200))
    #: One of `queue_store.alert_causes.TOPICS`.
    topic: Mapped[str] = mapped_column(String(16))
    #: What happened, to which record, what to do; as it was seen last.
    sentence: Mapped[str] = mapped_column(Text)
    opened_at: Mapped[datetime] = mapped_column(default=utc_now)
    #: When it was put into a message first, and last; None: it was not.
    told_at: Mapped[datetime | None]
    retold_at: Mapped[datetime | None]
    closed_at: Mapped[datetime | None]
    #: When it was put into a message that it is over; None: it was not, or nothing is to be told.
    closing_told_at: Mapped[datetime | None]


class AlertWatch(Base):
    """When a company's causes are looked for next, by one node at a time."""

    __tablename__ = "alert_watches"

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    next_at: Mapped[datetime]
    #: Counts the looks. Who keeps what he found compares it, so that an overtaken node keeps nothing.
    claim: Mapped[int] = mapped_column(default=0)
    #: When the last message was made.
    told_at: Mapped[datetime | None]


class AlertMessage(Base):
    """A message by one channel; it stays until it was sent, and until then takes up what else there is to tell."""

    __tablename__ = "alert_messages"
    __table_args__ = (
        Index(
            "ix_alert_messages_due",
            "next_at",
            sqlite_where=text("sent_at IS NULL"),
            postgresql_where=text("sent_at IS NULL"),
        ),
        Index(None, "company_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: "mail" or "url".
    channel: Mapped[str] = mapped_column(String(8))
    #: Ids of alerts by what is told of them: "opened", "open", "closed" (JSON).
    told: Mapped[str] = mapped_column(Text)
    next_at: Mapped[datetime]
    #: Counts the tries. Who sends raises it first, and a message with another count is not changed any more.
    tries: Mapped[int] = mapped_column(default=0)
    #: A try ends by itself then: its node died. None: nobody is at it.
    claimed_until: Mapped[datetime | None]
    #: Why the last try came to nothing.
    problem: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    sent_at: Mapped[datetime | None]
