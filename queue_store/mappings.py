"""Mappings that a person makes or takes away; each is audited."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.catalogue import bind, fold, items_by_id
from queue_store.errors import BadSetting, NotFound
from queue_store.models import Company, Mapping
from queue_store.operations import audit

#: What can be mapped, and what its key is.
KINDS = {
    "item": "a SKU of the shop",
    "customer": "an e-mail address, or customer:<id> of a shop account",
    "line": "the name of an item for extra lines, such as Online Shipping",
    "department": "the name of a department",
}


_POS_ID = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def _stored_key(kind: str, key: str) -> str:
    """A bare e-mail address is what people type for a customer."""
    key = fold(key)
    return f"email:{key}" if kind == "customer" and "@" in key and not key.startswith("email:") else key


def set_mapping(
    db: Session, company: Company, *, kind: str, key: str, list_id: str, store_id: int = 0, who: str
) -> Mapping:
    """From now on `key` is `list_id` in QuickBooks; an operator's word is never overwritten. Raises BadSetting."""
    _check_kind(kind)
    key = _stored_key(kind, key)
    if not key or len(key) > 120:
        raise BadSetting("key", f"must have 1 to 120 characters: {KINDS[kind]}.")
    if not _POS_ID.fullmatch(list_id):
        raise BadSetting(
            "list id", f"{list_id!r} is no ListID of Point of Sale: a whole number, often negative."
        )
    before = find_mapping(db, company, kind=kind, key=key, store_id=store_id)
    was = before.list_id if before else ""
    label = ""
    if kind in ("item", "line"):
        known = items_by_id(db, company.id, [list_id]).get(list_id)
        label = known.name if known else ""
    bind(
        db,
        company_id=company.id,
        kind=kind,
        key=key,
        list_id=list_id,
        source="operator",
        store_id=store_id,
        label=label,
    )
    audit(db, company.id, who, f"mapping {kind} {key}", was, list_id)
    found = find_mapping(db, company, kind=kind, key=key, store_id=store_id)
    assert found is not None
    return found


def remove_mapping(
    db: Session, company: Company, *, kind: str, key: str, store_id: int = 0, who: str
) -> None:
    """Forget what `key` is called in QuickBooks: it is looked up again. Raises NotFound, BadSetting."""
    _check_kind(kind)
    found = find_mapping(db, company, kind=kind, key=key, store_id=store_id)
    if found is None:
        raise NotFound(f"{kind} mapping", key, "See: qbwoo mapping list")
    audit(db, company.id, who, f"mapping {kind} {found.key}", found.list_id, "")
    db.delete(found)
    db.flush()


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise BadSetting("kind", f"{kind!r} is not known. Known are: {', '.join(KINDS)}.")


def find_mapping(db: Session, company: Company, *, kind: str, key: str, store_id: int = 0) -> Mapping | None:
    """What `key` is mapped to, for this store (0: for all of them) and no other."""
    return db.scalars(
        select(Mapping).where(
            Mapping.company_id == company.id,
            Mapping.store_id == store_id,
            Mapping.kind == kind,
            Mapping.key == _stored_key(kind, key),
        )
    ).first()
