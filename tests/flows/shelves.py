"""A street whose shop shows QuickBooks' stock: what both sides have of an item, said in a few words."""

from __future__ import annotations

import json
import zlib
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import select

from queue_store.activities import ORDER_KINDS
from queue_store.catalogue import fold, store_items
from queue_store.companies import get_company, get_store, set_live
from queue_store.matching import match_items
from queue_store.models import Activity, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem, decode_sync
from queue_store.product_sync import ask_products
from queue_store.shop_products import products_of
from tests.flows.street import Street
from woo_bridge.read_products import read_all_products

ALL = ("orders", "customers", "products", "stock", "prices")


def go_live(street: Street, *kinds: str, store: str = "main") -> None:
    """As `qbwoo store live`, for a shop none of whose orders stands open: what is there is read already."""
    with street.database.write() as db:
        found = get_store(db, store)
        set_live(db, found, kinds or ALL, who="test")
        found.orders_read_until = found.orders_read_until or street.clock()


def item_read(street: Street, sku: str, quantity: str | None, *, turn: int = 1, **more: Any) -> str:
    """QuickBooks' item is read, asked for in `turn`; gives its ListID. `prices` by level."""
    list_id = more.pop("list_id", f"-{zlib.crc32(fold(sku).encode())}")
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


def variable_product(
    street: Street, sku: str, children: Sequence[str], *, stock: int | None = 3, **more: Any
) -> int:
    """A variable product with a variation for each of `children`; gives the parent's id."""
    options = [{"name": "Size", "variation": True, "options": list(children)}]
    parent = product(street, sku, None, type="variable", attributes=options, **more)
    with street._client() as client:
        for child in children:
            body: dict[str, Any] = {"sku": child, "regular_price": "6.00"}
            body["attributes"] = [{"name": "Size", "option": child}]
            if stock is not None:
                body |= {"manage_stock": True, "stock_quantity": stock}
            client.call("POST", f"products/{parent}/variations", body)
    return parent


def know_products(street: Street, store: str = "main") -> None:
    """All products of the shop are read, as at a go-live."""
    with street.database.read() as db:
        store_id = get_store(db, store).id
    with street._client() as client:
        read_all_products(street.database, client, store_id)


def edit(street: Street, product_sku: str, **fields: Any) -> None:
    """A person saves a product, or a variation, in the shop."""
    found = shown(street, product_sku)
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
    """Kinds of what is still to be done but for orders, which go with the Web Connector."""
    unfinished = ("pending", "delayed", "sent", "held", "failed")
    with street.database.read() as db:
        kinds = db.scalars(select(Activity.kind).where(Activity.state.in_(unfinished)))
        return [kind for kind in kinds if kind not in ORDER_KINDS]


def writes(street: Street) -> list[str]:
    """Calls that wrote products, since the last `street.calls.clear()`."""
    return [call for call in street.calls if call.startswith("POST products")]
