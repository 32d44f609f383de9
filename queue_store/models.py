"""The tables, as typed SQLAlchemy models. Read this first to know what the product remembers.

`company_id` leads every index, since all work is done for one company at a
time. Times are stored and read as aware UTC. Ids come from `queue_store.ids`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, cast

from sqlalchemy import (
    BigInteger,
    DateTime,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.engine import Dialect
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column
from sqlalchemy.types import TypeDecorator

from queue_store.ids import new_id
from queue_store.packing import pack, unpack


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC; a naive one is refused, since nobody could say what it means."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"a time without zone cannot be stored: {value!r}")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


class Amount(TypeDecorator[Decimal]):
    """A Decimal kept as text: exact on SQLite, which has no decimal type of its own."""

    impl = String(40)
    cache_ok = True

    def process_bind_param(self, value: Decimal | None, dialect: Dialect) -> str | None:
        return None if value is None else format(value, "f")

    def process_result_value(self, value: str | None, dialect: Dialect) -> Decimal | None:
        return None if value is None else Decimal(value)


class Packed(TypeDecorator[bytes]):
    """Bytes kept exactly, and small.

    Message sets repeat themselves, and are kept for months. A row of `activities` is written
    anew with each change of its state, whole: packed, two fit a page of SQLite.
    """

    impl = LargeBinary
    cache_ok = True

    def process_bind_param(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else pack(value)

    def process_result_value(self, value: bytes | None, dialect: Dialect) -> bytes | None:
        return None if value is None else unpack(value)


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: dict[Any, Any] = {  # noqa: RUF012 - read by SQLAlchemy, never changed
        datetime: UtcDateTime,
        Decimal: Amount,
        # A primary key that SQLite calls INTEGER is its row's own number, and needs no index.
        int: BigInteger().with_variant(Integer, "sqlite"),
        bytes: LargeBinary,
    }


def table_of(model: type[Base]) -> Table:
    """The table behind a model, for statements over many rows."""
    return cast(Table, model.__table__)


def _now() -> datetime:
    return datetime.now(UTC)


class Company(Base):
    """One QuickBooks company file, and the account of its Web Connector."""

    __tablename__ = "companies"

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    name: Mapped[str] = mapped_column(String(64), unique=True)
    flavour: Mapped[str] = mapped_column(String(16))
    username: Mapped[str] = mapped_column(String(64), unique=True)
    password_hash: Mapped[str] = mapped_column(String(200))
    #: What authenticate names to the Web Connector; "" takes the file that is open.
    company_file: Mapped[str] = mapped_column(String(500), default="")
    owner_guid: Mapped[str] = mapped_column(String(38))
    file_guid: Mapped[str] = mapped_column(String(38))
    #: Made anew, never to come again, with each change of a setting: what was prepared under another is
    #: prepared anew.
    settings_version: Mapped[int] = mapped_column(default=1)
    #: Greatest TimeCreated (QuickBooks' clock) of the last complete look-back, less a day.
    look_back_mark: Mapped[datetime | None]
    #: How many requests the next message set may hold.
    set_size: Mapped[int] = mapped_column(default=0)
    #: True: a store of it wants notes on its orders; kept here so that settling need not ask each time.
    tells_shops: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[datetime] = mapped_column(default=_now)


class Store(Base):
    """One WooCommerce shop of a company."""

    __tablename__ = "stores"
    __table_args__ = (UniqueConstraint("company_id", "code"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: Also the key in the webhook URL.
    name: Mapped[str] = mapped_column(String(64), unique=True)
    #: At most 8 characters; stands in every mark, so it never changes.
    code: Mapped[str] = mapped_column(String(8))
    url: Mapped[str] = mapped_column(String(500))
    consumer_key: Mapped[str] = mapped_column(String(200))
    #: Encrypted.
    consumer_secret: Mapped[bytes]
    #: Encrypted.
    webhook_secret: Mapped[bytes]
    settings_version: Mapped[int] = mapped_column(default=1)
    #: First time that orders went live.
    live_since: Mapped[datetime | None]
    #: Kinds that flow now, space separated: "customers orders".
    live_kinds: Mapped[str] = mapped_column(String(200), default="")
    #: True once a look-back has read every receipt that ever carried this store's code.
    census_done: Mapped[bool] = mapped_column(default=False)
    #: True if its setting `orders.documents` makes sales orders of some orders; known without reading settings.
    sends_web_orders: Mapped[bool] = mapped_column(default=False)
    last_webhook_at: Mapped[datetime | None]
    refused_webhooks: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=_now)


class CompanySetting(Base):
    """A setting that differs from its default."""

    __tablename__ = "company_settings"

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class StoreSetting(Base):
    """A setting that differs from its default."""

    __tablename__ = "store_settings"

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    key: Mapped[str] = mapped_column(String(64), primary_key=True)
    value: Mapped[str] = mapped_column(Text)


class AuditEntry(Base):
    """Who changed which setting or activity by hand, from what to what."""

    __tablename__ = "audit"
    __table_args__ = (Index(None, "company_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=_now)
    who: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(200))
    before: Mapped[str] = mapped_column(Text, default="")
    after: Mapped[str] = mapped_column(Text, default="")


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
    #: Where that payload belongs, should the sent one not be in QuickBooks: state, reason, sentence.
    newer_state: Mapped[str] = mapped_column(String(12), default="")
    newer_reason: Mapped[str] = mapped_column(String(16), default="")
    newer_sentence: Mapped[str] = mapped_column(Text, default="")
    #: Why it is held or waits, for the code: "operator", "not live", "before since", "money", "status",
    #: "activity", "re-read".
    reason: Mapped[str] = mapped_column(String(16), default="")
    #: True: the shop wants nothing of this record any more (cancelled, trashed).
    unwanted: Mapped[bool] = mapped_column(default=False)
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
    created_at: Mapped[datetime] = mapped_column(default=_now)
    updated_at: Mapped[datetime] = mapped_column(default=_now)


class ActivityEvent(Base):
    """One change of an activity's state, with its time and cause."""

    __tablename__ = "activity_events"
    __table_args__ = (Index(None, "activity_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    activity_id: Mapped[int]
    at: Mapped[datetime] = mapped_column(default=_now)
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


class QbwcSession(Base):
    """One run of the Web Connector, held by its ticket."""

    __tablename__ = "qbwc_sessions"
    __table_args__ = (Index(None, "company_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: SHA-256 of the ticket: the ticket itself is the only proof of identity and is never stored.
    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(64), default="")
    company_file_name: Mapped[str] = mapped_column(String(500), default="")
    #: Activities made later than this are left for the next session, but for follow-ups.
    newest_activity_id: Mapped[int] = mapped_column(default=0)
    #: What was claimable at its start.
    work_at_start: Mapped[int] = mapped_column(default=0)
    settled: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    percent: Mapped[int] = mapped_column(default=0)
    #: True once every receipt that may be ours has been read in this session.
    looked_back: Mapped[bool] = mapped_column(default=False)
    #: The read that goes on with the next set: what it is, its iterator, its filters (JSON).
    cursor: Mapped[str | None] = mapped_column(Text)
    connection_errors: Mapped[int] = mapped_column(default=0)
    #: Exchanges handed out so far.
    exchanges: Mapped[int] = mapped_column(default=0)
    #: How many sessions in a row before this one were lost in the middle.
    setbacks: Mapped[int] = mapped_column(default=0)
    #: Exchanges in a row that brought nothing: a session that turns in circles is ended.
    fruitless: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime] = mapped_column(default=_now)
    last_call_at: Mapped[datetime] = mapped_column(default=_now)
    ended_at: Mapped[datetime | None]


class Exchange(Base):
    """A message set with its exact bytes, sent and received."""

    __tablename__ = "exchanges"
    __table_args__ = (
        Index(None, "session_id", "state"),
        Index(None, "company_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("qbwc_sessions.id"))
    #: "look back", "look up", "write", "read", "company", "stop".
    purpose: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12))
    requests: Mapped[int] = mapped_column(default=0)
    #: Both are large, and read only where somebody asks for them.
    request: Mapped[bytes] = mapped_column(Packed, deferred=True)
    response: Mapped[bytes | None] = mapped_column(Packed, deferred=True)
    hresult: Mapped[str] = mapped_column(String(32), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    #: What the reads in it were for (JSON), by requestID.
    reads: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime] = mapped_column(default=_now)
    received_at: Mapped[datetime | None]


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
    #: "item", "customer", "line" (an item for extra lines), "department".
    kind: Mapped[str] = mapped_column(String(16))
    #: A SKU, "customer:<id>", an e-mail address, "shipping" ...
    key: Mapped[str] = mapped_column(String(120))
    list_id: Mapped[str] = mapped_column(String(36))
    label: Mapped[str] = mapped_column(String(200), default="")
    #: "matched", "added" or "operator".
    source: Mapped[str] = mapped_column(String(16))
    created_at: Mapped[datetime] = mapped_column(default=_now)


class CatalogueItem(Base):
    """An item of QuickBooks as last read."""

    __tablename__ = "catalogue_items"
    __table_args__ = (
        Index(None, "company_id", "alu_key"),
        Index(None, "company_id", "upc_key"),
        Index(None, "company_id", "item_number"),
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
    #: Every simple field as QuickBooks gave it (JSON): prices, stock per store.
    fields: Mapped[bytes]
    time_modified: Mapped[datetime | None]
    read_at: Mapped[datetime] = mapped_column(default=_now)
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
    read_at: Mapped[datetime] = mapped_column(default=_now)
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
    #: "item", "line", "customer", "customer id", "department", or "mark" (a document, by its record mark).
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
    answered_at: Mapped[datetime] = mapped_column(default=_now)


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
    read_at: Mapped[datetime] = mapped_column(default=_now)


class PullMark(Base):
    """How far a list has been read, by QuickBooks' own clock."""

    __tablename__ = "pull_marks"

    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"), primary_key=True, autoincrement=False)
    #: "items" or "customers".
    kind: Mapped[str] = mapped_column(String(16), primary_key=True)
    #: Greatest TimeModified that QuickBooks answered, less two hours.
    changed_since: Mapped[datetime | None]
    #: True once a first reading came to its end.
    complete: Mapped[bool] = mapped_column(default=False)
    #: A first reading that does not fit a session goes in windows of TimeCreated: days in one; 0: no windows.
    window_days: Mapped[int] = mapped_column(default=0)
    #: Where the next window begins; None: before everything.
    window_from: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]


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
    created_at: Mapped[datetime] = mapped_column(default=_now)
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


class Calibration(Base):
    """Receipts sent in practice mode to find out how a Point of Sale computes."""

    __tablename__ = "calibrations"
    __table_args__ = (Index(None, "company_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: "asked", "done" or "failed".
    state: Mapped[str] = mapped_column(String(12))
    asked_by: Mapped[str] = mapped_column(String(64), default="")
    #: How far it is, see `qbwc_service.calibrating.Progress` (JSON).
    progress: Mapped[bytes | None]
    #: What was found, and which settings it set (JSON).
    report: Mapped[bytes | None]
    sentence: Mapped[str] = mapped_column(Text, default="")
    created_at: Mapped[datetime] = mapped_column(default=_now)
    finished_at: Mapped[datetime | None]


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
    created_at: Mapped[datetime] = mapped_column(default=_now)
    updated_at: Mapped[datetime] = mapped_column(default=_now)


class KeptBody(Base):
    """A webhook body that could not be used, kept with the reason."""

    __tablename__ = "kept_bodies"
    __table_args__ = (Index(None, "store_id", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"))
    at: Mapped[datetime] = mapped_column(default=_now)
    topic: Mapped[str] = mapped_column(String(64), default="")
    reason: Mapped[str] = mapped_column(Text)
    body: Mapped[bytes]
    digest: Mapped[str] = mapped_column(String(32), default="")
    times: Mapped[int] = mapped_column(default=1)


class LoginAttempt(Base):
    """Wrong passwords of one user name from one address, so that guessing is slow."""

    __tablename__ = "login_attempts"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failure_at: Mapped[datetime] = mapped_column(default=_now)
    locked_until: Mapped[datetime | None]
