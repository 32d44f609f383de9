"""Webhooks of products: kept, matched, compared; all that they cause is a wish to the worker."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, select

from queue_store.catalogue import fold, store_items
from queue_store.models import KeptBody, ShopProduct
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem
from queue_store.tasks import open_tasks


@pytest.fixture
def live(bridge: Any) -> Any:
    bridge.live("orders", "customers", "products", "stock", "prices")
    return bridge


def rows(bridge: Any) -> list[ShopProduct]:
    with bridge.database.read() as db:
        found = list(db.scalars(select(ShopProduct).order_by(ShopProduct.product_id)))
        db.expunge_all()
        return found


def know_item(bridge: Any, sku: str, on_hand: str, price: str = "0") -> None:
    item = BookItem(list_id=f"-{sku}", on_hand={"1": Decimal(on_hand)}, prices={"1": Decimal(price)})
    with bridge.database.write() as db:
        company_id = bridge.store(db).company_id
        row = {"company_id": company_id, "list_id": item.list_id, "alu_key": fold(sku), "upc_key": ""}
        store_items(db, [row | {"content": encode(item), "name": sku}])


def test_every_recorded_product_webhook_is_used_or_goes_no_further(live: Any, deliveries: Any) -> None:
    names = [
        *(
            "08_product_create",
            "09_product_create_draft",
            "10_product_publish_draft",
            "11_product_update_price",
        ),
        *("12_product_update_stock", "13_product_update_noop", "14_product_update_meta"),
        *("15_product_update_empty", "16_product_two_updates_one_second", "17_product_batch_update_5"),
        *("18_variation_update", "19_variation_update_price", "20_variation_batch_update"),
        *("21_variation_create", "23_product_trash", "24_product_restore", "25_product_trash_2"),
        *("26_product_restore_by_put", "52_product_created_updated_trashed_before_delivery"),
        *("54_scheduled_sale_ends", "55_stock_set_by_plugin", "57_bulk_variations_parent_price"),
    ]
    words = set()
    for name in names:
        for topic, body in deliveries(name):
            words.add(live.receive(topic, body).word.partition(",")[0])
    assert words <= {"new", "changed", "unchanged", "older", "same second", "trashed", "topic not used"}
    assert {"new", "changed", "trashed", "topic not used"} <= words
    with live.database.read() as db:
        assert db.scalars(select(KeptBody)).all() == []


def test_a_variation_comes_with_its_own_id_and_its_parents(live: Any, deliveries: Any) -> None:
    for topic, body in deliveries("18_variation_update"):
        live.receive(topic, body)
    assert [(row.product_id, row.parent_id, row.type) for row in rows(live)] == [(41, 40, "variation")]


def test_the_newest_date_wins_whatever_the_order_of_arrival(live: Any, recorded: Any) -> None:
    body = recorded("product_s1")
    newer = body | {"date_modified_gmt": "2027-01-01T00:00:00", "stock_quantity": 7}
    assert live.receive("product.updated", newer).word == "new"
    assert live.receive("product.updated", body).word == "older"
    assert rows(live)[0].quantity == 7


def test_two_states_of_one_second_are_read_again(live: Any, recorded: Any) -> None:
    body = recorded("product_s1")
    live.receive("product.updated", body)
    assert live.receive("product.updated", body).word == "unchanged"
    said = live.receive("product.updated", body | {"stock_quantity": 7})
    assert said.word == "same second, asked for"
    assert live.activity("10", "sync_product").state == "pending"


def test_what_shows_what_it_should_ends_here_and_what_does_not_is_asked_for_once(
    live: Any, recorded: Any
) -> None:
    know_item(live, "WID-001", "2000")
    body = recorded("product_s1") | {"stock_quantity": 2000}
    assert live.receive("product.updated", body).word == "new"
    assert live.count() == 0
    later = {"date_modified_gmt": "2027-01-01T00:00:00", "stock_quantity": 1999}
    assert live.receive("product.updated", body | later).word == "changed, asked for"
    later = {"date_modified_gmt": "2027-01-01T00:00:01", "stock_quantity": 1998}
    live.receive("product.updated", body | later)
    assert live.count() == 1


def test_error_objects_and_the_coupon_quirk_go_no_further(live: Any) -> None:
    error = {"code": "woocommerce_rest_product_invalid_id", "message": "Invalid ID.", "data": {"status": 404}}
    assert live.receive("product.updated", error).word.startswith("error object")
    assert live.receive("coupon.deleted", {"id": 123}).word == "topic not used"
    assert live.receive("product.deleted", {"id": 123}).word == "not known"
    assert live.count() == 0


def test_a_body_that_cannot_be_read_is_kept_and_told_and_fires_no_order(live: Any, recorded: Any) -> None:
    assert live.receive("product.updated", recorded("product_s1") | {"stock_quantity": "abc"}).word == (
        "untranslatable"
    )
    with live.database.read() as db:
        assert [one.topic for one in db.scalars(select(KeptBody))] == ["product.updated"]
        (task,) = open_tasks(db)
    assert task.kind == "product unreadable"
    assert "stock_quantity" in task.sentence


def test_a_store_that_shows_nothing_keeps_nothing_and_asks_the_database_nothing(
    bridge: Any, recorded: Any
) -> None:
    seen: list[str] = []
    event.listen(
        bridge.database.engine, "before_cursor_execute", lambda _c, _u, text, *_rest: seen.append(text)
    )
    body = recorded("product_s1")
    assert bridge.receive("product.updated", body).word == "not live for products"
    assert bridge.receive("product.updated", body | {"stock_quantity": "abc"}).word == "not live for products"
    order = recorded("order_plain") | {"status": "processing"}
    bridge.receive("order.updated", json.dumps(order).encode())
    assert not [text for text in seen if "shop_products" in text or "order_takings" in text]
    assert rows(bridge) == []
