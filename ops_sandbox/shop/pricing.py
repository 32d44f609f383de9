"""What an order comes to: taxes by rate and address, rounded to cents per line and rate, and the totals.

As recorded: a line keeps its taxes unrounded, each (line, rate) pair counts
into the sums as cents, and only the discount's tax is rounded as a whole.
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal

from ops_sandbox.shop.site import BASE_ADDRESS, Site
from ops_sandbox.shop.wire import Doc, cents, php_number

ZERO = Decimal(0)


def tax_address(order: Doc) -> Doc:
    """Shipping address, else billing, else where the shop is."""
    for address in (order["shipping"], order["billing"]):
        if address.get("country"):
            return dict(address)
    return BASE_ADDRESS


def rates_for(site: Site, address: Doc, tax_class: str) -> list[Doc]:
    """The tax rates of a class at an address, one per priority, in order of priority."""
    wanted = tax_class or "standard"
    found: dict[int, Doc] = {}
    for rate in sorted(site.table("taxes").values(), key=lambda r: (r["priority"], r["order"], r["id"])):
        if rate["class"] == wanted and _covers(rate, address):
            found.setdefault(rate["priority"], rate)
    return list(found.values())


def _covers(rate: Doc, address: Doc) -> bool:
    if rate["country"] and rate["country"] != address.get("country", ""):
        return False
    if rate["state"] and rate["state"] != address.get("state", ""):
        return False
    if rate["cities"] and address.get("city", "").upper() not in rate["cities"]:
        return False
    return not rate["postcodes"] or address.get("postcode", "") in rate["postcodes"]


def _tax(amount: Decimal, rate: Doc) -> Decimal:
    return amount * Decimal(rate["rate"]) / 100


def _exact(value: Decimal) -> str:
    return f"{value.normalize():f}"


def line_price(line: Doc) -> int | float:
    """A line's "price": total by quantity as a float, not the unit price."""
    if not line["quantity"]:
        return 0
    return php_number(float(Decimal(line["total"] or "0")) / float(line["quantity"]))


def recalculate(site: Site, order: Doc) -> None:
    """Taxes of every line and the order's totals, from the lines' own amounts."""
    address = tax_address(order)
    used: dict[int, Doc] = {}
    goods_tax: dict[int, Decimal] = {}
    shipping_tax: dict[int, Decimal] = {}
    for line in order["line_items"]:
        product = site.table("products").get(line["variation_id"] or line["product_id"])
        taxable = product is None or product["tax_status"] == "taxable"
        rates = rates_for(site, address, line["tax_class"]) if taxable else []
        subtotal, total = Decimal(line["subtotal"]), Decimal(line["total"])
        line["taxes"] = [
            {"id": r["id"], "total": _exact(_tax(total, r)), "subtotal": _exact(_tax(subtotal, r))}
            for r in rates
        ]
        line["total_tax"] = str(sum((cents(_tax(total, r)) for r in rates), ZERO))
        line["subtotal_tax"] = str(sum((cents(_tax(subtotal, r)) for r in rates), ZERO))
        line["price"] = line_price(line)
        _count(goods_tax, used, rates, total)
    for line in order["shipping_lines"]:
        rates = [r for r in rates_for(site, address, "") if r["shipping"]]
        _tax_plain_line(line, rates if line["tax_status"] != "none" else [])
        _count(shipping_tax, used, rates if line["tax_status"] != "none" else [], Decimal(line["total"]))
    for line in order["fee_lines"]:
        # A fee below zero carries tax even with tax_status "none" (recorded).
        taxable = line["tax_status"] != "none" or Decimal(line["total"]) < 0
        rates = rates_for(site, address, line["tax_class"]) if taxable else []
        _tax_plain_line(line, rates)
        _count(goods_tax, used, rates, Decimal(line["total"]))
    order["tax_lines"] = _tax_lines(site, order["tax_lines"], used, goods_tax, shipping_tax)
    _set_totals(order, goods_tax, shipping_tax)


def _count(sums: dict[int, Decimal], used: dict[int, Doc], rates: Iterable[Doc], amount: Decimal) -> None:
    for rate in rates:
        used.setdefault(rate["id"], rate)
        sums[rate["id"]] = sums.get(rate["id"], ZERO) + cents(_tax(amount, rate))


def _tax_plain_line(line: Doc, rates: list[Doc]) -> None:
    total = Decimal(line["total"])
    line["taxes"] = [{"id": r["id"], "total": _exact(_tax(total, r)), "subtotal": ""} for r in rates]
    line["total_tax"] = str(sum((cents(_tax(total, r)) for r in rates), ZERO))


def _tax_lines(
    site: Site,
    existing: list[Doc],
    used: dict[int, Doc],
    goods_tax: dict[int, Decimal],
    shipping_tax: dict[int, Decimal],
) -> list[Doc]:
    known = {line["rate_id"]: line["id"] for line in existing}
    return [
        {
            "id": known.get(rate_id) or site.store.next_id("line"),
            "rate_code": _rate_code(rate),
            "rate_id": rate_id,
            "label": rate["name"],
            "compound": rate["compound"],
            "tax_total": str(goods_tax.get(rate_id, ZERO)),
            "shipping_tax_total": str(shipping_tax.get(rate_id, ZERO)),
            "rate_percent": php_number(Decimal(rate["rate"])),
            "meta_data": [],
        }
        for rate_id, rate in used.items()
    ]


def _rate_code(rate: Doc) -> str:
    parts = [rate["country"], rate["state"], rate["name"], str(rate["priority"])]
    return "-".join(part for part in parts if part).upper()


def _set_totals(order: Doc, goods_tax: dict[int, Decimal], shipping_tax: dict[int, Decimal]) -> None:
    subtotals = sum((cents(Decimal(line["subtotal"])) for line in order["line_items"]), ZERO)
    totals = sum((cents(Decimal(line["total"])) for line in order["line_items"]), ZERO)
    fees = sum((cents(Decimal(line["total"])) for line in order["fee_lines"]), ZERO)
    shipping = sum((cents(Decimal(line["total"])) for line in order["shipping_lines"]), ZERO)
    taxes = [tax for line in order["line_items"] for tax in line["taxes"]]
    discount_tax = sum((Decimal(tax["subtotal"]) - Decimal(tax["total"]) for tax in taxes), ZERO)
    cart_tax, ship_tax = sum(goods_tax.values(), ZERO), sum(shipping_tax.values(), ZERO)
    order.update(
        discount_total=str(subtotals - totals),
        discount_tax=str(cents(discount_tax)),
        shipping_total=str(shipping),
        shipping_tax=str(ship_tax),
        cart_tax=str(cart_tax),
        total=str(totals + fees + shipping + cart_tax + ship_tax),
        total_tax=str(cart_tax + ship_tax),
    )
