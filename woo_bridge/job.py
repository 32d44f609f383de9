"""What the scheduler must know of a thing that runs by itself.

A run is done in pieces, each of a call or two and one commit, so that what
waits meanwhile is served, and so that any node can go on where another died.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

from queue_store.companies import live_kinds
from queue_store.database import Database
from queue_store.models import Store
from queue_store.settings import Settings, store_settings
from woo_bridge.client import ShopClient
from woo_bridge.errors import BridgeError

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

#: What a run found so far, in words; what a run keeps; where it goes on. All are JSON.
Found = Mapping[str, int]
Memory = Mapping[str, Any]
Place = Mapping[str, Any]


class When(NamedTuple):
    """How often a thing runs: every so many minutes, or daily at an hour of the shop's clock."""

    #: 0: not so.
    minutes: int = 0
    hour: int | None = None


class Next(NamedTuple):
    """What a piece came to, committed with it."""

    #: Where the next piece begins; None: the run is at its end.
    place: Place | None
    found: Found = MappingProxyType({})
    #: A sentence to add to what the run says at its end.
    remark: str = ""
    #: Takes the place of what was kept; None: that stays.
    memory: Memory | None = None
    #: Names of the store's schedules to be run at once.
    hurry: tuple[str, ...] = ()


#: Writes what a piece learnt, in the transaction that keeps the piece.
Keep = Callable[["Session", Store, Settings], Next]


class CannotGoOn(BridgeError):
    """A run must not go on as things are; the message is a whole sentence for the operator."""


@dataclass(slots=True)
class Piece:
    """One piece of a run, with all that it may use."""

    database: Database
    client: ShopClient
    store_id: int
    #: {} at the beginning of a run.
    place: Place
    memory: Memory
    found: Found
    #: By our clock, aware.
    now: datetime
    #: When the run began, by our clock.
    began_at: datetime
    #: Where shops post to from outside; None: nobody said.
    public_url: str | None = None
    #: Opens a store's webhook secret.
    open_secret: Callable[[bytes], str] = field(default=lambda sealed: "")

    @contextmanager
    def read(self) -> Iterator[tuple[Session, Store, Settings]]:
        """The store and its settings as they stand now."""
        with self.database.read() as db:
            store = db.get_one(Store, self.store_id)
            yield db, store, store_settings(db, store)


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A thing that runs by itself for each store.

    `step` does one piece: it may talk to the shop, while no transaction is
    open, and gives what is to be written. It raises ShopError, or CannotGoOn.
    """

    name: str
    #: For people: what it does, as the beginning of a line.
    title: str
    when: Callable[[Session, Store, Settings], When]
    step: Callable[[Piece], Keep]
    #: What the run did, as a sentence, from what its pieces found.
    tell: Callable[[Found], str]
    #: Kinds of which one must be live; empty: any.
    live: frozenset[str] = frozenset()
    #: True: the first run comes at once, as soon as the store is live.
    at_once: bool = False
    #: False: the shop is not asked for anything, so that it runs whether the store is live or not; its pieces
    #: get no client.
    needs_shop: bool = True

    def idle(self, store: Store) -> str:
        """Why it does not run now, as a sentence; "": it does."""
        if not self.needs_shop:
            return ""
        live = live_kinds(store)
        if self.live & live or (not self.live and live):
            return ""
        kinds = f" for {' or '.join(sorted(self.live))}" if self.live else ""
        return f"Store {store.name} is not live{kinds}."


def every(key: str) -> Callable[[Session, Store, Settings], When]:
    """As often as a setting of the store says, in minutes."""
    return lambda db, store, settings: When(minutes=settings[key])


def counted(number: int, one: str, many: str = "") -> str:
    """ "1 order", "3 orders"."""
    return f"{number} {one if number == 1 else many or one + 's'}"
