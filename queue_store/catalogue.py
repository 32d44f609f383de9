"""QuickBooks' items, customers and departments as last read, and what the shop's records are called there."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import bindparam, delete, select, update
from sqlalchemy.orm import Session

from queue_store.erasures import CUSTOMER_WITHOUT_PERSON, erased_among
from queue_store.ids import new_id
from queue_store.models import CatalogueCustomer, CatalogueItem, Lookup, Mapping
from queue_store.prebuilt import Prebuilt
from queue_store.product_payloads import BookItem, decode_book_item
from queue_store.upsert import upsert


def fold(text: str) -> str:
    """How keys are compared: trimmed and case-blind, since nobody types a SKU the same way twice."""
    return text.strip().casefold()


@dataclass(frozen=True, slots=True)
class KnownItem:
    """An item of the catalogue, as far as a look-up needs it."""

    list_id: str
    item_number: str
    alu_key: str
    upc_key: str
    name: str
    item_type: str


@dataclass(frozen=True, slots=True)
class KnownCustomer:
    """A customer of the catalogue, as far as a look-up needs it."""

    list_id: str
    email_key: str
    customer_id_key: str
    first_name: str
    last_name: str
    postcode: str


@dataclass(frozen=True, slots=True)
class AnsweredLookup:
    """A key that QuickBooks was asked for in this session."""

    found: int
    #: Why QuickBooks could not tell: then it is *not* known that it has no such thing.
    problem: str = ""
    #: True: the problem may pass by itself.
    passing: bool = False
    refusals: int = 0


_PERSON = CatalogueCustomer
_CUSTOMERS = select(
    _PERSON.list_id,
    _PERSON.email_key,
    _PERSON.customer_id_key,
    _PERSON.first_name,
    _PERSON.last_name,
    _PERSON.postcode,
).where(_PERSON.company_id == bindparam("company_id"), ~_PERSON.deleted)
_CUSTOMERS_BY_EMAIL = Prebuilt(_CUSTOMERS.where(_PERSON.email_key.in_(bindparam("keys", expanding=True))))
_CUSTOMERS_BY_ID = Prebuilt(_CUSTOMERS.where(_PERSON.customer_id_key.in_(bindparam("keys", expanding=True))))
_MAPPINGS = Prebuilt(
    select(Mapping.store_id, Mapping.kind, Mapping.key, Mapping.list_id).where(
        Mapping.company_id == bindparam("company_id"),
        Mapping.kind.in_(bindparam("kinds", expanding=True)),
        Mapping.key.in_(bindparam("keys", expanding=True)),
    )
)
_ANSWERED = Prebuilt(
    select(Lookup.kind, Lookup.key, Lookup.found, Lookup.problem, Lookup.passing).where(
        Lookup.company_id == bindparam("company_id"),
        Lookup.session_id == bindparam("session_id"),
        Lookup.key.in_(bindparam("keys", expanding=True)),
        Lookup.found >= 0,
    )
)


def store_items(db: Session, rows: Sequence[dict[str, Any]], *, unknown_only: bool = False) -> None:
    """Write what was read of items; `rows` have the columns of CatalogueItem. An older read changes nothing."""
    keys = ("company_id", "list_id")
    upsert(db, CatalogueItem, rows, keys, replace=not unknown_only, newer_by="asked_turn")


def store_customers(db: Session, rows: Sequence[dict[str, Any]], *, unknown_only: bool = False) -> None:
    """Write what was read of customers; `rows` have the columns of CatalogueCustomer.

    Of who was erased, and still is in QuickBooks, no more is kept than which customer it is.
    """
    if rows:
        emails = {row["email_key"] for row in rows if row["email_key"]}
        erased = erased_among(db, rows[0]["company_id"], emails)
        rows = [{**row, **CUSTOMER_WITHOUT_PERSON} if row["email_key"] in erased else row for row in rows]
    upsert(db, CatalogueCustomer, rows, ("company_id", "list_id"), replace=not unknown_only)


def items_by_keys(
    db: Session, company_id: int, keys: Collection[str], fields: Collection[str]
) -> list[KnownItem]:
    """Items that have one of the folded `keys` in one of `fields` ("ALU", "UPC", "ITEMNUMBER")."""
    if not keys:
        return []
    item = CatalogueItem
    column_of = {"ALU": item.alu_key, "UPC": item.upc_key, "ITEMNUMBER": item.item_number}
    columns = (item.list_id, item.item_number, item.alu_key, item.upc_key, item.name, item.item_type)
    found: dict[str, KnownItem] = {}
    # One query per column: an OR over several would scan.
    for column in (column_of[name] for name in fields):
        query = select(*columns).where(item.company_id == company_id, column.in_(keys), ~item.deleted)
        found.update({row.list_id: KnownItem(*row) for row in db.execute(query)})
    return list(found.values())


def items_by_id(db: Session, company_id: int, list_ids: Collection[str]) -> dict[str, KnownItem]:
    """By ListID."""
    if not list_ids:
        return {}
    item = CatalogueItem
    rows = db.execute(
        select(item.list_id, item.item_number, item.alu_key, item.upc_key, item.name, item.item_type).where(
            item.company_id == company_id, item.list_id.in_(list_ids)
        )
    )
    return {row.list_id: KnownItem(*row) for row in rows}


def items_read_in(db: Session, company_id: int, list_ids: Collection[str], turn: int) -> dict[str, BookItem]:
    """Those of these items that were read in the set of this turn, by ListID."""
    if not list_ids:
        return {}
    item = CatalogueItem
    rows = db.execute(
        select(item.list_id, item.content).where(
            item.company_id == company_id,
            item.list_id.in_(list_ids),
            item.asked_turn == turn,
            ~item.deleted,
        )
    )
    return {list_id: decode_book_item(content) for list_id, content in rows}


def customers_by_keys(
    db: Session, company_id: int, emails: Collection[str], customer_ids: Collection[str]
) -> list[KnownCustomer]:
    """Customers with one of these folded e-mail addresses or CustomerIDs."""
    found: dict[str, KnownCustomer] = {}
    for query, keys in ((_CUSTOMERS_BY_EMAIL, emails), (_CUSTOMERS_BY_ID, customer_ids)):
        if keys:
            rows = query.rows(db, {"company_id": company_id, "keys": list(keys)})
            found.update({row.list_id: KnownCustomer(*row) for row in rows})
    return list(found.values())


def forget(db: Session, company_id: int, list_ids: Collection[str]) -> None:
    """QuickBooks no longer knows these: drop their mappings and mark them deleted."""
    if not list_ids:
        return
    db.execute(
        delete(Mapping).where(
            Mapping.company_id == company_id, Mapping.list_id.in_(list_ids), Mapping.source != "operator"
        )
    )
    gone = {"deleted": True}
    for model, values in ((CatalogueItem, {**gone, "wanted": False}), (CatalogueCustomer, gone)):
        db.execute(
            update(model)
            .where(model.company_id == company_id, model.list_id.in_(list_ids))
            .values(**values)
            .execution_options(synchronize_session=False)
        )


def mappings_of(
    db: Session, company_id: int, wanted: Collection[tuple[str, str]]
) -> dict[tuple[int, str, str], str]:
    """ListIDs by (store or 0, kind, key), for `wanted` (kind, key) pairs."""
    if not wanted:
        return {}
    kinds, keys = sorted({kind for kind, _ in wanted}), sorted({key for _, key in wanted})
    rows = _MAPPINGS.rows(db, {"company_id": company_id, "kinds": kinds, "keys": keys})
    return {(row.store_id, row.kind, row.key): row.list_id for row in rows if (row.kind, row.key) in wanted}


def bind(
    db: Session,
    *,
    company_id: int,
    kind: str,
    key: str,
    list_id: str,
    source: str,
    store_id: int = 0,
    label: str = "",
) -> None:
    """Remember what `key` is called in QuickBooks; an operator's word is never overwritten."""
    upsert_rows = [
        {
            "id": new_id(),
            "company_id": company_id,
            "store_id": store_id,
            "kind": kind,
            "key": key,
            "list_id": list_id,
            "label": label[:200],
            "source": source,
            "created_at": datetime.now(UTC),
        }
    ]
    current = db.scalars(
        select(Mapping).where(
            Mapping.company_id == company_id,
            Mapping.store_id == store_id,
            Mapping.kind == kind,
            Mapping.key == key,
        )
    ).first()
    if current is None:
        upsert(db, Mapping, upsert_rows, ("company_id", "store_id", "kind", "key"))
    elif source == "operator" or current.source != "operator":
        current.list_id, current.source, current.label = list_id, source, label[:200]
        db.flush()


def list_mappings(
    db: Session, *, company_id: int | None = None, kind: str | None = None
) -> Sequence[Mapping]:
    """By kind and key."""
    query = select(Mapping).order_by(Mapping.company_id, Mapping.kind, Mapping.key)
    if company_id is not None:
        query = query.where(Mapping.company_id == company_id)
    if kind:
        query = query.where(Mapping.kind == kind)
    return db.scalars(query).all()


def answered_lookups(
    db: Session, company_id: int, session_id: int, wanted: Collection[tuple[str, str]]
) -> dict[tuple[str, str], AnsweredLookup]:
    """Which of the (kind, key) pairs were asked for and answered in this session."""
    if not wanted:
        return {}
    keys = sorted({key for _, key in wanted})
    rows = _ANSWERED.rows(db, {"company_id": company_id, "session_id": session_id, "keys": keys})
    return {(row.kind, row.key): AnsweredLookup(row.found, row.problem, row.passing) for row in rows}


def refusals_of(db: Session, company_id: int, session_id: int, kind: str, key: str) -> int:
    """How often in this session QuickBooks refused a set that asked for nothing but this key."""
    lookup = db.get(Lookup, (company_id, kind, key))
    return lookup.refusals if lookup is not None and lookup.session_id == session_id else 0


def keep_lookups(
    db: Session, company_id: int, session_id: int, answers: dict[tuple[str, str], AnsweredLookup]
) -> None:
    """Remember what this session asked and learnt."""
    now = datetime.now(UTC)
    rows = [
        {
            "company_id": company_id,
            "kind": kind,
            "key": key,
            "session_id": session_id,
            "found": answer.found,
            "problem": answer.problem,
            "passing": answer.passing,
            "refusals": answer.refusals,
            "answered_at": now,
        }
        for (kind, key), answer in answers.items()
    ]
    upsert(db, Lookup, rows, ("company_id", "kind", "key"))


def forget_all_lookups(db: Session, company_id: int) -> None:
    """Nothing that was learnt holds for certain: everything is asked again when it is needed."""
    db.execute(delete(Lookup).where(Lookup.company_id == company_id))


def forget_lookups(db: Session, company_id: int, asked: Collection[tuple[str, str]]) -> None:
    """What was learnt of these keys no longer holds: something may have been added since."""
    if asked:
        db.execute(
            delete(Lookup).where(
                Lookup.company_id == company_id,
                # A key that two kinds share is forgotten for both: it is asked again, and no more.
                Lookup.key.in_({key for _, key in asked}),
            )
        )
