"""Quantities that a person changed in the shop: told from what both sides agreed on, and sent to QuickBooks.

Orders leave the gross, which is what the shop shows and what orders took of it,
alone; our own writing forgets the agreement. What moves it otherwise is a person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

from queue_store.adjustments import order_adjustment
from queue_store.allocation import gross_takings
from queue_store.companies import live_kinds
from queue_store.doubting import tell_doubted_edit
from queue_store.models import Company, ShopProduct, Store
from queue_store.product_payloads import StockAdjustment
from queue_store.product_sync import ask_products
from queue_store.settings import store_settings
from queue_store.shop_products import products_of
from queue_store.showing import wanted_of

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def edits_of(
    db: Session, store: Store, numbers: Collection[int], taken: Mapping[int, Decimal]
) -> dict[int, Decimal]:
    """By how many pieces a person changed these products, by id, where the store wants to know.

    `taken`: what orders and adjustments took of each.
    """
    if "stock" not in live_kinds(store) or store_settings(db, store)["stock.edits"] != "adjust":
        return {}
    rows = products_of(db, store.id, numbers)
    wanted = wanted_of(db, db.get_one(Company, store.company_id), store, rows.values())
    found = {
        number: _edit_of(row, taken[number])
        for number, row in rows.items()
        if number in wanted and wanted[number].quantity is not None
    }
    return {number: difference for number, difference in found.items() if difference}


def send_edit(store_id: int, number: int, difference: Decimal, db: Session) -> bool:
    """Have QuickBooks adjusted by what a person changed.

    False: something came in since, and the next pass sees it; or the agreement is doubted, and a task tells of it.
    """
    store = db.get_one(Store, store_id)
    row = products_of(db, store.id, [number])[number]
    if _edit_of(row, gross_takings(db, store.id, [number])[number]) != difference:
        return False
    assert row.list_id is not None
    if row.agreed_gross is None:
        company = db.get_one(Company, store.company_id)
        shows = wanted_of(db, company, store, [row])[number].quantity
        tell_doubted_edit(db, store, row, difference, shows)
        return False
    # Its taking has the opposite sign, and is a part of the gross: so that is the agreed one again, and the
    # edit is seen once.
    order_adjustment(
        db,
        company_id=store.company_id,
        store_id=store.id,
        adjustment=StockAdjustment(
            list_id=row.list_id, sku=row.sku, difference=difference, why=f"changed in store {store.name}"
        ),
        cause="a person changed the quantity in the shop",
        product_id=number,
    )
    ask_products(db, store.company_id, [row.list_id], cause="a person changed the quantity in a shop")
    return True


def _edit_of(row: ShopProduct, taken: Decimal) -> Decimal:
    agreed = row.doubted_gross if row.agreed_gross is None else row.agreed_gross
    if row.quantity is None or agreed is None or row.manage_stock != "yes":
        return Decimal(0)
    return row.quantity + taken - agreed
