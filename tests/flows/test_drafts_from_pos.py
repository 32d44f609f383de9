"""From Point of Sale's screens to drafts in the shop, through real sessions, however this Point of Sale speaks."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal

import pytest
from sqlalchemy import update

from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.database import Database
from queue_store.models import PullMark
from queue_store.secrets import SecretBox
from tests.flows.drafting import settings
from tests.flows.shelves import go_live, open_work, shown
from tests.flows.street import Street, make_street


@pytest.fixture(params=range(4))
def street(request: pytest.FixtureRequest, sqlite_database: Database, box: SecretBox) -> Iterator[Street]:
    drawn = PosDialect.random(random.Random(request.param))
    # The house names no company file.
    dialect = replace(drawn, empty_company_text=PosDialect().empty_company_text)
    with make_street(sqlite_database, box, pos=PosCompanyFile.create(None, dialect=dialect)) as street:
        settings(street, from_quickbooks="rule", departments="Shirts, Hats", when_gone="draft")
        go_live(street)
        street.house.set("pull.items_minutes", "60")
        yield street


def sessions(street: Street) -> None:
    """The Web Connector comes when everything is due again, and the worker follows."""
    with street.database.write() as db:
        db.execute(update(PullMark).values(finished_at=None))
    for _ in range(3):
        street.house.run()
        street.work()
        street.deliver()


def test_items_of_named_departments_become_drafts_and_follow(street: Street) -> None:
    pos = street.house.pos
    shirts, other = pos.add_department("Shirts"), pos.add_department("Other")
    for size in ("S", "M"):
        pos.add_item(
            "Shirt",
            alu=f"SHIRT-{size}",
            price1=Decimal(20),
            on_hand={1: Decimal(4)},
            department_list_id=shirts.list_id,
            Size=size,
            Desc2="A shirt <of wool> & silk",
            Manufacturer="Loom & Co",
            Weight=Decimal("0.3"),
        )
    hidden = pos.add_item("Nail", alu="NAIL", on_hand={1: Decimal(9)}, department_list_id=other.list_id)
    sessions(street)
    made = shown(street, "SHIRT-M")
    parent = street.shop.site.table("products")[made["parent_id"]]
    assert (parent["name"], parent["status"]) == ("Shirt", "draft")
    assert [one["name"] for one in parent["categories"]] == ["Shirts"]
    assert (made["regular_price"], made["stock_quantity"]) == ("20.00", 4)
    assert street.shop.site.store.catalog.by_sku("NAIL") is None
    # A new department, and an item that is moved into it, are seen without anybody's help.
    hats = pos.add_department("Hats")
    pos.change_item(hidden.list_id, DepartmentListID=hats.list_id)
    sessions(street)
    assert shown(street, "NAIL")["status"] == "draft"
    assert open_work(street) == []


def test_an_order_of_a_draft_that_was_published_goes_to_its_item(street: Street) -> None:
    pos = street.house.pos
    shirts = pos.add_department("Shirts")
    item = pos.add_item(
        "Cap", alu="CAP", price1=Decimal(8), on_hand={1: Decimal(5)}, department_list_id=shirts.list_id
    )
    sessions(street)
    with street._client() as client:
        client.call("PUT", f"products/{shown(street, 'CAP')['id']}", {"status": "publish"})
    street.deliver()
    street.shop.place_order([("CAP", 2)])
    street.deliver()
    sessions(street)
    assert shown(street, "CAP")["stock_quantity"] == 3
    assert pos.item(item.list_id).quantity_on_hand == 3
    assert len(pos.items()) == len({one.alu for one in pos.items()})
