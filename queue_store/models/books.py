"""Documents in QuickBooks as last read, and what they are held against."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, Packed, utc_now


class BookDocument(Base):
    """A receipt or web order in QuickBooks that carries a mark of ours, as last read."""

    __tablename__ = "book_documents"
    __table_args__ = (Index(None, "company_id", "record_mark"),)

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    txn_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    #: The mark without its generation: one record of one store.
    record_mark: Mapped[str] = mapped_column(String(32))
    generation: Mapped[int]
    #: "Sales", "Return" ...
    type: Mapped[str] = mapped_column(String(16), default="")
    number: Mapped[str] = mapped_column(String(36), default="")
    total: Mapped[Decimal | None]
    #: False: reversed, or the one that reverses.
    live: Mapped[bool] = mapped_column(default=True)
    #: True: we reversed it, or it is the one that reverses, whatever QuickBooks shows of it.
    undone: Mapped[bool] = mapped_column(default=False)
    time_created: Mapped[datetime | None]
    read_at: Mapped[datetime] = mapped_column(default=utc_now)


class Reconciliation(Base):
    """A period of a store whose receipts are held against the shop's orders."""

    __tablename__ = "reconciliations"
    __table_args__ = (Index(None, "company_id", "state", "id"), Index(None, "company_id", "store_id", "id"))

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    #: First and last day of the documents, ISO dates in the shop's zone.
    since: Mapped[str] = mapped_column(String(10))
    until: Mapped[str] = mapped_column(String(10))
    #: "asked", "read", "done" or "failed".
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(64), default="")
    daily: Mapped[bool] = mapped_column(default=False)
    #: The receipts are read in windows of so many days; where the next one begins.
    window_from: Mapped[str] = mapped_column(String(10))
    window_days: Mapped[int] = mapped_column(default=31)
    #: How often QuickBooks could not answer in a row.
    tries: Mapped[int] = mapped_column(default=0)
    #: The session in which it could not: it is asked again in another.
    given_up_in: Mapped[int | None]
    sentence: Mapped[str] = mapped_column(Text, default="")
    report: Mapped[bytes | None] = mapped_column(Packed)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    #: When QuickBooks showed the last of the receipts.
    read_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


class PeriodReceipt(Base):
    """A receipt with a mark of ours, as a reconciliation read it; kept until it is compared."""

    __tablename__ = "period_receipts"

    reconciliation_id: Mapped[int] = mapped_column(
        ForeignKey("reconciliations.id"), primary_key=True, autoincrement=False
    )
    txn_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    record_mark: Mapped[str] = mapped_column(String(32))
    generation: Mapped[int]
    type: Mapped[str] = mapped_column(String(16))
    number: Mapped[str] = mapped_column(String(36))
    total: Mapped[Decimal | None]
    live: Mapped[bool]
    #: Day, tax, lines and tenders (JSON).
    figures: Mapped[bytes]


class AcceptedDifference(Base):
    """A record of a reconciliation that a person leaves as it is, so that it alarms no more."""

    __tablename__ = "accepted_differences"

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    #: Kind and record mark: "sale WMAIN-71".
    record: Mapped[str] = mapped_column(String(64), primary_key=True)
    #: What was accepted (digest): the record alarms again when it changes.
    facts: Mapped[str] = mapped_column(String(32))
    who: Mapped[str] = mapped_column(String(64))
    note: Mapped[str] = mapped_column(Text, default="")
    at: Mapped[datetime] = mapped_column(default=utc_now)


class Calibration(Base):
    """Receipts sent in practice mode to find out how a Point of Sale computes."""

    __tablename__ = "calibrations"
    __table_args__ = (Index(None, "company_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: "asked", "done" or "failed".
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(64), default="")
    #: How far it is, see `qbwc_service.calibration_progress.Progress` (JSON).
    progress: Mapped[bytes | None]
    #: What was found, and which settings it set (JSON).
    report: Mapped[bytes | None]
    sentence: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=utc_now)
    finished_at: Mapped[datetime | None]
