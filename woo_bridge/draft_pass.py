"""One pass over wishes for products of one shop: look for the SKUs, make what is missing, look again in doubt.

A lost answer, a worker that died and a database restored from a backup are one
case: whatever the shop has under a SKU is bound and never made again, and a
SKU cannot be there twice. What is still missing is computed anew after each
step from what is known by then.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy.orm import Session

from queue_store.catalogue import fold
from queue_store.companies import live_kinds
from queue_store.draft_plan import DraftPlan, plan_drafts
from queue_store.draft_rules import DraftRules
from queue_store.drafts import tell_of_simple_style
from queue_store.mappings import category_mappings
from queue_store.matching import ADDED, BY_SKU, bind_product, match_products
from queue_store.models import Company, Store
from queue_store.product_payloads import CreateProduct, ShopItem
from queue_store.product_sync import ask_store_products
from queue_store.settings import company_settings, store_settings
from queue_store.shop_products import keep_products, products_of
from woo_bridge.draft_bodies import more_attributes, variation_body
from woo_bridge.draft_calls import (
    NotMade,
    attributes_of,
    create_in_batch,
    find_skus,
    read_product,
    set_attributes,
)
from woo_bridge.draft_terms import ShopTerms
from woo_bridge.drafts_wanted import Wanted, called_style, hundreds, parent, simple
from woo_bridge.errors import ShopError, ShopUnreachable, Untranslatable
from woo_bridge.kinds.kind import Again, Done, Dropped, Ended, Refused, Tools
from woo_bridge.read_products import refuse_product
from woo_bridge.translate_products import translate_product

#: Nothing is made later than this after the claim, which ends after ten minutes.
_LONGEST = timedelta(minutes=5)
#: Calls in a row that come to nothing before the shop is taken to be down.
_STRIKES = 2
_NOT_LIVE = "The store is not live for products: nothing is made."
_SKU_TAKEN = "product_invalid_sku"


class DraftPass:
    """One pass over some wishes of one store; `run` says how each of them ended."""

    def __init__(self, tools: Tools, wishes: Mapping[int, CreateProduct]) -> None:
        self._database, self._client, self._store_id = tools.database, tools.client, tools.store_id
        self._now: Callable[[], datetime] = tools.now
        self._until = tools.now() + _LONGEST
        self._wishes = wishes
        self._ended: dict[int, Ended] = {}
        self._plans: dict[int, DraftPlan] = {}
        #: What was refused, in sentences, and how many were made, by wish.
        self._refusals: dict[int, list[str]] = {}
        self._made: dict[int, int] = {}
        self._terms = ShopTerms(self._client)
        self._strikes = 0
        #: JSON of variable products, as they were read or made in this pass.
        self._parents: dict[int, bytes] = {}

    def run(self) -> Mapping[int, Ended]:
        """How each wish ended; what a lost connection left open bears its error."""
        try:
            self._work()
        except ShopError as error:
            for wish in self._open():
                self._ended[wish] = error
        return self._ended

    def _work(self) -> None:
        self._plan()
        self._look([sku for wish in self._open() for sku in self._plans[wish].skus])
        self._plan()
        self._make_products()
        self._plan()
        self._make_variations()
        self._plan()
        self._settle()

    # -- what is missing

    def _plan(self) -> None:
        """Compute what is still missing of the wishes that are open."""
        with self._database.read() as db:
            store = db.get_one(Store, self._store_id)
            company = db.get_one(Company, store.company_id)
            self._rules = DraftRules.of(store_settings(db, store), company_settings(db, company))
            self._terms.rule(category_mappings(db, store), makes_new=self._rules.new_categories)
            is_live = "products" in live_kinds(store)
            plans = plan_drafts(db, company, store, {wish: self._wishes[wish] for wish in self._open()})
        for wish, plan in plans.items():
            self._plans[wish] = plan
            if not is_live:
                self._ended[wish] = Dropped(_NOT_LIVE)
            elif plan.is_unwanted:
                self._ended[wish] = Dropped(
                    "Its item is gone from QuickBooks, or no longer wanted in this shop."
                )

    def _look(self, skus: Sequence[str]) -> None:
        """Bind whatever the shop has under these SKUs."""
        self._keep(list(find_skus(self._client, skus)))

    def _keep(self, bodies: Sequence[bytes]) -> None:
        items: list[ShopItem] = []
        unreadable: list[tuple[bytes, Untranslatable]] = []
        for body in bodies:
            try:
                items.append(translate_product(body))
            except Untranslatable as problem:
                # The others are no worse for it; its own SKU is refused by the shop when it is to be made.
                unreadable.append((body, problem))

        def keep(db: Session) -> None:
            store = db.get_one(Store, self._store_id)
            for body, problem in unreadable:
                refuse_product(db, store, "reading", body, problem)
            keep_products(db, store, items, read_now=True)
            match_products(db, store, [item.product_id for item in items])

        if items or unreadable:
            self._database.write_again(keep)

    # -- making

    def _make_products(self) -> None:
        """Simple products, and the variable products of styles, up to 100 in a call."""
        wanted: list[Wanted] = []
        for wish in self._open():
            plan, rules, terms = self._plans[wish], self._rules, self._terms
            if plan.parent_sku:
                if plan.missing and plan.parent is None:
                    wanted += self._body(wish, "", called_style(plan), partial(parent, plan, rules, terms))
            else:
                for draft in plan.missing:
                    make = partial(simple, draft, rules, terms)
                    wanted += self._body(wish, draft.list_id, draft.called, make)
        for some in hundreds(wanted):
            if self._is_time_up([one.wish for one in some]):
                continue
            self._create(0, some)

    def _make_variations(self) -> None:
        for wish in self._open():
            plan = self._plans[wish]
            if not plan.missing or plan.parent is None or self._is_time_up([wish]):
                continue
            self._fill(wish, plan, plan.parent.product_id)

    def _fill(self, wish: int, plan: DraftPlan, parent_id: int) -> None:
        """Make what is missing of one variable product."""
        body = self._parents.get(parent_id) or read_product(self._client, parent_id)
        if body is None:
            self._ended[wish] = Again(f"product {parent_id} is gone from the shop")
            return
        parent = self._read(wish, body)
        if parent is None:
            return
        try:
            more = more_attributes(attributes_of(body), plan.members, self._rules)
        except ValueError as lacking:
            self._refuse(
                wish,
                f"{parent.called.capitalize()} has no attribute {str(lacking)!r} for its variations, which "
                f"{plan.missing[0].called} needs. Give it that attribute in the shop, or set products.size_name or "
                "products.attribute_name to the name that it has there.",
            )
            return
        if more is not None:
            body = set_attributes(self._client, parent_id, more)
            parent = self._read(wish, body) or parent
            self._keep([body])
        # What a person has published gains nothing that the person has not seen.
        status = "private" if parent.status == "publish" else "publish"
        wanted: list[Wanted] = []
        for draft in plan.missing:
            wanted += self._body(
                wish,
                draft.list_id,
                draft.called,
                lambda d=draft: variation_body(d, self._rules, status, parent.attributes),  # type: ignore[misc]
            )
        for some in hundreds(wanted):
            self._create(parent_id, some)

    def _create(self, parent_id: int, wanted: Sequence[Wanted]) -> None:
        """One batch; each of it is settled by itself, and looked for where its answer is not clear."""
        try:
            answers = create_in_batch(self._client, parent_id, [one.body for one in wanted])
            self._strikes = 0
        except ShopError as error:
            self._strikes += 1
            if self._strikes >= _STRIKES:
                raise
            if isinstance(error, ShopUnreachable) and error.may_have_arrived:
                # The shop may have made some of them: bound now, if it can be asked, else when they are done again.
                self._look([str(one.body["sku"]) for one in wanted])
                self._plan()
            for one in wanted:
                plan = self._plans[one.wish]
                is_there = not plan.missing if one.list_id else plan.parent is not None
                if not is_there:
                    self._ended.setdefault(one.wish, error)
            return
        made: list[tuple[Wanted, bytes]] = []
        owners: dict[int, Wanted] = {}
        for one, answer in zip(wanted, answers, strict=True):
            if answer is None:
                self._ended[one.wish] = Again(
                    "the shop's answer does not say what became of it; it is looked for"
                )
            elif isinstance(answer, NotMade):
                if answer.code == _SKU_TAKEN and answer.owner is not None:
                    owners[answer.owner] = one
                else:
                    words = f"{answer.message.rstrip('.')} ({answer.code})"
                    self._refuse(one.wish, f"The shop refused a product for {one.called}: {words}.")
            else:
                made.append((one, answer))
        self._keep_made(made)
        self._bind_owners(owners)

    def _keep_made(self, made: Sequence[tuple[Wanted, bytes]]) -> None:
        items: dict[int, tuple[Wanted, bytes]] = {}
        for one, body in made:
            item = self._read(one.wish, body)
            if item is not None:
                items[item.product_id] = (one, body)
        for number, (one, body) in items.items():
            self._made[one.wish] = self._made.get(one.wish, 0) + bool(one.list_id)
            if not one.list_id:
                self._parents[number] = body
        self._keep([body for _one, body in made])

        def bind(db: Session) -> None:
            store = db.get_one(Store, self._store_id)
            rows = products_of(db, store.id, [number for number, (one, _) in items.items() if one.list_id])
            for number, row in rows.items():
                one = items[number][0]
                if row.list_id != one.list_id:
                    bind_product(db, row, one.list_id, ADDED if "meta_data" in one.body else BY_SKU)
                if row.agreed_gross is None and row.manage_stock == "yes":
                    # Nobody can have ordered it yet: both sides agree from the beginning.
                    row.agreed_gross = row.quantity
            db.flush()
            ask_store_products(db, store, list(rows), cause="made in the shop")

        if items:
            self._database.write_again(bind)

    def _bind_owners(self, owners: Mapping[int, Wanted]) -> None:
        """A SKU that was taken when it was to be made: whoever has it is read, and bound if it is free."""
        for number, one in owners.items():
            body = read_product(self._client, number)
            item = self._read(one.wish, body) if body is not None else None
            sku = str(one.body["sku"])
            if (
                body is not None
                and item is not None
                and fold(item.sku) == fold(sku)
                and item.status != "trash"
            ):
                self._keep([body])
                continue
            self._refuse(
                one.wish,
                f"The shop refused a product for {one.called}: its SKU {sku!r} belongs to product {number}, which does not "
                "show it. Look at that product in the shop, and in its trash.",
            )

    def _read(self, wish: int, body: bytes) -> ShopItem | None:
        """What the shop answered; None: it cannot be read, which ends the wish with a sentence."""
        try:
            return translate_product(body)
        except Untranslatable as problem:
            self._refuse(wish, f"{problem} Mend it in the shop, and save it there.")
            return None

    # -- bodies

    def _body(
        self, wish: int, list_id: str, called: str, make: Callable[[], Mapping[str, Any]]
    ) -> list[Wanted]:
        try:
            return [Wanted(wish, list_id, called, make())]
        except ValueError as problem:
            self._refuse(wish, f"No product is made for {called}: {problem}.")
            return []

    # -- the end

    def _settle(self) -> None:
        self._database.write_again(self._settle_in)

    def _settle_in(self, db: Session) -> None:
        store = db.get_one(Store, self._store_id)
        for wish, plan in self._plans.items():
            if plan.parent_sku and (plan.is_simple or wish not in self._ended):
                tell_of_simple_style(db, store, plan, wish)
        for wish in self._open():
            self._ended[wish] = self._end(wish)

    def _end(self, wish: int) -> Ended:
        plan = self._plans[wish]
        problems = [*plan.problems, *self._refusals.get(wish, ())]
        if problems:
            return Refused(" ".join(dict.fromkeys(problems)))
        if plan.missing:
            return Again("something of it is still missing")
        made = self._made.get(wish, 0)
        return Done(f"made {made} of {len(plan.members)}" if made else "the shop has it")

    # -- small things

    def _open(self) -> list[int]:
        return [wish for wish in self._wishes if wish not in self._ended]

    def _refuse(self, wish: int, sentence: str) -> None:
        self._refusals.setdefault(wish, []).append(sentence)

    def _is_time_up(self, wishes: Sequence[int]) -> bool:
        if self._now() <= self._until:
            return False
        for wish in wishes:
            self._ended.setdefault(wish, Again("the shop is slow; the rest is done next"))
        return True
