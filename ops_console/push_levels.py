"""Quantities and prices of a shop to QuickBooks by hand: the shop is taken for the truth.

A quantity goes as an adjustment by what QuickBooks would have to have more or
fewer for the shop to show what it shows: it is never the quantity itself, since
tills sell meanwhile. A price goes as a change of the level that the store's
prices are made of.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import msgspec

from ops_console.by_hand import NOT_SENT, ON_ITS_WAY, SENT, UNCHANGED, UNMATCHED, HandRun, Line
from ops_console.chosen_products import pieces_of, read_now
from ops_console.open_orders import promised_by_open_orders
from queue_store.adjustments import order_adjustment, unseen_adjustments
from queue_store.allocation import gross_takings
from queue_store.catalogue import fold
from queue_store.companies import live_kinds
from queue_store.item_orders import order_item_change
from queue_store.levels import locations_of
from queue_store.models import Activity, Company, OrderTaking, ShopProduct, Store
from queue_store.payloads import ItemChange, ItemDetails
from queue_store.prices import PriceRules, price_rules, shop_prices
from queue_store.product_payloads import BookItem, ShopItem, StockAdjustment, decode_shop_item
from queue_store.settings import Settings, company_settings, store_settings
from queue_store.shop_products import products_of
from queue_store.showing import Reckoned, overrides_of, reckon
from queue_store.states import ActivityState
from woo_bridge.client import ShopClient

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_ROUNDS = 3
_WITHOUT_STOCK = frozenset(("grouped", "external"))
_CENT = Decimal("0.01")


def push_inventory(run: HandRun, client: ShopClient, *, beyond_limit: bool) -> Iterator[list[Line]]:
    """One piece of lines after the other. Raises ShopError."""
    also = promised_by_open_orders(run.database, client, run.store_id)
    for ids, place in pieces_of(run, client):
        _steady(run, client, ids)

        def work(db: Session, store: Store, company: Company, ids: Sequence[int] = ids) -> list[Line]:
            return list(_adjust(db, store, company, ids, also, run.cause, beyond_limit))

        yield run.piece(work, place, len(ids))
    run.finish()


def _steady(run: HandRun, client: ShopClient, ids: Sequence[int]) -> None:
    """Until no order fell between the reading of orders and that of products."""
    for _ in range(_ROUNDS):
        with run.database.read() as db:
            if "stock" not in live_kinds(db.get_one(Store, run.store_id)):
                return
            before = gross_takings(db, run.store_id, ids)
        read_now(run, client, ids)
        with run.database.read() as db:
            if gross_takings(db, run.store_id, ids) == before:
                return


def _adjust(
    db: Session,
    store: Store,
    company: Company,
    ids: Sequence[int],
    also: Mapping[str, Decimal],
    cause: str,
    beyond_limit: bool,
) -> Iterator[Line]:
    settings, of_company = store_settings(db, store), company_settings(db, company)
    rows = products_of(db, store.id, ids)
    reckoned = reckon(db, company, store, rows.values(), as_if_live=("stock",), also_promised=also)
    overrides = overrides_of(db, store)
    unseen: Mapping[str, Activity] = {}
    if not company.tracks_stock:
        # Nobody counts adjustments on their way: one more would be one too many.
        unseen = unseen_adjustments(
            db, company.id, [str(row.list_id) for row in rows.values() if row.list_id]
        )
    shared = Counter(row.list_id for row in rows.values())
    for number in ids:
        row = rows.get(number)
        if row is None or row.gone:
            yield Line(f"product {number}", NOT_SENT, sentence="The shop has no product of this id.")
            continue
        shown = decode_shop_item(row.content)
        if row.list_id is None and shown.manage_stock == "yes":
            why = row.match_problem or "It is no item of QuickBooks: qbwoo mapping match"
            yield Line(shown.called, UNMATCHED, sentence=why)
            continue
        one = reckoned.get(number)
        hindrance = _no_stock(row, shown, one, settings, shared)
        if hindrance is None:
            continue
        if hindrance or one is None or one.there is None or shown.quantity is None:
            yield Line(shown.called, NOT_SENT, sentence=hindrance)
            continue
        if one.wanted.quantity == shown.quantity:
            yield Line(shown.called, UNCHANGED)
            continue
        before = unseen.get(str(row.list_id))
        if before is not None:
            yield Line(shown.called, ON_ITS_WAY, sentence=_unseen(before))
            continue
        free = one.there - one.allocation
        difference = shown.quantity + settings["stock.buffer"] - free
        what = f"{difference:+f}: the shop has {shown.quantity:f}, QuickBooks {one.there:f}"
        what += f" with {one.allocation:f} promised" if one.allocation else ""
        limit = settings["stock.limit"]
        if limit and abs(difference) > limit and not beyond_limit:
            sentence = f"It is more than stock.limit ({limit:f}). If it is right: --beyond-limit"
            yield Line(shown.called, NOT_SENT, what, sentence)
            continue
        places = locations_of(of_company["stock.stores"], overrides, fold(row.matched_sku or row.sku))
        place = places[0] if len(places) == 1 else str(of_company["documents.store_number"] or "")
        if not place and one.item is not None and len(one.item.on_hand) > 1:
            numbers = ", ".join(sorted(one.item.on_hand))
            sentence = (
                f"QuickBooks keeps it in stores {numbers}: say which of them the shop's count is about, by the setting "
                "stock.stores or documents.store_number, or by qbwoo mapping set location."
            )
            yield Line(shown.called, NOT_SENT, what, sentence)
            continue
        activity = order_adjustment(
            db,
            company_id=company.id,
            store_id=store.id,
            adjustment=StockAdjustment(
                list_id=str(row.list_id),
                sku=row.sku,
                difference=difference,
                location=place,
                why=f"counted in store {store.name}",
            ),
            cause=cause,
            product_id=row.product_id,
        )
        _agree(db, store, company, row, activity)
        yield Line(shown.called, SENT, what, activity_id=activity.id)


def _unseen(activity: Activity) -> str:
    if activity.state == ActivityState.SUCCEEDED:
        return "It was adjusted, and QuickBooks was not read again since: wait for the Web Connector."
    if activity.state == ActivityState.FAILED:
        return f"An adjustment of it failed: qbwoo activity retry or cancel {activity.id}"
    return f"Adjustment {activity.id} of it is {ActivityState(activity.state).shown}."


def _agree(db: Session, store: Store, company: Company, row: ShopProduct, activity: Activity) -> None:
    """The shop's quantity stays what it is: the adjustment's taking is a part of what both sides agreed on."""
    if company.tracks_stock:
        if "stock" in live_kinds(store) and row.quantity is not None:
            row.doubted_gross = None
            row.agreed_gross = row.quantity + gross_takings(db, store.id, [row.product_id])[row.product_id]
    else:
        # Nobody counts documents yet, so that the taking would never meet its move.
        taking = db.get(OrderTaking, (store.id, f"A{activity.id}", 0))
        if taking is not None:
            taking.booked = True
    db.flush()


def _no_stock(
    row: ShopProduct,
    shown: ShopItem,
    one: Reckoned | None,
    settings: Settings,
    shared: Mapping[str | None, int],
) -> str | None:
    """Why its quantity cannot go, in a sentence; "": it can; None: it has no stock of its own, which is no fault."""
    if shown.type in _WITHOUT_STOCK or shown.manage_stock != "yes" or shown.quantity is None:
        return None
    if row.held:
        return "It is held by hand: qbwoo product release"
    if one is None or one.item is None:
        return "QuickBooks has no such item any more, or its items were not read yet."
    if not one.item.keeps_stock:
        return f"Its item is of type {one.item.item_type}, which has no stock in QuickBooks."
    if one.there is None:
        return "QuickBooks tells no quantity of its item in the stores that count."
    if settings["stock.share"] != 100:
        return (
            "The store shows a share of the stock (stock.share): what QuickBooks has cannot be told from it."
        )
    if shared[row.list_id] > 1:
        return "Several products of the store are this one item: what QuickBooks has cannot be told from one."
    return ""


# Prices --------------------------------------------------------------------------


def push_prices(run: HandRun, client: ShopClient, *, beyond_limit: bool) -> Iterator[list[Line]]:
    """One piece of lines after the other. Raises ShopError."""
    for ids, place in pieces_of(run, client):

        def work(db: Session, store: Store, company: Company, ids: Sequence[int] = ids) -> list[Line]:
            return list(_reprice(db, store, company, ids, run.cause, beyond_limit))

        yield run.piece(work, place, len(ids))
    run.finish()


def _reprice(
    db: Session, store: Store, company: Company, ids: Sequence[int], cause: str, beyond_limit: bool
) -> Iterator[Line]:
    settings = store_settings(db, store)
    rules = price_rules(settings, company_settings(db, company))
    if settings["prices.ruled_by"] == "shop":
        # Where the shop makes the prices they go as they are, as the worker sends them.
        rules = PriceRules((settings["products.price_level"],), rules.sale_level, decimals=rules.decimals)
    rows = products_of(db, store.id, ids)
    reckoned = reckon(db, company, store, rows.values(), as_if_live=("stock", "prices"))
    for number in ids:
        row = rows.get(number)
        if row is None or row.gone:
            yield Line(f"product {number}", NOT_SENT, sentence="The shop has no product of this id.")
            continue
        shown = decode_shop_item(row.content)
        if shown.type in ("variable", "grouped") or shown.regular_price is None:
            continue
        one = reckoned.get(number)
        if row.list_id is None:
            why = row.match_problem or "It is no item of QuickBooks: qbwoo mapping match"
            yield Line(shown.called, UNMATCHED, sentence=why)
            continue
        if row.held or one is None or one.item is None:
            why = "It is held by hand" if row.held else "QuickBooks has its item no more"
            yield Line(shown.called, NOT_SENT, sentence=f"{why}: qbwoo product show {number}")
            continue
        made = shop_prices(one.item, rules)
        if made.regular == shown.regular_price and (not rules.sale_level or made.sale == shown.sale_price):
            yield Line(shown.called, UNCHANGED)
            continue
        prices = _levels(one.item, shown, rules)
        if prices is None:
            sentence = "By the store's rules (prices.percent, prices.ending) no price of QuickBooks becomes this one."
            yield Line(shown.called, NOT_SENT, f"price {shown.regular_price:f}", sentence)
            continue
        what = ", ".join(
            f"level {level} {price:f}, was {_was(one.item, level)}" for level, price in sorted(prices.items())
        )
        if not beyond_limit and _jumps(one.item, prices, settings["prices.limit_percent"]):
            percent = settings["prices.limit_percent"]
            sentence = (
                f"It moves by more than prices.limit_percent ({percent:f}). If it is right: --beyond-limit"
            )
            yield Line(shown.called, NOT_SENT, what, sentence)
            continue
        activity = order_item_change(
            db,
            company_id=company.id,
            change=ItemChange(list_id=one.item.list_id, sku=row.sku, details=ItemDetails(prices=prices)),
            cause=cause,
        )
        yield Line(shown.called, SENT, what, activity_id=activity.id)


def _levels(item: BookItem, shown: ShopItem, rules: PriceRules) -> dict[str, Decimal] | None:
    """Prices by level that make the shop's prices by its rules; None: there are none."""
    assert shown.regular_price is not None
    level = next((one for one in rules.levels if item.prices.get(one, 0) > 0), rules.levels[-1])
    prices: dict[str, Decimal] = {}
    for name, price in ((level, shown.regular_price), (rules.sale_level, shown.sale_price)):
        if name and price is not None:
            made = (price / (1 + rules.percent / 100)).quantize(_CENT)
            if item.prices.get(name) != made:
                prices[name] = made
    after = shop_prices(msgspec.structs.replace(item, prices={**item.prices, **prices}), rules)
    if after.regular != shown.regular_price or (
        rules.sale_level and shown.sale_price is not None and after.sale != shown.sale_price
    ):
        return None
    return prices or None


def _was(item: BookItem, level: str) -> str:
    price = item.prices.get(level)
    return "none" if price is None else f"{price:f}"


def _jumps(item: BookItem, prices: Mapping[str, Decimal], percent: Decimal) -> bool:
    return bool(percent) and any(
        (before := item.prices.get(level)) and abs(price - before) > before * percent / 100
        for level, price in prices.items()
    )
