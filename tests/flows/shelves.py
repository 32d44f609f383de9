"""A street whose shop shows QuickBooks' stock: what both sides have of an item, said in a few words."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from queue_store.catalogue import fold, store_items
from queue_store.companies import get_company, get_store, set_live
from queue_store.matching import match_items
from queue_store.models import Activity, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem, decode_sync
from queue_store.product_sync import ask_products
from queue_store.shop_products import products_of
from tests.flows.street import Street

ALL = ("orders", "customers", "products", "stock", "prices")


def go_live(street: Street, *kinds: str, store: str = "main") -> None:
    with street.database.write() as db:
        set_live(db, get_store(db, store), kinds or ALL, who="test")


def item_read(street: Street, sku: str, quantity: str | None, *, turn: int = 1, **more: Any) -> str:
    """QuickBooks' item is read, asked for in `turn`; gives its ListID. `prices` by level."""
    list_id = more.pop("list_id", f"-{abs(hash(fold(sku))) % 10**9}")
    prices = {level: Decimal(price) for level, price in more.pop("prices", {}).items()}
    on_hand = {} if quantity is None else {"1": Decimal(quantity)}
    item = BookItem(list_id=list_id, alu=sku, name=sku, prices=prices, on_hand=on_hand, **more)
    with street.database.write() as db:
        company = get_company(db, "books")
        company.turn = max(company.turn, turn)
        row = {
            "company_id": company.id,
            "list_id": list_id,
            "item_number": "1",
            "alu_key": fold(sku),
            "upc_key": "",
            "name": sku,
            "item_type": "Inventory",
            "content": encode(item),
            "asked_turn": turn,
        }
        store_items(db, [row])
        match_items(db, company, [list_id])
        ask_products(db, company.id, [list_id], cause="read")
    return list_id


def product(street: Street, sku: str, stock: int | None = 10, price: str = "5.00", **more: Any) -> int:
    """A product in the shop, made by a person; gives its id."""
    body = {"name": f"Thing {sku}", "sku": sku, "regular_price": price, **more}
    if stock is not None:
        body |= {"manage_stock": True, "stock_quantity": stock}
    with street._client() as client:
        return int(json.loads(client.call("POST", "products", body).body)["id"])


def edit(street: Street, sku: str, **fields: Any) -> None:
    """A person saves a product, or a variation, in the shop."""
    found = shown(street, sku)
    place = f"products/{found['id']}"
    if found["parent_id"]:
        place = f"products/{found['parent_id']}/variations/{found['id']}"
    street.clock.ahead += timedelta(seconds=3)
    with street._client() as client:
        client.call("PUT", place, fields)


def shown(street: Street, sku: str) -> Any:
    """The product as the shop has it."""
    return street.shop.product_by_sku(sku)


def quantity(street: Street, sku: str) -> int | None:
    found: int | None = shown(street, sku)["stock_quantity"]
    return found


def row(street: Street, sku: str) -> ShopProduct:
    """The product as it is known here."""
    with street.database.read() as db:
        store = get_store(db, "main")
        number = shown(street, sku)["id"]
        return products_of(db, store.id, [number])[number]


def syncs(street: Street) -> list[Activity]:
    """Activities of kind sync_product, oldest first."""
    return street.house.activities("sync_product")


def sync_of(street: Street, sku: str) -> Activity:
    """The newest of one product."""
    number = str(shown(street, sku)["id"])
    return [one for one in syncs(street) if one.record_id == number][-1]


def proposed(activity: Activity) -> Any:
    return decode_sync(activity.payload).proposed


def open_work(street: Street) -> list[str]:
    """Kinds of what is still to be done."""
    with street.database.read() as db:
        return list(
            db.scalars(
                select(Activity.kind).where(Activity.state.in_(("pending", "delayed", "sent", "held")))
            )
        )


def writes(street: Street) -> list[str]:
    """Calls that wrote products, since the last `street.calls.clear()`."""
    return [call for call in street.calls if call.startswith("POST products")]
