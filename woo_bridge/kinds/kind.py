"""What the worker must know of a kind of activity that is addressed to the shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from queue_store.models import Activity, Store
from queue_store.settings import Settings
from woo_bridge.client import ShopClient
from woo_bridge.errors import ShopError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopKind:
    """A kind: what is asked of the shop, and what its answer means.

    `call` talks to the shop while no transaction is open and raises ShopError.
    `settle` gets its answer inside the transaction that settles the activity
    and returns the cause for its history. `without_answer` runs in the
    transaction that delays or fails the activity.
    """

    name: str
    call: Callable[[ShopClient, bytes], Any]
    settle: Callable[[Session, Store, Settings, Activity, Any], str]
    without_answer: Callable[[Session, Store, Settings, Activity, ShopError], None]
