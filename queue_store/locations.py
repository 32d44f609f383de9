"""Where the documents of a company count, and where the stock is that its shops sell: they must be the same."""

from __future__ import annotations

from sqlalchemy.orm import Session

from queue_store.models import Company
from queue_store.settings import company_settings


def stores_problem(db: Session, company: Company) -> str:
    """Why the shops must not show the stock of these stores, in a sentence; "" if nothing is wrong.

    Receipts that take from a store that is not sold would never lower what the shops show.
    """
    settings = company_settings(db, company)
    written, sold = settings["documents.store_number"], settings["stock.stores"]
    if written is None or not sold or str(written) in sold:
        return ""
    return (
        f"Receipts go to store {written} (documents.store_number), but the shops sell the stock of store "
        f"{', '.join(sold)} (stock.stores): what they sell would never be taken from it. Add {written} to stock.stores, "
        f"or change documents.store_number: qbwoo company set {company.name!r} documents.store_number {sold[0]}"
    )
