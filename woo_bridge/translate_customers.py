"""WooCommerce's customer JSON to the queue's `Customer`, validated once."""

from __future__ import annotations

import msgspec
import msgspec.structs

from queue_store.fingerprint import content_digest
from queue_store.payloads import Customer, encode
from woo_bridge import raw
from woo_bridge.errors import Untranslatable
from woo_bridge.misshapen import misshapen

_decoder = msgspec.json.Decoder(raw.RawCustomer)


def translate_customer(body: bytes | msgspec.Raw) -> Customer:
    """One shop account from the bytes of a webhook or of a REST answer. Raises Untranslatable."""
    try:
        found = _decoder.decode(body)
    except msgspec.ValidationError as error:
        raise misshapen(_name_of(bytes(body)), error, bytes(body)) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Untranslatable(_name_of(bytes(body)), "", f"it is not JSON ({error})") from error
    try:
        modified = raw.moment(found.date_modified_gmt)
    except ValueError as error:
        raise Untranslatable(f"Customer {found.id}", "date_modified_gmt", str(error)) from error
    billing, shipping = raw.address(found.billing), raw.address(found.shipping)
    names = (raw.line(found.first_name), raw.line(found.last_name))
    if not any(names):
        # The account's own names are optional; a checkout fills those of the address.
        names = (billing.first_name, billing.last_name)
    return Customer(
        customer_id=found.id,
        email=(raw.line(found.email) or billing.email).lower(),
        first_name=names[0],
        last_name=names[1],
        company=billing.company,
        billing=billing,
        shipping=shipping,
        modified_at=modified,
    )


def customer_fingerprint(customer: Customer) -> str:
    """32 hex digits over what QuickBooks would show: saving an account without a change moves its date only."""
    return content_digest(encode(msgspec.structs.replace(customer, modified_at=None)))


def _name_of(body: bytes) -> str:
    known = raw.identify(body)
    return f"Customer {known.id}" if known is not None and known.id is not None else "A customer"
