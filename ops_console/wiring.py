"""Where settings become parts: the database, the box of secrets, the two services."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy.exc import DatabaseError, OperationalError

from ops_console import schema, wsgi
from ops_console.aside import Aside
from ops_console.errors import NotDone, SettingsProblem
from ops_console.proxies import TrustedProxies
from ops_console.settings import ProcessSettings
from queue_store.companies import list_stores
from queue_store.database import Database, is_damaged
from queue_store.errors import SchemaOutdated
from queue_store.secrets import SecretBox

if TYPE_CHECKING:
    from wsgiref.types import WSGIApplication

    from ops_console.working import WorkLoop
    from queue_store.models import Store
    from woo_bridge.client import ShopClient
    from woo_bridge.reach import Reach
    from woo_bridge.scheduler import Scheduler

KEY_FILE = "secret.key"
#: Documents that one round of the worker makes ready.
PREPARED_AT_ONCE = 5
#: How long the round of one shop may hold up the others, in seconds.
PATIENCE = 1.0
#: How long a stop waits for calls of shops that are still out, in seconds.
LAST_WAIT = 30.0


def make_data_dir(settings: ProcessSettings) -> Path:
    """The data folder, made if need be, for this user alone. Raises NotDone."""
    try:
        settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise NotDone(
            f"The data folder {settings.data_dir} cannot be made: {error.strerror}. "
            "Name another one in QBWOO_DATA_DIR."
        ) from error
    return settings.data_dir


def open_database(settings: ProcessSettings) -> Database:
    """The database, whatever its revision; an SQLite file is made if need be. Raises NotDone."""
    path = settings.database_file
    if path is not None:
        make_data_dir(settings)
        try:
            # SQLite's own default would let every user of the machine read it.
            os.close(os.open(path, os.O_CREAT | os.O_RDWR, 0o600))
        except OSError as error:
            raise NotDone(
                f"The database {path} cannot be opened: {error.strerror}. Check QBWOO_DATABASE_URL."
            ) from error
    return Database(settings.database_url)


def open_current_database(settings: ProcessSettings) -> Database:
    """The database at the revision that this version needs; an empty SQLite file is brought there.

    Raises NotDone, SchemaOutdated.
    """
    database = open_database(settings)
    try:
        if database.is_sqlite and schema.revision(database) is None:
            schema.upgrade(database)
        schema.ensure_current(database)
    except DatabaseError as error:
        database.close()
        raise unreachable(settings, error) from error
    return database


def unreachable(settings: ProcessSettings, error: DatabaseError) -> NotDone:
    """The sentence for a database that does not answer, or is none. Raises `error` if it is neither."""
    if is_damaged(error):
        return NotDone(
            f"{settings.shown_database_url} cannot be read as a database: {error.orig}. "
            "Check QBWOO_DATABASE_URL, or restore a backup."
        )
    if not isinstance(error, OperationalError):
        raise error
    reason = str(error.orig).strip().splitlines()[0] if error.orig else "no reason given"
    return NotDone(
        f"The database {settings.shown_database_url} cannot be reached: {reason}. "
        "Check that it runs, and QBWOO_DATABASE_URL."
    )


def open_box(settings: ProcessSettings) -> SecretBox:
    """What encrypts secrets, by the key that is set, else by one kept in the data folder.

    Raises NotDone, SettingsProblem.
    """
    if settings.secret_key:
        return SecretBox(settings.secret_key)
    return SecretBox(_kept_key(settings), read_again=lambda: _kept_key(settings))


def key_path(settings: ProcessSettings) -> Path:
    """Where the key is kept when none is set."""
    return settings.data_dir / KEY_FILE


def _kept_key(settings: ProcessSettings) -> str:
    path = key_path(settings)
    make_data_dir(settings)
    try:
        # Written whole under another name, then linked: of two processes that start at once
        # one wins, and the other reads what the first wrote.
        fresh = path.with_name(f"{path.name}.{os.getpid()}")
        if not path.exists():
            file = os.open(fresh, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
            with os.fdopen(file, "w", encoding="ascii") as stream:
                stream.write(SecretBox.new_key() + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            try:
                os.link(fresh, path)
            except FileExistsError:
                pass
            finally:
                fresh.unlink()
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise NotDone(
            f"The key {path} cannot be read or made: {error}. Set QBWOO_SECRET_KEY, or mend the file."
        ) from error
    try:
        SecretBox(key)
    except ValueError as error:
        raise SettingsProblem(
            [f"{path}: holds no key; expected 32 random bytes in URL-safe base 64 (44 characters)."]
        ) from error
    return key


def open_migrated_database(settings: ProcessSettings) -> Database:
    """The database, brought to the newest revision. Raises NotDone, SchemaOutdated."""
    database = open_database(settings)
    try:
        schema.upgrade(database)
        schema.ensure_current(database)
    except DatabaseError as error:
        database.close()
        raise unreachable(settings, error) from error
    except SchemaOutdated:
        database.close()
        raise
    return database


@dataclass(frozen=True, slots=True)
class Parts:
    """The service, put together."""

    app: WSGIApplication
    #: To be called when nothing is asked any more.
    finish: Callable[[], None]


def build(
    settings: ProcessSettings, database: Database, box: SecretBox, loop: WorkLoop | None = None
) -> Parts:
    """Put both sides together around one database; `loop` is the worker beside them, None: there is none here."""
    # Here and not above: no command but `serve` needs Spyne and the rest.
    from ops_console.readiness import Readiness
    from qbwc_service.exchange import WebConnectorConversation
    from qbwc_service.guard import Guard
    from qbwc_service.soap import make_soap_app
    from qbwc_service.support import make_support_app
    from qbwc_service.wsdl import service_wsdl
    from woo_bridge.endpoint import WebhookEndpoint

    conversation = WebConnectorConversation(database)
    conversation.start()
    service_url = settings.public_url and settings.public_url + wsgi.SOAP_PATH
    endpoint = WebhookEndpoint(database, box)
    site = wsgi.Site(
        webhooks=endpoint,
        paths={
            wsgi.SOAP_PATH: Guard(make_soap_app(conversation), wsdl=service_wsdl, public_url=service_url),
            wsgi.SUPPORT_PATH: make_support_app(),
        },
        pages=wsgi.Pages(database, Readiness(settings, box, loop).look, metrics_token=settings.metrics_token),
    )
    return Parts(
        app=TrustedProxies(site, settings.trusted_proxies),
        finish=endpoint.flush,
    )


class Work:
    """The rounds of the worker: called again and again, each call gives how much was done.

    Each shop's activities go on beside the others', and so do each shop's
    schedules: a shop that hangs holds up nothing but its own.
    """

    def __init__(
        self,
        settings: ProcessSettings,
        database: Database,
        box: SecretBox,
        *,
        patience: float | None = PATIENCE,
    ) -> None:
        """`patience` in seconds; None: each round waits until all of it is done."""
        from ops_console.alerts.channels import channels_of
        from ops_console.alerts.rounds import AlertRounds
        from ops_console.reconciliation import compare_due
        from woo_bridge.reach import Reach
        from woo_bridge.worker import Worker

        open_client = make_open_client(settings, box)
        reach = Reach()
        self._scheduler = make_scheduler(settings, database, box, reach)
        self._database, self._patience = database, patience
        self._worker = Worker(database, box, make_client=lambda store, _box: open_client(store), reach=reach)
        self._comparing = Aside(lambda: compare_due(database, open_client), patience=patience)
        # Beside all else: a mail server that hangs holds up nothing but the other messages.
        self._alerts = Aside(AlertRounds(database, channels_of(settings)).run_once, patience=patience)
        self._of_shops: dict[int, Aside] = {}
        self._by_schedule: dict[int, Aside] = {}

    def __call__(self) -> int:
        from qbwc_service.preparing import prepare_pending

        done = prepare_pending(self._database, PREPARED_AT_ONCE)
        with self._database.read() as db:
            store_ids = [store.id for store in list_stores(db)]
        for number in store_ids:
            done += self._beside(self._of_shops, number, self._worker.run_once)
        # One that is at work and not due any more may have ended, and says so.
        for number in sorted({*self._scheduler.due_stores(), *self._at_work()}):
            done += self._beside(self._by_schedule, number, self._scheduler.run_once)
        return done + self._comparing.run_once() + self._alerts.run_once()

    def _beside(self, lanes: dict[int, Aside], number: int, work: Callable[[int], int]) -> int:
        """Go on with what is one shop's, which may take longer than this round."""
        if number not in lanes:
            lanes[number] = Aside(partial(work, number), patience=self._patience)
        return lanes[number].run_once()

    def _at_work(self) -> list[int]:
        return [number for number, lane in self._by_schedule.items() if lane.is_begun]

    def wait(self, seconds: float) -> None:
        """Wait for what is still at work, so long at most."""
        until = time.monotonic() + seconds
        for one in (self._comparing, self._alerts, *self._by_schedule.values(), *self._of_shops.values()):
            one.wait(max(0.0, until - time.monotonic()))


def make_scheduler(
    settings: ProcessSettings, database: Database, box: SecretBox, reach: Reach | None = None
) -> Scheduler:
    """What runs by itself, all of it; `reach` is shared with the worker beside it."""
    from ops_console.daily_reconciliation import DAILY
    from woo_bridge.catch_up_customers import CATCH_UP_CUSTOMERS
    from woo_bridge.catch_up_deleted import CATCH_UP_DELETED
    from woo_bridge.catch_up_orders import CATCH_UP_ORDERS
    from woo_bridge.catch_up_products import CATCH_UP_PRODUCTS, COMPARISON
    from woo_bridge.catch_up_refunds import CATCH_UP_REFUNDS
    from woo_bridge.close_stock import CLOSING
    from woo_bridge.privacy import PRIVACY
    from woo_bridge.scheduler import Scheduler
    from woo_bridge.webhook_watch import WEBHOOK_WATCH

    jobs = (
        CATCH_UP_ORDERS,
        WEBHOOK_WATCH,
        CATCH_UP_REFUNDS,
        CATCH_UP_DELETED,
        CATCH_UP_CUSTOMERS,
        CATCH_UP_PRODUCTS,
        COMPARISON,
        CLOSING,
        DAILY,
        PRIVACY,
    )
    return Scheduler(
        database,
        box,
        jobs,
        open_client=make_open_client(settings, box),
        public_url=settings.public_url,
        reach=reach,
    )


def make_open_client(settings: ProcessSettings, box: SecretBox) -> Callable[[Store], ShopClient]:
    """A client of a store, after a look at where its URL leads now. Raises BadStoreUrl, WrongSecretKey."""
    from woo_bridge.store_urls import check_store_url
    from woo_bridge.worker import open_client

    def opened(store: Store) -> ShopClient:
        check_store_url(store.url, settings.allow_private_stores)
        return open_client(store, box, only_public=not settings.allow_private_stores)

    return opened
