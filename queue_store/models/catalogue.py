"""QuickBooks' lists as last read, and what the shop's records are called there."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, Packed, utc_now


class Mapping(Base):
    """What a shop's record is called in QuickBooks."""

    __tablename__ = "mappings"
    __table_args__ = (
        UniqueConstraint("company_id", "store_id", "kind", "key"),
        Index(None, "company_id", "list_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: 0: holds for every store of the company.
    store_id: Mapped[int] = mapped_column(default=0)
    #: "item", "customer", "line" (an item for extra lines), "department", "tax", "location"; and what things of
    #: QuickBooks are called in the shop: "category", "attribute".
    kind: Mapped[str] = mapped_column(String(16))
    #: A SKU, "customer:<id>", an e-mail address, "shipping" ...
    key: Mapped[str] = mapped_column(String(120))
    list_id: Mapped[str] = mapped_column(String(36))
    label: Mapped[str] = mapped_column(String(200), default="")
    #: "matched", "added" or "operator".
    source: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


class CatalogueItem(Base):
    """An item of QuickBooks as last read."""

    __tablename__ = "catalogue_items"
    __table_args__ = (
        Index(None, "company_id", "alu_key"),
        Index(None, "company_id", "upc_key"),
        Index(None, "company_id", "item_number"),
        Index(None, "company_id", "style_key"),
        # Of the few that are wanted alone: what is to be read again is asked for with each message set.
        Index(
            "ix_catalogue_items_wanted",
            "company_id",
            "list_id",
            sqlite_where=text("wanted"),
            postgresql_where=text("wanted"),
        ),
    )

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    list_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    item_number: Mapped[str] = mapped_column(String(20), default="")
    #: Folded for look-ups: trimmed, case-blind.
    alu_key: Mapped[str] = mapped_column(String(40), default="")
    upc_key: Mapped[str] = mapped_column(String(40), default="")
    name: Mapped[str] = mapped_column(String(200), default="")
    item_type: Mapped[str] = mapped_column(String(20), default="")
    tax_code: Mapped[str] = mapped_column(String(20), default="")
    department_list_id: Mapped[str] = mapped_column(String(36), default="")
    #: All of it, as a `queue_store.product_payloads.BookItem`.
    content: Mapped[bytes] = mapped_column(Packed)
    #: True: marked for the web in QuickBooks.
    is_web: Mapped[bool] = mapped_column(default=False)
    #: What the items of one style have in common: department and name, folded; "": of no style.
    style_key: Mapped[str] = mapped_column(String(120), default="")
    time_modified: Mapped[datetime | None]
    read_at: Mapped[datetime] = mapped_column(default=utc_now)
    #: The company's turn in which it was asked for, see `Company.turn`.
    asked_turn: Mapped[int] = mapped_column(default=0)
    #: True: something tells that it may have changed, and it is to be read again by its ListID. Where it is
    #: `deleted` too, that is not certain yet.
    wanted: Mapped[bool] = mapped_column(default=False)
    deleted: Mapped[bool] = mapped_column(default=False)


class CatalogueCustomer(Base):
    """A customer of QuickBooks as last read."""

    __tablename__ = "catalogue_customers"
    __table_args__ = (
        Index(None, "company_id", "email_key"),
        Index(None, "company_id", "customer_id_key"),
    )

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    list_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    #: Trimmed, case-blind.
    email_key: Mapped[str] = mapped_column(String(120), default="")
    #: CustomerID as we set it on our own, case-blind.
    customer_id_key: Mapped[str] = mapped_column(String(40), default="")
    first_name: Mapped[str] = mapped_column(String(40), default="")
    last_name: Mapped[str] = mapped_column(String(40), default="")
    postcode: Mapped[str] = mapped_column(String(20), default="")
    fields: Mapped[bytes]
    time_modified: Mapped[datetime | None]
    read_at: Mapped[datetime] = mapped_column(default=utc_now)
    deleted: Mapped[bool] = mapped_column(default=False)


class TaxRate(Base):
    """What a tax code comes to in a tax category of QuickBooks, as CompanyQuery said last."""

    __tablename__ = "tax_rates"

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    category: Mapped[str] = mapped_column(String(40), primary_key=True)
    code: Mapped[str] = mapped_column(String(20), primary_key=True)
    percent: Mapped[Decimal]
    read_at: Mapped[datetime]


class Lookup(Base):
    """A key that QuickBooks was asked for, so that "not there" is known for as long as it may be trusted."""

    __tablename__ = "lookups"

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    #: "item", "line", "customer", "mark" and others, as `qbwc_service.flavours.pos.reads` asks for them.
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    key: Mapped[str] = mapped_column(String(120), primary_key=True)
    #: The session in which the answer came: "not there" is believed for that session only.
    session_id: Mapped[int]
    found: Mapped[int]
    #: Why it could not be told, in a sentence; empty while all is well.
    problem: Mapped[str] = mapped_column(Text, default="")
    #: True: the problem may pass by itself.
    passing: Mapped[bool] = mapped_column(default=False)
    #: How often QuickBooks refused a set that asked for nothing else. Until it counts as a problem, `found` is -1.
    refusals: Mapped[int] = mapped_column(default=0)
    answered_at: Mapped[datetime] = mapped_column(default=utc_now)


class PullMark(Base):
    """How far a list has been read, by QuickBooks' own clock."""

    __tablename__ = "pull_marks"

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    #: "items", "customers", "departments", "sales" (what was sold), or "stock" (all items, nightly).
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: Greatest TimeModified that QuickBooks answered, less two hours.
    changed_since: Mapped[datetime | None]
    #: True once a first reading came to its end.
    complete: Mapped[bool] = mapped_column(default=False)
    #: A first reading that does not fit a session goes in windows of TimeCreated: days in one; 0: no windows.
    window_days: Mapped[int] = mapped_column(default=0)
    #: Where the next window begins; None: before everything.
    window_from: Mapped[datetime | None]
    #: When a reading of everything that is not complete began, by our clock, and the company's turn then: what
    #: is older at its end was not seen.
    begun_at: Mapped[datetime | None]
    begun_turn: Mapped[int] = mapped_column(default=0)
    finished_at: Mapped[datetime | None]
