"""The totals of a cart, and of the orders that the two checkouts make of it (WC_Cart_Totals).

The cart reckons in the smallest unit of the shop's money ("cents") with
fractions, takes coupons off prices as they are shown, and rounds sums of its
own; the order of the old checkout takes over its sums as they are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from decimal import Decimal

from ops_sandbox.shop.money.basket import Basket, CouponKind, FeeLine, GoodsLine, Sums
from ops_sandbox.shop.money.discounts import Discounted, spread
from ops_sandbox.shop.money.numbers import ZERO, php_round
from ops_sandbox.shop.money.orders import order_totals, shipping_tax_class
from ops_sandbox.shop.money.taxes import Taxes, TaxRate, add_taxes

#: The cart applies coupons by kind, then by amount.
_SORT: dict[CouponKind, int] = {"fixed_product": 1, "percent": 2, "fixed_cart": 3}


@dataclass(slots=True)
class _Item:
    """A line in cents; `price` includes tax where `inclusive`, `total` never does."""

    line: GoodsLine
    rates: list[TaxRate]
    price: Decimal
    inclusive: bool
    total: Decimal = ZERO
    taxes: Taxes = field(default_factory=dict)


def by_store_api(basket: Basket) -> Sums:
    """An order of the block checkout: lines and coupons of the cart, totals of the order."""
    _goods(basket)
    return order_totals(basket)


def by_cart(basket: Basket) -> Sums:
    """An order of the old checkout: it stores the cart's sums, which need not be those of its lines."""
    rules = basket.rules
    items, discount, discount_tax = _goods(basket)
    goods_total = sum((_amount(basket, item.total) for item in items), ZERO)
    goods_taxes = _rounded_taxes(basket, [item.taxes for item in items])
    shipping_total, taxes_of_shipping = _shipping(basket)
    taxes_of_fees = _fees(basket, items, goods_total, shipping_total)
    fees_total = sum((_cents(basket, fee.total) for fee in basket.fees), ZERO)
    shipping_taxes, fee_taxes = _merged(taxes_of_shipping), _rounded_taxes(basket, taxes_of_fees)
    every_tax = sum(goods_taxes.values(), ZERO) + sum(fee_taxes.values(), ZERO)
    every_tax += sum(_rounded_taxes(basket, taxes_of_shipping).values(), ZERO)
    total = php_round(goods_total + fees_total + shipping_total + every_tax)
    # The tax lines take the fees' taxes unrounded; the order's own tax takes them rounded.
    cart_taxes = _merged([goods_taxes, *taxes_of_fees])
    cart_tax = _kept(basket, sum(goods_taxes.values(), ZERO) + sum(fee_taxes.values(), ZERO))
    shipping_tax = _kept(basket, sum(shipping_taxes.values(), ZERO))
    return Sums(
        discount_total=_kept(basket, discount),
        discount_tax=_kept(basket, discount_tax),
        shipping_total=_kept(basket, shipping_total),
        shipping_tax=shipping_tax,
        cart_tax=cart_tax,
        total_tax=rules.money(cart_tax + shipping_tax),
        total=max(ZERO, _kept(basket, total)),
        cart_taxes={rate: _kept(basket, tax) for rate, tax in cart_taxes.items()},
        shipping_taxes={rate: _kept(basket, tax) for rate, tax in shipping_taxes.items()},
    )


def _goods(basket: Basket) -> tuple[list[_Item], Decimal, Decimal]:
    """The goods with their coupons, written to the basket's lines; all discount and its tax, in cents."""
    rules = basket.rules
    items = [_item(basket, line) for line in basket.goods]
    basket.coupons.sort(key=lambda coupon: (_SORT[coupon.kind], coupon.amount))
    discounts = spread(
        [Discounted(item.price, item.line.quantity) for item in items], basket.coupons, rules.decimals
    )
    discount = discount_tax = ZERO
    for coupon, shares in zip(basket.coupons, discounts.by_coupon, strict=True):
        given, tax = sum(shares.values(), ZERO), ZERO
        for place, share in shares.items():
            item = items[place]
            on_share = sum(basket.calc(share, item.rates, inclusive=item.inclusive).values(), ZERO)
            tax += on_share
            given -= on_share if item.inclusive else ZERO
        discount, discount_tax = discount + given, discount_tax + tax
        coupon.discount = php_round(given, half_down=True).scaleb(-rules.decimals)
        coupon.discount_tax = php_round(tax, half_down=True).scaleb(-rules.decimals)
    for place, item in enumerate(items):
        _fill_line(basket, item, discounts.taken(place))
    return items, discount, discount_tax


def _item(basket: Basket, line: GoodsLine) -> _Item:
    """A line's price where the customer is: prices with tax change by the difference of the two taxes."""
    rules, rates = basket.rules, basket.rates_of(line)
    price, inclusive = _cents(basket, line.price * line.quantity), rules.prices_include_tax
    if inclusive and line.taxable:
        base = basket.base_rates(line.tax_class)
        if basket.vat_exempt:
            price = php_round(price - sum(basket.calc(price, base, inclusive=True).values(), ZERO))
            inclusive = False
        elif rates != base:
            net = price - sum(basket.calc(price, base, inclusive=True).values(), ZERO)
            price = net + sum(basket.calc(net, rates).values(), ZERO)
    return _Item(line, rates, price, inclusive)


def _fill_line(basket: Basket, item: _Item, discount: Decimal) -> None:
    rules, line = basket.rules, item.line
    subtotal_taxes = basket.calc(item.price, item.rates, inclusive=item.inclusive)
    item.total = item.price - discount
    item.taxes = basket.calc(item.total, item.rates, inclusive=item.inclusive)
    subtotal = item.price
    if item.inclusive:
        # Unrounded taxes: the order can be reckoned again later.
        subtotal -= sum(subtotal_taxes.values(), ZERO)
        item.total -= sum(item.taxes.values(), ZERO)
    line.total = _kept(basket, item.total)
    line.subtotal = max(_kept(basket, subtotal), line.total)
    line.taxes = {rate: _kept(basket, tax) for rate, tax in item.taxes.items()}
    line.subtotal_taxes = {rate: _kept(basket, tax) for rate, tax in subtotal_taxes.items()}
    line.total_tax = rules.kept(sum(map(rules.line_tax, line.taxes.values()), ZERO))
    line.subtotal_tax = rules.kept(sum(map(rules.line_tax, line.subtotal_taxes.values()), ZERO))


def _shipping(basket: Basket) -> tuple[Decimal, list[Taxes]]:
    """The shipping's total and taxes in cents, of each line; a tax of shipping rounds halves up here."""
    rules = basket.rules
    total, taxes_of_lines = ZERO, []
    tax_class = shipping_tax_class(basket)
    for line in basket.shipping:
        taxed = line.taxable and tax_class is not None and not basket.vat_exempt
        rates = [rate for rate in basket.rates(tax_class or "") if rate.shipping] if taxed else []
        line.taxes = {rate: rules.kept(tax) for rate, tax in basket.calc(line.total, rates).items()}
        line.total_tax = rules.kept(sum(map(rules.line_tax, line.taxes.values()), ZERO))
        total += _cents(basket, line.total)
        in_cents = {rate: tax.scaleb(rules.decimals) for rate, tax in line.taxes.items()}
        taxes_of_lines.append({rate: _amount(basket, tax) for rate, tax in in_cents.items()})
    return total, taxes_of_lines


def _fees(basket: Basket, items: list[_Item], goods: Decimal, shipping: Decimal) -> list[Taxes]:
    """Writes the fees' lines; their taxes in cents. A fee below zero is limited to what there is."""
    rules, running, taxes_of_fees = basket.rules, ZERO, []
    for place, fee in enumerate(basket.fees):
        total = _cents(basket, fee.total)
        if total < 0:
            total = max(total, -php_round(goods + running + shipping))
        running += total
        taxes: Taxes = {}
        if basket.vat_exempt:
            pass
        elif total < 0:
            costs = _tax_class_costs(basket, items, basket.fees[:place])
            whole = sum(costs.values(), ZERO)
            for tax_class, cost in costs.items():
                if tax_class is not None:
                    add_taxes(taxes, basket.calc(total * cost / whole, basket.rates(tax_class)))
        elif fee.taxable:
            taxes = basket.calc(total, basket.rates(fee.tax_class))
        fee.total = _kept(basket, total)
        fee.taxes = {rate: _kept(basket, tax) for rate, tax in taxes.items()}
        fee.total_tax = rules.kept(sum(map(rules.line_tax, fee.taxes.values()), ZERO))
        taxes_of_fees.append(taxes)
    return taxes_of_fees


def _tax_class_costs(
    basket: Basket, items: list[_Item], fees_before: list[FeeLine]
) -> dict[str | None, Decimal]:
    """What is bought by tax class, in cents; shipping that inherits counts with the first line's class."""
    of_shipping = basket.rules.shipping_tax_class
    if of_shipping == "inherit":
        of_shipping = basket.goods[0].tax_class if basket.goods else "0"
    costs: dict[str | None, Decimal] = {}
    for taxable, tax_class, total in (
        *((item.line.taxable, item.line.tax_class, item.total) for item in items),
        *((fee.taxable, fee.tax_class, _cents(basket, fee.total)) for fee in fees_before),
        *((True, of_shipping, _cents(basket, line.total)) for line in basket.shipping),
    ):
        if total > 0:
            key = tax_class if taxable else None
            costs[key] = costs.get(key, ZERO) + total
    return costs


def _cents(basket: Basket, value: Decimal) -> Decimal:
    """wc_add_number_precision: in the smallest unit, with what the rounding precision leaves of fractions."""
    decimals = basket.rules.decimals
    return php_round(value.scaleb(decimals), basket.rules.precision - decimals)


def _kept(basket: Basket, cents: Decimal) -> Decimal:
    return basket.rules.kept(cents.scaleb(-basket.rules.decimals))


def _amount(basket: Basket, cents: Decimal) -> Decimal:
    """round_item_subtotal."""
    return cents if basket.rules.round_at_subtotal else php_round(cents)


def _rounded_taxes(basket: Basket, taxes: list[Taxes]) -> Taxes:
    """get_merged_taxes: every (line, rate) pair rounded, unless sums are rounded only."""
    rules = basket.rules
    if rules.round_at_subtotal:
        return _merged(taxes)
    return _merged(
        [{r: php_round(tax, half_down=rules.prices_include_tax) for r, tax in t.items()} for t in taxes]
    )


def _merged(taxes: list[Taxes]) -> Taxes:
    sums: Taxes = {}
    for each in taxes:
        add_taxes(sums, each)
    return sums
