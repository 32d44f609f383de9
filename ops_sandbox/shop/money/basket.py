"""What is bought, under which settings: the lines of an order before and after their totals are reckoned."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Literal

from ops_sandbox.shop.money.numbers import ZERO, kept, php_round, rounding_precision
from ops_sandbox.shop.money.taxes import Taxes, TaxRate, matching, taxes_in, taxes_on

CouponKind = Literal["percent", "fixed_cart", "fixed_product"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopRules:
    """The settings of a WooCommerce shop that its amounts depend on."""

    currency: str = "USD"
    #: woocommerce_price_num_decimals.
    decimals: int = 2
    prices_include_tax: bool = False
    #: woocommerce_tax_round_at_subtotal: nothing is rounded per line.
    round_at_subtotal: bool = False
    #: woocommerce_shipping_tax_class: "inherit" takes that of the goods.
    shipping_tax_class: str = "inherit"
    #: Besides the standard one, in the shop's order.
    tax_classes: tuple[str, ...] = ("reduced-rate", "zero-rate")
    rates: tuple[TaxRate, ...] = ()
    #: Where the shop is; prices that include tax include the tax of this place.
    base: Mapping[str, str] = field(default_factory=dict)

    @property
    def precision(self) -> int:
        """Decimals of taxes before they are rounded to money."""
        return rounding_precision(self.decimals)

    def money(self, value: Decimal) -> Decimal:
        """`value` in the shop's decimals, halves up."""
        return php_round(value, self.decimals)

    def tax_money(self, value: Decimal) -> Decimal:
        """wc_round_tax_total: halves go down where prices include tax, so that price and tax add up."""
        return php_round(value, self.decimals, half_down=self.prices_include_tax)

    def line_tax(self, value: Decimal) -> Decimal:
        """A tax of one line as it counts into sums."""
        return value if self.round_at_subtotal else self.tax_money(value)

    def line_amount(self, value: Decimal) -> Decimal:
        """An amount of one line as it counts into sums."""
        return value if self.round_at_subtotal else self.money(value)

    def kept(self, value: Decimal) -> Decimal:
        """`value` as it is stored with the order."""
        return kept(value, self.decimals)


@dataclass(slots=True, kw_only=True)
class GoodsLine:
    """Goods: `price` is the shop's for one piece, with tax where prices include it.

    `given_subtotal` and `given_total` are amounts without tax that override the price.
    """

    price: Decimal
    quantity: Decimal
    tax_class: str = ""
    taxable: bool = True
    given_subtotal: Decimal | None = None
    given_total: Decimal | None = None
    subtotal: Decimal = ZERO
    total: Decimal = ZERO
    subtotal_taxes: Taxes = field(default_factory=dict)
    taxes: Taxes = field(default_factory=dict)
    subtotal_tax: Decimal = ZERO
    total_tax: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class ShippingLine:
    """Shipping, always without tax."""

    total: Decimal
    taxable: bool = True
    taxes: Taxes = field(default_factory=dict)
    total_tax: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class FeeLine:
    """A fee, of either sign, always without tax. One below zero is taxed as the rest of the order is."""

    total: Decimal
    tax_class: str = ""
    taxable: bool = True
    taxes: Taxes = field(default_factory=dict)
    total_tax: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Coupon:
    """`amount` is a percentage or money; `discount` and `discount_tax` are filled by the reckoning."""

    code: str
    kind: CouponKind
    amount: Decimal
    discount: Decimal = ZERO
    discount_tax: Decimal = ZERO


@dataclass(slots=True, kw_only=True)
class Basket:
    """All of an order that its amounts depend on; `address` is where its taxes are due."""

    rules: ShopRules
    address: Mapping[str, str]
    goods: list[GoodsLine]
    shipping: list[ShippingLine] = field(default_factory=list)
    fees: list[FeeLine] = field(default_factory=list)
    coupons: list[Coupon] = field(default_factory=list)
    vat_exempt: bool = False
    _rates: dict[str, list[TaxRate]] = field(default_factory=dict)

    def rates(self, tax_class: str) -> list[TaxRate]:
        """The rates of a class where this order's taxes are due."""
        if tax_class not in self._rates:
            self._rates[tax_class] = matching(self.rules.rates, self.address, tax_class)
        return self._rates[tax_class]

    def rates_of(self, line: GoodsLine) -> list[TaxRate]:
        """The rates on a goods line; none where it or the customer is exempt."""
        return [] if self.vat_exempt or not line.taxable else self.rates(line.tax_class)

    def base_rates(self, tax_class: str) -> list[TaxRate]:
        """The rates that a price with tax contains."""
        return matching(self.rules.rates, self.rules.base, tax_class)

    def calc(self, amount: Decimal, rates: list[TaxRate], *, inclusive: bool = False) -> Taxes:
        """WC_Tax::calc_tax."""
        reckon = taxes_in if inclusive else taxes_on
        return reckon(amount, rates, self.rules.precision)


@dataclass(slots=True, kw_only=True)
class Sums:
    """An order's own amounts, as stored; `cart_taxes` and `shipping_taxes` are its tax lines by rate id."""

    discount_total: Decimal
    discount_tax: Decimal
    shipping_total: Decimal
    shipping_tax: Decimal
    cart_tax: Decimal
    total_tax: Decimal
    total: Decimal
    cart_taxes: Taxes
    shipping_taxes: Taxes
