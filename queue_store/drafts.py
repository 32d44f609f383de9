"""The wish that a store get a product of an item: one activity for each item, or style, that it lacks.

Kind `create_product`, addressed to the shop; the record is the item's ListID,
or the SKU of the style's variable product. What it is made of is computed when
it is done. A product that a person deleted in the shop is not made again, and
one of ours whose item is gone is never deleted: see `products.when_gone`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.arming import Wish, bring_back, newest_of_records, put_in
from queue_store.companies import live_kinds
from queue_store.departments import department_names
from queue_store.draft_plan import DraftPlan, catalogue_items, own_lines, plan_drafts
from queue_store.draft_rules import Draft, DraftRules, style_sku
from queue_store.matching import ADDED
from queue_store.models import Activity, CatalogueItem, Company, ShopProduct, Store
from queue_store.payloads import encode
from queue_store.product_payloads import BookItem, CreateProduct, RetireProduct, decode_creation
from queue_store.product_sync import ask_store_products
from queue_store.settings import company_settings, store_settings
from queue_store.shop_products import AT_ONCE, pieces
from queue_store.shop_work import ask_shop
from queue_store.states import ActivityState
from queue_store.tasks import close_task, raise_task

CREATE_PRODUCT = "create_product"
RETIRE_PRODUCT = "retire_product"
#: Looks through the whole catalogue: after a go-live, or a change of what is wanted.
FIND_DRAFTS = "find_drafts"
#: Task: a style whose product in the shop is simple.
SIMPLE_STYLE = "simple style"
S = ActivityState
_DONE = (S.SUCCEEDED, S.SUPERSEDED)


@dataclass(frozen=True, slots=True)
class _Wish:
    record_id: str
    payload: CreateProduct
    #: For people.
    reference: str


def makes_drafts(db: Session, store: Store) -> bool:
    """True if products of this store are made from items of QuickBooks."""
    return "products" in live_kinds(store) and store_settings(db, store)["products.from_quickbooks"] != "off"


def exchanges_products(db: Session, store: Store) -> bool:
    """True if products go from QuickBooks to this store, or the other way."""
    if "products" not in live_kinds(store):
        return False
    return makes_drafts(db, store) or bool(store_settings(db, store)["products.to_quickbooks"])


def ask_drafts(db: Session, company: Company, store: Store, list_ids: Collection[str], *, cause: str) -> int:
    """These items were read, or are gone: ask for the products that the store lacks of them; how many.

    A few statements for each 500 items.
    """
    if not makes_drafts(db, store):
        return 0
    rules = DraftRules.of(store_settings(db, store), company_settings(db, company))
    departments, lines = department_names(db, company.id), own_lines(db, company.id)
    asked = 0
    for some in pieces(sorted(list_ids)):
        items = catalogue_items(db, company.id, some)
        wanted = {
            list_id: item
            for list_id, (item, _style) in items.items()
            if list_id not in lines and rules.wants(item, departments.get(item.department_list_id, ""))
        }
        known = _products(db, store, some)
        _see_to_gone(db, store, known, wanted)
        lacking = [item for list_id, item in wanted.items() if list_id not in known]
        wishes = _wishes(lacking, {key: style for key, (_item, style) in items.items()}, rules)
        asked += _arm(db, store, wishes, cause)
    return asked


def ask_all_drafts(
    db: Session, company: Company, store: Store, *, cause: str, after: str = ""
) -> tuple[int, str | None]:
    """A piece of the whole catalogue; how many were asked for, and the ListID to go on after, None at the end."""
    ids = list(
        db.scalars(
            select(CatalogueItem.list_id)
            .where(CatalogueItem.company_id == company.id, CatalogueItem.list_id > after)
            .order_by(CatalogueItem.list_id)
            .limit(AT_ONCE)
        )
    )
    return ask_drafts(db, company, store, ids, cause=cause), ids[-1] if len(ids) == AT_ONCE else None


def ask_to_find_drafts(db: Session, store: Store, *, cause: str) -> None:
    """Have the worker look through the whole catalogue, if the store makes products of it."""
    if makes_drafts(db, store):
        ask_shop(
            db,
            company_id=store.company_id,
            store_id=store.id,
            kind=FIND_DRAFTS,
            record_id="all",
            payload=b"{}",
            reference="all items",
            cause=cause,
        )


@dataclass(frozen=True, slots=True)
class Proposal:
    """What would be made, or was asked for."""

    record_id: str
    #: True: a variable product, with `drafts` as its variations.
    is_style: bool
    drafts: tuple[Draft, ...]
    problems: tuple[str, ...]


def create_products(
    db: Session, company: Company, store: Store, list_ids: Collection[str], *, who: str, dry_run: bool
) -> list[Proposal]:
    """Products of these items by hand, whatever the store's rule says, also of what a person deleted in the shop.

    What the shop has already is left out. With `dry_run` nothing is written: it
    is told what would be made.
    """
    rules = DraftRules.of(store_settings(db, store), company_settings(db, company))
    items = catalogue_items(db, company.id, list_ids)
    styles = {list_id: style for list_id, (_item, style) in items.items()}
    wishes = _wishes([item for item, _style in items.values()], styles, rules, by_hand=True)
    plans = plan_drafts(db, company, store, {number: wish.payload for number, wish in enumerate(wishes)})
    found = [
        Proposal(wish.record_id, bool(wish.payload.style_key), tuple(plan.missing), tuple(plan.problems))
        for wish, plan in zip(wishes, plans.values(), strict=True)
        if plan.missing or plan.problems
    ]
    if not dry_run:
        asked = {one.record_id for one in found if one.drafts}
        _arm(db, store, [wish for wish in wishes if wish.record_id in asked], f"asked for by {who}")
    return found


def tell_of_simple_style(db: Session, store: Store, plan: DraftPlan, activity_id: int) -> None:
    """A style whose product in the shop is simple is a task for a person, until it is not so any more."""
    subject = f"{store.id}:{plan.parent_sku}"
    if plan.is_simple:
        raise_task(
            db,
            company_id=store.company_id,
            kind=SIMPLE_STYLE,
            subject=subject,
            sentence=plan.problems[0],
            activity_id=activity_id,
        )
    else:
        close_task(db, company_id=store.company_id, kind=SIMPLE_STYLE, subject=subject)


def _wishes(
    items: Collection[BookItem], styles: Mapping[str, str], rules: DraftRules, *, by_hand: bool = False
) -> list[_Wish]:
    """One for each item, or style."""
    found: dict[str, _Wish] = {}
    for item in items:
        style_key = styles[item.list_id] if rules.has_styles else ""
        name = item.name or item.description or item.list_id
        record_id = style_sku(style_key) if style_key else item.list_id
        asked: tuple[str, ...] = (item.list_id,) if by_hand else ()
        if record_id in found:
            asked = found[record_id].payload.by_hand + asked
        payload = CreateProduct(list_id="" if style_key else item.list_id, style_key=style_key, by_hand=asked)
        reference = f"style {name}" if style_key else rules.sku(item) or name
        found[record_id] = _Wish(record_id, payload, reference[:120])
    return list(found.values())


def _products(db: Session, store: Store, list_ids: Collection[str]) -> dict[str, list[ShopProduct]]:
    """The store's products of these items, also those that are gone: a person took them away."""
    found: dict[str, list[ShopProduct]] = defaultdict(list)
    rows = db.scalars(
        select(ShopProduct).where(
            ShopProduct.company_id == store.company_id,
            ShopProduct.list_id.in_(list_ids),
            ShopProduct.store_id == store.id,
        )
    )
    for row in rows:
        found[str(row.list_id)].append(row)
    return found


def _see_to_gone(
    db: Session, store: Store, known: Mapping[str, list[ShopProduct]], wanted: Mapping[str, BookItem]
) -> None:
    """Products of ours whose item is gone, or is back; each change is seen to once."""
    changed: list[ShopProduct] = []
    for list_id, rows in known.items():
        for row in rows:
            is_gone = list_id not in wanted
            if row.matched_by == ADDED and not row.gone and row.retired != is_gone:
                row.retired = is_gone
                changed.append(row)
    if not changed:
        return
    db.flush()
    when_gone = store_settings(db, store)["products.when_gone"]
    if when_gone == "draft":
        for row in changed:
            if row.retired:
                ask_shop(
                    db,
                    company_id=store.company_id,
                    store_id=store.id,
                    kind=RETIRE_PRODUCT,
                    record_id=str(row.product_id),
                    payload=encode(RetireProduct(product_id=row.product_id)),
                    reference=f"product {row.product_id} {row.sku}"[:120],
                    cause="its item is gone from QuickBooks, or no longer wanted in this shop",
                )
    elif when_gone == "out_of_stock":
        numbers = [row.product_id for row in changed]
        ask_store_products(db, store, numbers, cause="its item is gone from QuickBooks, or is back")


def _arm(db: Session, store: Store, wishes: Collection[_Wish], cause: str) -> int:
    """Each wish has one activity that is due; what a person holds or cancelled stays so. How many were armed."""
    known = newest_of_records(db, store, CREATE_PRODUCT, [wish.record_id for wish in wishes])
    fresh: list[Wish] = []
    back: list[Wish] = []
    beside = 0
    for wish in wishes:
        activity = known.get(wish.record_id)
        payload = encode(_with_asked(wish.payload, activity))
        made = Wish(wish.record_id, payload, wish.reference, activity)
        if activity is None or activity.state in _DONE:
            fresh.append(made)
        elif activity.state == S.SENT:
            activity.newer_payload = payload
            beside += 1
        elif wish.payload.by_hand or (
            activity.state not in (S.PENDING, S.DELAYED) and activity.reason != "operator"
        ):
            back.append(made)
    bring_back(db, back, cause)
    put_in(db, store, CREATE_PRODUCT, fresh, cause)
    return beside + len(back) + len(fresh)


def _with_asked(wish: CreateProduct, activity: Activity | None) -> CreateProduct:
    """What a person asked for and is not done yet stays asked for."""
    if activity is None or activity.state in (*_DONE, S.CANCELLED):
        return wish
    before = decode_creation(activity.newer_payload or activity.payload).by_hand
    return msgspec.structs.replace(wish, by_hand=tuple(dict.fromkeys(before + wish.by_hand)))
