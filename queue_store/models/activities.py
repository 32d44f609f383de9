"""The queue: activities with their history, and what was sent for them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, Packed, utc_now


class Activity(Base):
    """One unit of work. Its identity is (company, store, kind, record id, generation)."""

    __tablename__ = "activities"
    __table_args__ = (
        UniqueConstraint("company_id", "store_id", "kind", "record_id", "generation"),
        # Runs in the direction of the claim's ORDER BY: another direction would sort the whole queue.
        Index("ix_activities_claim", "company_id", "target", "state", text("priority DESC"), "id"),
        # Of the few that are delayed alone: every index of all rows is written with each change of state.
        Index(
            "ix_activities_due",
            "company_id",
            "target",
            "next_at",
            sqlite_where=text("state = 'delayed'"),
            postgresql_where=text("state = 'delayed'"),
        ),
        # What the worker has still to prepare; a scan of the waiting queue would grow with it.
        Index(
            "ix_activities_unprepared",
            "company_id",
            "id",
            sqlite_where=text("prepared IS NULL AND state = 'pending' AND target = 'quickbooks'"),
            postgresql_where=text("prepared IS NULL AND state = 'pending' AND target = 'quickbooks'"),
        ),
        Index("ix_activities_order", "company_id", "store_id", "order_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: 0: work of the whole company, such as adding an item. No NULL, since NULLs are never equal.
    store_id: Mapped[int] = mapped_column(default=0)
    #: Who drains it: "quickbooks" (by the Web Connector) or "shop" (by the worker).
    target: Mapped[str] = mapped_column(String(12), default="quickbooks")
    kind: Mapped[str] = mapped_column(String(32))
    record_id: Mapped[str] = mapped_column(String(120))
    generation: Mapped[int] = mapped_column(default=1)
    state: Mapped[str] = mapped_column(String(12))
    priority: Mapped[int] = mapped_column(default=0)
    #: How often it was sent; the number of the newest attempt.
    attempts: Mapped[int] = mapped_column(default=0)
    payload: Mapped[bytes] = mapped_column(Packed)
    #: Digest of the newest payload taken in: an equal one is nothing new.
    digest: Mapped[str] = mapped_column(String(32), default="")
    #: What of the payload would show in the books, see `queue_store.fingerprint`.
    fingerprint: Mapped[str] = mapped_column(String(32), default="")
    #: The record's own date_modified; the newest wins, whatever the order of arrival.
    modified_at: Mapped[datetime | None]
    #: A newer payload that waits beside a sent or in-doubt activity.
    newer_payload: Mapped[bytes | None] = mapped_column(Packed)
    newer_fingerprint: Mapped[str] = mapped_column(String(32), default="")
    newer_modified_at: Mapped[datetime | None]
    #: Where that payload belongs, should the sent one not be in QuickBooks: state, reason, sentence. "cancelled": it
    #: goes nowhere then, as a web order whose receipt may go.
    newer_state: Mapped[str] = mapped_column(String(12), default="")
    newer_reason: Mapped[str] = mapped_column(String(16), default="")
    newer_sentence: Mapped[str] = mapped_column(Text, default="")
    #: Why it is held or waits, for the code: "operator", "not live", "before since", "money", "status",
    #: "activity", "re-read".
    reason: Mapped[str] = mapped_column(String(16), default="")
    #: True: the shop wants nothing of this record any more (cancelled, trashed).
    unwanted: Mapped[bool] = mapped_column(default=False)
    #: True: a person pushed it, so that it goes whatever the day of its order.
    pushed: Mapped[bool] = mapped_column(default=False)
    #: Shop's order id, on refunds too.
    order_id: Mapped[str] = mapped_column(String(32), default="")
    #: What people call it: the order's number, an e-mail address, a SKU.
    reference: Mapped[str] = mapped_column(String(120), default="")
    #: What happened, to which record, what to do. Empty while all is well.
    sentence: Mapped[str] = mapped_column(Text, default="")
    #: When a delayed activity is due again.
    next_at: Mapped[datetime | None]
    #: The exchange that carries the newest attempt.
    exchange_id: Mapped[int | None]
    #: QuickBooks' id of the document or list element, once bound.
    txn_id: Mapped[str | None] = mapped_column(String(36))
    #: QuickBooks' own number of it: a receipt number, an item number.
    txn_number: Mapped[str | None] = mapped_column(String(36))
    #: Total that QuickBooks answered.
    total: Mapped[Decimal | None]
    #: Made ready to send, but for QuickBooks' ids; None: prepare at claim.
    prepared: Mapped[bytes | None] = mapped_column(Packed)
    #: What it was made ready with; another value means: outdated.
    prepared_with: Mapped[str] = mapped_column(String(64), default="")
    #: How often in a row a set that held it came to nothing (HRESULT or lost).
    set_failures: Mapped[int] = mapped_column(default=0)
    #: Largest set that it may travel in, while a bad request is searched for; 0: any.
    suspect_size: Mapped[int] = mapped_column(default=0)
    #: The exchange whose failure made it suspect: suspects travel with their own kind.
    suspect_of: Mapped[int | None]
    #: The session that made it, as a follow-up of other work.
    session_id: Mapped[int | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    updated_at: Mapped[datetime] = mapped_column(default=utc_now)


class ActivityEvent(Base):
    """One change of an activity's state, with its time and cause."""

    __tablename__ = "activity_events"
    __table_args__ = (Index(None, "activity_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    activity_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=utc_now)
    from_state: Mapped[str] = mapped_column(String(12), default="")
    to_state: Mapped[str] = mapped_column(String(12))
    cause: Mapped[str] = mapped_column(Text, default="")
    exchange_id: Mapped[int | None]


class ActivityWait(Base):
    """`activity_id` waits until `for_id` has succeeded."""

    __tablename__ = "activity_waits"
    __table_args__ = (Index(None, "for_id"),)

    activity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    for_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)


class Attempt(Base):
    """One request that was sent for an activity, and what came of it."""

    __tablename__ = "attempts"
    __table_args__ = (Index(None, "exchange_id"),)

    activity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    exchange_id: Mapped[int]
    state: Mapped[str] = mapped_column(String(12))
    #: What was sent, in the sense of `queue_store.fingerprint`.
    fingerprint: Mapped[str] = mapped_column(String(32), default="")
    #: Total that QuickBooks must compute.
    predicted_total: Mapped[Decimal | None]
    status_code: Mapped[int | None]
    status_message: Mapped[str] = mapped_column(Text, default="")
    txn_id: Mapped[str | None] = mapped_column(String(36))
