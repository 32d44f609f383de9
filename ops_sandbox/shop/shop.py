"""The played shop as tests, demos and operators hold it."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from ops_sandbox.shop import load, orders, products, refunds, shares, webhooks
from ops_sandbox.shop.app import RestFaults, ShopApp
from ops_sandbox.shop.checkout import Basket, check_out, product_by_sku
from ops_sandbox.shop.dates import Clock, SiteTime, system_clock
from ops_sandbox.shop.deliveries import Delivery, DeliveryFaults, DeliveryRun
from ops_sandbox.shop.errors import NoSuchRecord
from ops_sandbox.shop.order_view import order_body, refund_body
from ops_sandbox.shop.product_view import product_body
from ops_sandbox.shop.seed import plant_records, plant_rules
from ops_sandbox.shop.server import RunningShop
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.store import Store
from ops_sandbox.shop.wire import Doc, money

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

CONSUMER_KEY = "ck_sandbox0000000000000000000000000000000000"
CONSUMER_SECRET = "cs_sandbox0000000000000000000000000000000000"  # noqa: S105 - of a played shop


class Shop:
    """A WooCommerce shop with real state, real HTTP and faults to order. Make one with `Shop.create`."""

    def __init__(self, site: Site) -> None:
        self.site = site
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
    def home_url(self) -> str:
        """Where the shop believes it is; OAuth requests are signed over it."""
        return self.site.home_url

    @home_url.setter
    def home_url(self, url: str) -> None:
        self.site.home_url = url.rstrip("/")

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
        if self.down:
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

    def reorder_deliveries(self, rng: random.Random | None) -> None:
        """Shuffle every run of the queue with `rng`; None ends it."""
        self._delivery_faults.reorder = rng

    def answer_next_with(self, status: int, count: int = 1, *, retry_after_seconds: int = 1) -> None:
        """Answer the next `count` REST requests with `status`; 429 and 503 carry Retry-After."""
        self._rest_faults.status = status
        self._rest_faults.answer_next = count
        self._rest_faults.retry_after_seconds = retry_after_seconds

    def lose_next_answers(self, method: str, count: int = 1) -> None:
        """Do what the next `count` REST requests of `method` ask for, and answer them with 504."""
        self._rest_faults.lose_method = method
        self._rest_faults.lose_next = count

    @property
    def down(self) -> bool:
        """Every request is answered with 503, and the queue stands still."""
        return self._rest_faults.down

    @down.setter
    def down(self, value: bool) -> None:
        self._rest_faults.down = value

    # What people do in the shop

    def place_order(
        self,
        items: Sequence[tuple[str, int]],
        email: str = "shopper@example.net",
        *,
        paid: bool = True,
        payment_method: str = "stripe",
        coupon: str | None = None,
        shipping: Decimal | None = None,
        customer_id: int = 0,
        new_account: bool = False,
        billing: Doc | None = None,
        ship_to: Doc | None = None,
        currency: str = "USD",
        customer_note: str = "",
        transaction_id: str = "",
        meta: Doc | None = None,
        created_via: str = "store-api",
    ) -> Doc:
        """A shopper's order of (SKU, quantity) items, see `checkout.Basket`. Gives the order's REST body."""
        basket = Basket(
            items=items,
            email=email,
            paid=paid,
            payment_method=payment_method,
            coupon=coupon,
            shipping=shipping,
            customer_id=customer_id,
            new_account=new_account,
            billing=billing or {},
            ship_to=ship_to,
            currency=currency,
            customer_note=customer_note,
            transaction_id=transaction_id,
            meta=meta or {},
            created_via=created_via,
        )
        with self.site.store.transaction():
            return order_body(self.site, check_out(self.site, basket), self.home_url)

    def set_status(self, order_id: int, status: str) -> Doc:
        """Move an order to a status, as on the admin page. Gives its body."""
        with self.site.store.transaction():
            order = self._order(order_id)
            orders.set_status(self.site, order, status)
            return order_body(self.site, order, self.home_url)

    def touch_order(self, order_id: int) -> Doc:
        """Re-save an order as it is: its date moves and order.updated is queued. Gives its body."""
        with self.site.store.transaction():
            order = self._order(order_id)
            orders.touch(self.site, order)
            return order_body(self.site, order, self.home_url)

    def trash_order(self, order_id: int) -> None:
        """To the trash: order.deleted."""
        with self.site.store.transaction():
            orders.trash_order(self.site, self._order(order_id))

    def untrash_order(self, order_id: int) -> None:
        """Out of the trash by the admin page's Restore link: order.restored."""
        with self.site.store.transaction():
            orders.untrash_order(self.site, self._order(order_id))

    def untrash_product(self, product_id: int) -> None:
        """Out of the trash by the admin page's Restore link."""
        with self.site.store.transaction():
            products.untrash_product(self.site, products.find_product(self.site, product_id))

    def refund(
        self,
        order_id: int,
        *,
        amount: Decimal | str | None = None,
        items: Iterable[tuple[str, int]] | None = None,
        reason: str = "",
        restock: bool = True,
    ) -> Doc:
        """Refund an amount, or (SKU, quantity) items with their share of tax; neither means all that is left.

        All that is left of an order without refunds goes line by line, shipping
        included. Gives the refund's body.
        """
        with self.site.store.transaction():
            order = self._order(order_id)
            body: Doc = {"reason": reason, "api_refund": False, "api_restock": restock}
            if amount is not None:
                body["amount"] = str(amount)
            elif items is not None:
                body["line_items"] = [
                    shares.share(self.site, order, sku, quantity) for sku, quantity in items
                ]
            else:
                left = Decimal(order["total"]) - refunds.refunded_so_far(self.site, order)
                body["amount"] = money(left)
                if not order["_refund_ids"]:
                    body["line_items"] = [
                        shares.whole(line)
                        for kind in ("line_items", "shipping_lines", "fee_lines")
                        for line in order[kind]
                    ]
            refund = refunds.create_refund(self.site, order, body)
            return refund_body(self.site, refund, self.home_url)

    def set_stock(self, sku: str, quantity: int) -> None:
        """Another plugin sets the stock: product.updated."""
        with self.site.store.transaction():
            products.set_stock_by_plugin(self.site, product_by_sku(self.site, sku), quantity)

    def write_stock_to_database(self, sku: str, quantity: int) -> None:
        """An importer writes past WooCommerce: no webhook, no newer date, but REST shows the number."""
        with self.site.store.transaction():
            product = product_by_sku(self.site, sku)
            product["stock_quantity"] = quantity
            self.site.store.save("products", product)

    def orders(self) -> list[Doc]:
        """All orders' bodies by id, the trashed too."""
        with self.site.store.transaction():
            table = self.site.table("orders")
            return [order_body(self.site, table[key], self.home_url) for key in sorted(table)]

    def products(self) -> list[Doc]:
        """All products' bodies by id, variations among them."""
        with self.site.store.transaction():
            table = self.site.table("products")
            return [product_body(self.site, table[key], self.home_url) for key in sorted(table)]

    def product_by_sku(self, sku: str) -> Doc:
        """A product's or variation's body. Raises `NoSuchRecord`."""
        with self.site.store.transaction():
            return product_body(self.site, product_by_sku(self.site, sku), self.home_url)

    # Load

    def add_products(self, count: int, *, prefix: str = "LOAD", stock: int = 1_000_000) -> list[str]:
        """`count` published products with managed stock. Gives their SKUs."""
        with self.site.store.transaction():
            return load.add_products(self.site, count, prefix, stock)

    def add_customers(self, count: int, *, domain: str = "load.example") -> list[int]:
        """`count` registered customers in San Francisco. Gives their ids."""
        with self.site.store.transaction():
            return load.add_customers(self.site, count, domain)

    def _order(self, order_id: int) -> Doc:
        order = self.site.table("orders").get(order_id)
        if order is None:
            raise NoSuchRecord("order", order_id)
        return order
