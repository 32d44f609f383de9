"""Every recorded order, all in one queue: in the books as the shop has it, or not sent in so many words; nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from ops_sandbox.pos import PosDialect
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.dialects import DIALECTS, house_under
from tests.harness import RECORDED, House, recorded_refunds

_COD = "waits for its money: Cash on delivery (cod) is paid later."
#: State and words of the sentence of what is not in the books.
NOT_SENT = {
    70: ("waiting", _COD),
    72: ("waiting", _COD),
    74: ("cancelled", "Order 74 was cancelled in the shop: nothing to send."),
    76: ("waiting", "its status is checkout-draft; receipts are sent for processing, completed."),
    88: ("failed", "Order 88 is in EUR, the company file is kept in USD: it is not sent."),
    99: ("cancelled", "Order 99 was cancelled in the shop: nothing to send."),
    132: ("waiting", _COD),
    133: ("waiting", "its status is on-hold;"),
    240: ("waiting", "its status is pending;"),
    318: ("cancelled", "Order 318 lies in the shop's trash: nothing to send."),
    323: ("waiting", "its status is on-hold;"),
}
KINDS = {"cod": "Cash", "bacs": "Check"}


def orders() -> dict[int, dict[str, Any]]:
    """The newest recorded state of each order, by id, as the shop shows it without a special `dp`."""
    found: dict[int, dict[str, Any]] = {}
    for body in [*_from_rest(), *_from_webhooks()]:
        known = found.get(body["id"])
        if known is None or known["date_modified_gmt"] < body["date_modified_gmt"]:
            found[body["id"]] = body
    return dict(sorted(found.items()))


def _from_rest() -> Iterator[dict[str, Any]]:
    for path in [*sorted(RECORDED.glob("order_*.json")), RECORDED / "error_order_bad_product.json"]:
        if path.stem.endswith("_dp4"):
            continue
        body = json.loads(path.read_text())["response"]["body"]
        yield from (one for one in (body if isinstance(body, list) else [body]) if "line_items" in one)


def _from_webhooks() -> Iterator[dict[str, Any]]:
    for path in sorted((RECORDED.parent / "webhooks").glob("*.json")):
        for delivery in json.loads(path.read_text()).get("deliveries", ()):
            # Refunds have line items too; what was deleted has none.
            if '"line_items"' in delivery["body"] and '"order_key"' in delivery["body"]:
                yield json.loads(delivery["body"])


@pytest.fixture(params=DIALECTS)
def house(request: pytest.FixtureRequest, sqlite_database: Database, box: SecretBox) -> House:
    dialect: PosDialect = DIALECTS[request.param]
    house = house_under(dialect, sqlite_database, box)
    house.set("tenders", "cod=Cash, bacs=Check, *=CreditCard:Visa")
    return house


def test_every_recorded_order_is_in_the_books_or_says_why_not(house: House) -> None:
    recorded = orders()
    for order_id, body in recorded.items():
        house.take(body)
        house.take_refunds(body, recorded_refunds(order_id))
    house.run_until_quiet()

    sales = {int(one.record_id): one for one in house.activities()}
    assert list(sales) == list(recorded)
    told = {order_id: (one.state, one.sentence) for order_id, one in sales.items()}
    for order_id, (state, words) in NOT_SENT.items():
        assert (told[order_id][0], words in told[order_id][1]) == (state, True), told[order_id]
    sent = {order_id: body for order_id, body in recorded.items() if order_id not in NOT_SENT}
    assert {order_id: told[order_id][0] for order_id in sent} == dict.fromkeys(sent, "succeeded")

    receipts = {one.comments.split()[0]: one for one in house.our_receipts() if one.type == "Sales"}
    assert len([one for one in house.our_receipts() if one.type == "Sales"]) == len(receipts)
    assert set(receipts) == {f"WMAIN-{order_id}/1" for order_id in sent}
    for order_id, body in sent.items():
        receipt = receipts[f"WMAIN-{order_id}/1"]
        assert receipt.total == Decimal(body["total"]), order_id
        assert receipt.tax_amount == 0
        assert [(one.kind, one.amount) for one in receipt.tenders] == _tenders(body)
        assert _booked(house, receipt) == _shown(body), order_id
    returns = [one.comments.split()[0] for one in house.our_receipts() if one.type == "Return"]
    assert sorted(returns) == sorted(
        f"WMAIN-{order_id}-R{refund['id']}/1" for order_id in sent for refund in recorded_refunds(order_id)
    )


def _booked(house: House, receipt: Any) -> dict[str, tuple[Decimal, Decimal]]:
    """Pieces and amount by the ALU of the item; all of ours count as one piece."""
    alus = {item.list_id: item.alu for item in house.pos.items()}
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for line in receipt.lines:
        _add(found, alus[line.list_id], line.qty, line.extended_price)
    return found


def _shown(body: dict[str, Any]) -> dict[str, tuple[Decimal, Decimal]]:
    """The same from the shop's own words."""
    found: dict[str, tuple[Decimal, Decimal]] = {}
    for line in body["line_items"]:
        _add(found, line["sku"] or "Online Item", Decimal(str(line["quantity"])), Decimal(line["total"]))
    for line in body["shipping_lines"]:
        if Decimal(line["total"]):
            _add(found, "Online Shipping", Decimal(1), Decimal(line["total"]))
    for line in body["fee_lines"]:
        _add(found, "Online Fee", Decimal(1), Decimal(line["total"]))
    if Decimal(body["total_tax"]):
        _add(found, "Online Sales Tax", Decimal(1), Decimal(body["total_tax"]))
    return found


def _add(found: dict[str, tuple[Decimal, Decimal]], item: str, pieces: Decimal, amount: Decimal) -> None:
    known = found.get(item, (Decimal(0), Decimal(0)))
    # One piece at a negative price and one taken back at a positive one are the same money.
    pieces = abs(pieces) if item.startswith("Online ") and item != "Online Item" else pieces
    found[item] = (known[0] + pieces, known[1] + amount)


def _tenders(body: dict[str, Any]) -> list[tuple[str, Decimal]]:
    total = Decimal(body["total"])
    return [(KINDS.get(body["payment_method"], "CreditCard"), total)] if total else []


def test_the_table_of_what_is_not_sent_names_recorded_orders_only() -> None:
    assert set(NOT_SENT) < set(orders())
    assert len(orders()) == 50
