"""What QuickBooks' departments are called: items tell no more of theirs than its ListID and its code."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from queue_store.catalogue import bind, fold
from queue_store.models import Mapping as MappingRow

DEPARTMENT = "department"


def department_names(db: Session, company_id: int) -> dict[str, str]:
    """Names of departments by ListID, as far as they are known."""
    rows = db.execute(
        select(MappingRow.list_id, MappingRow.label).where(
            MappingRow.company_id == company_id, MappingRow.kind == DEPARTMENT, MappingRow.label != ""
        )
    )
    return {row.list_id: row.label for row in rows}


def keep_departments(db: Session, company_id: int, names: Mapping[str, str]) -> bool:
    """What departments are called now, by ListID; True if one has a name that was not known.

    A name that several have is left out: it would lead to any of them.
    """
    known = department_names(db, company_id)
    times = Counter(fold(name) for name in names.values())
    news = {
        list_id: name
        for list_id, name in names.items()
        if name and times[fold(name)] == 1 and known.get(list_id) != name
    }
    for list_id, name in news.items():
        db.execute(
            delete(MappingRow).where(
                MappingRow.company_id == company_id,
                MappingRow.kind == DEPARTMENT,
                MappingRow.list_id == list_id,
                MappingRow.key != fold(name),
                MappingRow.source != "operator",
            )
        )
        bind(
            db,
            company_id=company_id,
            kind=DEPARTMENT,
            key=fold(name)[:120],
            list_id=list_id,
            source="matched",
            label=name,
        )
    # A person's mapping stays, and says no name of its own.
    for row in db.scalars(
        select(MappingRow).where(
            MappingRow.company_id == company_id, MappingRow.kind == DEPARTMENT, MappingRow.label == ""
        )
    ):
        row.label = names.get(row.list_id, "")[:200]
    db.flush()
    return department_names(db, company_id) != known


def department_keys(db: Session, company_id: int) -> dict[str, str]:
    """ListIDs of departments by folded name, and by whatever a person mapped to one."""
    rows = db.execute(
        select(MappingRow.key, MappingRow.list_id).where(
            MappingRow.company_id == company_id, MappingRow.kind == DEPARTMENT, MappingRow.store_id == 0
        )
    )
    return {row.key: row.list_id for row in rows}
