"""Coupons: how a discount is spread over the lines of an order.

Discounts are reckoned in cents on the lines' subtotals, each coupon by itself
(not one after the other), rounded down per line; the cents that are missing
to the rounded whole go to the cheapest lines first, as recorded.
"""

from __future__ import annotations

from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal

from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.pricing import ZERO, rates_for, tax_address
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc, cents, php_json, php_number, plain_number

_ONE = Decimal(1)


def coupon_by_code(site: Site, code: str) -> Doc | None:
    """A coupon by its code in any case, or None."""
    wanted = code.strip().lower()
    return next((c for c in site.table("coupons").values() if c["code"] == wanted), None)


def unknown_coupon(code: str, draft_order_id: int) -> RestError:
    """The refusal of an order; it leaves an auto-draft order behind."""
    return RestError(
        "woocommerce_rest_invalid_coupon",
        f"Coupon &quot;{code}&quot; cannot be applied because it does not exist.",
        400,
        extra={"new_draft_order_id": draft_order_id},
    )


def apply_coupons(site: Site, order: Doc, coupons: list[Doc]) -> None:
    """Lower the lines' totals and write `coupon_lines`; taxes and totals are left to `recalculate`."""
    lines: list[Doc] = order["line_items"]
    available = {line["id"]: Decimal(line["subtotal"]) * 100 for line in lines}
    address = tax_address(order)
    order["coupon_lines"] = []
    for coupon in coupons:
        shares = _shares(coupon, lines, available)
        for line_id, share in shares.items():
            available[line_id] -= share
        discount = sum(shares.values(), ZERO) / 100
        discount_tax = sum(
            (
                shares[line["id"]] / 100 * Decimal(rate["rate"]) / 100
                for line in lines
                for rate in _line_rates(site, line, address)
            ),
            ZERO,
        )
        order["coupon_lines"].append(_coupon_line(site, coupon, discount, discount_tax))
    for line in lines:
        line["total"] = f"{(available[line['id']] / 100).normalize():f}"


def _line_rates(site: Site, line: Doc, address: Doc) -> list[Doc]:
    product = site.table("products").get(line["variation_id"] or line["product_id"])
    if product is not None and product["tax_status"] != "taxable":
        return []
    return rates_for(site, address, line["tax_class"])


def _shares(coupon: Doc, lines: list[Doc], available: dict[int, Decimal]) -> dict[int, Decimal]:
    amount = Decimal(coupon["amount"])
    prices = {line["id"]: Decimal(line["subtotal"]) * 100 for line in lines}
    if coupon["discount_type"] == "percent":
        shares = {k: _floor(price * amount / 100) for k, price in prices.items()}
        whole = (sum(prices.values(), ZERO) * amount / 100).quantize(_ONE, rounding=ROUND_HALF_UP)
    elif coupon["discount_type"] == "fixed_product":
        shares = {line["id"]: amount * 100 * line["quantity"] for line in lines}
        whole = sum(shares.values(), ZERO)
    else:
        pieces = sum(line["quantity"] for line in lines)
        each = _floor(amount * 100 / pieces) if pieces else ZERO
        shares = {line["id"]: each * line["quantity"] for line in lines}
        whole = amount * 100
    shares = {k: min(share, available[k]) for k, share in shares.items()}
    _spread_rest(lines, shares, available, whole - sum(shares.values(), ZERO))
    return shares


def _spread_rest(
    lines: list[Doc], shares: dict[int, Decimal], available: dict[int, Decimal], rest: Decimal
) -> None:
    """A cent per piece, cheapest line first, until `rest` is spread or nothing is left to discount."""
    cheapest_first = sorted(lines, key=lambda line: Decimal(line["subtotal"]))
    while rest >= 1:
        before = rest
        for line in cheapest_first:
            for _ in range(int(line["quantity"])):
                if rest >= 1 and available[line["id"]] - shares[line["id"]] >= 1:
                    shares[line["id"]] += 1
                    rest -= 1
        if rest == before:
            return


def _floor(value: Decimal) -> Decimal:
    return value.quantize(_ONE, rounding=ROUND_FLOOR)


def _coupon_line(site: Site, coupon: Doc, discount: Decimal, discount_tax: Decimal) -> Doc:
    kind = coupon["discount_type"]
    nominal = php_number(Decimal(coupon["amount"]))
    # WooCommerce leaves its default type out of the note on the line.
    info = php_json([coupon["id"], coupon["code"], None if kind == "fixed_cart" else kind, nominal]).decode()
    return {
        "id": site.store.next_id("line"),
        "code": coupon["code"],
        "discount": plain_number(discount),
        "discount_tax": plain_number(cents(discount_tax)),
        "meta_data": [
            {
                "id": site.store.next_id("meta"),
                "key": "coupon_info",
                "value": info,
                "display_key": "coupon_info",
                "display_value": info,
            }
        ],
        "discount_type": kind,
        "nominal_amount": nominal,
        "free_shipping": False,
    }
