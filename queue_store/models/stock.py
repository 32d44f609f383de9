"""The shops' products as last read, and the two sides of what is promised: what orders took, what the books took."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from sqlalchemy import ForeignKey, Index, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.models.base import Base, Packed, utc_now


class ShopProduct(Base):
    """A product or variation of a shop as last read, and which item of QuickBooks it is."""

    __tablename__ = "shop_products"
    __table_args__ = (
        Index(None, "company_id", "list_id"),
        Index(None, "store_id", "sku_key"),
        Index(None, "store_id", "parent_id"),
    )

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    #: A variation's own id where it is one: the shop numbers both in one row.
    product_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    parent_id: Mapped[int] = mapped_column(default=0)
    #: See `queue_store.product_payloads.ShopItem`, also for the columns that follow.
    type: Mapped[str] = mapped_column(String(32), default="simple")
    status: Mapped[str] = mapped_column(String(16), default="publish")
    sku: Mapped[str] = mapped_column(String(120), default="")
    #: Folded for look-ups: trimmed, case-blind.
    sku_key: Mapped[str] = mapped_column(String(120), default="")
    name: Mapped[str] = mapped_column(String(200), default="")
    manage_stock: Mapped[str] = mapped_column(String(8), default="no")
    quantity: Mapped[Decimal | None]
    regular_price: Mapped[Decimal | None]
    sale_price: Mapped[Decimal | None]
    #: All of it, as a ShopItem.
    content: Mapped[bytes] = mapped_column(Packed)
    modified_at: Mapped[datetime | None]
    read_at: Mapped[datetime] = mapped_column(default=utc_now)
    #: True: the shop has it no more.
    gone: Mapped[bool] = mapped_column(default=False)
    #: QuickBooks' item; None: not matched. Holds by product id, whatever becomes of the SKU.
    list_id: Mapped[str | None] = mapped_column(String(36))
    #: "sku", "added" or "operator".
    matched_by: Mapped[str] = mapped_column(String(16), default="")
    #: Why it cannot be matched by itself, in a sentence: two items with its key, say.
    match_problem: Mapped[str] = mapped_column(Text, default="")
    #: The SKU under which it was matched; another one in the shop now is reported.
    matched_sku: Mapped[str] = mapped_column(String(120), default="")
    #: The shop's quantity plus all that orders took, when both sides last agreed: orders leave it alone,
    #: so that what moves it is a person's edit. None: never agreed.
    agreed_gross: Mapped[Decimal | None]
    #: An agreement that was set aside when the service started, see `queue_store.doubting`; only while there is no other.
    doubted_gross: Mapped[Decimal | None]
    #: True: a person holds it; nothing of it is written.
    held: Mapped[bool] = mapped_column(default=False)
    #: Since when the shop differs from what it should show; None: it does not.
    differs_since: Mapped[datetime | None]
    #: True: made by us for an item that QuickBooks has no more, or no more wants here; see `products.when_gone`.
    retired: Mapped[bool] = mapped_column(default=False)


class OrderTaking(Base):
    """What one line of a shop's order took from the shop's stock: `_reduced_stock`, as the shop tells it.

    A person's edit of the shop's quantity that goes to QuickBooks as an
    adjustment is one too, with the opposite sign: see `record`.
    """

    __tablename__ = "order_takings"
    __table_args__ = (
        Index(
            "ix_order_takings_open",
            "company_id",
            "list_id",
            sqlite_where=text("NOT closed"),
            postgresql_where=text("NOT closed"),
        ),
        Index(None, "store_id", "product_id"),
    )

    store_id: Mapped[int] = mapped_column(ForeignKey("stores.id"), primary_key=True, autoincrement=False)
    #: The order's id, or "A<activity>" of an adjustment.
    record: Mapped[str] = mapped_column(String(32), primary_key=True)
    line_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: The variation's id where it is one; 0: deleted from the shop.
    product_id: Mapped[int]
    sku_key: Mapped[str] = mapped_column(String(120), default="")
    #: QuickBooks' item; None: not known yet.
    list_id: Mapped[str | None] = mapped_column(String(36))
    #: Pieces; may fall by a restocking refund, and to 0 by a cancellation.
    quantity: Mapped[Decimal]
    #: Of the order, when it stood like this.
    modified_at: Mapped[datetime]
    #: True: a person said that the order is in the books; it takes nothing from what is promised.
    booked: Mapped[bool] = mapped_column(default=False)
    #: True: both sides of this record are equal and settled for good, so that its sum is nothing.
    closed: Mapped[bool] = mapped_column(default=False)


class StockMove(Base):
    """What one document of ours takes from QuickBooks' stock of one item, from the moment it is sent."""

    __tablename__ = "stock_moves"
    __table_args__ = (
        Index(
            "ix_stock_moves_open",
            "company_id",
            "list_id",
            sqlite_where=text("NOT closed"),
            postgresql_where=text("NOT closed"),
        ),
        Index(None, "company_id", "settled_turn"),
        Index(None, "store_id", "record"),
        Index(
            "ix_stock_moves_unsettled",
            "company_id",
            "activity_id",
            sqlite_where=text("settled_turn IS NULL"),
            postgresql_where=text("settled_turn IS NULL"),
        ),
    )

    activity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    list_id: Mapped[str] = mapped_column(String(36), primary_key=True)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: Whose document it is: store and order, or adjustment, as in OrderTaking.
    store_id: Mapped[int]
    record: Mapped[str] = mapped_column(String(32))
    #: Pieces that leave the stock; negative: they come back.
    quantity: Mapped[Decimal]
    #: True: a web order, which holds pieces without taking them.
    is_order: Mapped[bool] = mapped_column(default=False)
    #: Turn of the company in which it was sent, see `Company.turn`.
    sent_turn: Mapped[int]
    #: Turn by which it was known to be in QuickBooks; None: not known yet.
    settled_turn: Mapped[int | None]
    closed: Mapped[bool] = mapped_column(default=False)
