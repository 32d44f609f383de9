"""One pass over products of one shop: read, write what differs, read again.

Orders go on falling while we work, and an absolute quantity overwrites those
that fell between our reading and our writing. So the orders are read before
the products and again after the writing; where what they took has changed in
between, the product is done again at once. What an order took is known by
itself, so that nothing is ever added to a quantity.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING, Any

from queue_store.allocation import gross_takings
from queue_store.companies import live_kinds
from queue_store.currencies import decimals_of
from queue_store.limits import Limits, divide, told
from queue_store.matching import match_products
from queue_store.models import Company, Store
from queue_store.product_payloads import ShopChange, ShopItem, SyncProduct, decode_shop_item
from queue_store.product_sync import LIMIT
from queue_store.settings import company_settings, store_settings
from queue_store.shop_products import forget_agreement, keep_products, mark_gone, products_of
from queue_store.showing import Wanted, change_of, wanted_of
from queue_store.takings import keeps_takings
from queue_store.tasks import close_tasks
from woo_bridge.errors import ShopError, Untranslatable
from woo_bridge.kinds.kind import Again, Done, Dropped, Ended, Refused, Tools
from woo_bridge.orders_since import read_changed_orders
from woo_bridge.product_calls import ItemRefused, body_of, hundreds, read_products, write_products
from woo_bridge.product_ends import held, left_alone, not_taken, subject_of
from woo_bridge.shop_edits import edits_of, send_edit
from woo_bridge.translate_products import translate_answer, translate_product

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

#: How often a product is done again at once when orders fall in between.
_ROUNDS = 3
#: Nothing is written later than this after the claim, which ends after ten minutes.
_LONGEST = timedelta(minutes=5)
_NOT_LIVE = "The store is not live for stock or prices: nothing is written."


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one product needs, as it stood when it was computed."""

    item: ShopItem
    wanted: Wanted
    change: ShopChange
    #: True: its gross is the agreed one, or it has none.
    is_agreed: bool


class ProductPass:
    """One pass over some products of one store; `run` says how each of them ended."""

    def __init__(
        self, tools: Tools, payloads: Mapping[int, SyncProduct], activity_ids: Mapping[int, int]
    ) -> None:
        """All by product id."""
        self._database, self._client, self._store_id = tools.database, tools.client, tools.store_id
        self._now, self._until = tools.now, tools.now() + _LONGEST
        self._payloads, self._activity_ids = payloads, activity_ids
        self._ended: dict[int, Ended] = {}
        #: What orders had taken when they were read last.
        self._taken: dict[int, Decimal] = {}
        self._plans: dict[int, _Plan] = {}
        #: Products that this pass has written, and what it wrote.
        self._written: dict[int, ShopChange] = {}

    def run(self) -> Mapping[int, Ended]:
        """How each product ended; what a lost connection left open bears its error."""
        if not self._is_live():
            return {number: Dropped(_NOT_LIVE) for number in self._payloads}
        try:
            self._work()
        except ShopError as error:
            for number in self._open(self._payloads):
                self._ended[number] = error
        return self._ended

    def _work(self) -> None:
        todo: set[int] = set(self._payloads)
        self._read_orders(todo)
        for _ in range(_ROUNDS):
            self._read(todo)
            self._look_for_edits(todo)
            todo = self._open(todo)
            self._plan(todo)
            is_written = self._write(todo)
            todo = self._open(todo)
            moved: set[int] = set()
            if is_written or any(not self._plans[number].is_agreed for number in todo):
                moved = self._read_orders(todo)
            self._settle(todo - moved)
            todo = moved
            if not todo:
                return
        for number in todo:
            self._ended[number] = Again("orders of it go on falling; it is done again")

    # -- reading

    def _read_orders(self, numbers: Collection[int]) -> set[int]:
        """Take in what changed; those of which orders took, or gave back, since that was done before."""
        with self._database.read() as db:
            has_takings = keeps_takings(db.get_one(Store, self._store_id))
        if has_takings:
            # Where prices alone go to the shop no order changes what is written.
            read_changed_orders(self._database, self._client, self._store_id)
        with self._database.read() as db:
            taken = gross_takings(db, self._store_id, numbers)
        moved = {number for number in numbers if self._taken.get(number, taken[number]) != taken[number]}
        self._taken.update(taken)
        return moved

    def _read(self, numbers: Collection[int]) -> None:
        """Read the products as they stand now; those that cannot be read, or are gone, end here."""
        if not numbers:
            return
        with self._database.read() as db:
            rows = products_of(db, self._store_id, numbers)
        known = {number: decode_shop_item(row.content) for number, row in rows.items()}
        parents = {number: known[number].parent_id if number in known else 0 for number in numbers}
        items: list[ShopItem] = []
        gone: list[int] = []
        for number, body in read_products(self._client, parents):
            if body is None:
                gone.append(number)
                self._ended[number] = Done("the shop has no such product any more")
                continue
            try:
                items.append(translate_product(body, known=known.get(number), parent_id=parents[number]))
            except Untranslatable as problem:
                self._ended[number] = Refused(f"{problem} Mend it in the shop, and save it there.")

        def keep(db: Session) -> None:
            store = db.get_one(Store, self._store_id)
            mark_gone(db, store, gone)
            keep_products(db, store, items, read_now=True)
            match_products(db, store, [item.product_id for item in items])

        self._database.write_again(keep)

    # -- a person's edits

    def _look_for_edits(self, numbers: Collection[int]) -> None:
        """Quantities that a person changed in the shop go to QuickBooks, where the store says so."""
        seen = self._edits({number for number in self._open(numbers) if self._is_of_stock(number)})
        if not seen:
            return
        # Orders leave the gross alone only if all of them are known: it must still stand at a second reading.
        self._read_orders(seen)
        self._read(seen)
        for number, difference in self._edits(self._open(seen)).items():
            if seen[number] != difference:
                continue
            sent = self._database.write_again(partial(send_edit, self._store_id, number, difference))
            self._taken[number] -= difference if sent else 0

    def _edits(self, numbers: Collection[int]) -> dict[int, Decimal]:
        with self._database.read() as db:
            return edits_of(db, db.get_one(Store, self._store_id), numbers, self._taken)

    # -- what is to be written

    def _plan(self, numbers: Collection[int]) -> None:
        with self._database.read() as db:
            store = db.get_one(Store, self._store_id)
            company = db.get_one(Company, store.company_id)
            limits = Limits.of(store_settings(db, store))
            rows = products_of(db, store.id, numbers)
            wanted = wanted_of(db, company, store, rows.values())
            is_live = _flows(store)
        for number in numbers:
            row = rows.get(number)
            if not is_live:
                self._ended[number] = Dropped(_NOT_LIVE)
                continue
            if row is None or number not in wanted:
                self._ended[number] = left_alone(row)
                continue
            item = decode_shop_item(row.content)
            payload = self._payloads[number]
            change, _ = divide(item, change_of(item, wanted[number]), limits, payload.approved)
            change = change.of_kind(payload.only)
            there = item.quantity if wanted[number].quantity is not None else None
            is_agreed = there is None or there + self._taken[number] == row.agreed_gross
            self._plans[number] = _Plan(item, wanted[number], change, is_agreed)

    # -- writing

    def _write(self, numbers: Collection[int]) -> bool:
        """True if anything went out."""
        by_parent: dict[int, dict[int, Mapping[str, Any]]] = defaultdict(dict)
        with self._database.read() as db:
            store = db.get_one(Store, self._store_id)
            decimals = decimals_of(company_settings(db, db.get_one(Company, store.company_id))["currency"])
        for number in self._open(numbers):
            plan = self._plans[number]
            if not plan.change:
                continue
            try:
                body = body_of(plan.change, decimals)
            except ValueError as problem:
                self._ended[number] = Refused(f"{plan.item.called} is not written: {problem}.")
                continue
            by_parent[plan.item.parent_id if plan.item.type == "variation" else 0][number] = body
        for parent_id, bodies in by_parent.items():
            for numbers_of_batch in hundreds(sorted(bodies)):
                some = {number: bodies[number] for number in numbers_of_batch}
                if self._now() > self._until:
                    for number in some:
                        self._ended[number] = Again("the shop is slow; the rest is done next")
                elif not self._is_live():
                    for number in some:
                        self._ended[number] = Dropped(_NOT_LIVE)
                else:
                    self._disagree(some)
                    self._keep_answers(some, write_products(self._client, parent_id, some))
        return bool(by_parent)

    def _disagree(self, numbers: Collection[int]) -> None:
        """Our own writing moves the gross, by what orders took just before it too: until both sides agree
        again, nothing that is read counts as a person's edit, though the answer be lost."""
        moved = [number for number in numbers if self._plans[number].change.moves_stock]
        if moved:
            self._database.write_again(lambda db: forget_agreement(db, self._store_id, moved))

    def _keep_answers(
        self, sent: Mapping[int, Mapping[str, Any]], answers: Mapping[int, bytes | ItemRefused]
    ) -> None:
        items: list[ShopItem] = []
        gone: list[int] = []
        for number in sent:
            answer = answers.get(number)
            plan = self._plans[number]
            if isinstance(answer, ItemRefused):
                if answer.is_gone:
                    gone.append(number)
                    self._ended[number] = Done("the shop has no such product any more")
                else:
                    self._ended[number] = Refused(
                        f"The shop refused {told(plan.item, plan.change)} of {plan.item.called}: "
                        f"{answer.message.rstrip('.')} ({answer.code})."
                    )
                continue
            if answer is None:
                self._ended[number] = Again("the shop did not answer for it; it is computed anew")
                continue
            self._written[number] = plan.change
            try:
                items.append(translate_answer(answer, plan.item))
            except Untranslatable as problem:
                self._ended[number] = Refused(f"{problem} It was written; look at it in the shop.")

        def keep(db: Session) -> None:
            store = db.get_one(Store, self._store_id)
            mark_gone(db, store, gone)
            keep_products(db, store, items, read_now=True)

        self._database.write_again(keep)

    # -- settling

    def _settle(self, numbers: Collection[int]) -> None:
        numbers = self._open(numbers)
        if numbers:
            self._database.write_again(lambda db: self._settle_in(db, numbers))

    def _settle_in(self, db: Session, numbers: Collection[int]) -> None:
        store = db.get_one(Store, self._store_id)
        company = db.get_one(Company, store.company_id)
        limits = Limits.of(store_settings(db, store))
        rows = products_of(db, store.id, numbers)
        wanted = wanted_of(db, company, store, rows.values())
        taken = gross_takings(db, store.id, numbers)
        within_limits: list[str] = []
        for number in numbers:
            row, plan = rows[number], self._plans[number]
            now_wanted = wanted.get(number)
            if now_wanted is None:
                self._ended[number] = left_alone(row)
                continue
            item = decode_shop_item(row.content)
            payload = self._payloads[number]
            left, held_back = divide(item, change_of(item, now_wanted), limits, payload.approved)
            is_steady = taken[number] == self._taken[number]
            is_stock_settled = (
                left.quantity is None
                and left.manage_stock is None
                and not (held_back is not None and held_back.quantity is not None)
            )
            if (
                is_steady
                and is_stock_settled
                and now_wanted.quantity is not None
                and item.quantity is not None
            ):
                row.agreed_gross, row.doubted_gross = item.quantity + taken[number], None
            wrote = self._written.get(number)
            differs = bool(left) or held_back is not None
            # What differs beside the fields that were asked for is left as it is.
            left = left.of_kind(payload.only)
            if left and wrote is not None and now_wanted == plan.wanted:
                self._ended[number] = not_taken(item, left)
            elif left:
                self._ended[number] = Again("what it should show has changed meanwhile")
            elif held_back is not None:
                self._ended[number] = held(
                    db, store, item, held_back, self._activity_ids[number], only=payload.only
                )
            else:
                within_limits.append(subject_of(store, number))
                cause = f"written: {told(plan.item, wrote)}" if wrote else "it shows what it should"
                self._ended[number] = Done(cause, now_wanted.remark)
            row.differs_since = (row.differs_since or datetime.now(UTC)) if differs else None
        if within_limits:
            close_tasks(db, store.company_id, LIMIT, subjects=within_limits)
        db.flush()

    # -- small things

    def _open(self, numbers: Collection[int]) -> set[int]:
        return {number for number in numbers if number not in self._ended}

    def _is_of_stock(self, number: int) -> bool:
        return self._payloads[number].only in ("", "stock")

    def _is_live(self) -> bool:
        with self._database.read() as db:
            return _flows(db.get_one(Store, self._store_id))


def _flows(store: Store) -> bool:
    return bool(live_kinds(store) & {"stock", "prices"})
