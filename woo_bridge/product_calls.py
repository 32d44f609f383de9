"""Products in the shop: read many, list all, write in batches.

Source: REST API v3 as recorded from WooCommerce 11. A batch takes 100 items at
most, answers 200 whatever becomes of them, and does *not* validate them as
single calls do: a text as stock becomes 0. So only whole numbers and prices
made here go out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from queue_store.product_payloads import ShopChange
from woo_bridge import raw
from woo_bridge.answers import decoded
from woo_bridge.client import ShopClient
from woo_bridge.errors import NoSuchRecord, NotAShop
from woo_bridge.paging import PER_PAGE
from woo_bridge.raw_products import RawBatch, RawError, RawSettled

#: What the worker needs to know of a product to write to it.
STATE_FIELDS = (
    "id", "parent_id", "type", "status", "name", "sku", "manage_stock", "stock_quantity", "stock_status", "backorders",
    "regular_price", "sale_price", "date_on_sale_from_gmt", "date_on_sale_to_gmt", "date_modified_gmt",
)  # fmt: skip
#: Everything that is kept of a product.
ALL_FIELDS = (
    *STATE_FIELDS, "weight", "tax_class", "description", "short_description", "global_unique_id", "virtual",
    "categories", "attributes", "variations", "meta_data",
)  # fmt: skip

_rows = msgspec.json.Decoder(list[msgspec.Raw])
_batch = msgspec.json.Decoder(RawBatch)
_settled = msgspec.json.Decoder(RawSettled)
_MOST_PRICE = Decimal(10) ** 9


def read_products(
    client: ShopClient,
    parents: Mapping[int, int],
    *,
    fields: Collection[str] = STATE_FIELDS,
) -> Iterator[tuple[int, bytes | None]]:
    """The JSON of each of these products, None for one that the shop has no more.

    `parents` gives the parent of each id, 0 for what is no variation, as far as
    that is known. In as few calls as may be: a list of 100 products, a list of
    100 variations of whatever parents. Raises ShopError.
    """
    query = {"_fields": ",".join(fields), "orderby": "id", "order": "asc", "status": "any"}
    missing = set(parents)

    def found(endpoint: str, numbers: Collection[int]) -> Iterator[tuple[int, bytes]]:
        for some in hundreds(sorted(numbers)):
            asked = {"include": ",".join(map(str, some)), "per_page": str(PER_PAGE)}
            answer = client.call("GET", endpoint, query=query | asked)
            listed: list[msgspec.Raw] = decoded(f"GET {endpoint}", answer.body, _rows)
            for row in map(bytes, listed):
                known = raw.identify(row)
                if known is not None and known.id in missing:
                    missing.discard(known.id)
                    yield known.id, row

    products = [number for number, parent in parents.items() if not parent]
    if products:
        yield from found("products", products)
    of_parent: dict[int, list[int]] = defaultdict(list)
    for number, parent in parents.items():
        if parent:
            of_parent[parent].append(number)
    if len(of_parent) > 1:
        # A shop that is too old for this list answers that it knows no such route.
        with suppress(NotAShop):
            yield from found("variations", [number for number, parent in parents.items() if parent])
            of_parent.clear()
    for parent, numbers in of_parent.items():
        yield from found(f"products/{parent}/variations", missing.intersection(numbers))
    # Lists leave out the trash; and what was taken for a product may be a variation.
    for number in sorted(missing):
        try:
            yield number, client.call("GET", f"products/{number}", query={"_fields": ",".join(fields)}).body
        except NoSuchRecord:
            yield number, None


def list_products(
    client: ShopClient, *, modified_after: datetime | None = None, fields: Collection[str] = ALL_FIELDS
) -> Iterator[bytes]:
    """Every product's JSON and then every variation's, oldest change first where `modified_after` is given.

    Exclusive of the equal second; the trash is left out. Raises ShopError.
    """
    query = {
        "order": "asc",
        "orderby": "id" if modified_after is None else "modified",
        "_fields": ",".join(fields),
    }
    if modified_after is not None:
        stamp = modified_after.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
        query |= {"modified_after": stamp, "dates_are_gmt": "true"}
    parents: list[int] = []
    for row in client.rows("products", query):
        known = _listed(row)
        if known is not None and known.type == "variable":
            parents.append(known.id)
        yield row
    if parents or modified_after is not None:
        try:
            yield from client.rows("variations", query)
        except NotAShop:
            # Too old for this list. A changed variation moves its parent's date too.
            for parent in parents:
                yield from client.rows(f"products/{parent}/variations", query)


class _Listed(msgspec.Struct):
    id: int
    type: str = ""


_list_row = msgspec.json.Decoder(_Listed)


def _listed(row: bytes) -> _Listed | None:
    try:
        return _list_row.decode(row)
    except msgspec.DecodeError:
        return None


class ItemRefused(msgspec.Struct, frozen=True):
    """One item of a batch that the shop did not take; its own words."""

    code: str
    message: str

    @property
    def is_gone(self) -> bool:
        """True if there is no such product (any more)."""
        return self.code.endswith("_invalid_id")


def write_products(
    client: ShopClient, parent_id: int, bodies: Mapping[int, Mapping[str, Any]]
) -> dict[int, bytes | ItemRefused]:
    """One batch of at most 100 changes, of products or of one parent's variations; the answer to each.

    Absolute values: a batch whose answer was lost may go again, once it was
    computed anew. An item without an answer is left out. Raises ShopError.
    """
    if len(bodies) > PER_PAGE:
        raise ValueError(f"a batch takes {PER_PAGE} items, not {len(bodies)}")
    endpoint = f"products/{parent_id}/variations/batch" if parent_id else "products/batch"
    update = [{"id": number, **body} for number, body in bodies.items()]
    answer = client.call("POST", endpoint, {"update": update}, is_repeatable=False)
    found: dict[int, bytes | ItemRefused] = {}
    call = f"POST {endpoint}"
    rows = [bytes(row) for row in raw.each(decoded(call, answer.body, _batch).update)]
    # In the order of what was asked for: an item that fails may bear no id.
    for number, row in zip(bodies, rows, strict=False):
        settled = decoded(call, row, _settled)
        if settled.error is not None:
            found[number] = _refusal(settled.error)
        elif settled.id == number:
            found[number] = row
    return found


def _refusal(error: RawError) -> ItemRefused:
    return ItemRefused(str(error.code)[:100], error.message[:500])


def body_of(change: ShopChange, decimals: int) -> dict[str, Any]:
    """What goes out for a change; prices as text with so many decimals.

    Raises ValueError for what must never reach a batch, which the shop takes unseen.
    """
    body: dict[str, Any] = {}
    if change.manage_stock is not None:
        body["manage_stock"] = change.manage_stock
    if change.quantity is not None:
        if type(change.quantity) is not int or abs(change.quantity) > 10**9:
            raise ValueError(f"{change.quantity!r} is not a number of pieces")
        body["stock_quantity"] = change.quantity
    if change.regular_price is not None:
        body["regular_price"] = price_text(change.regular_price, decimals)
    if change.ends_sale:
        body["sale_price"] = ""
    elif change.sale_price is not None:
        body["sale_price"] = price_text(change.sale_price, decimals)
    return body


def price_text(price: Decimal, decimals: int) -> str:
    if not price.is_finite() or not 0 < price < _MOST_PRICE:
        raise ValueError(f"{price} is not a price")
    text = f"{price:.{decimals}f}"
    if Decimal(text) != price:
        raise ValueError(f"{price} has more than {decimals} decimals")
    return text


def hundreds(numbers: list[int]) -> Iterator[list[int]]:
    """In lists of at most as many as one call takes."""
    for start in range(0, len(numbers), PER_PAGE):
        yield numbers[start : start + PER_PAGE]
