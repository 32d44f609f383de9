"""Matching, status and mapping files on both databases, in pieces."""

from __future__ import annotations

from decimal import Decimal

import pytest
from sqlalchemy import select

from queue_store import hand_runs, matching_report, product_status
from queue_store.adjustments import order_adjustment, unseen_adjustments
from queue_store.catalogue import store_items
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.mapping_files import MappingImport, MappingLine, export_lines
from queue_store.matching import match_products
from queue_store.matching_report import Verdict, loose_key, matches
from queue_store.models import AuditEntry, CatalogueItem, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem, ShopItem, StockAdjustment
from queue_store.product_status import Status, products_called, statuses
from queue_store.secrets import SecretBox
from tests.harness import make_house


@pytest.fixture
def shelves(database: Database, box: SecretBox, monkeypatch: pytest.MonkeyPatch) -> Database:
    """Five products S-1 to S-5 of the shop, and items of the first three; QuickBooks has 10 of each."""
    make_house(database, box)
    for module in (matching_report, product_status):
        monkeypatch.setattr(module, "AT_ONCE", 2)
    with database.write() as db:
        store = get_store(db, "main")
        for number in range(1, 6):
            item = ShopItem(
                product_id=number,
                type="simple",
                status="publish",
                sku=f"S-{number}",
                manage_stock="yes",
                quantity=Decimal(number),
            )
            db.add(
                ShopProduct(
                    store_id=store.id,
                    product_id=number,
                    company_id=store.company_id,
                    sku=item.sku,
                    sku_key=item.sku.lower(),
                    manage_stock="yes",
                    quantity=item.quantity,
                    content=encode(item),
                )
            )
        store_items(
            db,
            [
                {
                    "company_id": store.company_id,
                    "list_id": f"-{number}",
                    "item_number": str(number),
                    "alu_key": f"s-{number}" if number < 3 else "s03",
                    "upc_key": "",
                    "name": f"Item {number}",
                    "item_type": "Inventory",
                    "content": encode(BookItem(list_id=f"-{number}", on_hand={"1": Decimal(10)})),
                    "asked_turn": 1,
                }
                for number in range(1, 4)
            ],
        )
    return database


def test_every_product_and_every_item_is_told_once_however_many_pieces_there_are(shelves: Database) -> None:
    with shelves.write() as db:
        store = get_store(db, "main")
        told = [(one.verdict, one.product_id, one.list_id) for one in matches(db, store)]
        assert told == [
            (Verdict.CERTAIN, 1, "-1"),
            (Verdict.CERTAIN, 2, "-2"),
            (Verdict.NO_ITEM, 3, ""),
            (Verdict.NO_ITEM, 4, ""),
            (Verdict.NO_ITEM, 5, ""),
            # Items 1 and 2 were told: they are certain to be products 1 and 2.
            (Verdict.NO_PRODUCT, None, "-3"),
        ]
        assert match_products(db, store, [1, 2]) == [1, 2]
        stand = {one.row.product_id: one.status for one in statuses(db, store)}
        assert stand == {
            1: Status.OUT_OF_SYNC,
            2: Status.OUT_OF_SYNC,
            **dict.fromkeys((3, 4, 5), Status.UNMATCHED),
        }
        assert [one.row.product_id for one in statuses(db, store, after_id=3)] == [4, 5]


def test_a_sku_is_told_before_an_id_and_nothing_is_the_product_of_nothing(shelves: Database) -> None:
    with shelves.write() as db:
        store = get_store(db, "main")
        db.get_one(ShopProduct, (store.id, 4)).sku_key = "2"
        db.flush()
        assert [row.product_id for row in products_called(db, [store.id], "2")] == [4]
        assert [row.product_id for row in products_called(db, [store.id], "3")] == [3]
        assert [row.product_id for row in products_called(db, [store.id], " s-1 ")] == [1]
        assert products_called(db, [store.id], "") == []


@pytest.mark.parametrize(
    ("one", "other", "alike"),
    [
        ("00123", "123", True),
        ("A-1", "a 1", True),
        ("TS/RED.M", "ts-red-m", True),
        ("0", "00", True),
        ("A1", "A10", False),
        ("A0", "A", False),
    ],
)
def test_skus_are_alike_by_their_letters_and_digits(one: str, other: str, alike: bool) -> None:
    assert (loose_key(one) == loose_key(other)) is alike


def test_lines_of_a_file_are_checked_written_and_come_out_again(shelves: Database) -> None:
    with shelves.write() as db:
        company = get_company(db, "books")
        importer = MappingImport(db, company, "product")
        assert importer.check([MappingLine("main", "1", "-3")]) == [""]
        problems = importer.check(
            [
                MappingLine("", "1", "-3"),
                MappingLine("other", "1", "-3"),
                MappingLine("main", "99", "-3"),
                MappingLine("main", "1", "three"),
                MappingLine("main", "", "-3"),
            ]
        )
        assert all(problems), problems
        assert importer.write([MappingLine("main", "1", "-3"), MappingLine("main", "2", "-2")], "test") == (
            2,
            0,
            0,
        )
        assert importer.write([MappingLine("main", "1", "-3"), MappingLine("main", "2", "-1")], "test") == (
            0,
            1,
            1,
        )
        assert [(line.key, line.value, line.source) for line in export_lines(db, company, "product")] == [
            ("1", "-3", "operator"),
            ("2", "-1", "operator"),
        ]
        items = MappingImport(db, company, "item")
        assert items.write([MappingLine("", "S-5", "-1"), MappingLine("main", "S-4", "-2")], "test") == (
            2,
            0,
            0,
        )
        assert items.write([MappingLine("", "s-5", "-1"), MappingLine("main", "S-4", "-1")], "test") == (
            0,
            1,
            1,
        )
        assert [(line.store, line.key, line.value) for line in export_lines(db, company, "item")] == [
            ("", "s-5", "-1"),
            ("main", "s-4", "-1"),
        ]
        assert len(db.scalars(select(AuditEntry).where(AuditEntry.what.like("mapping %"))).all()) == 6


def test_an_adjustment_is_unseen_until_its_item_was_read_after_it_was_done(shelves: Database) -> None:
    with shelves.write() as db:
        store = get_store(db, "main")
        made = order_adjustment(
            db,
            company_id=store.company_id,
            store_id=store.id,
            adjustment=StockAdjustment(list_id="-1", difference=Decimal(2)),
            cause="test",
        )
        assert unseen_adjustments(db, store.company_id, ["-1", "-2"]) == {"-1": made}
        made.state = "succeeded"
        db.flush()
        assert unseen_adjustments(db, store.company_id, ["-1"]) == {"-1": made}
        item = db.get_one(CatalogueItem, (store.company_id, "-1"))
        item.read_at = made.updated_at.replace(year=made.updated_at.year + 1)
        db.flush()
        assert unseen_adjustments(db, store.company_id, ["-1"]) == {}


def test_a_run_keeps_its_newest_place_until_it_ends(shelves: Database) -> None:
    with shelves.write() as db:
        store_id = get_store(db, "main").id
        for place in ("100", "200"):
            hand_runs.keep_place(db, store_id, "push prices", "all", place, int(place))
        found = hand_runs.begun(db, store_id, "push prices", "all")
        assert found is not None
        assert (found.place, found.done) == ("200", 200)
        hand_runs.end(db, store_id, "push prices")
        db.expire_all()
        assert hand_runs.begun(db, store_id, "push prices", "all") is None
