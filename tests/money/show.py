"""One random order for a person: what the shop says, and the request that goes to QuickBooks."""

from __future__ import annotations

import json
from decimal import Decimal

from ops_sandbox.shop.wire import Doc
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.receipts import prepare_receipt
from qbwc_service.marks import Mark
from tests.money.switches import store_settings
from tests.money.trial import Trial
from woo_bridge.translate_orders import translate_order


def show(seed: int, number: int, *, mode: str, wrong_switch: bool) -> None:
    """Prints the shop's settings, the order's amounts and the receipt."""
    trial = Trial(seed, mode, wrong_switch=wrong_switch)
    rules, drawn = trial.rules, trial.drawing[number]
    order = drawn.order
    rounding = "at the sum" if rules.round_at_subtotal else "per line"
    prices = "with" if rules.prices_include_tax else "without"
    print(
        f"shop {seed}: {rules.currency}, {rules.decimals} decimals, prices {prices} tax, tax rounded {rounding}"
    )
    print(trial.company.pos.dialect)
    if drawn.bad or drawn.bad_refund:
        print(f"bad on purpose: {drawn.bad or drawn.bad_refund}")
    if drawn.bad and "text" in drawn.bad.kind:
        return
    print_order(order)
    try:
        prepared = prepare_receipt(
            translate_order(json.dumps(order).encode()),
            Mark("WMAIN", str(order["id"]), 1),
            trial.settings,
            store_settings(),
            trial.taxes,
        )
    except NotSendable as refusal:
        print(f"not sent: {refusal.sentence}\n")
        return
    prepared = trial.company.known(prepared) or prepared
    print(f"{trial.company.fill(prepared, str(number))}\npredicted {prepared.predicted_total}\n")


def print_order(order: Doc) -> None:
    """The amounts of an order, line by line."""
    print(f"order {order['number']} ({order['created_via']}), {order['currency']}")
    left = Decimal(order["total"])
    for key in ("line_items", "shipping_lines", "fee_lines"):
        for line in order[key]:
            left -= Decimal(line["total"])
            name = line.get("name") or line.get("method_title")
            print(
                f"  {line.get('quantity', ''):>8} {name:<40} {line['total']:>12} tax {line['total_tax']:>10}"
            )
    print(f"  {'tax':>8} {'':<40} {order['total_tax']:>12}")
    print(
        f"  {'total':>8} {'':<40} {order['total']:>12}, more than the lines by {left - Decimal(order['total_tax'])}"
    )
