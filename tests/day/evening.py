"""What must hold when the day is over, everything was read, and nothing moves any more."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from queue_store.models import Activity, ShopProduct
from queue_store.states import ActivityState
from queue_store.tasks import open_tasks
from tests.day.oracle import marked
from tests.day.people import People
from tests.day.world import World

S = ActivityState
_ENDED = (S.SUCCEEDED, S.CANCELLED, S.SUPERSEDED)


def broken_documents(world: World, people: People) -> Iterator[str]:
    """Every order and refund in the company file once, to the cent; what was taken back later is told."""
    codes = {name.upper()[:8]: name for name in world.shops}
    reversals = world.pos.reversals()
    dead = {*reversals, *reversals.values()}
    found: dict[tuple[str, int, int], list[Any]] = defaultdict(list)
    for receipt in world.pos.receipts():
        mark = marked((receipt.comments or "").split(" ")[0], codes)
        if mark is not None and receipt.txn_id not in dead:
            found[mark].append(receipt)
    with world.database.read() as db:
        told = {task.activity_id for task in open_tasks(db)}
        rows = db.execute(select(Activity.id, Activity.store_id, Activity.record_id, Activity.kind))
        names = {store_id: name for name, store_id in world.store_ids.items()}
        is_told = {(names.get(row.store_id), row.record_id) for row in rows if row.id in told}
    for mark, receipts in found.items():
        if len(receipts) > 1:
            yield f"{_name(mark)} is in the books {len(receipts)} times"
    for name, shop in world.shops.items():
        for order in shop.orders():
            mark = (name, order["id"], 0)
            paid = order["status"] == "completed" or order["date_paid_gmt"] is not None
            wanted = order["status"] in ("processing", "completed", "refunded") and paid
            yield from _sale(mark, order, found.pop(mark, []), wanted, is_told)
            for refund in order["refunds"]:
                mark = (name, order["id"], refund["id"])
                receipts = found.pop(mark, [])
                amount = abs(Decimal(refund["total"]))
                if not receipts and wanted:
                    yield f"{_name(mark)} of {amount} is not in the books"
                for receipt in receipts:
                    if receipt.type != "Return" or abs(receipt.total) != amount:
                        yield f"{_name(mark)} of {amount} is a {receipt.type} of {receipt.total}"
    for mark in found:
        if mark[:2] in people.erased:
            continue
        if mark not in people.deleted_refunds:
            yield f"{_name(mark)} is in the books, and the shop knows nothing of it"
        elif (mark[0], f"{mark[1]}-R{mark[2]}") not in is_told and (mark[0], str(mark[2])) not in is_told:
            yield f"{_name(mark)} is in the books, was deleted in the shop, and nobody is told"


def _sale(
    mark: tuple[str, int, int], order: dict[str, Any], receipts: list[Any], wanted: bool, is_told: set[Any]
) -> Iterator[str]:
    tells = (mark[0], str(mark[1])) in is_told
    if wanted and not receipts:
        yield f"{_name(mark)} ({order['status']}, {order['total']}) is not in the books"
    for receipt in receipts:
        if not wanted and not tells:
            yield f"{_name(mark)} is {order['status']}, in the books, and nobody is told"
        if receipt.type != "Sales" or (receipt.total != Decimal(order["total"]) and not tells):
            yield f"{_name(mark)} of {order['total']} is a {receipt.type} of {receipt.total}"


def _name(mark: tuple[str, int, int]) -> str:
    return f"{mark[0]}: order {mark[1]}" + (f", refund {mark[2]}" if mark[2] else "")


def broken_work(world: World) -> Iterator[str]:
    """Nothing is left to be done without a time or a sentence, and no echo goes round."""
    names = {store_id: name for name, store_id in world.store_ids.items()}
    with world.database.read() as db:
        for one in db.scalars(select(Activity).where(Activity.state.not_in(_ENDED))):
            what = f"{one.kind} {one.record_id} of {names.get(one.store_id)} is {one.state}"
            if one.state in (S.PENDING, S.SENT, S.IN_DOUBT):
                yield f"{what} ({one.sentence})"
            elif one.state == S.DELAYED and one.next_at is None:
                yield f"{what} without a time"
            elif one.state != S.DELAYED and not one.sentence:
                yield f"{what} without a sentence"
            elif one.kind in ("sync_product", "adjust_stock"):
                yield f"{what}: {one.sentence}"
        for row in db.scalars(select(ShopProduct).where(ShopProduct.differs_since.is_not(None))):
            yield f"product {row.product_id} of {names[row.store_id]} counts as differing since {row.differs_since}"


def broken_prices(world: World) -> Iterator[str]:
    """Each product bears QuickBooks' price."""
    for name, shop in world.shops.items():
        for product in shop.products():
            list_id = world.items[name].get(product["id"])
            if list_id is None:
                continue
            item = world.pos.item(list_id)
            price = item.fields.get("WebPrice") or item.price1
            if Decimal(product["regular_price"]) != price:
                yield f"{name}: product {product['id']} costs {product['regular_price']}, in QuickBooks {price}"
