"""What makes two payloads of one record the same document for the books.

Lines, quantities, amounts, taxes, fees, currency and tender count; status,
dates, notes and addresses do not: a document that is already in the books need
not change because somebody corrected a street.
"""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec

from queue_store.payloads import Order, Refund

_encoder = msgspec.json.Encoder()


def order_fingerprint(order: Order) -> str:
    """32 hex digits over what the books would show of this order."""
    return _digest(
        [
            order.currency,
            _plain(order.total),
            order.payment_method,
            [[line.line_id, line.sku, _plain(line.quantity), _plain(line.total), _plain(line.total_tax)]
             for line in order.lines],
            [[line.line_id, _plain(line.total), _plain(line.total_tax)] for line in order.shipping_lines],
            [[line.line_id, _plain(line.total), _plain(line.total_tax)] for line in order.fee_lines],
            [[line.rate_id, _plain(line.tax_total), _plain(line.shipping_tax_total)]
             for line in order.tax_lines],
            [_plain(card.amount) for card in order.redeemed],
        ]
    )  # fmt: skip


def refund_fingerprint(refund: Refund) -> str:
    """32 hex digits over what the books would show of this refund."""
    return _digest(
        [
            refund.order.currency,
            _plain(refund.amount),
            _plain(refund.total_tax),
            [[line.line_id, line.sku, _plain(line.quantity), _plain(line.total), _plain(line.restocked)]
             for line in refund.lines],
            [[line.line_id, _plain(line.total)] for line in refund.shipping_lines],
            [[line.line_id, _plain(line.total)] for line in refund.fee_lines],
        ]
    )  # fmt: skip


def content_digest(payload: bytes) -> str:
    """32 hex digits over a whole stored payload: equal means nothing changed at all."""
    return hashlib.sha256(payload).hexdigest()[:32]


def _plain(amount: Decimal) -> str:
    # 7.5 and 7.50 are one amount; a store may change its number of decimals.
    return format(amount.normalize(), "f") if amount else "0"


def _digest(parts: list[object]) -> str:
    return hashlib.sha256(_encoder.encode(parts)).hexdigest()[:32]
