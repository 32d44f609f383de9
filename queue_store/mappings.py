"""Mappings that a person makes or takes away; each is audited."""

from __future__ import annotations

import re

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.attribute_values import ATTRIBUTE
from queue_store.catalogue import bind, fold, items_by_id
from queue_store.errors import BadSetting, NotFound
from queue_store.ids import new_id
from queue_store.models import Company, Mapping, Store
from queue_store.operations import audit
from queue_store.product_mappings import BY_SKU_KINDS, PRODUCT, skus_mapped_anew
from queue_store.showing import LOCATION
from queue_store.tax_rates import TAX, split_pair, tax_rates_of

CATEGORY = "category"
#: What can be mapped, and what its key is.
KINDS = {
    "item": "a SKU of the shop",
    "customer": "an e-mail address, or customer:<id> of a shop account",
    "line": "the name of an item for extra lines, such as Online Shipping",
    "department": "the name of a department",
    PRODUCT: "the id of a product or variation of a shop, with --store",
    LOCATION: "a SKU whose stock counts in other locations (stores) of QuickBooks; its value such as 1+2",
    CATEGORY: "what stands for a category in QuickBooks, such as department:shoes or web:running shoes; its value is "
    "the id of the shop's category, or 0 for none",
    ATTRIBUTE: "a size or attribute of QuickBooks, such as size:xl or attribute:wine; its value is the shop's word",
    TAX: "tax rates of the shop by id, such as rates:3+4, or a tax class, such as class:reduced-rate",
}
_WORD_KEY = re.compile(r"(size|attribute):.+", re.DOTALL)
_CATEGORY_KEY = re.compile(r"(department|web):.+", re.DOTALL)
_TAX_KEY = re.compile(r"rates:[0-9]+(\+[0-9]+)*|class:[^:]+", re.ASCII)


_POS_ID = re.compile(r"-?[0-9]{1,19}", re.ASCII)


def stored_key(kind: str, key: str) -> str:
    """A bare e-mail address is what people type for a customer."""
    key = fold(key)
    if kind == TAX and key.startswith("rates:"):
        # However they are typed, a set of rates has one name.
        ids = sorted({int(one) for one in key.removeprefix("rates:").split("+") if one.isdecimal()})
        return f"rates:{'+'.join(map(str, ids))}"
    return f"email:{key}" if kind == "customer" and "@" in key and not key.startswith("email:") else key


def set_mapping(
    db: Session, company: Company, *, kind: str, key: str, list_id: str, store_id: int = 0, who: str
) -> Mapping:
    """From now on `key` is `list_id` in QuickBooks; an operator's word is never overwritten. Raises BadSetting."""
    _check_kind(kind)
    key = stored_key(kind, key)
    if not key or len(key) > 120:
        raise BadSetting("key", f"must have 1 to 120 characters: {KINDS[kind]}.")
    check_value(db, company, kind, key, list_id)
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
    _outdate(company, kind)
    db.flush()
    if kind in BY_SKU_KINDS:
        skus_mapped_anew(db, company.id, kind, [key])
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
    _outdate(company, kind)
    db.flush()
    if kind in BY_SKU_KINDS:
        skus_mapped_anew(db, company.id, kind, [found.key])


def check_value(db: Session, company: Company, kind: str, key: str, value: str) -> None:
    """Raises BadSetting if `key`, as it is stored, cannot be called `value`."""
    if kind == LOCATION:
        if store_numbers(value) is None:
            raise BadSetting("value", f"{value!r} does not fit; expected {KINDS[LOCATION]}.")
        return
    if kind == ATTRIBUTE:
        if not _WORD_KEY.fullmatch(key) or not 1 <= len(value.strip()) <= 36:
            raise BadSetting("value", f"{key!r}, {value!r} does not fit; expected {KINDS[ATTRIBUTE]}.")
        return
    if kind == CATEGORY:
        if not _CATEGORY_KEY.fullmatch(key) or not re.fullmatch(r"[0-9]{1,15}", value, re.ASCII):
            raise BadSetting("value", f"{key!r}, {value!r} does not fit; expected {KINDS[CATEGORY]}.")
        return
    if kind != TAX:
        if not _POS_ID.fullmatch(value):
            raise BadSetting(
                "list id", f"{value!r} is no ListID of Point of Sale: a whole number, often negative."
            )
        return
    if not _TAX_KEY.fullmatch(key):
        raise BadSetting("key", f"{key!r} does not fit; expected {KINDS[TAX]}.")
    pair = split_pair(value)
    if not (pair[0] and len(pair[0]) <= 20 and pair[1] and len(pair[1]) <= 3):
        raise BadSetting(
            "value",
            f"{value!r} does not fit; expected CATEGORY/CODE as in Point of Sale, such as Local Sales Tax/Tax.",
        )
    known = tax_rates_of(db, company.id)
    if known is not None and pair not in known:
        pairs = ", ".join(f"{category}/{code}" for category, code in sorted(known))
        raise BadSetting("value", f"{value!r} is not in QuickBooks. It has: {pairs}.")


def store_numbers(value: str) -> tuple[str, ...] | None:
    """Numbers of locations from "1+2"; None if it is none."""
    numbers = tuple(value.split("+"))
    return numbers if all(re.fullmatch(r"[1-9][0-9]?", one, re.ASCII) for one in numbers) else None


def _outdate(company: Company, kind: str) -> None:
    """Receipts are predicted with the tax mappings: what is prepared is prepared anew."""
    if kind == TAX:
        company.settings_version = new_id()


def _check_kind(kind: str) -> None:
    if kind not in KINDS:
        raise BadSetting("kind", f"{kind!r} is not known. Known are: {', '.join(KINDS)}.")


def category_mappings(db: Session, store: Store) -> dict[str, int]:
    """Ids of the shop's categories, 0 for none, by key such as "department:shoes"; the store's own go first."""
    rows = db.execute(
        select(Mapping.store_id, Mapping.key, Mapping.list_id).where(
            Mapping.company_id == store.company_id,
            Mapping.kind == CATEGORY,
            Mapping.store_id.in_((0, store.id)),
        )
    )
    found = sorted((row.store_id, row.key, row.list_id) for row in rows)
    return {key: int(number) for _store_id, key, number in found}


def find_mapping(db: Session, company: Company, *, kind: str, key: str, store_id: int = 0) -> Mapping | None:
    """What `key` is mapped to, for this store (0: for all of them) and no other."""
    return db.scalars(
        select(Mapping).where(
            Mapping.company_id == company.id,
            Mapping.store_id == store_id,
            Mapping.kind == kind,
            Mapping.key == stored_key(kind, key),
        )
    ).first()
