"""What a wish for a product comes to now: what is still to be made of it, and what stands in the way.

Computed anew each time from the catalogue, the shop's products as last read
and the settings, so that a wish that is done twice makes nothing twice.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from queue_store.attribute_values import ATTRIBUTE_KEY, SIZE_KEY, AttributeWords
from queue_store.catalogue import KnownItem, fold
from queue_store.companies import live_kinds
from queue_store.departments import department_names
from queue_store.draft_rules import Draft, DraftRules, draft_of, style_sku
from queue_store.matching import items_of_skus
from queue_store.models import CatalogueItem, Company, ShopProduct, Store
from queue_store.models import Mapping as MappingRow
from queue_store.payloads import encode
from queue_store.product_payloads import (
    BookItem,
    CreateProduct,
    ShopAttribute,
    ShopItem,
    decode_book_item,
    decode_shop_item,
)
from queue_store.settings import company_settings, store_settings
from queue_store.shop_products import pieces
from queue_store.showing import Wanted, wanted_of

#: (size, attribute) of a variation, folded.
Choice = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Parent:
    """A variable product that is there."""

    product_id: int
    status: str
    called: str
    attributes: tuple[ShopAttribute, ...]


@dataclass(slots=True)
class DraftPlan:
    """What one wish comes to. Nothing in it: there is nothing to do."""

    #: Simple products, or variations of one variable product, that the shop lacks.
    missing: list[Draft] = field(default_factory=list)
    #: Of a style: the SKU of its variable product, and all its members, which give the values of the attributes.
    parent_sku: str = ""
    members: list[Draft] = field(default_factory=list)
    parent: Parent | None = None
    #: What cannot be made, in sentences.
    problems: list[str] = field(default_factory=list)
    #: True: none of its items is wanted any more.
    is_unwanted: bool = False
    #: True: the style's product is simple; a person has to decide.
    is_simple: bool = False

    @property
    def skus(self) -> list[str]:
        """The SKUs by which the shop is asked whether it has any of it."""
        parent = [self.parent_sku] if self.parent_sku and self.parent is None and self.missing else []
        return [draft.sku for draft in self.missing] + parent


def own_lines(db: Session, company_id: int) -> set[str]:
    """ListIDs of the items for extra lines of documents, which are no goods."""
    rows = select(MappingRow.list_id).where(MappingRow.company_id == company_id, MappingRow.kind == "line")
    return set(db.scalars(rows))


def catalogue_items(
    db: Session, company_id: int, list_ids: Iterable[str], style_keys: Collection[str] = ()
) -> dict[str, tuple[BookItem, str]]:
    """Items with their style keys, by ListID: these, and all of these styles; none that are deleted."""
    found: dict[str, tuple[BookItem, str]] = {}
    item = CatalogueItem
    query = select(item.list_id, item.content, item.style_key).where(
        item.company_id == company_id, ~item.deleted
    )
    for column, keys in ((item.list_id, list_ids), (item.style_key, style_keys)):
        for some in pieces(sorted(set(keys))):
            for row in db.execute(query.where(column.in_(some))):
                found[row.list_id] = (decode_book_item(row.content), row.style_key)
    return found


def plan_drafts(
    db: Session, company: Company, store: Store, wishes: Mapping[int, CreateProduct]
) -> dict[int, DraftPlan]:
    """What each wish comes to; the keys are the caller's own."""
    return _Planning(db, company, store, wishes).plans()


class _Planning:
    def __init__(
        self, db: Session, company: Company, store: Store, wishes: Mapping[int, CreateProduct]
    ) -> None:
        self.db, self.company, self.store, self.wishes = db, company, store, wishes
        self.rules = DraftRules.of(store_settings(db, store), company_settings(db, company))
        self.words = AttributeWords.of(db, store)
        self.departments = department_names(db, company.id)
        self.lines = own_lines(db, company.id)
        styles = {wish.style_key for wish in wishes.values()} - {""}
        self.items = catalogue_items(db, company.id, {wish.list_id for wish in wishes.values()}, styles)
        self.by_style: dict[str, list[BookItem]] = defaultdict(list)
        for item, style_key in self.items.values():
            self.by_style[style_key].append(item)
        self.rows = _rows_of(db, store, self.items)

    def plans(self) -> dict[int, DraftPlan]:
        plans = {key: self._members(wish) for key, wish in self.wishes.items()}
        for key, wish in self.wishes.items():
            if wish.style_key:
                self._place(plans[key], wish.style_key)
        self._refuse(plans.values())
        self._fill(plans.values())
        return plans

    def _members(self, wish: CreateProduct) -> DraftPlan:
        found = self.by_style[wish.style_key] if wish.style_key else []
        if wish.list_id and wish.list_id in self.items:
            found = [self.items[wish.list_id][0]]
        wanted = [item for item in found if self._is_wanted(item, wish)]
        plan = DraftPlan(is_unwanted=not wanted, parent_sku=style_sku(wish.style_key) * bool(wish.style_key))
        for item in sorted(wanted, key=lambda one: (one.item_number.zfill(12), one.list_id)):
            draft = draft_of(
                item,
                self.rules,
                self.departments.get(item.department_list_id, ""),
                size=self.words.word(SIZE_KEY, item.size),
                attribute=self.words.word(ATTRIBUTE_KEY, item.attribute),
            )
            draft = replace(draft, is_ruled=self._is_ruled(item))
            plan.members.append(draft)
            rows = self.rows[item.list_id]
            # What was there once and is gone was taken away by a person, and is not made again.
            if not rows or (item.list_id in wish.by_hand and all(row.gone for row in rows)):
                plan.missing.append(draft)
        return plan

    def _is_wanted(self, item: BookItem, wish: CreateProduct) -> bool:
        if item.list_id in self.lines:
            return False
        return item.list_id in wish.by_hand or self._is_ruled(item)

    def _is_ruled(self, item: BookItem) -> bool:
        return self.rules.wants(item, self.departments.get(item.department_list_id, ""))

    def _place(self, plan: DraftPlan, style_key: str) -> None:
        """Find the variable product that a style's items are in, or why there cannot be one."""
        siblings = [
            row
            for item in self.by_style[style_key]
            for row in self.rows[item.list_id]
            if not row.gone and row.status != "trash"
        ]
        parents = sorted({row.parent_id for row in siblings if row.parent_id})
        if not parents:
            parents = sorted(
                self.db.scalars(
                    select(ShopProduct.product_id).where(
                        ShopProduct.store_id == self.store.id,
                        ShopProduct.sku_key == fold(plan.parent_sku),
                        ShopProduct.parent_id == 0,
                        ~ShopProduct.gone,
                        ShopProduct.status != "trash",
                    )
                )
            )
        if not plan.missing:
            return
        if not parents and siblings:
            plan.is_simple = True
            self._stop(
                plan,
                f"Product {siblings[0].product_id} {siblings[0].sku!r} of store {self.store.name} is a simple product "
                f"and of the same style as {_names(plan.missing)}: a simple product is never turned into a variable "
                "one by itself. Make it variable in the shop, with a variation for each item and its SKU; or set "
                f"products.styles to simple for store {self.store.name}.",
            )
        elif len(parents) > 1:
            numbers = " and ".join(map(str, parents))
            self._stop(
                plan,
                f"The items of the style of {_names(plan.missing)} are variations of several products of store "
                f"{self.store.name}, {numbers}: where it belongs cannot be told. Add it by hand, with the item's SKU.",
            )
        elif parents:
            self._put_into(plan, parents[0])

    def _put_into(self, plan: DraftPlan, parent_id: int) -> None:
        row = self.db.get(ShopProduct, (self.store.id, parent_id))
        if row is None:
            # Not read yet: a variation may be known before its parent is.
            plan.parent = Parent(parent_id, "", f"product {parent_id}", ())
            return
        item = decode_shop_item(row.content)
        if item.type != "variable":
            plan.is_simple = True
            self._stop(
                plan,
                f"{item.called.capitalize()} of store {self.store.name} is of type {item.type}, not variable: "
                f"{_names(plan.missing)} cannot become a variation of it. Change the product's type or its SKU.",
            )
            return
        plan.parent = Parent(parent_id, item.status, item.called, item.attributes)

    def _stop(self, plan: DraftPlan, sentence: str) -> None:
        plan.problems.append(sentence)
        plan.missing.clear()

    def _refuse(self, plans: Iterable[DraftPlan]) -> None:
        """Take out what cannot be made: without a SKU, or with one that another has."""
        plans = list(plans)
        skus = {draft.sku for plan in plans for draft in plan.missing}
        bearers = items_of_skus(self.db, self.store, skus)
        owners = _owners(self.db, self.store, skus)
        for plan in plans:
            taken = {_choice(draft) for draft in plan.members if draft not in plan.missing}
            for draft in list(plan.missing):
                problem = self._problem(draft, bearers.get(fold(draft.sku), []), owners)
                if not problem and plan.parent_sku and _choice(draft) in taken:
                    problem = (
                        f"Item {draft.called} has the size and attribute of another item of its style, "
                        f"{draft.size or 'none'} and {draft.attribute or 'none'}: two variations cannot be the same. Change one of them in "
                        "QuickBooks, or what they are mapped to: qbwoo mapping list --kind attribute"
                    )
                if problem:
                    plan.problems.append(problem)
                    plan.missing.remove(draft)
                taken.add(_choice(draft))

    def _problem(
        self, draft: Draft, bearers: Sequence[KnownItem], owners: Mapping[str, Sequence[ShopProduct]]
    ) -> str:
        if not draft.sku:
            fields = ", ".join(self.rules.keys)
            return (
                f"Item {draft.name!r} has nothing in {fields} (items.keys), so its product would have no SKU: "
                "enter one in QuickBooks."
            )
        ids = {item.list_id for item in bearers}
        if len(ids) > 1:
            return (
                f"SKU {draft.sku!r} is a key of {len(ids)} items in QuickBooks: whose product it is cannot be told. "
                "Give each its own."
            )
        if ids and ids != {draft.list_id}:
            return (
                f"SKU {draft.sku!r} of item {draft.name!r} leads to another item of QuickBooks: give the item another "
                f"one, or take the mapping away: qbwoo mapping remove item {draft.sku}"
            )
        owner = next(iter(owners.get(fold(draft.sku), ())), None)
        if owner is not None:
            return owner.match_problem or (
                f"SKU {draft.sku!r} of item {draft.name!r} is taken in store {self.store.name} by product "
                f"{owner.product_id} {owner.name!r}, which is another item of QuickBooks. Give one of them another SKU."
            )
        return ""

    def _fill(self, plans: Iterable[DraftPlan]) -> None:
        """Tell the stock of what is missing, where it flows."""
        plans = list(plans)
        if "stock" not in live_kinds(self.store):
            return
        drafts = [draft for plan in plans for draft in plan.missing]
        # They stand for the products that are not there yet, and never get into the database.
        rows = [
            ShopProduct(
                store_id=self.store.id,
                product_id=number,
                company_id=self.company.id,
                list_id=draft.list_id,
                sku=draft.sku,
                matched_sku=draft.sku,
                status="draft",
                content=encode(ShopItem(product_id=number, type="simple", status="draft")),
                gone=False,
                held=False,
                retired=False,
            )
            for number, draft in enumerate(drafts, 1)
        ]
        wanted = wanted_of(self.db, self.company, self.store, rows)
        shown = {draft.list_id: wanted.get(number) for number, draft in enumerate(drafts, 1)}
        for plan in plans:
            plan.missing = [_with_stock(draft, shown[draft.list_id]) for draft in plan.missing]


def _with_stock(draft: Draft, wanted: Wanted | None) -> Draft:
    if wanted is None:
        return draft
    return replace(draft, quantity=wanted.quantity, manage_stock=wanted.manage_stock)


def _choice(draft: Draft) -> Choice:
    return fold(draft.size), fold(draft.attribute)


def _names(drafts: Sequence[Draft]) -> str:
    names = [draft.called for draft in drafts]
    return ", ".join(names[:3]) + (f" and {len(names) - 3} more" if len(names) > 3 else "")


def _rows_of(db: Session, store: Store, list_ids: Iterable[str]) -> dict[str, list[ShopProduct]]:
    """The store's products of these items, also those that are gone."""
    found: dict[str, list[ShopProduct]] = defaultdict(list)
    for some in pieces(sorted(list_ids)):
        for row in db.scalars(
            select(ShopProduct).where(
                ShopProduct.company_id == store.company_id,
                ShopProduct.list_id.in_(some),
                ShopProduct.store_id == store.id,
            )
        ):
            found[str(row.list_id)].append(row)
    return found


def _owners(db: Session, store: Store, skus: Iterable[str]) -> dict[str, list[ShopProduct]]:
    """The store's products that bear these SKUs, by folded SKU."""
    found: dict[str, list[ShopProduct]] = defaultdict(list)
    for some in pieces(sorted({fold(sku) for sku in skus} - {""})):
        for row in db.scalars(
            select(ShopProduct)
            .where(
                ShopProduct.store_id == store.id,
                ShopProduct.sku_key.in_(some),
                ~ShopProduct.gone,
                ShopProduct.status != "trash",
            )
            .order_by(ShopProduct.product_id)
        ):
            found[row.sku_key].append(row)
    return found
