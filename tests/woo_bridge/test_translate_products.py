"""Products and variations as the shop tells them become ShopItems, whatever their shape."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from queue_store.payloads import encode
from queue_store.product_payloads import ShopItem, decode_shop_item
from woo_bridge.errors import Untranslatable
from woo_bridge.product_calls import STATE_FIELDS
from woo_bridge.translate_products import translate_product

DATA = Path(__file__).parent.parent / "data" / "woocommerce"


def bodies() -> Iterator[tuple[str, dict[str, Any]]]:
    """Every product and variation that was ever recorded, in answers and webhooks."""
    for path in sorted((DATA / "rest").glob("*.json")):
        body = json.loads(path.read_text("utf-8")).get("response", {}).get("body")
        found = body if isinstance(body, list) else [body]
        if isinstance(body, dict):
            for name in ("create", "update"):
                found += [one for one in body.get(name) or [] if isinstance(one, dict)]
        for one in found:
            if isinstance(one, dict) and "stock_quantity" in one and "type" in one:
                yield f"{path.stem}:{one['id']}", one
    for path in sorted((DATA / "webhooks").glob("[0-9]*.json")):
        for number, delivery in enumerate(json.loads(path.read_text("utf-8")).get("deliveries", [])):
            topic = dict(delivery["headers"]).get("X-WC-Webhook-Topic", "")
            if topic.startswith("product.") and '"type"' in delivery["body"]:
                yield f"{path.stem}:{number}", json.loads(delivery["body"])


RECORDED = dict(bodies())


def translated(body: dict[str, Any], **more: Any) -> ShopItem:
    return translate_product(json.dumps(body).encode(), **more)


def number(text: str | None) -> Decimal | None:
    return Decimal(text) if text else None


def test_there_are_recordings_of_every_type() -> None:
    assert len(RECORDED) > 80
    assert {body["type"] for body in RECORDED.values()} == {
        "simple",
        "variable",
        "variation",
        "grouped",
        "external",
    }


@pytest.mark.parametrize("body", RECORDED.values(), ids=RECORDED.keys())
def test_a_recorded_product_keeps_all_that_is_written_later(body: dict[str, Any]) -> None:
    item = translated(body)
    assert (item.product_id, item.parent_id, item.type, item.status, item.sku) == (
        body["id"],
        body["parent_id"],
        body["type"],
        body["status"],
        body["sku"],
    )
    managed = body["manage_stock"]
    assert item.manage_stock == (managed if managed == "parent" else "yes" if managed else "no")
    assert item.quantity == (None if body["stock_quantity"] is None else Decimal(body["stock_quantity"]))
    assert item.backorders == body["backorders"]
    assert item.regular_price == number(body["regular_price"])
    assert item.sale_price == number(body["sale_price"])
    assert item.is_dated_sale == bool(body["date_on_sale_from_gmt"] or body["date_on_sale_to_gmt"])
    assert item.modified_at is not None
    assert item.modified_at.strftime("%Y-%m-%dT%H:%M:%S") == body["date_modified_gmt"]
    assert item.variation_ids == tuple(body.get("variations", ()))
    assert decode_shop_item(encode(item)) == item


def test_a_list_of_some_fields_leaves_the_rest_as_it_was_known(recorded: Any) -> None:
    body = recorded("product_var1")
    known = translated(body)
    short = {name: body[name] for name in STATE_FIELDS} | {"stock_quantity": 77, "manage_stock": True}
    item = translated(short, known=known)
    assert (item.quantity, item.manage_stock) == (Decimal(77), "yes")
    assert item.attributes == known.attributes
    assert item.description == known.description


def test_a_variation_names_its_value_of_each_attribute(recorded: Any) -> None:
    item = translated(recorded("variations_var1")[0])
    assert [(one.name, one.options) for one in item.attributes] == [("Color", ("Blue",)), ("Size", ("XL",))]
    assert item.parent_id == 40


def test_an_old_shop_tells_no_parent_of_a_variation(recorded: Any) -> None:
    body = {k: v for k, v in recorded("variations_var1")[0].items() if k not in ("type", "parent_id")}
    item = translated(body, parent_id=40)
    assert (item.type, item.parent_id) == ("variation", 40)


@pytest.mark.parametrize(
    ("told", "quantity"),
    [(3, "3"), ("3", "3"), (2.5, "2.5"), ("", None), (None, None), (-4, "-4")],
)
def test_a_quantity_may_be_a_number_or_a_text(recorded: Any, told: Any, quantity: str | None) -> None:
    item = translated(recorded("product_s1") | {"stock_quantity": told})
    assert item.quantity == (None if quantity is None else Decimal(quantity))


def test_lists_with_holes_and_lost_values_are_read(recorded: Any) -> None:
    body = recorded("product_var1") | {
        "categories": {"0": {"id": 3, "name": "A &amp; B"}},
        "variations": {"1": 41, "3": {"id": 42}},
        "sku": None,
        "name": None,
        "parent_id": None,
        "weight": 1.5,
    }
    item = translated(body)
    assert [one.name for one in item.categories] == ["A & B"]
    assert (item.variation_ids, item.sku, item.weight) == ((41,), "", "1.5")


@pytest.mark.parametrize(
    ("field", "value"),
    [("stock_quantity", "abc"), ("regular_price", "dear"), ("date_modified_gmt", "yesterday"), ("id", 0)],
)
def test_what_cannot_be_read_says_where(recorded: Any, field: str, value: Any) -> None:
    with pytest.raises(Untranslatable, match=f"Product .*{field}" if field != "id" else "product"):
        translated(recorded("product_s1") | {field: value})
