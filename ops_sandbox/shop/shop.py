"""The played shop as tests, demos and operators hold it."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

from ops_sandbox.shop import webhooks
from ops_sandbox.shop.app import RestFaults, ShopApp
from ops_sandbox.shop.calls import RestCall
from ops_sandbox.shop.dates import Clock, SiteTime, system_clock
from ops_sandbox.shop.deliveries import Delivery, DeliveryFaults, DeliveryRun
from ops_sandbox.shop.hooks import ANY, WRITE, CallFault, Hook
from ops_sandbox.shop.people import People
from ops_sandbox.shop.seed import plant_records, plant_rules
from ops_sandbox.shop.server import RunningShop
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.store import Store

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CONSUMER_KEY = "ck_sandbox0000000000000000000000000000000000"
CONSUMER_SECRET = "cs_sandbox0000000000000000000000000000000000"  # noqa: S105 - of a played shop


class Shop(People):
    """A WooCommerce shop with real state, real HTTP and faults to order. Make one with `Shop.create`."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self._delivery_faults = DeliveryFaults()
        self._rest_faults = RestFaults()
        self._run = DeliveryRun(site, self._delivery_faults)
        self.app = ShopApp(site, self._rest_faults, self._run.ping)
        self._cron: threading.Thread | None = None
        self._cron_stop = threading.Event()

    @classmethod
    def create(
        cls,
        path: Path | None = None,
        *,
        consumer_key: str = CONSUMER_KEY,
        consumer_secret: str = CONSUMER_SECRET,
        seed: bool = True,
        clock: Clock | None = None,
        site_offset_hours: float = -8,
    ) -> Shop:
        """A shop in memory, or kept in the SQLite file `path` and found there again.

        With `seed` a new shop holds the recorded products, customers, orders
        and refunds; tax rates and coupons it has always. `clock` gives the
        present as an aware datetime.
        """
        store = Store(path)
        site = Site(store, SiteTime(clock or system_clock, site_offset_hours))
        with store.transaction():
            if store.is_empty:
                plant_rules(site)
                if seed:
                    plant_records(site)
        shop = cls(site)
        if not any(key["consumer_key"] == consumer_key for key in site.table("keys").values()):
            shop.add_key(consumer_key, consumer_secret)
        return shop

    # HTTP

    @property
    def wsgi_app(self) -> WSGIApplication:
        """The shop as a WSGI application."""
        return self.app

    def serve(self, port: int = 0) -> RunningShop:
        """Serve on 127.0.0.1, by default at a free port; the shop's home URL becomes that address."""
        running = RunningShop(self.app, port)
        self.site.home_url = running.url
        return running

    @property
    def assume_https(self) -> bool:
        """Take every request as come over https: basic auth and keys in the query then count."""
        return self.app.assume_https

    @assume_https.setter
    def assume_https(self, value: bool) -> None:
        self.app.assume_https = value

    @property
    def trust_https_header(self) -> bool:
        """Take X-Forwarded-Proto for the scheme, as a shop behind a proxy does."""
        return self.app.trust_https_header

    @trust_https_header.setter
    def trust_https_header(self, value: bool) -> None:
        self.app.trust_https_header = value

    def add_key(self, consumer_key: str, consumer_secret: str, permissions: str = "read_write") -> None:
        """A REST key; `permissions` is "read", "write" or "read_write"."""
        with self.site.store.transaction():
            self.site.store.save(
                "keys",
                {
                    "id": self.site.store.next_id("key"),
                    "consumer_key": consumer_key,
                    "consumer_secret": consumer_secret,
                    "permissions": permissions,
                },
            )

    def close(self) -> None:
        """Stop the cron, give connections and the file back."""
        self.stop_cron()
        self._run.close()
        self.site.store.close()

    # Webhooks

    def add_webhook(self, topic: str, delivery_url: str, secret: str, name: str = "") -> int:
        """Register a webhook as the admin page does, ping included. Gives its id."""
        with self.site.store.transaction():
            webhook = webhooks.create_webhook(
                self.site, {"topic": topic, "delivery_url": delivery_url, "secret": secret, "name": name}
            )
        self._run.ping(webhook["id"])
        return int(webhook["id"])

    def run_queue(self) -> list[Delivery]:
        """Deliver what waits now, one after another; what that brings about waits for the next run."""
        if self.app.is_down:
            return []
        return self._run.run()

    @property
    def pending_actions(self) -> list[tuple[str, int]]:
        """(topic, resource id) of the deliveries that wait, in their order."""
        with self.site.store.transaction():
            hooks = self.site.table("webhooks")
            return [
                (hooks[a["webhook_id"]]["topic"], a["resource_id"])
                for a in self.site.table("actions").values()
            ]

    @property
    def delivery_log(self) -> list[Delivery]:
        """Everything that was sent, pings too, oldest first."""
        return self._run.log

    @property
    def delivery_timeout_seconds(self) -> float:
        """How long an answer is waited for, 60 as on a real shop."""
        return self._run.timeout_seconds

    @delivery_timeout_seconds.setter
    def delivery_timeout_seconds(self, seconds: float) -> None:
        self._run.timeout_seconds = seconds

    def failure_count(self, webhook_id: int) -> int:
        """Failures in a row, which REST does not show."""
        return int(webhooks.find_webhook(self.site, webhook_id)["failure_count"])

    def start_cron(self, every_seconds: float = 60) -> None:
        """Run the queue again and again in a thread, for demos. A running one is replaced."""
        self.stop_cron()
        self._cron_stop = threading.Event()
        self._cron = threading.Thread(
            target=self._tick, args=(every_seconds, self._cron_stop), name="shop-cron", daemon=True
        )
        self._cron.start()

    def stop_cron(self) -> None:
        """End the thread; nothing when none runs."""
        if self._cron is not None:
            self._cron_stop.set()
            self._cron.join()
            self._cron = None

    def _tick(self, every_seconds: float, stop: threading.Event) -> None:
        while not stop.wait(every_seconds):
            self.run_queue()

    # Faults to order

    def lose_next_deliveries(self, count: int) -> None:
        """The next `count` deliveries get lost on the way while the shop takes them for delivered."""
        self._delivery_faults.lose_next = count

    @property
    def duplicate_deliveries(self) -> bool:
        """Send every delivery twice."""
        return self._delivery_faults.duplicate

    @duplicate_deliveries.setter
    def duplicate_deliveries(self, value: bool) -> None:
        self._delivery_faults.duplicate = value

    def delay_deliveries(self, span: timedelta | None) -> None:
        """Leave each delivery in the queue until `span` has passed since its change; None ends it."""
        self._delivery_faults.delay = span

    def reorder_deliveries(self, rng: random.Random | None) -> None:
        """Shuffle every run of the queue with `rng`; None ends it."""
        self._delivery_faults.reorder = rng

    def answer_next_with(
        self,
        status: int,
        count: int | None = 1,
        *,
        retry_after_seconds: int = 1,
        method: str = ANY,
        path: str = ".*",
    ) -> None:
        """Answer the next `count` REST requests with `status`, and do nothing; 429 and 503 carry Retry-After.

        `method` and `path` choose which, as in `before_next`; `count` None is all from now on, until
        `end_faults`. Several orders are met one after another.
        """
        self._rest_faults.hooks.order(
            CallFault(method, path, count, "status", status, retry_after_seconds=retry_after_seconds)
        )

    def lose_next_answers(self, method: str, count: int = 1, *, path: str = ".*") -> None:
        """Do what the next `count` REST requests of `method` ask for, and answer them with 504."""
        self._rest_faults.hooks.order(CallFault(method, path, count, "lost"))

    def hang_up(
        self, count: int = 1, *, method: str = ANY, path: str = ".*", after_doing: bool = False
    ) -> None:
        """End the connection of the next `count` REST requests without any answer, before or after
        doing what they ask for. Only where the shop is served by `serve`."""
        self._rest_faults.hooks.order(CallFault(method, path, count, "drop", after_doing=after_doing))

    def break_next_batch(self, after_items: int, *, status: int = 500, path: str = ".*/batch") -> None:
        """Do the first `after_items` items of the next batch, then answer `status`: they stay done."""
        self._rest_faults.hooks.order(CallFault(WRITE, path, 1, "break", status, items=after_items))

    def end_faults(self) -> None:
        """Take back every order for errors, lost answers, ended connections and broken batches."""
        for kind in ("status", "lost", "drop", "break"):
            self._rest_faults.hooks.withdraw(kind)

    @property
    def down(self) -> bool:
        """Every request is answered with 503, and the queue stands still."""
        return self.app.is_down

    @down.setter
    def down(self, value: bool) -> None:
        self._rest_faults.down = value
        self._rest_faults.down_until = None

    def down_for(self, span: timedelta) -> None:
        """Down until `span` has passed on the shop's clock."""
        self._rest_faults.down_until = self.site.time.clock() + span

    # What falls between two calls of a caller

    def before_next(
        self, method: str, path: str, action: Callable[[RestCall], object], *, count: int | None = 1
    ) -> Hook:
        """Call `action` before the next `count` matching REST calls are done, None for all of them.

        `method` is GET, POST, PUT, DELETE, "WRITE" for all that change something or "ANY"; `path` is a
        regular expression for the whole path below /wp-json/wc/v3, such as r"/products/batch" or
        r"/products/\\d+". The action gets the call (method, path, query, body) and runs in the server's
        thread without the shop's lock, so that it can do all that this class offers:

            shop.before_next("WRITE", "/products/batch", lambda call: shop.place_order([("TEA-50", 1)]))

        lets an order fall between a caller's reading and its writing. The `times` of the hook that is
        given back tell how often it was done; `cancel()` ends it.
        """
        return self._rest_faults.hooks.add(Hook(method, path, count, when="before", action=action))

    def after_next(
        self, method: str, path: str, action: Callable[[RestCall], object], *, count: int | None = 1
    ) -> Hook:
        """Call `action` after the next `count` matching REST calls were done and their answer is written
        down, before the caller sees it: the answer shows the shop as it was before. See `before_next`."""
        return self._rest_faults.hooks.add(Hook(method, path, count, when="after", action=action))

    def before_batch_item(
        self,
        place: int,
        action: Callable[[RestCall], object],
        *,
        path: str = ".*/batch",
        count: int | None = 1,
    ) -> Hook:
        """Call `action` within the next `count` batches, before the item at `place` (from 0, over create,
        update and delete together) is done. See `before_next`."""
        hook = Hook(WRITE, path, count, when="item", action=action, place=place)
        return self._rest_faults.hooks.add(hook)
