"""Looking through the whole configuration without changing anything or calling anybody."""

from __future__ import annotations

import stat
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from ops_console import schema, wiring
from ops_console.alerts.channels import Channels, channels_of
from ops_console.errors import ConsoleError
from ops_console.settings import ProcessSettings, unknown_variables
from queue_store.companies import list_companies, list_stores, live_kinds
from queue_store.database import Database
from queue_store.errors import SchemaOutdated, WrongSecretKey
from queue_store.locations import stores_problem
from queue_store.models import Company, Store
from queue_store.quoting import quoted
from queue_store.secrets import SecretBox
from queue_store.sessions import has_worked
from queue_store.settings import company_settings
from queue_store.tasks import open_tasks
from woo_bridge.errors import BadStoreUrl

OK, REMARK, PROBLEM = "ok", "remark", "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at; `state` is OK, REMARK or PROBLEM."""

    what: str
    state: str
    sentence: str


def look_through(settings: ProcessSettings) -> list[Finding]:
    """Everything that can be told from here, in the order in which it would be needed."""
    found = [*_variables(settings), *_folder(settings), *_key(settings)]
    path = settings.database_file
    if path is not None and not path.exists():
        return [*found, Finding("database", PROBLEM, f"There is none at {path} yet. Run: qbwoo db upgrade")]
    database = Database(settings.database_url)
    try:
        found += _database(settings, database)
        if found[-1].state != PROBLEM:
            with database.read() as db:
                found += _rows(settings, db)
    finally:
        database.close()
    return found


def _variables(settings: ProcessSettings) -> Iterator[Finding]:
    for name in unknown_variables():
        yield Finding("settings", REMARK, f"{name} is set, but nothing reads it. Is it misspelt?")
    if settings.public_url is None:
        yield Finding(
            "public address",
            REMARK,
            "QBWOO_PUBLIC_URL is not set: name it to `qwc write` and `store connect`.",
        )
    elif urlsplit(settings.public_url).scheme != "https":
        yield Finding(
            "public address",
            REMARK,
            f"{settings.public_url} is not https, which the Web Connector wants but on its own machine.",
        )
    else:
        yield Finding("public address", OK, settings.public_url)


def _folder(settings: ProcessSettings) -> Iterator[Finding]:
    folder = settings.data_dir
    if not folder.exists():
        yield Finding("data folder", OK, f"{folder} will be made when it is needed.")
    elif not folder.is_dir():
        yield Finding(
            "data folder", PROBLEM, f"{folder} is not a folder. Name another one in QBWOO_DATA_DIR."
        )
    else:
        yield _private("data folder", folder)
    path = settings.database_file
    if path is not None and path.exists():
        yield _private("database file", path)


def _private(what: str, path: Path) -> Finding:
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077 and sys.platform != "win32":
        return Finding(what, REMARK, f"{path} can be read by others (mode {mode:o}). Run: chmod go= {path}")
    return Finding(what, OK, str(path))


def _key(settings: ProcessSettings) -> Iterator[Finding]:
    kept = wiring.key_path(settings)
    if settings.secret_key is not None:
        yield Finding("secret key", OK, "It is set.")
        return
    if kept.exists():
        try:
            wiring.open_box(settings)
        except ConsoleError as error:
            yield Finding("secret key", PROBLEM, str(error))
        else:
            yield _private("secret key", kept)
    else:
        yield Finding("secret key", OK, f"It will be made in {kept}. Keep a copy of it with your backups.")
    if not settings.is_sqlite:
        yield Finding(
            "secret key",
            REMARK,
            "QBWOO_SECRET_KEY is not set. All processes that share a PostgreSQL database need the same key.",
        )


def _database(settings: ProcessSettings, database: Database) -> Iterator[Finding]:
    try:
        schema.ensure_current(database)
    except SchemaOutdated as error:
        yield Finding("database", PROBLEM, str(error))
    except DatabaseError as error:
        yield Finding("database", PROBLEM, str(wiring.unreachable(settings, error)))
    else:
        yield Finding("database", OK, settings.shown_database_url)


def _rows(settings: ProcessSettings, db: Session) -> Iterator[Finding]:
    companies, stores = list_companies(db), list_stores(db)
    if not companies:
        yield Finding("companies", REMARK, "There is none yet. Run: qbwoo company add")
    box: SecretBox | None = None
    channels = channels_of(settings)
    if stores:
        try:
            if settings.secret_key is None and not wiring.key_path(settings).exists():
                raise WrongSecretKey
            box = wiring.open_box(settings)
        except (ConsoleError, WrongSecretKey) as error:
            yield Finding("secret key", PROBLEM, str(error))
    for company in companies:
        own = [store for store in stores if store.company_id == company.id]
        yield from _company(db, company, own, channels)
        for store in own:
            yield _store(settings, store, box)
    tasks = len(open_tasks(db))
    if tasks:
        yield Finding("tasks", REMARK, f"{tasks} wait for you. See: qbwoo task list")


def _company(db: Session, company: Company, stores: list[Store], channels: Channels) -> Iterator[Finding]:
    what = f"company {company.name}"
    settings = company_settings(db, company)
    if settings["documents.stopped"]:
        yield Finding(
            what,
            REMARK,
            "Its documents are stopped. When the cause is mended, run: "
            f"qbwoo company set {quoted(company.name)} documents.stopped false",
        )
    if problem := stores_problem(db, company):
        # While no shop shows stock, nothing can go wrong yet.
        yield Finding(what, PROBLEM if company.tracks_stock else REMARK, problem)
    if not channels.of(settings):
        yield Finding(
            what,
            REMARK,
            "Nobody is told when something is wrong: set QBWOO_ALERT_URL, or a mail server (docs/watching.md).",
        )
    if not stores:
        yield Finding(what, REMARK, "It has no store. Run: qbwoo store add")
    elif not has_worked(db, company.id):
        yield Finding(what, REMARK, "The Web Connector has not worked for it yet.")
    else:
        yield Finding(what, OK, f"{company.flavour}, user {company.username}")


def _store(settings: ProcessSettings, store: Store, box: SecretBox | None) -> Finding:
    from woo_bridge.store_urls import check_store_url

    what = f"store {store.name}"
    try:
        check_store_url(store.url, settings.allow_private_stores)
        if box is not None:
            box.open(store.consumer_secret)
            box.open(store.webhook_secret)
    except (BadStoreUrl, WrongSecretKey) as error:
        return Finding(what, PROBLEM, str(error))
    kinds = sorted(live_kinds(store))
    if not kinds:
        return Finding(what, REMARK, f"It is not live. Run: qbwoo store live {store.name}")
    if store.last_webhook_at is None:
        return Finding(what, REMARK, f"Live, but no webhook has come. Run: qbwoo store check {store.name}")
    return Finding(what, OK, f"live for {', '.join(kinds)}")
