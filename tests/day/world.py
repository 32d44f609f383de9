"""The world of a day: a company with two stores, two shops that sell its goods, the service, and the wires between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import event, select

from ops_console import going_live, schema
from ops_console.reconciliation import compare_due
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.request_processor import RequestProcessorError
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from qbwc_service.exchange import WebConnectorConversation
from qbwc_service.preparing import prepare_pending
from queue_store.companies import add_company, add_store, get_company, get_store, set_live
from queue_store.database import Database
from queue_store.models import Activity, ShopProduct, Store
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting, set_store_setting
from tests.catching_up import JOBS
from tests.day.clock import WorldClock
from tests.day.ledger import Ledger
from tests.day.plot import Plot
from tests.day.story import Story
from tests.harness import PASSWORD
from tests.money.switches import switches_of
from tests.serving import serving
from woo_bridge.client import ShopClient
from woo_bridge.connect import connect_store
from woo_bridge.endpoint import WebhookEndpoint
from woo_bridge.scheduler import Scheduler
from woo_bridge.worker import Worker

_KEY = "cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw="
LIVE = ("orders", "customers", "products", "stock", "prices")
#: Rounds of the worker, and sets of a session, after which something turns in circles.
_MOST = 400
_OPEN = ("pending", "sent", "delayed", "held", "failed", "waiting")
_SIZES = ("S", "M", "L")


class Broken(Exception):
    """A promise was broken; the message tells which."""


class WireClient(ShopClient):
    """The service's client: its calls take time, and the oracle hears what the shop answers."""

    def __init__(self, world: World, name: str) -> None:
        super().__init__(
            world.shops[name].home_url,
            CONSUMER_KEY,
            CONSUMER_SECRET,
            max_tries=2,
            sleep=lambda seconds: world.clock.drift(world.rng, seconds),
        )
        # As over https; the played shop takes it so with `assume_https`.
        self._api.is_ssl = True
        self._world, self._name = world, name

    def _once(self, call: str, *rest: Any) -> Any:
        world = self._world
        world.clock.drift(world.rng, 0.8)
        world.calls += 1
        answer = super()._once(call, *rest)
        world.story.note(
            f"{world.clock.now:%H:%M:%S} {self._name} {call} {rest[2:]}: {answer.body.decode(errors='replace')}"
        )
        if call.startswith("POST products"):
            world.writes += 1
        world.ledger.heard(self._name, answer.body, world.items[self._name], by_rest=True)
        return answer


@dataclass
class World:
    """All of it. `rng` is for what falls by chance within calls; people have one of their own."""

    plot: Plot
    clock: WorldClock
    database: Database
    story: Story
    pos: PosCompanyFile = field(init=False)
    ledger: Ledger = field(init=False)
    shops: dict[str, Shop] = field(default_factory=dict)
    #: ListIDs by product id, by shop; and by SKU.
    items: dict[str, dict[int, str]] = field(default_factory=lambda: {"north": {}, "south": {}})
    list_ids: dict[str, str] = field(default_factory=dict)
    skus: dict[str, str] = field(default_factory=dict)
    hot: list[str] = field(default_factory=list)
    box: SecretBox = field(default_factory=lambda: SecretBox(_KEY))
    public_url: str = ""
    calls: int = 0
    writes: int = 0
    rng: random.Random = field(init=False)
    fired: dict[str, int] = field(default_factory=dict)
    #: What is to be done after each round of the worker.
    after_pass: Callable[[], None] = lambda: None
    #: Deeds that fall within calls, as long as the day lasts.
    between: Callable[[str], None] = lambda where: None
    is_storm: bool = False
    #: Shops in which nobody changes quantities at this time.
    no_edits: set[str] = field(default_factory=set)
    store_ids: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rng = random.Random(f"wires {self.plot.seed}")
        self.conversation = WebConnectorConversation(self.database)
        self.worker = Worker(self.database, self.box, make_client=lambda store, _box: self.client(store))
        self.scheduler: Scheduler

    def happens(self, what: str, chance: float) -> bool:
        """True, and counted, if it falls so."""
        if not self.is_storm or self.rng.random() >= chance:
            return False
        self.count(what)
        return True

    def count(self, what: str) -> None:
        self.fired[what] = self.fired.get(what, 0) + 1
        self.story.tell(f"{self.clock.now:%H:%M:%S} {what}")

    def client(self, store: Store) -> ShopClient:
        return WireClient(self, store.name)

    # The service at work

    def work(self) -> int:
        """The worker and what runs by itself, until there is nothing to do; gives how much it did."""
        done = 0
        for _ in range(_MOST):
            step = prepare_pending(self.database, 50) + self.worker.run_once()
            self.after_pass()
            step += self.scheduler.run_once()
            step += compare_due(self.database, self.client)
            done += step
            if not step:
                return done
        raise Broken("the worker goes on for ever")

    def deliver(self) -> int:
        """The shops' queues are worked off; gives how many webhooks went out."""
        sent = 0
        for name, shop in self.shops.items():
            for delivery in shop.run_queue():
                sent += 1
                if delivery.outcome == "delivered" and not delivery.is_ping:
                    if delivery.status_code != 200:
                        raise Broken(f"webhook {delivery.topic} was answered {delivery.status_code}")
                    self.story.note(
                        f"{self.clock.now:%H:%M:%S} {name} webhook {delivery.topic}: "
                        f"{delivery.body.decode(errors='replace')}"
                    )
                    self.ledger.heard(name, delivery.body, self.items[name], by_rest=False)
        return sent

    def session(self) -> int:
        """One visit of the Web Connector; gives how many sets it took."""
        conversation, plot = self.conversation, self.plot
        ticket, says, *_ = conversation.authenticate("connector", PASSWORD, "127.0.0.1")
        if says:
            conversation.close_connection(ticket)
            if says != "none":
                raise Broken(f"the Web Connector was told {says!r}")
            return 0
        books = self.pos.begin_session("")
        try:
            for number in range(1, _MOST + 1):
                request = conversation.send_request_xml(ticket, "", "Sandbox Goods", "US", 3, 0)
                if not request:
                    raise Broken(f"the session broke off: {conversation.get_last_error(ticket)}")
                self.clock.drift(self.rng, 3)
                self.between("before a set")
                self.story.note(f"{self.clock.now:%H:%M:%S} set: {request}")
                response, hresult = "", ""
                try:
                    response = books.process(request)
                except RequestProcessorError as error:
                    hresult = error.hresult
                self.clock.drift(self.rng, 3)
                self.between("after a set")
                if self.happens("answer of QuickBooks lost, and its session", plot.lost_answers):
                    return number
                self.ledger.answered(response)
                percent = conversation.receive_response_xml(
                    ticket, response, hresult, hresult and "An error."
                )
                if percent < 0:
                    raise Broken(f"the session was ended: {conversation.get_last_error(ticket)}")
                if percent == 100:
                    conversation.close_connection(ticket)
                    return number
                if self.happens("the worker works between two sets", plot.between_sets):
                    self.work()
            raise Broken("a session goes on for ever")
        finally:
            books.end()

    def busy(self, name: str) -> set[int]:
        """Products of a shop that have work of their own open."""
        with self.database.read() as db:
            rows = db.scalars(
                select(Activity.record_id)
                .where(Activity.kind == "sync_product", Activity.state.in_(_OPEN))
                .where(Activity.store_id == self.store_ids[name])
            )
            return {int(record_id) for record_id in rows}

    def doubts(self, name: str) -> bool:
        """True until what a shop shows was compared anew, after the service was started."""
        with self.database.read() as db:
            doubted = select(ShopProduct.product_id).where(
                ShopProduct.store_id == self.store_ids[name], ShopProduct.doubted_gross.is_not(None)
            )
            return db.scalars(doubted.limit(1)).first() is not None

    def set(self, key: str, value: str, store: str = "") -> None:
        with self.database.write() as db:
            if store:
                set_store_setting(db, get_store(db, store), key, value, who="day")
            else:
                set_company_setting(db, get_company(db, "books"), key, value, who="day")

    def go_live(self, name: str) -> None:
        with self.database.read() as db:
            store = get_store(db, name)
        with self.client(store) as client:
            found = going_live.read_shop(self.database, client, name, LIVE)
        going_live.begin(self.database, name, LIVE, found, (), "day")

    def pause(self, name: str) -> None:
        with self.database.write() as db:
            set_live(db, get_store(db, name), ("orders", "customers"), who="day")

    def new_scheduler(self) -> None:
        self.scheduler = Scheduler(
            self.database, self.box, JOBS, open_client=self.client, public_url=self.public_url
        )


@contextmanager
def make_world(plot: Plot, clock: WorldClock, folder: Path, story: Story) -> Iterator[World]:
    """A world in the morning: everything known on both sides, and nothing to do."""
    database = Database(f"sqlite:///{folder / 'qbwoo.db'}")

    @event.listens_for(database.engine, "connect")
    def hurry(connection: Any, _record: Any) -> None:
        connection.execute("PRAGMA synchronous=OFF")

    schema.upgrade(database)
    with ExitStack() as stack:
        stack.callback(database.close)
        world = World(plot, clock, database, story)
        world.pos = PosCompanyFile.create(None, clock=clock, dialect=plot.dialect)
        stores = tuple(int(one) for one in plot.stores) or world.pos.stores
        world.ledger = Ledger(world.pos, stores, plot.basis == "available")
        port = stack.enter_context(serving(WebhookEndpoint(database, world.box), threads=4))
        world.public_url = f"http://127.0.0.1:{port}"
        for name in ("north", "south"):
            shop = Shop.create(seed=False, clock=clock)
            shop.assume_https = True
            stack.callback(shop.close)
            stack.enter_context(shop.serve())
            world.shops[name] = shop
        _furnish(world)
        _install(world)
        world.ledger.listen()
        _morning(world)
        yield world


def _furnish(world: World) -> None:
    """The same goods on both sides."""
    size, pos = world.plot.size, world.pos
    rng = random.Random(f"goods {world.plot.seed}")
    plain = size.items - size.in_styles

    def shelf() -> dict[int, int]:
        return {1: rng.randrange(1, 14), 2: rng.randrange(0, 6)}

    skus = [f"LOAD-{number:05d}" for number in range(plain)]
    with pos.transaction():
        for number, sku in enumerate(skus):
            price = Decimal(1 + number % 97) + Decimal(number % 100) / 100
            pos.add_item(f"Load item {number}", alu=sku, price1=price, on_hand=shelf())
        for style in range(size.in_styles // 3):
            variants: list[dict[str, Any]] = [
                {"alu": f"STYLE-{style}-{one}", "Size": one, "on_hand": shelf()} for one in _SIZES
            ]
            pos.add_style(f"Shirt {style}", variants, price1=Decimal("19.90"), Attribute="Blue")
    for item in pos.items():
        world.list_ids[item.alu], world.skus[item.list_id] = item.list_id, item.alu
    for name, shop in world.shops.items():
        some = plain if name == "north" else plain * 2 // 3
        shop.add_products(some, stock=0)
        for style in range(size.in_styles // 3):
            shop.add_variable_product(
                f"Shirt {style}",
                {"Size": _SIZES},
                [
                    {"sku": f"STYLE-{style}-{one}", "price": "19.90", "stock": 0, "options": {"Size": one}}
                    for one in _SIZES
                ],
            )
        for product in shop.products():
            if product["sku"] in world.list_ids:
                world.items[name][product["id"]] = world.list_ids[product["sku"]]
        shop.edit_product("LOAD-00001", backorders="notify")
        shop.edit_product("STYLE-1-M", backorders="yes")
    styled = [f"STYLE-{style}-{one}" for style in range(size.in_styles // 3) for one in _SIZES]
    world.hot = ["LOAD-00001", "STYLE-1-M", *rng.sample(skus[: plain * 2 // 3], size.hot * 3 // 4)]
    world.hot += rng.sample(styled, size.hot // 4)


def _install(world: World) -> None:
    plot = world.plot
    with world.database.write() as db:
        company = add_company(
            db, name="books", flavour="pos", username="connector", password=PASSWORD, company_file=""
        )
        # The cheapest hash there is: a day has many sessions.
        company.password_hash = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1).hash(PASSWORD)
        for name, shop in world.shops.items():
            store = add_store(
                db,
                world.box,
                company=company,
                name=name,
                url=shop.home_url,
                consumer_key=CONSUMER_KEY,
                consumer_secret=CONSUMER_SECRET,
                webhook_secret="whsec",
            )
            world.store_ids[name] = store.id
            set_store_setting(db, store, "orders.since", "2020-01-01", who="day")
            if plot.web_orders:
                documents = "on-hold=sales order,processing=sales order,completed=receipt"
                set_store_setting(db, store, "orders.documents", documents, who="day")
            set_live(db, store, ("orders", "customers"), who="day")
    settings = {
        **switches_of(plot.dialect),
        "items.missing": "create",
        "items.fallback": "Online Item",
        "stock.basis": plot.basis,
        "stock.stores": plot.stores,
        "documents.store_number": "1",
        "pull.page": str(plot.page),
        "pace.start": "5",
        "retry.base_seconds": "60",
        "stock.sales_move_modified": "yes" if plot.dialect.sale_moves_item_time_modified else "unknown",
    }
    for key, value in settings.items():
        world.set(key, value)
    world.set("stock.edits", "adjust", "north")
    world.set("stock.share", "50", "south")
    world.set("stock.buffer", "2", "south")
    for name in world.shops:
        with world.database.read() as db:
            store = get_store(db, name)
        with world.client(store) as client:
            report = connect_store(world.database, world.box, name, world.public_url, client)
        if not report.ok:
            raise Broken(f"{report.lines}")
    world.new_scheduler()


def _morning(world: World) -> None:
    """Both shops go live; the first reading and the first filling."""
    for name in world.shops:
        world.go_live(name)
    come_to_rest(world)
    world.clock.forward(minutes=1)


def come_to_rest(world: World, most: int = 40) -> None:
    """Webhooks, worker, Web Connector, until nothing moves any more."""
    for _ in range(most):
        moved = world.deliver() + world.work() + world.session()
        world.clock.forward(seconds=20)
        if not moved:
            return
    raise Broken("the world does not come to rest")


def later(world: World, minutes: float) -> None:
    """Time passes with nobody doing anything."""
    world.clock.now = world.clock.now + timedelta(minutes=minutes)
