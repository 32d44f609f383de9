"""Calibrations of a company: what was asked for, how far it is, and its report."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.models import Calibration, Company

ASKED, DONE, FAILED = "asked", "done", "failed"


def is_practice(company: Company) -> bool:
    """True if the company's connection string opens practice mode. Source: protocol reference 5.1."""
    parts = [part.partition("=") for part in company.company_file.split(";")]
    said = {key.strip().casefold(): value.strip().casefold() for key, _, value in parts}
    return said.get("practice", "") in ("yes", "true", "1")


def ask(db: Session, company: Company, *, who: str) -> Calibration:
    """Put a calibration into the queue, or give the one that waits already."""
    waiting = next_asked(db, company.id)
    if waiting is not None:
        return waiting
    made = Calibration(company_id=company.id, state=ASKED, asked_by=who)
    db.add(made)
    db.flush()
    return made


def next_asked(db: Session, company_id: int) -> Calibration | None:
    """The one that waits for the Web Connector or is under way."""
    return db.scalars(
        select(Calibration)
        .where(Calibration.company_id == company_id, Calibration.state == ASKED)
        .order_by(Calibration.id)
        .limit(1)
    ).first()


def newest(db: Session, company_id: int) -> Calibration | None:
    """The last one, whatever its state."""
    return db.scalars(
        select(Calibration)
        .where(Calibration.company_id == company_id)
        .order_by(Calibration.id.desc())
        .limit(1)
    ).first()
