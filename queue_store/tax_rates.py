"""What QuickBooks' own tax comes to, as it said last, and which of it stands for the shop's rates."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from queue_store.ids import new_id
from queue_store.models import Company, TaxRate
from queue_store.models import Mapping as MappingRow

#: Kind of the mappings from a shop's tax rates to "category/code".
TAX = "tax"


def store_tax_rates(
    db: Session, company: Company, percents: Mapping[tuple[str, str], Decimal], now: datetime
) -> None:
    """Keep the percents by (category, code) in place of those known.

    `settings_version` is renewed: what was predicted before, or waited to be, is prepared anew.
    """
    forget_tax_rates(db, company)
    db.add_all(
        TaxRate(company_id=company.id, category=category, code=code, percent=percent, read_at=now)
        for (category, code), percent in percents.items()
    )
    company.settings_version = new_id()
    db.flush()


def forget_tax_rates(db: Session, company: Company) -> None:
    """Somebody looked at the company's tax: QuickBooks is asked again before anything is predicted by it."""
    db.execute(delete(TaxRate).where(TaxRate.company_id == company.id))


def tax_rates_of(
    db: Session, company_id: int, *, since: datetime | None = None
) -> dict[tuple[str, str], Decimal] | None:
    """Percent by (category, code); None: QuickBooks was never asked, or not `since` then."""
    query = select(TaxRate.category, TaxRate.code, TaxRate.percent).where(TaxRate.company_id == company_id)
    if since is not None:
        query = query.where(TaxRate.read_at >= since)
    return {(row.category, row.code): row.percent for row in db.execute(query)} or None


def chosen_taxes(db: Session, company_id: int, store_id: int) -> dict[str, tuple[str, str]]:
    """(category, code) by key of the shop, such as "rates:3+4"; a store's own choice before the company's."""
    rows = db.execute(
        select(MappingRow.key, MappingRow.list_id)
        .where(
            MappingRow.company_id == company_id,
            MappingRow.kind == TAX,
            MappingRow.store_id.in_((0, store_id)),
        )
        .order_by(MappingRow.store_id)
    )
    return {row.key: split_pair(row.list_id) for row in rows}


def split_pair(text: str) -> tuple[str, str]:
    """ "Local Sales Tax/Tax" as category and code; ("", "") where it is no such pair."""
    category, slash, code = text.rpartition("/")
    return (category.strip(), code.strip()) if slash else ("", "")
