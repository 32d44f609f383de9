"""A played shop that posts to our real endpoint, schedules that read it again, and one clock for both.

Time is what the test says. The shop's own clock may run ahead of ours. The key
travels as over https: OAuth over http would ask for the real hour.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from ops_console.daily_reconciliation import DAILY
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store import schedules
from queue_store.companies import add_company, add_store, get_store, list_companies, set_live
from queue_store.database import Database
from queue_store.models import Activity, Schedule, Store
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting, set_store_setting
from queue_store.tasks import open_tasks
from tests.serving import serving
from woo_bridge.catch_up_customers import CATCH_UP_CUSTOMERS
from woo_bridge.catch_up_deleted import CATCH_UP_DELETED
from woo_bridge.catch_up_orders import CATCH_UP_ORDERS
from woo_bridge.catch_up_products import CATCH_UP_PRODUCTS, COMPARISON
from woo_bridge.catch_up_refunds import CATCH_UP_REFUNDS
from woo_bridge.client import ShopClient
from woo_bridge.close_stock import CLOSING
from woo_bridge.connect import connect_store
from woo_bridge.endpoint import WebhookEndpoint
from woo_bridge.job import Job
from woo_bridge.scheduler import Scheduler
from woo_bridge.webhook_watch import WEBHOOK_WATCH
from woo_bridge.worker import Worker

JOBS = (
    *(CATCH_UP_ORDERS, WEBHOOK_WATCH, CATCH_UP_REFUNDS, CATCH_UP_DELETED, CATCH_UP_CUSTOMERS),
    *(CATCH_UP_PRODUCTS, COMPARISON, CLOSING, DAILY),
)


class HeardClient(ShopClient):
    """Keeps what was asked of the shop, and lets something happen before each answer comes."""

    def __init__(self, url: str, calls: list[str], before_answer: Callable[[str], None]) -> None:
        super().__init__(url, CONSUMER_KEY, CONSUMER_SECRET, max_tries=1)
        # As over https; the played shop takes it so with `assume_https`.
        self._api.is_ssl = True
        self.calls, self.before_answer = calls, before_answer

    def _once(self, call: str, *rest: Any) -> Any:
        self.calls.append(call)
        answer = super()._once(call, *rest)
        self.before_answer(call)
        return answer


@dataclass
class Rig:
    """The shop, the service's shop side, and what a test needs to see of them."""

    database: Database
    box: SecretBox
    shop: Shop
    public_url: str
    sku: str
    now: datetime = field(default_factory=lambda: datetime.now(UTC).replace(microsecond=0))
    #: How far the shop's clock runs before ours.
    shop_ahead: timedelta = timedelta(0)
    calls: list[str] = field(default_factory=list)
    before_answer: Callable[[str], None] = lambda call: None

    def pass_time(self, **time: float) -> None:
        self.now += timedelta(**time)

    def open_client(self, store: Store | None = None) -> ShopClient:
        return HeardClient(self.shop.home_url, self.calls, lambda call: self.before_answer(call))

    def scheduler(self, jobs: Sequence[Job] = JOBS, *, public_url: str | None = "") -> Scheduler:
        return Scheduler(
            self.database,
            self.box,
            jobs,
            open_client=self.open_client,
            public_url=self.public_url if public_url == "" else public_url,
            now=lambda: self.now,
        )

    def run(self, scheduler: Scheduler, *, most: int = 200) -> None:
        """Do what is due now, all of it, and what the worker was asked for by it."""
        for _ in range(most):
            if not scheduler.run_once():
                break
        else:
            raise AssertionError("it never comes to an end")
        self.work()

    def work(self) -> None:
        worker = Worker(
            self.database,
            self.box,
            make_client=lambda store, _box: self.open_client(store),
            now=lambda: self.now,
        )
        for _ in range(50):
            if not worker.run_once():
                return
        raise AssertionError("the worker never comes to an end")

    def read_again(self, *names: str) -> list[str]:
        """Run these now, by hand; what each of them said."""
        scheduler = self.scheduler()
        said: list[str] = []
        for name in names:
            *_, last = scheduler.run_now(name, "main")
            assert not last.failed, last.sentence
            said.append(last.sentence)
        self.work()
        return said

    def connect(self) -> None:
        with self.open_client() as client:
            report = connect_store(self.database, self.box, "main", self.public_url, client)
        assert report.ok, report.lines

    def order(self, *, sku: str = "", quantity: int = 1, **fields: Any) -> dict[str, Any]:
        return self.shop.place_order([(sku or self.sku, quantity)], **fields)

    def live(self, *kinds: str) -> None:
        with self.database.write() as db:
            set_live(db, get_store(db, "main"), kinds, who="test")

    def set(self, key: str, value: str) -> None:
        with self.database.write() as db:
            if key.startswith("reconcile."):
                set_company_setting(db, list_companies(db)[0], key, value, who="test")
            else:
                set_store_setting(db, get_store(db, "main"), key, value, who="test")

    def store(self) -> Store:
        with self.database.read() as db:
            return get_store(db, "main")

    def schedule(self, name: str) -> Schedule:
        with self.database.read() as db:
            found = schedules.find_schedule(db, get_store(db, "main"), name)
        assert found is not None
        return found

    def activities(self, kind: str = "sale") -> list[Activity]:
        with self.database.read() as db:
            return db.query(Activity).where(Activity.kind == kind).order_by(Activity.id).all()

    def states(self, kind: str = "sale") -> dict[str, str]:
        """By record, the newest generation's."""
        return {one.record_id: one.state for one in self.activities(kind)}

    def tasks(self) -> list[str]:
        with self.database.read() as db:
            return [task.kind for task in open_tasks(db)]


@contextmanager
def make_rig(database: Database, box: SecretBox, *, shop_ahead: timedelta = timedelta(0)) -> Iterator[Rig]:
    """A store "main", live for orders and customers from now on, in an empty shop."""
    rig: Rig
    shop = Shop.create(seed=False, clock=lambda: rig.now + rig.shop_ahead)
    shop.assume_https = True
    with serving(WebhookEndpoint(database, box), threads=4) as port, shop.serve():
        rig = Rig(database, box, shop, f"http://127.0.0.1:{port}", "", shop_ahead=shop_ahead)
        rig.sku = shop.add_products(1)[0]
        with database.write() as db:
            company = add_company(db, name="books", flavour="pos", username="connector", password="secret")
            store = add_store(
                db,
                box,
                company=company,
                name="main",
                url=shop.home_url,
                consumer_key=CONSUMER_KEY,
                consumer_secret=CONSUMER_SECRET,
                webhook_secret="whsec",
            )
            set_live(db, store, ("orders", "customers"), who="test")
            store.live_since = rig.now + shop_ahead
        yield rig
        shop.close()
