"""WooCommerce's refund JSON to the queue's `Refund`, and which of the goods each refund put back.

The shop writes a refund with negative quantities and totals; here what the
buyer gets is positive. A refund does not say whether its goods were put back:
only the order's line does, for all its refunds together.
Source: REST API v3 as recorded from WooCommerce 11.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal

import msgspec
from msgspec.structs import replace

from queue_store.payloads import FeeLine, Order, Refund, RefundLine, ShippingLine, TaxAmount
from woo_bridge import raw
from woo_bridge.errors import Untranslatable
from woo_bridge.misshapen import misshapen
from woo_bridge.translating import Place, Translation

#: Pieces put back, by the order's line.
Units = Mapping[int, Decimal]

_decoder = msgspec.json.Decoder(raw.RawWholeRefund)


def translate_refund(body: bytes, order: Order) -> Refund:
    """One refund of `order`; none of its goods count as put back yet. Raises Untranslatable."""
    known = raw.identify(body)
    name = (
        f"Refund {known.id} of order" if known is not None and known.id is not None else "A refund of order"
    )
    record = f"{name} {order.number}"
    try:
        found = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise misshapen(record, error, body) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Untranslatable(record, "", f"it is not JSON ({error})") from error
    return _Translation(record).refund(found, order)


def allocate_restocked(
    order: Order, refunds: Iterable[Refund], taken: Mapping[int, Units]
) -> Sequence[Refund]:
    """Each refund with the pieces that it put back on the shelf, oldest first.

    An order's line tells how many came back in all. Of these goes off what the
    Returns that were sent took (`taken`, by refund; also of refunds that the
    shop deleted since); the rest belongs to the oldest of the others.
    """
    left = {line.line_id: line.restocked for line in order.lines}
    for units in taken.values():
        for line_id, pieces in units.items():
            left[line_id] = left.get(line_id, Decimal(0)) - pieces
    return [
        _with_restocked(refund, dict(taken[refund.refund_id]) if refund.refund_id in taken else left)
        for refund in sorted(refunds, key=lambda one: (one.created_at, one.refund_id))
    ]


def restocked_units(refund: Refund) -> Units:
    """What a refund put back, by the order's line."""
    units: dict[int, Decimal] = {}
    for line in refund.lines:
        units[line.line_id] = units.get(line.line_id, Decimal(0)) + line.restocked
    return units


def _with_restocked(refund: Refund, left: dict[int, Decimal]) -> Refund:
    lines = []
    for line in refund.lines:
        pieces = max(Decimal(0), min(left.get(line.line_id, Decimal(0)), line.quantity))
        left[line.line_id] = left.get(line.line_id, Decimal(0)) - pieces
        lines.append(replace(line, restocked=pieces))
    return replace(refund, lines=tuple(lines))


class _Translation(Translation):
    """One refund on its way."""

    def refund(self, found: raw.RawWholeRefund, order: Order) -> Refund:
        created = self.value(raw.moment, found.date_created_gmt, "date_created_gmt")
        if created is None:
            raise self.problem("date_created_gmt", "there is no date")
        lines = tuple([self._line(line) for line in raw.each(found.line_items)])
        shipping = tuple([self._shipping(line) for line in raw.each(found.shipping_lines)])
        fees = tuple([self._fee(line) for line in raw.each(found.fee_lines)])
        taxes = [line.total_tax for line in lines]
        taxes += [line.total_tax for line in shipping] + [line.total_tax for line in fees]
        return Refund(
            refund_id=found.id,
            created_at=created,
            amount=self.amount(found.amount, "amount"),
            reason=raw.note(found.reason),
            total_tax=sum(taxes, Decimal(0)),
            lines=lines,
            shipping_lines=shipping,
            fee_lines=fees,
            utc_offset_seconds=raw.utc_offset(found.date_created, found.date_created_gmt),
            order=order,
        )

    def _line(self, line: raw.RawLine) -> RefundLine:
        path = ("line_items", line.id)
        return RefundLine(
            line_id=self._original(line.meta_data, path),
            sku=raw.line(line.sku),
            name=raw.title(line.name),
            quantity=-self.value(raw.bounded, line.quantity, "quantity", path),
            total=-self.amount(line.total, "total", path),
            total_tax=-self.amount(line.total_tax, "total_tax", path),
            taxes=self._back(line.taxes, path),
        )

    def _shipping(self, line: raw.RawRefundedShipping) -> ShippingLine:
        path = ("shipping_lines", line.id)
        return ShippingLine(
            line_id=self._original(line.meta_data, path),
            title=raw.title(line.method_title),
            method_id=raw.line(line.method_id),
            total=-self.amount(line.total, "total", path),
            total_tax=-self.amount(line.total_tax, "total_tax", path),
            taxes=self._back(line.taxes, path),
        )

    def _fee(self, line: raw.RawRefundedFee) -> FeeLine:
        path = ("fee_lines", line.id)
        return FeeLine(
            line_id=self._original(line.meta_data, path),
            name=raw.title(line.name),
            total=-self.amount(line.total, "total", path),
            total_tax=-self.amount(line.total_tax, "total_tax", path),
            taxes=self._back(line.taxes, path),
            tax_status=raw.line(line.tax_status),
        )

    def _back(self, taxes: raw.Many[raw.RawTax], path: Place) -> tuple[TaxAmount, ...]:
        return tuple([replace(tax, amount=-tax.amount) for tax in self.taxes(taxes, path)])

    def _original(self, meta_data: raw.Many[raw.RawMeta], path: Place) -> int:
        """The order's line; 0 where a plugin made a refund that does not say."""
        for meta in raw.each(meta_data):
            if meta.key == "_refunded_item_id":
                number = self.meta_quantity(meta, path)
                if number == number.to_integral_value():
                    return int(number)
        return 0
