"""WooCommerce's order JSON to the queue's `Order`, validated once and for all.

Everything that this module lets pass is trusted by the rest of the product:
amounts are finite Decimals, stamps aware and in UTC, texts without control
characters, product names without HTML.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal

import msgspec

from queue_store.payloads import (
    CouponLine,
    FeeLine,
    Order,
    OrderLine,
    Redeemed,
    RefundSummary,
    ShippingLine,
    TaxLine,
)
from woo_bridge import plugins, raw
from woo_bridge.errors import Untranslatable
from woo_bridge.misshapen import misshapen
from woo_bridge.translating import Place, Translation

_decoder = msgspec.json.Decoder(raw.RawOrder)


def translate_order(body: bytes | msgspec.Raw) -> Order:
    """One order from the bytes of a webhook or of a REST answer. Raises Untranslatable."""
    try:
        found = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise misshapen(name_of(bytes(body)), error, bytes(body)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Untranslatable(name_of(bytes(body)), "", f"it is not JSON ({error})") from error
    return _Translation(found).order()


def name_of(body: bytes) -> str:
    """What to call an order that cannot be read: "Order 71", or "An order"."""
    known = raw.identify(body)
    if known is None or known.id is None:
        return "An order"
    return f"Order {raw.line(known.number) or known.id}"


#: What a price as float loses, times some pieces; WooCommerce keeps six decimals of a line.
_DUST = Decimal("0.0000005")


class _Translation(Translation):
    """One order on its way."""

    def __init__(self, found: raw.RawOrder) -> None:
        self.raw = found
        self.number = raw.line(found.number) or str(found.id)
        super().__init__(f"Order {self.number}")

    def order(self) -> Order:
        found = self.raw
        created = self._created()
        modified = self.value(
            raw.moment, found.date_modified_gmt or found.date_created_gmt, "date_modified_gmt"
        )
        if modified is None:
            raise self.problem("date_modified_gmt", "there is no date")
        status, currency = raw.line(found.status), raw.line(found.currency).upper()
        if not status:
            raise self.problem("status", "it is empty")
        if len(currency) != 3 or not currency.isalpha():
            raise self.problem("currency", f"{currency[:10]!r} is not a currency, such as USD")
        bundles = plugins.bundles(found)
        return Order(
            order_id=found.id,
            number=self.number,
            status=status.removeprefix("wc-"),
            currency=currency,
            prices_include_tax=found.prices_include_tax,
            created_at=created or modified,
            modified_at=modified,
            paid_at=self.value(raw.moment, found.date_paid_gmt, "date_paid_gmt"),
            completed_at=self.value(raw.moment, found.date_completed_gmt, "date_completed_gmt"),
            customer_id=found.customer_id or 0,
            billing=raw.address(found.billing),
            shipping=raw.address(found.shipping),
            payment_method=raw.line(found.payment_method),
            payment_title=raw.title(found.payment_method_title),
            transaction_id=raw.line(found.transaction_id),
            total=self.amount(found.total, "total"),
            total_tax=self.amount(found.total_tax, "total_tax"),
            discount_total=self.amount(found.discount_total, "discount_total"),
            discount_tax=self.amount(found.discount_tax, "discount_tax"),
            shipping_total=self.amount(found.shipping_total, "shipping_total"),
            shipping_tax=self.amount(found.shipping_tax, "shipping_tax"),
            lines=tuple([self._line(line, bundles) for line in raw.each(found.line_items)]),
            shipping_lines=tuple([self._shipping(line) for line in raw.each(found.shipping_lines)]),
            fee_lines=tuple([self._fee(line) for line in raw.each(found.fee_lines)]),
            coupon_lines=tuple([self._coupon(line) for line in raw.each(found.coupon_lines)]),
            tax_lines=tuple([self._tax_line(line) for line in raw.each(found.tax_lines)]),
            refunds=tuple([self._refund(refund) for refund in raw.each(found.refunds)]),
            customer_note=raw.note(found.customer_note),
            created_via=raw.line(found.created_via),
            utc_offset_seconds=self._offset(),
            paid_offset_seconds=raw.utc_offset(found.date_paid, found.date_paid_gmt),
            completed_offset_seconds=raw.utc_offset(found.date_completed, found.date_completed_gmt),
            redeemed=self._redeemed(),
            shipments=plugins.shipments(found),
        )

    def _created(self) -> datetime | None:
        """When it was placed. Without the moment in GMT, from what the shop's clock showed, so that the day is right."""
        found = self.raw
        if found.date_created_gmt or not found.date_created:
            return self.value(raw.moment, found.date_created_gmt, "date_created_gmt")
        shown = self.value(raw.moment, found.date_created, "date_created")
        return None if shown is None else shown - timedelta(seconds=self._offset())

    def _offset(self) -> int:
        """Seconds east of UTC of the shop's clock when the order was placed; where that is missing, when it was paid."""
        found = self.raw
        if found.date_created_gmt:
            return raw.utc_offset(found.date_created, found.date_created_gmt)
        return raw.utc_offset(found.date_paid, found.date_paid_gmt)

    def _redeemed(self) -> tuple[Redeemed, ...]:
        try:
            return plugins.redeemed(self.raw)
        except plugins.Unreadable as error:
            raise self.problem(error.field, error.problem) from error

    def _line(self, line: raw.RawLine, bundles: Mapping[int, int]) -> OrderLine:
        path = ("line_items", line.id)
        reduced: Decimal | None = None
        restocked = Decimal(0)
        for meta in raw.each(line.meta_data):
            if meta.key == "_reduced_stock":
                reduced = self.meta_quantity(meta, path)
            elif meta.key == "_restock_refunded_items":
                restocked = self.meta_quantity(meta, path)
        total = self.amount(line.total, "total", path)
        quantity = self.value(raw.bounded, line.quantity, "quantity", path)
        return OrderLine(
            line_id=line.id,
            product_id=line.product_id or 0,
            variation_id=line.variation_id or 0,
            sku=raw.line(line.sku),
            name=raw.title(line.name),
            quantity=quantity,
            subtotal=total if line.subtotal is None else self.amount(line.subtotal, "subtotal", path),
            total=total,
            total_tax=self.amount(line.total_tax, "total_tax", path),
            taxes=self.taxes(line.taxes, path),
            tax_class=raw.line(line.tax_class),
            is_rounded=self._is_rounded(line.price, quantity, total, path),
            reduced_stock=reduced,
            restocked=restocked,
            bundled_by=bundles.get(line.id, 0),
        )

    def _is_rounded(self, price: object, quantity: Decimal, total: Decimal, path: Place) -> bool:
        """Whether `price` tells of parts of a cent that `total` does not show, beyond the dust of floats."""
        if not isinstance(price, str | int | float):
            return False
        kept = self.amount(price, "price", path) * quantity
        half = Decimal(5).scaleb(int(total.as_tuple().exponent) - 1)
        return _DUST < abs(kept - total) <= half + _DUST

    def _shipping(self, line: raw.RawShipping) -> ShippingLine:
        path = ("shipping_lines", line.id)
        return ShippingLine(
            line_id=line.id,
            title=raw.title(line.method_title),
            method_id=raw.line(line.method_id),
            total=self.amount(line.total, "total", path),
            total_tax=self.amount(line.total_tax, "total_tax", path),
            taxes=self.taxes(line.taxes, path),
        )

    def _fee(self, line: raw.RawFee) -> FeeLine:
        path = ("fee_lines", line.id)
        return FeeLine(
            line_id=line.id,
            name=raw.title(line.name),
            total=self.amount(line.total, "total", path),
            total_tax=self.amount(line.total_tax, "total_tax", path),
            taxes=self.taxes(line.taxes, path),
            tax_status=raw.line(line.tax_status),
        )

    def _coupon(self, line: raw.RawCoupon) -> CouponLine:
        path = ("coupon_lines", raw.line(line.code))
        return CouponLine(
            code=raw.line(line.code),
            discount=self.amount(line.discount, "discount", path),
            discount_tax=self.amount(line.discount_tax, "discount_tax", path),
        )

    def _tax_line(self, line: raw.RawTaxLine) -> TaxLine:
        path = ("tax_lines", raw.line(line.rate_id))
        percent = line.rate_percent
        return TaxLine(
            rate_id=raw.rate_id(line.rate_id),
            code=raw.line(line.rate_code),
            label=raw.title(line.label),
            compound=line.compound,
            percent=None if percent is None else self.value(raw.bounded, percent, "rate_percent", path),
            tax_total=self.amount(line.tax_total, "tax_total", path),
            shipping_tax_total=self.amount(line.shipping_tax_total, "shipping_tax_total", path),
        )

    def _refund(self, refund: raw.RawRefund) -> RefundSummary:
        return RefundSummary(
            refund_id=refund.id,
            total=self.amount(refund.total, "total", ("refunds", refund.id)),
            reason=raw.note(refund.reason),
        )
