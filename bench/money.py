"""`make bench-money`: how many orders a second one core turns from the shop's JSON into receipts, balanced to the cent.

Each order has three lines, tax and shipping. Ours is translated, balanced and
written, in both tax modes. The floor is the least that any program must do:
`json.loads`, and lxml for the very elements of the same receipt, neither
checked nor computed. All are timed in turn in one run, by CPU time.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable, Sequence
from decimal import Decimal

from lxml import etree

from bench.figures import Bar, judge, machine, median, spread
from bench.orders import Line, body_of, make_order
from qbwc_service.flavours.pos.receipts import prepare_receipt
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import Mark
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.settings import Settings
from queue_store.store_setting_list import STORE_SETTINGS
from woo_bridge.translate_orders import translate_order

LEAST_A_SECOND = 1000.0
LEAST_RATIO = 0.15
_FIRST_ID = 300_001
_STORE = Settings(STORE_SETTINGS, {}, 1)
_TENDERS = "stripe=CreditCard:Visa, cod=Cash, cheque=Check, *=Account"
_BY_LINE = Settings(COMPANY_SETTINGS, {"tenders": _TENDERS}, 1)
_BY_FLAVOUR = Settings(
    COMPANY_SETTINGS, {"tenders": _TENDERS, "tax.mode": "flavour", "tax.beyond": "refuse"}, 1
)
_TAXES = TaxTable(
    {"rates:1": ("Local Sales Tax", "Tax")},
    {("Local Sales Tax", "Tax"): Decimal("8.25"), ("Local Sales Tax", "Non"): Decimal(0)},
)


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.money", description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args(words)
    bodies = _bodies(options.count)
    print(machine())
    print(f"{options.count} orders of 3 lines with tax and shipping, one core\n")
    _check_same(bodies[0])
    rates: dict[str, list[float]] = {"line": [], "flavour": [], "floor": []}
    for number in range(1, options.runs + 1):
        rates["line"].append(_rate(bodies, lambda body: _ours(body, _BY_LINE, NO_TAXES)))
        rates["flavour"].append(_rate(bodies, lambda body: _ours(body, _BY_FLAVOUR, _TAXES)))
        rates["floor"].append(_rate(bodies, _floor))
        print(
            f"run {number}: " + ", ".join(f"{name} {found[-1]:.0f}/s" for name, found in rates.items()),
            flush=True,
        )
    ratios = [ours / floor for ours, floor in zip(rates["line"], rates["floor"], strict=True)]
    print(
        f"\n  tax mode line, orders/s       {spread(rates['line'], '{:.0f}')}\n"
        f"  tax mode flavour, orders/s    {spread(rates['flavour'], '{:.0f}')}\n"
        f"  floor, orders/s               {spread(rates['floor'], '{:.0f}')}\n"
        f"  ratio to the floor            {spread(ratios, '{:.3f}')}"
    )
    return judge(
        [
            Bar("orders a second, tax mode line", median(rates["line"]), LEAST_A_SECOND, is_floor=True),
            Bar("orders a second, tax mode flavour", median(rates["flavour"]), LEAST_A_SECOND, is_floor=True),
            Bar("ratio to the floor", median(ratios), LEAST_RATIO, is_floor=True),
        ]
    )


def _bodies(count: int) -> list[bytes]:
    """Orders of ever other amounts, some of which do not divide."""
    return [
        body_of(
            make_order(
                _FIRST_ID + number,
                [
                    Line(
                        f"SKU-{(number + n) % 500}",
                        1 + (number + n) % 4,
                        Decimal(199 + 7 * number % 5000) / 100,
                    )
                    for n in range(3)
                ],
                f"guest{number}@example.net",
            )
        )
        for number in range(count)
    ]


def _rate(bodies: Sequence[bytes], work: Callable[[bytes], str]) -> float:
    started = time.process_time()
    for body in bodies:
        work(body)
    return len(bodies) / (time.process_time() - started)


def _ours(body: bytes, company: Settings, taxes: TaxTable) -> str:
    order = translate_order(body)
    prepared = prepare_receipt(order, Mark("WMAIN", str(order.order_id), 1), company, _STORE, taxes)
    return prepared.fill(dict.fromkeys(prepared.parts[1::2], "1"))


def _floor(body: bytes) -> str:
    order = json.loads(body)
    request = etree.Element("SalesReceiptAddRq", requestID="1")
    receipt = etree.SubElement(request, "SalesReceiptAdd")
    _texts(
        receipt,
        Comments=f"WMAIN-{order['id']}/1 Order {order['number']}",
        CustomerListID="1",
        SalesReceiptType="Sales",
        TrackingNumber=f"WMAIN-{order['id']}/1",
        TxnDate=order["date_created"][:10],
    )
    shipping = order["shipping"]
    _texts(
        etree.SubElement(receipt, "ShippingInformation"),
        City=shipping["city"],
        Country=shipping["country"],
        FullName=f"{shipping['first_name']} {shipping['last_name']}",
        Phone=shipping["phone"] or order["billing"]["phone"],
        PostalCode=shipping["postcode"],
        ShipBy=order["shipping_lines"][0]["method_title"],
        State=shipping["state"],
        Street=shipping["address_1"],
        Street2=shipping["address_2"],
    )
    lines = [(line["name"], str(line["price"]), str(line["quantity"])) for line in order["line_items"]]
    lines.append((order["shipping_lines"][0]["method_title"], order["shipping_total"], "1"))
    lines.append(("Sales tax", order["total_tax"], "1"))
    for name, price, quantity in lines:
        item = etree.SubElement(receipt, "SalesReceiptItemAdd")
        _texts(item, ListID="1", Desc1=name[:30], Price=price, Qty=quantity, TaxCode="Non")
    _texts(etree.SubElement(receipt, "TenderCashAdd"), TenderAmount=order["total"])
    return etree.tostring(request, encoding="unicode")


def _texts(parent: etree._Element, **texts: str) -> None:
    for name, text in texts.items():
        etree.SubElement(parent, name).text = text


def _check_same(body: bytes) -> None:
    """The floor's receipt is ours, element for element: else the ratio would mean nothing."""
    ours, floor = (etree.fromstring(text) for text in (_ours(body, _BY_LINE, NO_TAXES), _floor(body)))
    names = [[element.tag for element in tree.iter()] for tree in (ours, floor)]
    if names[0] != names[1]:
        raise RuntimeError(f"ours and the floor's differ: {names[0]} and {names[1]}")


if __name__ == "__main__":
    sys.exit(main())
