"""What the worker must know of a kind of activity that is addressed to the shop."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

from queue_store.models import Activity, Store
from queue_store.settings import Settings
from woo_bridge.client import ShopClient
from woo_bridge.errors import ShopError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


class Done(NamedTuple):
    """How an activity ended well."""

    #: For its history.
    cause: str
    #: For people; empty while all is as usual.
    sentence: str = ""


def _always(_settings: Settings, _payload: bytes) -> str:
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ShopKind:
    """A kind: what is asked of the shop, and what its answer means.

    `call` talks to the shop while no transaction is open and raises ShopError.
    `settle` gets its answer inside the transaction that settles the activity.
    `without_answer` runs in the transaction that delays or fails the activity.
    `not_wanted` says why the store wants it no more ("": it does); it is then
    cancelled before the shop is called.
    """

    name: str
    call: Callable[[ShopClient, bytes], Any]
    settle: Callable[[Session, Store, Settings, Activity, Any], Done]
    without_answer: Callable[[Session, Store, Settings, Activity, ShopError], None]
    not_wanted: Callable[[Settings, bytes], str] = _always
