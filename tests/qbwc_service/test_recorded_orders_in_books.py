"""Every recorded order, in the sandbox company file: the shop's total, tax and tender, or the sentence."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from ops_sandbox.pos import PosDialect
from qbwc_service.errors import NotSendable
from queue_store.payloads import Order
from tests.dialects import DIALECTS
from tests.harness import RECORDED
from tests.making_orders import company
from tests.money.switches import switches_of
from tests.writing_receipts import Books
from woo_bridge.translate_orders import translate_order

#: What does not go, and why.
REFUSED = {
    "order_eur": "is in EUR, the company file is kept in USD",
}


def recorded() -> list[Any]:
    found = []
    for path in sorted(RECORDED.glob("order_*.json")):
        bodies = json.loads(path.read_text())["response"]["body"]
        for n, body in enumerate(bodies if isinstance(bodies, list) else [bodies]):
            # order_failed is the recording of a call that found no order, order_modified_list partly of dates.
            if "total" in body:
                found.append(pytest.param(path.stem, body, id=f"{path.stem}-{n}"))
    return found


def paid(tenders: Any) -> list[tuple[str, Decimal, str]]:
    return [(tender.kind, tender.amount, tender.detail) for tender in tenders]


@pytest.mark.parametrize("dialect", DIALECTS.values(), ids=list(DIALECTS))
@pytest.mark.parametrize(("name", "body"), recorded())
def test_a_recorded_order_is_in_the_books_with_the_shops_total_tax_and_tender(
    name: str, body: Any, dialect: PosDialect
) -> None:
    tenders = "cod=Cash, bacs=Check, *=CreditCard:Visa"
    settings = company(items__fallback="Online Item", tenders=tenders, **switches_of(dialect))
    order = translate_order(json.dumps(body).encode())
    books = Books(dialect)
    if name in REFUSED:
        with pytest.raises(NotSendable, match=REFUSED[name]):
            books.write(order, settings)
        assert books.pos.receipts() == []
        return
    receipt, prepared = books.write(order, settings)
    assert receipt.total == Decimal(body["total"]) == prepared.predicted_total
    assert receipt.tax_amount == 0
    assert _amount_of(books, receipt, "Online Sales Tax") == Decimal(body["total_tax"])
    assert _amount_of(books, receipt, "Online Shipping") == Decimal(body["shipping_total"])
    assert _amount_of(books, receipt, "Online Rounding") == 0
    assert paid(receipt.tenders) == _tenders(order)
    assert receipt.comments.split()[0] == f"WMAIN-{order.order_id}/1" == receipt.tracking_number


def _amount_of(books: Books, receipt: Any, item: str) -> Decimal:
    ids = {one.list_id for one in books.pos.items() if one.alu == item}
    return sum((line.extended_price for line in receipt.lines if line.list_id in ids), Decimal(0))


def _tenders(order: Order) -> list[tuple[str, Decimal, str]]:
    if not order.total:
        return []
    kind = {"cod": "Cash", "bacs": "Check"}.get(order.payment_method, "CreditCard")
    return [(kind, order.total, "Visa" if kind == "CreditCard" else "")]


def test_a_euro_order_goes_where_a_rate_is_set() -> None:
    body = json.loads((RECORDED / "order_eur.json").read_text())["response"]["body"]
    order = translate_order(json.dumps(body).encode())
    receipt, prepared = Books().write(order, company(currency__rates="EUR=1.0835"))
    assert receipt.total == Decimal("43.18")  # 39.85 x 1.0835 = 43.177475
    assert prepared.remarks[-1] == "Order 88: EUR 39.85 at 1.0835 is 43.18"
