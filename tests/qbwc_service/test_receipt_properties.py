"""Any order that adds up is predicted to the cent, and QuickBooks agrees whatever its dialect."""

from __future__ import annotations

import random
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ops_sandbox.pos import PosDialect
from qbwc_service.flavours.pos.balance import CAP, CAP_PER_ROUNDING, predict
from queue_store.payloads import Order, Redeemed
from tests.making_orders import company, fee, line, order, shipping
from tests.writing_receipts import Books

CENT = Decimal("0.01")


def amounts(least: int, most: int) -> st.SearchStrategy[Decimal]:
    """With 0 to 4 decimals."""
    return st.builds(
        lambda units, places: Decimal(units).scaleb(-places), st.integers(least, most), st.integers(0, 4)
    )


@st.composite
def orders(draw: Any, *, places: int = 2) -> Order:
    """Totals as the shop computes them: of amounts with `places` decimals, in cents."""
    unit = Decimal(1).scaleb(-places)

    def shown(amount: Decimal) -> Decimal:
        return amount.quantize(unit, ROUND_HALF_UP)

    lines = []
    for n in range(1, draw(st.integers(1, 12)) + 1):
        quantity = draw(st.integers(1, 40) | st.sampled_from([Decimal("0.5"), Decimal("2.25")]))
        total = shown(draw(amounts(0, 10**5)) * quantity)
        tax = shown(total * draw(st.sampled_from([Decimal(0), Decimal("0.0825"), Decimal("0.19")])))
        lines.append(line(str(total), str(quantity), tax=str(tax), rates=(3, 4) if tax else (), line_id=n))
    posts = [shipping(str(shown(draw(amounts(0, 10**4))))) for _ in range(draw(st.integers(0, 2)))]
    fees = [
        fee(draw(st.sampled_from(["Fee", "Tip", "Gift card"])), str(shown(draw(amounts(-500, 10**4)))))
        for _ in range(draw(st.integers(0, 2)))
    ]
    tax = sum((one.total_tax for one in lines), Decimal(0))
    total = sum((one.total for one in [*lines, *posts, *fees]), tax)
    total = total.quantize(CENT, ROUND_HALF_UP)
    card = min(draw(st.just(Decimal(0)) | amounts(0, 10**4)), max(total, Decimal(0))).quantize(CENT)
    if total < 0:
        return order(line("1.00"), total="1.00")
    return order(
        *lines,
        total=str(total - card),
        tax=str(tax),
        shipping_lines=tuple(posts),
        fee_lines=tuple(fees),
        redeemed=(Redeemed(code="*1", amount=card),) if card else (),
    )


def _settings(dialect: PosDialect, **more: str) -> Any:
    by_quantity = dialect.negative_line == "negative_qty"
    return company(lines__negative="quantity" if by_quantity else "price", **more)


@settings(max_examples=60, deadline=None)
@given(found=orders(), seed=st.integers(0, 10**6), redeemed=st.sampled_from(["line", "tender"]))
def test_quickbooks_comes_to_the_predicted_total_in_any_dialect(
    found: Order, seed: int, redeemed: str
) -> None:
    dialect = PosDialect.random(random.Random(seed))
    receipt, prepared = Books(dialect).write(found, _settings(dialect, gift_cards__redeemed=redeemed))
    assert receipt.total == prepared.predicted_total
    assert sum(tender.amount for tender in receipt.tenders) == receipt.total
    gifts = sum((one.amount for one in receipt.tenders if one.kind == "Gift"), Decimal(0))
    assert receipt.total - gifts == found.total


@given(found=orders(), redeemed=st.sampled_from(["line", "tender"]))
def test_amounts_in_cents_need_no_rounding_and_no_price_becomes_nothing(found: Order, redeemed: str) -> None:
    receipt = predict(found, company(gift_cards__redeemed=redeemed))
    small = any(0 < one.total < CENT * one.quantity for one in found.lines)
    assert small or receipt.rounding == 0
    assert sum(one.amount for one in receipt.lines) == receipt.total
    free = sum(not one.total for one in found.lines)
    assert sum(not one.price for one in receipt.lines) == free
    assert all(one.price == one.price.quantize(CENT) for one in receipt.lines)


@given(found=orders(places=4))
def test_amounts_with_four_decimals_come_out_inside_the_cap(found: Order) -> None:
    charges = [*found.lines, *found.shipping_lines, *found.fee_lines]
    # A charge below a cent is a cent: a price of 0.00 would say that it was free. So half a piece for 0.0050 in all is
    # a line of 0.01, not of half of it: a line has whole cents, and no price in cents times 0.5 comes to less.
    small = any(0 < abs(one.total) < CENT * max(1, getattr(one, "quantity", 1)) for one in charges)
    receipt = predict(found, company())
    rates = sum(len(one.taxes) for one in found.lines)
    assert abs(receipt.rounding) <= (CAP + CAP_PER_ROUNDING * rates) * CENT
    assert small or receipt.rounding == 0
    assert sum(one.amount for one in receipt.lines) == receipt.total


@given(found=orders(), rate=st.decimals("0.001", "1000", places=4))
def test_a_converted_order_comes_to_its_converted_total(found: Order, rate: Decimal) -> None:
    abroad = Order(**{name: getattr(found, name) for name in found.__struct_fields__ if name != "currency"}, currency="EUR")  # fmt: skip
    amounts = [(one.total, one.quantity) for one in abroad.lines]
    amounts += [(one.total, Decimal(1)) for one in [*abroad.shipping_lines, *abroad.fee_lines]]
    amounts += [(card.amount, Decimal(1)) for card in abroad.redeemed]
    if any(0 < abs(amount * rate) < CENT * (quantity + 1) for amount, quantity in amounts):
        return  # May add up to more than the cap: refused, with the arithmetic.
    receipt = predict(abroad, company(currency__rates=f"EUR={rate}"))
    assert receipt.total == (abroad.total * rate).quantize(CENT, ROUND_HALF_UP)
    assert sum(one.amount for one in receipt.lines) == receipt.total
    assert receipt.rounding == 0
