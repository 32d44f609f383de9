"""How each product of a shop stands beside its item of QuickBooks, and why.

What it should show is computed as the worker would, as if the store were live
for everything: a store that is not yet live, or a direction that is switched
off, is a reason and no excuse.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from queue_store.activities import SALE
from queue_store.allocation import gross_takings
from queue_store.catalogue import fold
from queue_store.companies import live_kinds
from queue_store.levels import Sides, by_record
from queue_store.models import Activity, Company, ShopProduct, Store
from queue_store.prices import PriceRules, price_rules, shop_prices
from queue_store.product_payloads import BookItem, ShopChange, ShopItem, decode_shop_item
from queue_store.product_sync import LIMIT, SYNC_PRODUCT, difference
from queue_store.settings import Settings, company_settings, store_settings
from queue_store.shop_products import AT_ONCE, pieces
from queue_store.showing import Reckoned, Wanted, change_of, reckon
from queue_store.states import ActivityState

SHOWN = ("stock", "prices")
#: Products that a variable product merely stands for, or that bundle others.
_BASE_TYPES = frozenset(("variable", "grouped"))


_STOPPED = frozenset((ActivityState.HELD, ActivityState.CANCELLED))


class Status(StrEnum):
    """How a product stands; the words that people see."""

    IN_SYNC = "in sync"
    IN_ORDERS = "in orders"  # it shows what it should, which is less than QuickBooks has: orders hold some
    OUT_OF_SYNC = "out of sync"
    BASE = "base"  # its variations have the stock and the prices
    UNMATCHED = "unmatched"
    HELD = "held"  # by a person: nothing of it is written


@dataclass(frozen=True, slots=True)
class Differing:
    """One field that the shop shows otherwise than it should; None: it shows none."""

    #: "stock", "price", "sale price" or "manages stock".
    field: str
    shop: Decimal | bool | None
    should: Decimal | bool | None
    #: False: its kind does not flow to this shop, so that nothing will ever change it by itself.
    flows: bool = True

    @property
    def kind(self) -> str:
        """The live kind that it goes by."""
        return "prices" if "price" in self.field else "stock"


@dataclass(frozen=True, slots=True)
class Holder:
    """An order, or an adjustment, that holds pieces: taken in the shop, or not yet, and not so in the books."""

    store_id: int
    record: str
    sides: Sides
    #: As people call it.
    name: str
    #: Where its receipt stands; "": there is none in the queue.
    state: str = ""


@dataclass(frozen=True, slots=True)
class ProductStatus:
    """A product beside its item."""

    row: ShopProduct
    shown: ShopItem
    status: Status
    item: BookItem | None = None
    #: Pieces of QuickBooks that count for this shop; None: not told.
    there: Decimal | None = None
    allocation: Decimal = Decimal(0)
    should: Wanted = field(default_factory=Wanted)
    fields: tuple[Differing, ...] = ()
    #: Since when it differs, as far as that was noticed.
    since: datetime | None = None
    why: str = ""
    holders: tuple[Holder, ...] = ()
    #: The newest activity that looks at it.
    activity_id: int | None = None
    #: True: a person held or cancelled that activity, so that nothing asks for the product again.
    is_stopped: bool = False


def statuses(
    db: Session,
    store: Store,
    *,
    product_ids: Collection[int] | None = None,
    after_id: int = 0,
) -> Iterator[ProductStatus]:
    """All products of a store that it still has, or those named; by id, in pieces, so that memory stays flat."""
    if product_ids is not None:
        for some in pieces(sorted(product_ids)):
            rows = db.scalars(_rows_of(store).where(ShopProduct.product_id.in_(some))).all()
            yield from _piece(db, store, rows)
        return
    while True:
        rows = db.scalars(_rows_of(store).where(ShopProduct.product_id > after_id).limit(AT_ONCE)).all()
        yield from _piece(db, store, rows)
        if len(rows) < AT_ONCE:
            return
        after_id = rows[-1].product_id


def products_called(db: Session, store_ids: Collection[int], name: str) -> list[ShopProduct]:
    """The products that a person means by a SKU or an id, in these stores. A variation that merely shows its parent's SKU is not meant."""
    query = select(ShopProduct).where(ShopProduct.store_id.in_(store_ids), ~ShopProduct.gone)
    found = db.scalars(query.where(ShopProduct.sku_key == fold(name)[:120])).all() if fold(name) else []
    if not found and name.isascii() and name.isdigit() and len(name) < 19:
        found = db.scalars(query.where(ShopProduct.product_id == int(name))).all()
    ids = {(row.store_id, row.product_id) for row in found}
    return sorted(
        (row for row in found if (row.store_id, row.parent_id) not in ids),
        key=lambda row: (row.store_id, row.product_id),
    )


def _rows_of(store: Store) -> Select[ShopProduct]:
    return (
        select(ShopProduct)
        .where(ShopProduct.store_id == store.id, ~ShopProduct.gone, ShopProduct.status != "trash")
        .order_by(ShopProduct.product_id)
    )


def _piece(db: Session, store: Store, rows: Sequence[ShopProduct]) -> Iterator[ProductStatus]:
    company = db.get_one(Company, store.company_id)
    settings, of_company = store_settings(db, store), company_settings(db, company)
    reckoned = reckon(db, company, store, rows, as_if_live=SHOWN)
    taken = gross_takings(db, store.id, [row.product_id for row in rows])
    activities = _activities(db, store, [row.product_id for row in rows])
    holders = _holders(db, reckoned)
    look = _Look(store, settings, of_company)
    for row in rows:
        yield look.at(
            row,
            reckoned.get(row.product_id),
            taken[row.product_id],
            activities.get(row.product_id),
            holders.get(row.product_id, ()),
        )


class _Look:
    """Tells the status of the products of one store."""

    def __init__(self, store: Store, settings: Settings, company: Settings) -> None:
        self._store, self._live = store, live_kinds(store)
        self._shop_rules_prices = settings["prices.ruled_by"] == "shop"
        #: Where the shop makes the prices they go to one level as they are.
        self._own_prices = PriceRules(
            (settings["products.price_level"],),
            settings["prices.sale_level"],
            decimals=price_rules(settings, company).decimals,
        )

    def at(
        self,
        row: ShopProduct,
        reckoned: Reckoned | None,
        taken: Decimal,
        activity: Activity | None,
        holders: tuple[Holder, ...],
    ) -> ProductStatus:
        shown = decode_shop_item(row.content)
        number = None if activity is None else activity.id
        if shown.type in _BASE_TYPES and shown.manage_stock != "yes" and not row.held:
            return ProductStatus(row, shown, Status.BASE, why="its variations have the stock")
        if row.list_id is None:
            status = Status.HELD if row.held else Status.UNMATCHED
            return ProductStatus(row, shown, status, why=_why_unmatched(row))
        if reckoned is None:
            status = Status.HELD if row.held else Status.OUT_OF_SYNC
            why = "QuickBooks has no such item any more, or its items were not read yet"
            return ProductStatus(row, shown, status, why=why, since=row.differs_since, activity_id=number)
        should, differing = reckoned.wanted, self._differing(row, shown, reckoned, taken)
        status, why = Status.IN_SYNC, should.remark
        if row.held:
            status, why = Status.HELD, "held by hand: nothing of it is written"
        elif differing:
            status, why = Status.OUT_OF_SYNC, self._why(differing, activity)
        elif holders:
            status, why = Status.IN_ORDERS, ", ".join(f"{one.name}: {_pieces(one)}" for one in holders)
        return ProductStatus(
            row,
            shown,
            status,
            item=reckoned.item,
            there=reckoned.there,
            allocation=reckoned.allocation,
            should=should,
            fields=differing,
            since=row.differs_since if differing else None,
            why=why,
            holders=holders,
            activity_id=number,
            is_stopped=activity is not None and activity.state in _STOPPED and activity.reason == "operator",
        )

    def _differing(
        self, row: ShopProduct, shown: ShopItem, reckoned: Reckoned, taken: Decimal
    ) -> tuple[Differing, ...]:
        change = difference(row, reckoned.wanted, taken, {})
        found = list(_fields(shown, change))
        if self._shop_rules_prices and reckoned.item is not None and shown.type not in _BASE_TYPES:
            made = shop_prices(reckoned.item, self._own_prices)
            wanted = Wanted(regular_price=made.regular, sale_price=made.sale, ends_sale=made.ends_sale)
            found += _fields(shown, change_of(shown, wanted))
        return tuple(replace(one, flows=self._flows(one)) for one in found)

    def _flows(self, one: Differing) -> bool:
        return one.kind in self._live and not (one.kind == "prices" and self._shop_rules_prices)

    def _why(self, differing: tuple[Differing, ...], activity: Activity | None) -> str:
        whys: list[str] = []
        for one in differing:
            if one.kind == "prices" and self._shop_rules_prices:
                whys.append("prices are ruled by the shop: qbwoo push prices")
            elif one.kind not in self._live:
                whys.append(f"store {self._store.name} is not live for {one.kind}")
            else:
                whys.append(_why_of_activity(activity))
        return "; ".join(dict.fromkeys(whys))


def _why_unmatched(row: ShopProduct) -> str:
    if row.match_problem:
        return row.match_problem
    return "no item of QuickBooks has its SKU" if row.sku_key else "it has no SKU"


def _why_of_activity(activity: Activity | None) -> str:
    if activity is None or activity.state == ActivityState.SUCCEEDED:
        return "not asked for yet: the nightly comparison does, or qbwoo product sync"
    if activity.state in (ActivityState.PENDING, ActivityState.SENT):
        return "waits for the worker"
    if activity.state == ActivityState.HELD and activity.reason == LIMIT:
        return f"beyond the limit: qbwoo activity release {activity.id}"
    if activity.state == ActivityState.CANCELLED:
        return f"cancelled by hand: qbwoo activity release {activity.id}"
    return activity.sentence or activity.state


def _fields(shown: ShopItem, change: ShopChange) -> Iterator[Differing]:
    if change.quantity is not None:
        yield Differing("stock", shown.quantity, Decimal(change.quantity))
    elif change.manage_stock is not None:
        yield Differing("manages stock", shown.manage_stock == "yes", change.manage_stock)
    if change.regular_price is not None:
        yield Differing("price", shown.regular_price, change.regular_price)
    if change.sale_price is not None or change.ends_sale:
        yield Differing("sale price", shown.sale_price, change.sale_price)


def _pieces(one: Holder) -> str:
    return f"{one.sides.promised.normalize():f}"


def _activities(db: Session, store: Store, product_ids: Iterable[int]) -> dict[int, Activity]:
    """The newest that looks at each product."""
    found: dict[int, Activity] = {}
    for some in pieces(sorted(map(str, product_ids))):
        rows = db.scalars(
            select(Activity)
            .where(
                Activity.company_id == store.company_id,
                Activity.store_id == store.id,
                Activity.kind == SYNC_PRODUCT,
                Activity.record_id.in_(some),
            )
            .order_by(Activity.generation)
        )
        found.update({int(row.record_id): row for row in rows})
    return found


def _holders(db: Session, reckoned: Mapping[int, Reckoned]) -> dict[int, tuple[Holder, ...]]:
    """Who holds pieces of each product's item, in all shops of the company."""
    sides: dict[int, dict[tuple[int, str], Sides]] = {}
    for number, one in reckoned.items():
        found = by_record(one.sides.takings, one.sides.moves, one.asked_turn, holds_orders=one.holds_orders)
        holding = {record: both for record, both in found.items() if both.promised}
        if holding:
            sides[number] = holding
    names = _names(db, {record for holding in sides.values() for record in holding})
    return {
        number: tuple(
            Holder(*record, both, *names.get(record, (_called(record[1]), "")))
            for record, both in sorted(holding.items())
        )
        for number, holding in sides.items()
    }


def _called(record: str) -> str:
    return f"adjustment {record[1:]}" if record.startswith("A") else f"order {record}"


def _names(db: Session, records: Collection[tuple[int, str]]) -> dict[tuple[int, str], tuple[str, str]]:
    """Orders as people call them, and where their receipts stand."""
    stores = {store_id for store_id, _ in records}
    found: dict[tuple[int, str], tuple[str, str]] = {}
    for some in pieces(sorted({record for _, record in records})):
        rows = db.execute(
            select(Activity.store_id, Activity.record_id, Activity.reference, Activity.state)
            .where(Activity.store_id.in_(stores), Activity.kind == SALE, Activity.record_id.in_(some))
            .order_by(Activity.generation)
        )
        for store_id, record_id, reference, state in rows:
            if (store_id, record_id) in records:
                word = ActivityState(state).shown
                found[store_id, record_id] = (f"order {reference or record_id}", word)
    return found
