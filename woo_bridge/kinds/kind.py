"""What the worker must know of a kind of activity that is addressed to the shop."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any, NamedTuple

from queue_store.database import Database
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


class Held(NamedTuple):
    """It waits for a person."""

    reason: str
    sentence: str
    payload: bytes


class Again(NamedTuple):
    """It is due at once once more; `cause` is for its history."""

    cause: str


class Refused(NamedTuple):
    """It failed, and trying again would not help."""

    sentence: str


class Dropped(NamedTuple):
    """Nobody wants it any more."""

    sentence: str


#: How one of many ended. What the shop did not answer for has the error.
Ended = Done | Held | Again | Refused | Dropped | ShopError


@dataclass(frozen=True, slots=True)
class Claimed:
    """A claimed activity, as it was at the claim."""

    activity_id: int
    record_id: str
    payload: bytes


@dataclass(frozen=True, slots=True)
class Tools:
    """What a kind works with that takes many activities of one store at once."""

    database: Database
    client: ShopClient
    store_id: int
    now: Callable[[], datetime]


@dataclass(frozen=True, slots=True, kw_only=True)
class ManyKind:
    """A kind whose activities are done many at a time, all of one store.

    `run` opens its own transactions and calls the shop between them; it says of
    each activity id how it ended. It raises nothing that one of them alone
    caused; a ShopError that it raises ends all of them.
    """

    name: str
    at_once: int
    run: Callable[[Tools, Sequence[Claimed]], Mapping[int, Ended]]
