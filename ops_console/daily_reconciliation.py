"""The reconciliation that each live store gets by itself, once a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import msgspec
from sqlalchemy.orm import Session

from queue_store import reconciliations as store_of
from queue_store.companies import list_companies, list_stores, live_kinds
from queue_store.database import Database
from queue_store.models import Company, Store
from queue_store.payloads import Order
from queue_store.settings import company_settings

_order = msgspec.json.Decoder(Order)


def shop_offset(db: Session, store: Store) -> int:
    """Seconds east of UTC of the shop's own clock, as its last order told; 0 before the first."""
    payload = store_of.newest_order_of(db, store)
    if payload is None:
        return 0
    try:
        return _order.decode(payload).utc_offset_seconds
    except msgspec.DecodeError:
        return 0


def ask_daily(database: Database, now: datetime) -> int:
    """Ask for the daily reconciliation of each live store whose hour has come; how many were asked for."""
    asked = 0
    with database.read() as db:
        due = [
            (store.id, since, until)
            for company in list_companies(db)
            for store in list_stores(db, company.id)
            if (found := _daily(db, company, store, now)) is not None
            for since, until in (found,)
        ]
    for store_id, since, until in due:
        with database.write() as db:
            store_of.ask(db, db.get_one(Store, store_id), since, until, who="qbwoo", daily=True)
        asked += 1
    return asked


def _daily(db: Session, company: Company, store: Store, now: datetime) -> tuple[date, date] | None:
    settings = company_settings(db, company)
    if not settings["reconcile.daily"] or "orders" not in live_kinds(store):
        return None
    local = now + timedelta(seconds=shop_offset(db, store))
    begins = local.replace(hour=settings["reconcile.hour"], minute=0, second=0, microsecond=0)
    if local < begins or store_of.was_asked_daily(db, store, now - (local - begins)):
        return None
    last = local.date() - timedelta(days=1)
    if store.live_since is None or (store.live_since + (local - now)).date() > last:
        return None  # Nothing flowed yet on the days that are over.
    return last - timedelta(days=settings["reconcile.days"] - 1), last
