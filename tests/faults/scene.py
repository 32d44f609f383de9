"""What a day of faults is played on: the database, the shop, QuickBooks, two connectors, and what was said so far."""

from __future__ import annotations

import base64
import hmac
import io
import random
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import cast

from ops_sandbox.pos import PosCompanyFile, PosDialect
from qbwc_service.conversation import Conversation
from qbwc_service.exchange import WebConnectorConversation
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.settings import set_company_setting, set_store_setting
from tests.faults.connectors import Connector, World
from tests.faults.rest import ShopWire
from tests.faults.shop import DOCUMENTS, SKUS, Body, Shop
from tests.faults.snapshots import Snapshot
from tests.faults.stage import BOX, Stage
from tests.faults.wire import Wire
from woo_bridge.endpoint import WebhookEndpoint

Known = dict[int, list[Body]]


class Violation(Exception):
    """A promise was broken at once, not only at the end."""


@dataclass(frozen=True)
class Plot:
    """What happens in a day beside orders and refunds."""

    #: The store sends web orders, and receipts fulfil them.
    web_orders: bool = False
    #: The operator undoes receipts, returns and web orders.
    undo: bool = False

    @classmethod
    def of(cls, seed: int) -> Plot:
        """What the day of a seed is about."""
        rng = random.Random(f"plot {seed}")
        return cls(web_orders=rng.random() < 0.5, undo=rng.random() < 0.5)


EVERYTHING = Plot(web_orders=True, undo=True)


class Scene:
    """All that the steps of one day share."""

    def __init__(self, stage: Stage, seed: int, plot: Plot, log: Callable[[str], None]) -> None:
        self.database: Database = stage.database
        self.seed, self.plot, self.log = seed, plot, log
        rng = random.Random(f"day {seed}")
        #: Webhooks that are still on their way.
        self.mail: list[Body] = []
        #: What the service was told last of each order: several where they bear one second.
        self.known: Known = {}
        #: Totals of each order, as the shop had them when its receipt was handed out.
        self.sent: dict[int, set[Decimal]] = {}
        #: The same of web orders.
        self.sent_orders: dict[int, set[Decimal]] = {}
        #: Receipts and sales orders that a person wanted to be undone, by TxnID.
        self.to_undo: set[str] = set()
        #: Orders of which a person undid sales orders, by TxnID.
        self.undone_orders: dict[str, int] = {}
        #: Orders whose sales order a person deleted in QuickBooks, or undid before a backup was put back.
        self.deleted: set[int] = set()
        self.fired: Counter[str] = Counter()
        self.pos_ahead = timedelta(hours=rng.choice((0, 0, 0, -30, 5, 40)))
        self.pos_most_ahead = self.pos_ahead
        self.dialect = replace(
            PosDialect.random(rng),
            negative_line="both",
            several_filters="and",
            empty_company_text="opens_last",
        )
        # Where QuickBooks tells case, two SKUs that differ in nothing else are two items to it.
        skus = SKUS if self.dialect.filter_ignores_case else SKUS[:-1]
        self.shop = Shop(skus, web_orders=plot.web_orders)
        self.pos = PosCompanyFile.create(
            None, dialect=self.dialect, clock=lambda: datetime.now(UTC) + self.pos_ahead
        )
        self.sign = -1 if self.dialect.return_signs == "negative" else 1
        self._furnish(rng)
        self._set(rng)
        self._served = stage.wire
        self.endpoint = WebhookEndpoint(self.database, BOX)
        self.world = World(
            self.serve(WebConnectorConversation(self.database)),
            self.pos,
            self.fired,
            self.log,
            stage.storage,
        )
        self.shop_wire = ShopWire(self.shop, self.world.happens, str(seed))
        self.connectors = [
            Connector(self.world, "A", "192.0.2.1"),
            Connector(self.world, "B", "198.51.100.2"),
        ]
        for connector in self.connectors:
            connector.took_over = self._others_of(connector)  # type: ignore[method-assign]
        self.restored = False
        self.backups: list[tuple[Snapshot, Known]] = []
        self.steps = rng.randrange(50, 121)
        self.refusing = rng.random() < 0.4
        # Such a line is as good as another one but for this: every session lives for one answer.
        self.world.breaks_after = 2 if rng.random() < 0.12 else 0
        #: True once QuickBooks' clock was put back by more than look-back can bridge: what it wrote since
        #: is found by its own mark, and only if it is known that it was sent.
        self.blind = False

    def serve(self, conversation: WebConnectorConversation) -> Conversation:
        """What answers from now on: the conversation itself, or what reaches it over SOAP and HTTP."""
        if self._served is None:
            return conversation
        self._served.serve(conversation, self.endpoint)
        return cast(Conversation, self._served)

    def post_webhook(self, body: bytes, wire: Wire | None = None) -> str:
        """A signed body to the real endpoint, over `wire` where there is one; gives the status of the answer."""
        wire = wire or self._served
        signature = base64.b64encode(hmac.digest(b"whsec", body, "sha256")).decode()
        if wire is not None:
            headers = {
                "Content-Type": "application/json",
                "X-WC-Webhook-Topic": "order.updated",
                "X-WC-Webhook-Signature": signature,
            }
            return wire.post("/webhooks/woocommerce/main", body, headers)
        environ = {
            "REQUEST_METHOD": "POST",
            "PATH_INFO": "/webhooks/woocommerce/main",
            "CONTENT_TYPE": "application/json",
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_X_WC_WEBHOOK_TOPIC": "order.updated",
            "HTTP_X_WC_WEBHOOK_SIGNATURE": signature,
            "wsgi.input": io.BytesIO(body),
        }
        return self.endpoint.answer(environ).status

    def _furnish(self, rng: random.Random) -> None:
        for sku in rng.sample(SKUS[:-1], rng.randrange(3)):
            self.pos.add_item(f"Shelf {sku}", alu=sku, price1=Decimal("9.99"))
        self.pos.add_item("Till thing", alu="TILL", price1=Decimal("1.00"))
        if rng.random() < 0.5:
            # A house that has been at work for long: documents go at once.
            for sku in (*SKUS[:-1], "Online Sales Tax", "Online Shipping", "Online Fee", "Online Item"):
                if sku not in [item.alu for item in self.pos.items()]:
                    self.pos.add_item(f"Known {sku}", alu=sku, price1=Decimal("9.99"))
            for _ in range(rng.randrange(25)):
                self.sell_at_the_till(rng)

    def _set(self, rng: random.Random) -> None:
        settings = {
            "returns.signs": self.dialect.return_signs,
            "pace.start": str(rng.choice((1, 2, 5, 20))),
            "items.missing": rng.choice(("create", "create", "create", "fallback")),
            "pull.items_minutes": str(rng.choice((0, 0, 30))),
            "pull.customers_minutes": str(rng.choice((0, 0, 30))),
        }
        with self.database.write() as db:
            company = get_company(db, "books")
            for key, value in settings.items():
                set_company_setting(db, company, key, value, who="test")
            if self.plot.web_orders:
                set_store_setting(db, get_store(db, "main"), "orders.documents", DOCUMENTS, who="test")

    def sell_at_the_till(self, rng: random.Random) -> None:
        """Receipts that are not ours."""
        till = next(item for item in self.pos.items() if item.alu == "TILL")
        for _ in range(rng.randrange(1, 6)):
            self.pos.sell_in_store([(till.list_id, 1)], comments=rng.choice(("", "W", "WMAIN-", "WMAIN-x/1")))

    def _others_of(self, connector: Connector) -> Callable[[], None]:
        def took_over() -> None:
            # QuickBooks works one set at a time: what another connector had handed over before is
            # executed by now, or never will be.
            for other in self.connectors:
                if other is connector or other.stage not in ("asked", "answered"):
                    continue
                if other.stage == "asked":
                    if self.seed % 2 and other.books is not None:
                        other.execute()
                    else:
                        other.forget()

        return took_over
