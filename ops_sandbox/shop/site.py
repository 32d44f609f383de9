"""The site that all parts of the shop work on: its store, its time, its address, its queue of webhook actions."""

from __future__ import annotations

import random
import threading
from dataclasses import dataclass, field

from ops_sandbox.shop.dates import SiteTime
from ops_sandbox.shop.store import Store
from ops_sandbox.shop.wire import Doc

#: WooCommerce and WordPress as recorded.
VERSION = "11.0.1"
USER_AGENT = f"WooCommerce/{VERSION} Hookshot (WordPress/7.0.4)"

#: Where the shop is: the tax location of an order without any address.
BASE_ADDRESS: Doc = {"country": "US", "state": "CA", "city": "San Francisco", "postcode": "94105"}

CURRENCY_SYMBOLS = {"USD": "$", "EUR": "€", "GBP": "£", "CAD": "$", "AUD": "$", "JPY": "¥", "MXN": "$"}

_KEY_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass
class Site:
    """One shop. `home_url` is without a trailing slash; OAuth requests are signed over it."""

    store: Store
    time: SiteTime
    home_url: str = "http://localhost:8080"
    #: Seed of keys and delivery ids; WordPress calls it a salt.
    salt: str = "sandbox"
    randomness: random.Random = field(default_factory=lambda: random.Random(11))  # noqa: S311
    #: (webhook id, resource id) of the actions that wait.
    pending: set[tuple[int, int]] = field(default_factory=set)
    #: Lists that were asked for lately, with the versions of the tables they were made from; see `listing.kept_list`.
    lists: dict[tuple[object, ...], tuple[tuple[int, ...], list[Doc]]] = field(default_factory=dict)
    #: Only one run of the queue at a time, as on a real shop.
    queue_lock: threading.Lock = field(default_factory=threading.Lock)

    def table(self, name: str) -> dict[int, Doc]:
        """The documents of one table by id."""
        return self.store.tables[name]

    def __post_init__(self) -> None:
        self.pending = {(a["webhook_id"], a["resource_id"]) for a in self.table("actions").values()}

    def fire(self, topic: str, resource_id: int) -> None:
        """Queue one action per active webhook of `topic`.

        An action that already waits for the same webhook and resource stays
        where it is: several changes before the queue runs give one delivery.
        """
        for webhook in self.table("webhooks").values():
            if webhook["topic"] != topic or webhook["status"] != "active":
                continue
            key = (webhook["id"], resource_id)
            if key in self.pending:
                continue
            self.pending.add(key)
            self.store.save(
                "actions",
                {
                    "id": self.store.next_id("action"),
                    "webhook_id": webhook["id"],
                    "resource_id": resource_id,
                    "queued_gmt": self.time.stamp(),
                },
            )

    def random_key(self, length: int) -> str:
        """Letters and digits, for order keys."""
        return "".join(self.randomness.choices(_KEY_LETTERS, k=length))


def set_meta(site: Site, doc: Doc, entries: object) -> None:
    """Apply `meta_data` of a request: the same key overwrites, null removes."""
    metas: list[Doc] = doc["meta_data"]
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        key, value = entry.get("key"), entry.get("value")
        existing = next(
            (m for m in metas if (entry.get("id") and m["id"] == entry["id"]) or (key and m["key"] == key)),
            None,
        )
        if existing is not None:
            if value is None:
                metas.remove(existing)
            else:
                existing.update(value=value, **({"key": key} if key else {}))
        elif key and value is not None:
            metas.append({"id": site.store.next_id("meta"), "key": key, "value": value})
