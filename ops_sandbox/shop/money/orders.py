"""The totals of an order as WooCommerce reckons them, by the way it came.

- REST requests and the admin pages: `by_order` (WC_Abstract_Order);
- the old checkout: `carts.by_cart` (WC_Cart_Totals), whose amounts the order takes over;
- the block checkout: `carts.by_store_api`, the cart's lines and the order's totals.

The three can differ by a cent, and so can an order from the sum of its own lines.
"""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.shop.money.basket import Basket, FeeLine, GoodsLine, Sums
from ops_sandbox.shop.money.discounts import Discounted, spread
from ops_sandbox.shop.money.numbers import ZERO
from ops_sandbox.shop.money.taxes import Taxes, add_taxes


def by_order(basket: Basket) -> Sums:
    """Lines, coupons and totals of an order made by REST or by hand; fills the basket's lines."""
    for line in basket.goods:
        _price_without_tax(basket, line)
        _tax_goods(basket, line)
    if basket.coupons:
        _apply_coupons(basket)
    return order_totals(basket)


def _price_without_tax(basket: Basket, line: GoodsLine) -> None:
    """wc_get_price_excluding_tax: the shop's own tax is taken out unrounded, wherever the customer is."""
    subtotal = line.price * line.quantity
    if basket.rules.prices_include_tax and line.taxable:
        rates = basket.base_rates(line.tax_class)
        subtotal -= sum(basket.calc(subtotal, rates, inclusive=True).values(), ZERO)
    if line.given_subtotal is not None:
        subtotal = line.given_subtotal
    total = subtotal if line.given_total is None else line.given_total
    line.total = basket.rules.kept(total)
    line.subtotal = max(basket.rules.kept(subtotal), line.total)


def _apply_coupons(basket: Basket) -> None:
    """WC_Abstract_Order::recalculate_coupons: what was discounted by hand before is forgotten."""
    rules = basket.rules
    inclusive = rules.prices_include_tax
    lines = [
        Discounted(
            (line.subtotal + (line.subtotal_tax if inclusive else ZERO)).scaleb(rules.decimals),
            line.quantity,
        )
        for line in basket.goods
    ]
    discounts = spread(lines, basket.coupons, rules.decimals)
    for coupon, shares in zip(basket.coupons, discounts.by_coupon, strict=True):
        discount = sum(shares.values(), ZERO).scaleb(-rules.decimals)
        discount_tax = ZERO
        for place, share in shares.items():
            line = basket.goods[place]
            if line.taxable:
                taxes = basket.calc(
                    share.scaleb(-rules.decimals), basket.rates(line.tax_class), inclusive=inclusive
                )
                tax = rules.line_tax(sum(taxes.values(), ZERO))
                discount_tax += tax
                discount -= tax if inclusive else ZERO
        coupon.discount, coupon.discount_tax = rules.kept(discount), rules.kept(discount_tax)
    for place, line in enumerate(basket.goods):
        amount = discounts.taken(place).scaleb(-rules.decimals)
        if inclusive and line.taxable:
            amount -= sum(basket.calc(amount, basket.rates(line.tax_class), inclusive=True).values(), ZERO)
        line.total = rules.kept(max(ZERO, line.subtotal - amount))


def order_totals(basket: Basket) -> Sums:
    """WC_Abstract_Order::calculate_totals, taxes included; lines have their subtotal and total already."""
    rules = basket.rules
    goods_subtotal = sum((rules.line_amount(line.subtotal) for line in basket.goods), ZERO)
    goods_total = sum((rules.line_amount(line.total) for line in basket.goods), ZERO)
    shipping_total = sum((rules.money(line.total) for line in basket.shipping), ZERO)
    fees_total = ZERO
    for fee in basket.fees:
        # A negative fee takes no more than there is, unless there is nothing.
        most = -rules.money(goods_total + fees_total + shipping_total)
        if fee.total < 0 and fee.total < most < 0:
            fee.total = most
        fees_total += fee.total
    _tax_lines(basket)
    cart_taxes: Taxes = {}
    for taxes in (*(line.taxes for line in basket.goods), *(fee.taxes for fee in basket.fees)):
        add_taxes(cart_taxes, {rate: rules.line_tax(tax) for rate, tax in taxes.items()})
    shipping_taxes: Taxes = {}
    for shipping in basket.shipping:
        add_taxes(shipping_taxes, {rate: rules.line_tax(tax) for rate, tax in shipping.taxes.items()})
    cart_tax = rules.kept(sum(cart_taxes.values(), ZERO))
    shipping_tax = rules.kept(sum(shipping_taxes.values(), ZERO))
    discount_tax = sum((sum(line.subtotal_taxes.values(), ZERO) for line in basket.goods), ZERO)
    discount_tax -= sum((sum(line.taxes.values(), ZERO) for line in basket.goods), ZERO)
    return Sums(
        discount_total=rules.money(goods_subtotal - goods_total),
        discount_tax=rules.tax_money(discount_tax),
        shipping_total=shipping_total,
        shipping_tax=shipping_tax,
        cart_tax=cart_tax,
        total_tax=rules.money(cart_tax + shipping_tax),
        total=rules.money(goods_total + fees_total + shipping_total + cart_tax + shipping_tax),
        cart_taxes=cart_taxes,
        shipping_taxes=shipping_taxes,
    )


def _tax_lines(basket: Basket) -> None:
    """WC_Abstract_Order::calculate_taxes: of goods and fees first, of shipping last."""
    rules = basket.rules
    for line in basket.goods:
        _tax_goods(basket, line)
    for fee in basket.fees:
        if basket.vat_exempt:
            fee.taxes = {}
        elif fee.total < 0:
            fee.taxes = _taxes_of_negative_fee(basket, fee)
        else:
            fee.taxes = basket.calc(fee.total, basket.rates(fee.tax_class)) if fee.taxable else {}
        fee.taxes = {rate: rules.kept(tax) for rate, tax in fee.taxes.items()}
        fee.total_tax = rules.kept(sum(map(rules.line_tax, fee.taxes.values()), ZERO))
    tax_class = shipping_tax_class(basket)
    for shipping in basket.shipping:
        taxed = shipping.taxable and tax_class is not None and not basket.vat_exempt
        rates = [rate for rate in basket.rates(tax_class or "") if rate.shipping] if taxed else []
        shipping.taxes = {r: rules.kept(tax) for r, tax in basket.calc(shipping.total, rates).items()}
        shipping.total_tax = rules.kept(sum(map(rules.line_tax, shipping.taxes.values()), ZERO))


def _tax_goods(basket: Basket, line: GoodsLine) -> None:
    """WC_Order_Item_Product::set_taxes: always on top of the kept amounts, even if prices include tax."""
    rules, rates = basket.rules, basket.rates_of(line)
    line.taxes = {r: rules.kept(tax) for r, tax in basket.calc(line.total, rates).items()}
    line.subtotal_taxes = {r: rules.kept(tax) for r, tax in basket.calc(line.subtotal, rates).items()}
    if sum(line.subtotal_taxes.values(), ZERO) < sum(line.taxes.values(), ZERO):
        line.subtotal_taxes = dict(line.taxes)
    line.total_tax = rules.kept(sum(map(rules.line_tax, line.taxes.values()), ZERO))
    line.subtotal_tax = rules.kept(sum(map(rules.line_tax, line.subtotal_taxes.values()), ZERO))


def shipping_tax_class(basket: Basket) -> str | None:
    """The class that shipping is taxed by; None: not at all, as no goods are taxed."""
    rules = basket.rules
    if rules.shipping_tax_class != "inherit":
        return rules.shipping_tax_class
    of_goods = {line.tax_class for line in basket.goods if line.taxable}
    return next((c for c in ("", *rules.tax_classes) if c in of_goods), "" if not basket.goods else None)


def _taxes_of_negative_fee(basket: Basket, fee: FeeLine) -> Taxes:
    """A negative fee lowers the taxes of all the rest in its proportion, whatever its own tax status."""
    costs = _tax_class_costs(basket)
    whole = sum(costs.values(), ZERO)
    taxes: Taxes = {}
    for tax_class, cost in costs.items():
        if tax_class is not None:
            add_taxes(taxes, basket.calc(fee.total * cost / whole, basket.rates(tax_class)))
    return taxes


def _tax_class_costs(basket: Basket) -> dict[str | None, Decimal]:
    """What is bought by tax class, untaxed things under None (WC_Order_Item_Fee::get_tax_class_costs)."""
    of_shipping = basket.rules.shipping_tax_class
    if of_shipping == "inherit":
        # Here, unlike for the shipping's own tax, the first line's class counts; "0" is no class at all.
        of_shipping = next((line.tax_class for line in basket.goods if line.taxable), "0")
    costs: dict[str | None, Decimal] = {}
    for taxable, tax_class, total in (
        *((line.taxable, line.tax_class, line.total) for line in basket.goods),
        *((fee.taxable, fee.tax_class, fee.total) for fee in basket.fees),
        *((line.taxable, of_shipping, line.total) for line in basket.shipping),
    ):
        if total > 0:
            key = tax_class if taxable else None
            costs[key] = costs.get(key, ZERO) + total
    return costs
