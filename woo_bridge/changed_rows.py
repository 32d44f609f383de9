"""What changed in a list of the shop since a second, oldest change first, page by page.

A list by date that is read from a date on cannot drift: what changes meanwhile
moves to its end, and comes again. So each page begins where the last one ended,
less a second, and nothing is counted off. All times are the shop's.

Source: REST API v3 as recorded from WooCommerce 11: `modified_after` leaves out
the equal second, equal seconds are common, and a date with "Z" beside
`dates_are_gmt` is shifted twice.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import msgspec

from woo_bridge import raw
from woo_bridge.answers import Answer, decoded
from woo_bridge.client import ShopClient
from woo_bridge.errors import NotAShop
from woo_bridge.paging import PER_PAGE

#: Read again before a mark: a change whose commit took the shop long, and servers whose clocks differ a little.
OVERLAP = timedelta(minutes=5)

_SECOND = timedelta(seconds=1)
_rows = msgspec.json.Decoder(list[msgspec.Raw])


@dataclass(frozen=True, slots=True)
class ChangedRows:
    """A page of a list."""

    bodies: list[bytes]
    #: date_modified of the row on it that changed last; None: no row tells.
    mark: datetime | None
    #: Where the next page begins, as `modified_after`; None: this is the last one.
    next_after: datetime | None
    #: The shop's clock when it answered, by its Date header; None: it did not tell.
    shop_now: datetime | None


def fetch_changed(
    client: ShopClient, endpoint: str, after: datetime, query: Mapping[str, str]
) -> ChangedRows:
    """The rows that changed later than the second `after`, a page of them. Raises ShopError."""
    after = after.replace(microsecond=0)
    wanted = {
        **query,
        "order": "asc",
        "orderby": "modified",
        "modified_after": _stamp(after),
        "dates_are_gmt": "true",
    }
    answer = client.call("GET", endpoint, query=wanted | {"per_page": str(PER_PAGE)})
    bodies = [bytes(row) for row in decoded(f"GET {endpoint}", answer.body, _rows)]
    mark, shop_now = _newest(bodies), _told_time(answer)
    if len(bodies) < PER_PAGE:
        return ChangedRows(bodies, mark, None, shop_now)
    if mark is None or mark <= after:
        # Read on from here we would read the same again, for ever.
        beginning = f"rows that did not change after {after:%Y-%m-%d %H:%M:%S}"
        raise NotAShop(f"GET {endpoint}", answer.status, answer.headers.get("Content-Type", ""), beginning)
    if mark - _SECOND > after:
        return ChangedRows(bodies, mark, mark - _SECOND, shop_now)
    # More changed in one second than a page holds. Among themselves these have no certain order, so
    # that second is read whole, as a list.
    second = wanted | {"modified_before": _stamp(mark + _SECOND)}
    return ChangedRows(list(client.rows(endpoint, second)), mark, mark, shop_now)


def _newest(bodies: list[bytes]) -> datetime | None:
    return max(filter(None, map(_modified, bodies)), default=None)


def _modified(body: bytes) -> datetime | None:
    known = raw.identify(body)
    try:
        return raw.moment(known.date_modified_gmt) if known is not None else None
    except ValueError:
        return None


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")


def _told_time(answer: Answer) -> datetime | None:
    try:
        return email.utils.parsedate_to_datetime(answer.headers.get("Date", "")).astimezone(UTC)
    except ValueError:
        return None
