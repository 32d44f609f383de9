"""The shop's own clock: which hour it is there."""

from __future__ import annotations

from datetime import timedelta, timezone, tzinfo
from typing import TYPE_CHECKING

import msgspec

from queue_store.models import Store
from queue_store.payloads import Order
from queue_store.reconciliations import newest_order_of
from queue_store.settings import Settings

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

_order = msgspec.json.Decoder(Order)


def shop_offset(db: Session, store: Store) -> int:
    """Seconds east of UTC of the shop's own clock, as its last order told; 0 before the first."""
    payload = newest_order_of(db, store)
    if payload is None:
        return 0
    try:
        return _order.decode(payload).utc_offset_seconds
    except msgspec.DecodeError:
        return 0


def shop_zone(db: Session, store: Store, settings: Settings) -> tzinfo:
    """The zone that is set, which knows of daylight saving time, else what the last order told."""
    zone: tzinfo | None = settings["catch_up.time_zone"]
    return zone or timezone(timedelta(seconds=shop_offset(db, store)))
