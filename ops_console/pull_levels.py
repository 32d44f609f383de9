"""Quantities and prices of QuickBooks to a shop by hand: by the worker where they flow, else written once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import msgspec

from ops_console.by_hand import ASKED, NOT_SENT, UNCHANGED, UNMATCHED, WOULD_GO, WRITTEN, HandRun, Line
from ops_console.chosen_products import pieces_of
from ops_console.open_orders import promised_by_open_orders
from queue_store.companies import live_kinds
from queue_store.currencies import decimals_of
from queue_store.limits import Limits, divide, told
from queue_store.models import Company, ShopProduct, Store
from queue_store.product_payloads import ShopChange, ShopItem, decode_shop_item
from queue_store.product_sync import ask_store_products
from queue_store.settings import company_settings, store_settings
from queue_store.shop_products import keep_products, products_of
from queue_store.showing import change_of, is_open, reckon
from woo_bridge.client import ShopClient
from woo_bridge.errors import Untranslatable
from woo_bridge.product_calls import ItemRefused, body_of, write_products
from woo_bridge.translate_products import translate_product

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def flows(run: HandRun, kind: str) -> bool:
    """True if the store is live for this kind ("stock", "prices"), so that the worker writes it."""
    with run.database.read() as db:
        return kind in live_kinds(db.get_one(Store, run.store_id))


def pull_levels(run: HandRun, client: ShopClient, kind: str, *, beyond_limit: bool) -> Iterator[list[Line]]:
    """One piece of lines after the other. Raises ShopError."""
    is_live = flows(run, kind)
    also = promised_by_open_orders(run.database, client, run.store_id) if kind == "stock" else {}
    for ids, place in pieces_of(run, client):
        if is_live:

            def work(db: Session, store: Store, company: Company, ids: Sequence[int] = ids) -> list[Line]:
                plan = _Plan(db, store, company, ids, kind, also, beyond_limit=True)
                ask_store_products(db, store, plan.changes, cause=run.cause, always=True, only=kind)
                return plan.lines(ASKED if not run.dry_run else WOULD_GO)

            yield run.piece(work, place, len(ids))
        else:
            yield _write(run, client, kind, ids, place, also, beyond_limit)
    run.finish()


class _Plan:
    """What would change of some products in one kind, and why others do not."""

    def __init__(
        self,
        db: Session,
        store: Store,
        company: Company,
        ids: Sequence[int],
        kind: str,
        also: Mapping[str, Decimal],
        *,
        beyond_limit: bool,
    ) -> None:
        settings = store_settings(db, store)
        self.changes: dict[int, ShopChange] = {}
        self.items: dict[int, ShopItem] = {}
        self._lines: dict[int, Line] = {}
        if kind == "prices" and settings["prices.ruled_by"] == "shop":
            why = "Prices are ruled by the shop (prices.ruled_by): QuickBooks' do not go there."
            self._lines = {number: Line(f"product {number}", NOT_SENT, sentence=why) for number in ids}
            return
        limits = Limits() if beyond_limit else Limits.of(settings)
        rows = products_of(db, store.id, ids)
        reckoned = reckon(db, company, store, rows.values(), as_if_live=(kind,), also_promised=also)
        for number in ids:
            row = rows.get(number)
            why = _hindrance(row)
            if row is None or why:
                word = UNMATCHED if row is not None and row.list_id is None and not row.gone else NOT_SENT
                self._lines[number] = Line(_called(row, number), word, sentence=why)
                continue
            item = self.items[number] = decode_shop_item(row.content)
            one = reckoned.get(number)
            if one is None:
                why = "QuickBooks has no such item any more, or its items were not read yet."
                self._lines[number] = Line(item.called, NOT_SENT, sentence=why)
                continue
            change, held_back = divide(item, change_of(item, one.wanted).of_kind(kind), limits, None)
            if held_back is not None:
                sentence = "It is beyond the store's limit. If it is right: --beyond-limit"
                self._lines[number] = Line(item.called, NOT_SENT, told(item, held_back), sentence)
            elif change:
                self.changes[number] = change
                self._lines[number] = Line(item.called, WRITTEN, told(item, change), one.wanted.remark)
            else:
                self._lines[number] = Line(item.called, UNCHANGED, sentence=one.wanted.remark)

    def lines(self, outcome: str) -> list[Line]:
        """All lines; `outcome` is the word for those that change."""
        for number in self.changes:
            self._lines[number].outcome = outcome
        return list(self._lines.values())

    def refuse(self, number: int, sentence: str) -> None:
        line = self._lines[number]
        line.outcome, line.sentence = NOT_SENT, sentence
        self.changes.pop(number, None)


def _hindrance(row: ShopProduct | None) -> str:
    if row is None or row.gone:
        return "The shop has no product of this id."
    if row.list_id is None:
        if row.type in ("variable", "grouped"):
            return "Its variations have the stock and the prices."
        return row.match_problem or "It is no item of QuickBooks: qbwoo mapping match"
    return "" if is_open(row) else "It is held by hand, or lies in the trash: qbwoo product show"


def _called(row: ShopProduct | None, number: int) -> str:
    return f"product {number}" if row is None else decode_shop_item(row.content).called


def _write(
    run: HandRun,
    client: ShopClient,
    kind: str,
    ids: Sequence[int],
    place: str,
    also: Mapping[str, Decimal],
    beyond_limit: bool,
) -> list[Line]:
    """Written once, from here: nothing flows by itself."""
    with run.database.read() as db:
        store, company = db.get_one(Store, run.store_id), db.get_one(Company, run.company_id)
        decimals = decimals_of(company_settings(db, company)["currency"])
        plan = _Plan(db, store, company, ids, kind, also, beyond_limit=beyond_limit)
    answered: list[ShopItem] = []
    if not run.dry_run:
        for parent_id, numbers in _by_parent(plan.changes, plan.items):
            bodies: dict[int, Mapping[str, Any]] = {}
            for number in numbers:
                try:
                    bodies[number] = body_of(plan.changes[number], decimals)
                except ValueError as problem:
                    plan.refuse(number, f"It is not written: {problem}.")
            if bodies:
                _take_answers(plan, bodies, write_products(client, parent_id, bodies), answered)

    def work(db: Session, store: Store, company: Company) -> list[Line]:
        keep_products(db, store, answered, read_now=True)
        return plan.lines(WOULD_GO if run.dry_run else WRITTEN)

    return run.piece(work, place, len(ids))


def _take_answers(
    plan: _Plan,
    bodies: Collection[int],
    answers: Mapping[int, bytes | ItemRefused],
    answered: list[ShopItem],
) -> None:
    for number in bodies:
        answer = answers.get(number)
        if isinstance(answer, ItemRefused):
            plan.refuse(number, f"The shop refused it: {answer.message.rstrip('.')} ({answer.code}).")
        elif answer is None:
            plan.refuse(number, "The shop did not answer for it. Run this again.")
        else:
            try:
                item = translate_product(answer, known=plan.items[number])
            except Untranslatable as problem:
                plan.refuse(number, f"It was written; its answer cannot be read: {problem}")
                continue
            fields = (
                "manage_stock", "quantity", "stock_status", "regular_price", "sale_price", "modified_at",
            )  # fmt: skip
            values = {name: getattr(item, name) for name in fields}
            answered.append(msgspec.structs.replace(plan.items[number], **values))


def _by_parent(changes: Collection[int], items: Mapping[int, ShopItem]) -> Iterator[tuple[int, list[int]]]:
    found: dict[int, list[int]] = {}
    for number in changes:
        item = items[number]
        found.setdefault(item.parent_id if item.type == "variation" else 0, []).append(number)
    yield from sorted(found.items())
