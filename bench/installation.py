"""An installation with one company and one live store, made through the product's own functions."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from bench.orders import body_of
from ops_console import wiring
from ops_console.settings import ProcessSettings
from queue_store.catalogue import bind, fold
from queue_store.companies import add_company, add_store, get_company, get_store, set_live
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.settings import set_company_setting, set_store_setting, store_settings
from queue_store.states import ActivityState
from woo_bridge.disposition import order_rules
from woo_bridge.take_orders import take_orders
from woo_bridge.translate_orders import translate_order

COMPANY, STORE = "books", "main"
USER, PASSWORD = "connector", "a password for the Web Connector"
WEBHOOK_SECRET = "a secret between shop and service"
_ORDERS_AT_ONCE = 500
_WHO = "benchmark"


class Installation:
    """A data folder with its database. `close` it before a server works with it for long."""

    def __init__(self, folder: Path, *, log_level: str = "INFO") -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.settings = ProcessSettings(
            data_dir=folder, database_url=f"sqlite:///{folder / 'qbwoo.db'}", log_level=log_level
        )
        self.database: Database = wiring.open_migrated_database(self.settings)

    @property
    def database_file(self) -> Path:
        path = self.settings.database_file
        assert path is not None
        return path

    def set_up(self, **company_settings: str) -> None:
        """The company with a live store; settings by key, "__" standing for the dot."""
        box = wiring.open_box(self.settings)
        with self.database.write() as db:
            company = add_company(
                db, name=COMPANY, flavour="pos", username=USER, password=PASSWORD, company_file=""
            )
            store = add_store(
                db,
                box,
                company=company,
                name=STORE,
                url="https://shop.example",
                consumer_key="ck_bench",
                consumer_secret="cs_bench",
                webhook_secret=WEBHOOK_SECRET,
            )
            for key, value in company_settings.items():
                set_company_setting(db, company, key.replace("__", "."), value, who=_WHO)
            set_store_setting(db, store, "orders.since", "2020-01-01", who=_WHO)
            set_live(db, store, ["orders", "customers"], who=_WHO)

    def take(self, orders: Iterable[Mapping[str, Any]]) -> None:
        """Orders arrive from the shop."""
        waiting: list[Mapping[str, Any]] = []
        for order in orders:
            waiting.append(order)
            if len(waiting) == _ORDERS_AT_ONCE:
                self._take(waiting)
                waiting = []
        self._take(waiting)

    def _take(self, orders: Sequence[Mapping[str, Any]]) -> None:
        if not orders:
            return
        with self.database.write() as db:
            store = get_store(db, STORE)
            rules = order_rules(store, store_settings(db, store))
            take_orders(db, store, rules, [translate_order(body_of(dict(order))) for order in orders])

    def prepare(self) -> None:
        """What the worker does, until there is nothing left to do."""
        work = wiring.Work(self.settings, self.database, wiring.open_box(self.settings), patience=None)
        while work():
            pass

    def wait_until_prepared(self, seconds: float = 60) -> None:
        """Wait for the worker of a server. Raises TimeoutError."""
        ends = time.monotonic() + seconds
        unprepared = select(func.count()).where(
            Activity.state == ActivityState.PENDING, Activity.prepared.is_(None)
        )
        while time.monotonic() < ends:
            with self.database.read() as db:
                if not db.execute(unprepared).scalar_one():
                    return
            time.sleep(0.1)
        raise TimeoutError("The worker did not prepare the orders in time.")

    def know(self, skus: Iterable[str], lines: Iterable[str], emails: Iterable[str]) -> None:
        """QuickBooks' ids of these are known: items by SKU, our own line items by name, customers by e-mail."""
        wanted = [
            *(("item", fold(sku)) for sku in skus),
            *(("line", fold(name)) for name in lines),
            *(("customer", f"email:{fold(email)}") for email in emails),
        ]
        with self.database.write() as db:
            company = get_company(db, COMPANY)
            for place, (kind, key) in enumerate(wanted):
                # Negative and beyond 32 bits, as Point of Sale's ids are.
                list_id = str(-(2**60) - place)
                bind(db, company_id=company.id, kind=kind, key=key, list_id=list_id, source="operator")

    def counts(self) -> dict[tuple[str, str], int]:
        """Activities by kind and state."""
        query = select(Activity.kind, Activity.state, func.count()).group_by(Activity.kind, Activity.state)
        with self.database.read() as db:
            return {(kind, state): count for kind, state, count in db.execute(query)}

    def close(self) -> None:
        self.database.close()
