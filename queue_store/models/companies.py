"""Companies, their stores, their settings, and who may come in."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, utc_now


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
    #: True: a store of it shows QuickBooks' stock, so that what documents take is kept (`StockMove`).
    tracks_stock: Mapped[bool] = mapped_column(default=False)
    #: Counts the message sets handed out while stock is tracked: what was settled before a read was asked for
    #: is told by it, since clocks may be put back.
    turn: Mapped[int] = mapped_column(default=0)
    #: What was settled before this turn touches no item of a shop that was not read again since.
    reread_turn: Mapped[int] = mapped_column(default=0)
    #: When its Web Connector last logged in, to the minute; None: never. A run that finds nothing to do leaves
    #: no session.
    called_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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
    #: Last time that stock went live, by the shop's clock: of older orders only those count that were open then.
    stock_since: Mapped[datetime | None]
    #: True once a look-back has read every receipt that ever carried this store's code.
    census_done: Mapped[bool] = mapped_column(default=False)
    #: True if its setting `orders.documents` makes sales orders of some orders; known without reading settings.
    sends_web_orders: Mapped[bool] = mapped_column(default=False)
    #: Orders, products of the shop were read up to here, by the shop's clock; None: not yet.
    orders_read_until: Mapped[datetime | None]
    products_read_until: Mapped[datetime | None]
    #: Since when agreements are set aside until the products were read anew; None: they are not.
    agreements_doubted_at: Mapped[datetime | None]
    last_webhook_at: Mapped[datetime | None]
    refused_webhooks: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime] = mapped_column(default=utc_now)


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
    at: Mapped[datetime] = mapped_column(default=utc_now)
    who: Mapped[str] = mapped_column(String(64))
    what: Mapped[str] = mapped_column(String(200))
    before: Mapped[str] = mapped_column(Text, default="")
    after: Mapped[str] = mapped_column(Text, default="")


class LoginAttempt(Base):
    """Wrong passwords of one user name from one address, so that guessing is slow."""

    __tablename__ = "login_attempts"

    username: Mapped[str] = mapped_column(String(64), primary_key=True)
    address: Mapped[str] = mapped_column(String(64), primary_key=True)
    failures: Mapped[int] = mapped_column(default=0)
    last_failure_at: Mapped[datetime] = mapped_column(default=utc_now)
    locked_until: Mapped[datetime | None]
