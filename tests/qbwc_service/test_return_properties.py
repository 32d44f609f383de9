"""Whatever a refund lists and whatever it gives back, its return comes to what the buyer got."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from ops_sandbox.pos import PosDialect
from qbwc_service.flavours.pos.returns import prepare_return
from qbwc_service.marks import Mark
from queue_store.payloads import Refund, RefundLine, RefundSummary, ShippingLine
from tests.making_orders import MOMENT, company, line, order, shipping, store
from tests.writing_receipts import Books

CENT = Decimal("0.01")
cents = st.integers(1, 10**5).map(lambda n: n * CENT)


@st.composite
def refunds(draw: Any) -> Refund:
    """Lists some lines of its order whole, and gives back an amount of its own, after amounts that went before."""
    sold = []
    for n in range(1, draw(st.integers(1, 6)) + 1):
        quantity = draw(st.integers(1, 12))
        # A cent a piece at least, so that whatever is given back can be split.
        total = draw(cents) + quantity * CENT
        tax = draw(st.sampled_from([Decimal(0), (total / 10).quantize(CENT)]))
        sold.append(line(str(total), str(quantity), tax=str(tax), rates=(3,) if tax else (), line_id=n))
    posts = [shipping(str(draw(cents)))] if draw(st.booleans()) else []
    tax = sum((one.total_tax for one in sold), Decimal(0))
    total = sum((one.total for one in [*sold, *posts]), tax)
    earlier = draw(st.integers(0, int(total / CENT) - 1)) * CENT
    amount = draw(st.integers(1, int((total - earlier) / CENT))) * CENT
    listed = draw(st.lists(st.sampled_from(sold), unique_by=lambda one: one.line_id))
    before = (RefundSummary(refund_id=1, total=-earlier),) if earlier else ()
    return Refund(
        refund_id=2,
        created_at=MOMENT,
        amount=amount,
        total_tax=sum((one.total_tax for one in listed), Decimal(0)),
        lines=tuple(
            RefundLine(
                line_id=one.line_id,
                sku=one.sku,
                name=one.name,
                quantity=one.quantity,
                total=one.total,
                total_tax=one.total_tax,
                taxes=one.taxes,
                restocked=draw(st.sampled_from([Decimal(0), one.quantity])),
            )
            for one in listed
        ),
        shipping_lines=tuple(_back(one) for one in posts if draw(st.booleans())),
        order=order(
            *sold, total=str(total), tax=str(tax), shipping_lines=tuple(posts), refunds=(*before, _summary(amount))
        ),
    )  # fmt: skip


def _back(post: ShippingLine) -> ShippingLine:
    return ShippingLine(line_id=90, title=post.title, total=post.total, total_tax=Decimal(0))


def _summary(amount: Decimal) -> RefundSummary:
    return RefundSummary(refund_id=2, total=-amount)


@settings(max_examples=150, deadline=None)
@given(refund=refunds(), seed=st.integers(0, 10**6))
def test_a_return_gives_back_the_very_amount_with_the_refunds_own_goods_and_tax(
    refund: Refund, seed: int
) -> None:
    dialect = PosDialect.random(random.Random(seed))
    sign = -1 if dialect.return_signs == "negative" else 1
    by_quantity = dialect.negative_line == "negative_qty"
    chosen = company(
        returns__signs=dialect.return_signs, lines__negative="quantity" if by_quantity else "price"
    )
    books = Books(dialect, stocked=True)
    prepared = prepare_return(refund, Mark("WMAIN", "71-R2", 1), None, chosen, store())
    receipt = books.enter(prepared)
    assert receipt.total * sign == prepared.predicted_total * sign == refund.amount
    assert sum(tender.amount for tender in receipt.tenders) * sign == refund.amount
    assert receipt.tax_amount == 0
    alus = {item.list_id: item.alu for item in books.pos.items()}
    booked: dict[str, Decimal] = {}
    pieces: dict[str, Decimal] = {}
    for one in receipt.lines:
        alu = alus[one.list_id]
        booked[alu] = booked.get(alu, Decimal(0)) + one.extended_price * sign
        pieces[alu] = pieces.get(alu, Decimal(0)) + one.qty * sign
    assert booked.pop("Online Sales Tax", Decimal(0)) == refund.total_tax
    shelved = {one.sku: one for one in refund.lines if one.restocked}
    for sku, one in shelved.items():
        assert (booked.pop(sku), pieces[sku]) == (one.total, one.restocked)
    # The rest of the lines, and what the buyer got beside or beneath them.
    rounding = booked.pop("Online Rounding", Decimal(0))
    assert abs(rounding) <= CENT * 5 + CENT / 2 * len(refund.lines)
    rest = refund.amount - refund.total_tax - sum(one.total for one in shelved.values())
    assert booked.pop("Online Refund", Decimal(0)) + rounding == rest
    assert not booked
