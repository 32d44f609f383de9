"""The reconciliation that each live store gets by itself, once a day."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from sqlalchemy.orm import Session

from queue_store import reconciliations as store_of
from queue_store.models import Company, Store
from queue_store.settings import Settings, company_settings, store_settings
from woo_bridge.job import Found, Job, Keep, Next, Piece, When, counted
from woo_bridge.shop_clock import shop_zone


def _when(db: Session, store: Store, settings: Settings) -> When:
    of_company = company_settings(db, db.get_one(Company, store.company_id))
    return When(hour=of_company["reconcile.hour"] if of_company["reconcile.daily"] else None)


def _step(piece: Piece) -> Keep:
    def keep(db: Session, store: Store, settings: Settings) -> Next:
        period = daily_period(db, store, piece.now)
        if period is None:
            return Next(None)
        store_of.ask(db, store, *period, who="qbwoo", daily=True)
        return Next(None, {"days": (period[1] - period[0]).days + 1})

    return keep


def daily_period(db: Session, store: Store, now: datetime) -> tuple[date, date] | None:
    """First and last day of the daily reconciliation; None: nothing flowed yet on the days that are over."""
    local = now.astimezone(shop_zone(db, store, store_settings(db, store)))
    last = local.date() - timedelta(days=1)
    if store.live_since is None or store.live_since.astimezone(local.tzinfo).date() > last:
        return None
    days: int = company_settings(db, db.get_one(Company, store.company_id))["reconcile.days"]
    return last - timedelta(days=days - 1), last


def _tell(found: Found) -> str:
    if not found.get("days"):
        return "The store went live today: there is no day to reconcile yet."
    return f"Asked for the receipts of the last {counted(found['days'], 'day')}; compared when the Web Connector came."


DAILY = Job(
    name="reconciliation",
    title="Receipts held against the shop's orders",
    when=_when,
    step=_step,
    tell=_tell,
    live=frozenset({"orders"}),
)
