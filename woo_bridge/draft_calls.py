"""The calls that make products: looking for SKUs, creating in batches, categories and global attributes.

Source: REST API v3 as recorded from WooCommerce 11. There is no idempotency
key: a creation that goes twice is refused the second time for its SKU, and
the refusal names who has it. The `sku` filter finds drafts and variations too,
but never the trash, which has no claim on a SKU either.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import msgspec

from queue_store.catalogue import fold
from woo_bridge import raw
from woo_bridge.answers import decoded, resource_of
from woo_bridge.client import ShopClient
from woo_bridge.errors import NoSuchRecord, ShopRefused
from woo_bridge.paging import PER_PAGE
from woo_bridge.product_calls import ALL_FIELDS
from woo_bridge.raw_products import RawBatch, RawSettled

#: Bytes of SKUs in one address; servers take 8 kB in all.
_LONGEST_LIST = 4000

_batch = msgspec.json.Decoder(RawBatch)
_settled = msgspec.json.Decoder(RawSettled)
_object = msgspec.json.Decoder(dict[str, Any])


class _Term(msgspec.Struct):
    id: int
    name: str = ""


_term = msgspec.json.Decoder(_Term)
_terms = msgspec.json.Decoder(list[_Term])


@dataclass(frozen=True, slots=True)
class NotMade:
    """One item of a batch that the shop did not take; its own words, and who has the SKU if that is why."""

    code: str
    message: str
    owner: int | None


def find_skus(client: ShopClient, skus: Sequence[str]) -> Iterator[bytes]:
    """The JSON of whatever bears one of these SKUs, in as few calls as may be. Raises ShopError.

    One with a comma cannot be asked for: the shop takes it for two.
    """
    for some in _lists([sku for sku in dict.fromkeys(skus) if sku and "," not in sku]):
        query = {"sku": ",".join(some), "status": "any", "orderby": "id", "order": "asc"}
        yield from client.rows("products", query | {"_fields": ",".join(ALL_FIELDS)})


def _lists(skus: Sequence[str]) -> Iterator[list[str]]:
    some: list[str] = []
    length = 0
    for sku in skus:
        size = len(quote(sku)) + 3
        if some and (length + size > _LONGEST_LIST or len(some) == PER_PAGE):
            yield some
            some, length = [], 0
        some.append(sku)
        length += size
    if some:
        yield some


def create_in_batch(
    client: ShopClient, parent_id: int, bodies: Sequence[Mapping[str, Any]]
) -> list[bytes | NotMade | None]:
    """At most 100 new products, or variations of one parent; what became of each, None where that is unclear.

    Never repeated by itself. Raises ShopError: then any of them may have been made.
    """
    if len(bodies) > PER_PAGE:
        raise ValueError(f"a batch takes {PER_PAGE} items, not {len(bodies)}")
    endpoint = f"products/{parent_id}/variations/batch" if parent_id else "products/batch"
    answer = client.call("POST", endpoint, {"create": list(bodies)}, is_repeatable=False)
    rows = [bytes(row) for row in raw.each(decoded(f"POST {endpoint}", answer.body, _batch).create)]
    found: list[bytes | NotMade | None] = []
    for row in rows[: len(bodies)]:
        settled = decoded(f"POST {endpoint}", row, _settled)
        if settled.error is not None:
            error = settled.error
            found.append(NotMade(str(error.code)[:100], error.message[:500], resource_of(error.data)))
        else:
            found.append(row if settled.id else None)
    return found + [None] * (len(bodies) - len(found))


def read_product(client: ShopClient, product_id: int) -> bytes | None:
    """One product or variation with all that is kept of it; None: there is none. Raises ShopError."""
    try:
        return client.call("GET", f"products/{product_id}", query={"_fields": ",".join(ALL_FIELDS)}).body
    except NoSuchRecord:
        return None


def attributes_of(body: bytes) -> list[dict[str, Any]]:
    """A product's attributes as the shop tells them, to be sent back with more values. Raises NotAShop."""
    found = decoded("GET products", body, _object).get("attributes")
    return [one for one in raw.each(found or []) if isinstance(one, dict)]


def set_attributes(client: ShopClient, product_id: int, attributes: Sequence[Mapping[str, Any]]) -> bytes:
    """Give a variable product these attributes, and nothing else. Raises ShopError."""
    return client.call("PUT", f"products/{product_id}", {"attributes": list(attributes)}).body


def global_attributes(client: ShopClient) -> dict[str, int]:
    """Ids of the shop's global attributes by folded name. They come unpaged. Raises ShopError."""
    answer = client.call("GET", "products/attributes")
    found = decoded("GET products/attributes", answer.body, _terms)
    return {fold(html.unescape(one.name)): one.id for one in found}


def find_category(client: ShopClient, name: str, *, make: bool) -> int | None:
    """The id of the category called so; `make`: it is made where there is none. Raises ShopError.

    The shop's search does not find a name with an "&"; making it then tells which one has it.
    """
    query = {"search": name, "_fields": "id,name", "orderby": "id", "order": "asc"}
    for row in client.rows("products/categories", query):
        term = decoded("GET products/categories", row, _term)
        if fold(html.unescape(term.name)) == fold(name):
            return term.id
    if not make:
        return None
    body = {"name": html.escape(name, quote=False)}
    try:
        answer = client.call("POST", "products/categories", body, is_repeatable=True)
    except ShopRefused as error:
        if error.code == "term_exists" and error.resource_id is not None:
            return error.resource_id
        raise
    return decoded("POST products/categories", answer.body, _term).id
