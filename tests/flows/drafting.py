"""Items of QuickBooks that become products of a shop, said in a few words."""

from __future__ import annotations

import itertools
import json
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any

from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from qbwc_service.flavours.pos.items import style_key
from queue_store.catalogue import bind, fold, forget, store_items
from queue_store.companies import add_store, get_company, get_store
from queue_store.models import Activity, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem
from queue_store.product_work import items_changed
from queue_store.settings import set_store_setting
from queue_store.shop_products import products_of
from tests.flows.shelves import go_live
from tests.flows.street import Street

_turns = itertools.count(2)
DEPARTMENT = "-1"


def book_item(alu: str, name: str = "", **more: Any) -> BookItem:
    """An item that is marked for the web; `on_hand` and `prices` as plain words."""
    on_hand = {"1": Decimal(more.pop("on_hand", "10"))}
    prices = {level: Decimal(price) for level, price in more.pop("prices", {"1": "5.00"}).items()}
    values = {
        "list_id": f"-{zlib.crc32((alu or name).encode())}",
        "item_number": str(zlib.crc32(alu.encode()) % 10000),
        "item_type": "Inventory",
        "department_list_id": DEPARTMENT,
        "department_code": "SHO",
        "is_web": True,
        "on_hand": on_hand,
        "prices": prices,
    }
    return BookItem(alu=alu, name=name or f"Thing {alu}", **(values | more))


def read(street: Street, *items: BookItem) -> int:
    """QuickBooks' items are read; gives how many products were asked for."""
    with street.database.write() as db:
        company = get_company(db, "books")
        company.turn = next(_turns)
        rows = [
            {
                "company_id": company.id,
                "list_id": item.list_id,
                "item_number": item.item_number,
                "alu_key": fold(item.alu),
                "upc_key": fold(item.upc),
                "name": item.name[:200],
                "item_type": item.item_type,
                "department_list_id": item.department_list_id,
                "is_web": item.is_web,
                "style_key": style_key(item),
                "content": encode(item),
                "asked_turn": company.turn,
                "deleted": False,
            }
            for item in items
        ]
        store_items(db, rows)
        return items_changed(db, company, [item.list_id for item in items])


def deleted(street: Street, *items: BookItem) -> None:
    """QuickBooks has these no more."""
    with street.database.write() as db:
        company = get_company(db, "books")
        forget(db, company.id, [item.list_id for item in items])
        items_changed(db, company, [item.list_id for item in items])


def call_department(street: Street, name: str, list_id: str = DEPARTMENT) -> None:
    """What QuickBooks calls a department is known."""
    with street.database.write() as db:
        company = get_company(db, "books")
        bind(
            db,
            company_id=company.id,
            kind="department",
            key=fold(name),
            list_id=list_id,
            source="matched",
            label=name,
        )


def settings(street: Street, store: str = "main", **values: str) -> None:
    """Store settings about products, without their "products."."""
    with street.database.write() as db:
        for key, value in values.items():
            set_store_setting(db, get_store(db, store), f"products.{key}", value, who="test")


@contextmanager
def another_shop(street: Street, name: str) -> Iterator[Shop]:
    """A second shop of the company, live for all; without webhooks."""
    shop = Shop.create(clock=street.clock)
    with shop.serve():
        with street.database.write() as db:
            add_store(
                db,
                street.box,
                company=get_company(db, "books"),
                name=name,
                url=shop.home_url,
                consumer_key=CONSUMER_KEY,
                consumer_secret=CONSUMER_SECRET,
                webhook_secret="whsec",
            )
        go_live(street, store=name)
        yield shop
    shop.close()


def wishes(street: Street, state: str = "") -> list[Activity]:
    """Activities of kind create_product, oldest first."""
    return [one for one in street.house.activities("create_product") if state in ("", one.state)]


def known(street: Street, product_id: int, store: str = "main") -> ShopProduct:
    """The product as it is known here."""
    with street.database.read() as db:
        return products_of(db, get_store(db, store).id, [product_id])[product_id]


def call(street: Street, method: str, path: str, body: Any = None) -> Any:
    """A call of a person's own program."""
    with street._client() as client:
        return json.loads(client.call(method, path, body).body)
