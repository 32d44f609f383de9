"""Orders, refunds and customers without the person: what the books are told stays, who it was goes.

Made so that content taken in again equals what was erased before: the same
order, read from the shop once more, is nothing new. Fingerprints do not see any
of it (`queue_store.fingerprint`).
"""

from __future__ import annotations

from typing import Any

import msgspec

from queue_store.payloads import Address, Customer, Order, Refund, RefundSummary, encode

#: Stands where a text of a person stood among others.
ERASED = "(erased)"

#: Keys of a shop's JSON whose values are a person's, whatever stands in them.
PERSONAL_KEYS = frozenset(
    {
        *("billing", "shipping", "customer_note", "customer_ip_address", "customer_user_agent", "transaction_id"),
        *("meta_data", "email", "first_name", "last_name", "username", "nickname", "avatar_url", "phone", "reason"),
        *("company", "address_1", "address_2", "line1", "line2", "city", "postcode", "order_key", "payment_url"),
    }
)  # fmt: skip

_order = msgspec.json.Decoder(Order)
_refund = msgspec.json.Decoder(Refund)
_customer = msgspec.json.Decoder(Customer)


def erased_order(order: Order) -> Order:
    """Without names, addresses, notes and the payment's number; the country, which is nobody's alone, stays."""
    return msgspec.structs.replace(
        order,
        billing=_erased_address(order.billing),
        shipping=_erased_address(order.shipping),
        transaction_id="",
        customer_note="",
        refunds=tuple(RefundSummary(refund_id=one.refund_id, total=one.total) for one in order.refunds),
        shipments=(),
    )


def erased_refund(refund: Refund) -> Refund:
    """The same of a refund, and of the order in it."""
    return msgspec.structs.replace(refund, reason="", order=erased_order(refund.order))


def erased_customer(customer: Customer) -> Customer:
    """No more than the number of the shop's account."""
    return Customer(customer_id=customer.customer_id, modified_at=customer.modified_at)


def erased_payload(kind: str, payload: bytes) -> bytes:
    """The stored content of an activity of this kind without the person; content of other kinds as it is."""
    try:
        if kind in ("sale", "web_order"):
            return encode(erased_order(_order.decode(payload)))
        if kind == "return":
            return encode(erased_refund(_refund.decode(payload)))
        if kind in ("add_customer", "change_customer"):
            return encode(erased_customer(_customer.decode(payload)))
    except msgspec.DecodeError:
        # A body that could not be translated, kept as it came.
        return erased_body(payload)
    return payload


def erased_body(body: bytes) -> bytes:
    """A body of the shop without what is a person's; nothing of it where it is no JSON."""
    try:
        content = msgspec.json.decode(body)
    except msgspec.DecodeError:
        return b""
    return msgspec.json.encode(_without_personal(content))


def is_personal(kind: str) -> bool:
    """True if the content of such an activity is a person's."""
    return kind in ("sale", "web_order", "return", "add_customer", "change_customer")


def _erased_address(address: Address) -> Address:
    return Address(country=address.country)


def _without_personal(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_personal(one) for key, one in value.items() if key not in PERSONAL_KEYS}
    if isinstance(value, list):
        return [_without_personal(one) for one in value]
    return value
