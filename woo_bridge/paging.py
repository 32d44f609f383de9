"""Lists of the shop, read whole although they move while they are read.

Source: REST API v3 as recorded from WooCommerce 11: `per_page`, `offset`, X-WP-Total.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping

import msgspec

from woo_bridge.answers import Answer, decoded
from woo_bridge.errors import NotAShop

#: The most that one call may ask for.
PER_PAGE = 100
#: Rows that two pages of a list have in common.
OVERLAP = 10
#: How often a list is read that does not come out even.
_PASSES = 3

#: One page of a list, from its place and size as a query.
Fetch = Callable[[Mapping[str, str]], Answer]


class _Listed(msgspec.Struct):
    id: int


_rows = msgspec.json.Decoder(list[msgspec.Raw])
_listed = msgspec.json.Decoder(_Listed)


def all_rows(call: str, fetch: Fetch) -> Iterator[bytes]:
    """All rows, each once, as the bytes that the shop sent. `call` is for errors. Raises ShopError.

    A row that changes or drops out lets all behind it move up. So pages
    overlap, and when a page does not begin with rows that were read before,
    we step back. Rows of one second come in no certain order: if rows are
    missing at the end, all is read once more.
    """
    seen: set[int] = set()
    for _ in range(_PASSES):
        total = yield from _pass(call, fetch, seen)
        if len(seen) >= total:
            return


def _pass(call: str, fetch: Fetch, seen: set[int]) -> Generator[bytes, None, int]:
    start = 0
    last: tuple[int, ...] = ()
    while True:
        total, rows = _rows_from(call, fetch, start)
        numbers = tuple(number for number, _ in rows)
        if start and numbers[:1] != () and numbers == last:
            raise NotAShop(call, 200, "application/json", "the same page again and again")
        last = numbers
        if start and not (numbers and numbers[0] in seen):
            start = max(0, start - PER_PAGE // 2)
            continue
        for number, row in rows:
            if number not in seen:
                seen.add(number)
                yield row
        if len(rows) < PER_PAGE:
            return total
        start += PER_PAGE - OVERLAP


def _rows_from(call: str, fetch: Fetch, start: int) -> tuple[int, list[tuple[int, bytes]]]:
    answer = fetch({"per_page": str(PER_PAGE), "offset": str(start)})
    raw: list[msgspec.Raw] = decoded(call, answer.body, _rows)
    rows = [bytes(row) for row in raw]
    told = answer.headers.get("X-WP-Total", "")
    total = int(told) if told.isascii() and told.isdigit() and len(told) < 10 else 0
    return total, [(decoded(call, row, _listed).id, row) for row in rows]
