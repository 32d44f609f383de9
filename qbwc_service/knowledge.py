"""What is known of all that a batch of candidates needs: mappings, catalogue, what QuickBooks said in this session."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from qbwc_service.kinds.customers import keys_of
from qbwc_service.kinds.kind import ITEM_ID
from qbwc_service.needs import CustomerNeed, Prepared
from qbwc_service.run import Run
from queue_store import catalogue
from queue_store.activities import failed_additions
from queue_store.catalogue import KnownItem, fold


class Knowledge:
    """All that mappings, catalogue and this session's look-ups say about a batch of needs."""

    def __init__(self, run: Run, batch: Sequence[tuple[Any, Prepared]]) -> None:
        self._run = run
        items, buyers, departments = _needed(run, batch)
        wanted = {(kind, fold(key)) for _, kind, key in items}
        wanted |= {("department", fold(name)) for name in departments}
        stand_in = (0, run.spelling.fallback_customer(run.settings))
        wanted |= {("customer", key) for _, who in (*buyers, stand_in) for _, key in keys_of(who.customer)}
        db, company_id = run.db, run.company.id
        self.mappings = catalogue.mappings_of(db, company_id, wanted)
        #: What each item that is needed is mapped to, by (store, kind, key as it is needed); "": to nothing.
        self.item_ids = {one: self.mapped(one[0], one[1], fold(one[2])) for one in items}
        # Only what no mapping tells is looked for any further.
        unmapped = {(kind, key) for (_, kind, key), list_id in self.item_ids.items() if not list_id}
        unknown = self._unmapped(buyers)
        if unknown:
            # Where one of them cannot be told, the named web customer stands in.
            unknown += self._unmapped([stand_in])
        self._know_items({fold(key) for kind, key in unmapped if kind == "item"})
        self._know_customers(unknown)
        asked = unmapped | {("department", name) for name in departments}
        asked |= {pair for _, prepared in batch for pair in prepared.look_ups}
        adjusted = {prepared.stock.list_id for _, prepared in batch if prepared.stock}
        asked |= {(ITEM_ID, list_id) for list_id in adjusted}
        #: Items that were read in the set before this one, by ListID.
        self.just_read = catalogue.items_read_in(db, company_id, adjusted, run.company.turn)
        asked |= {("customer id", who.customer_id) for who in unknown}
        asked |= {("customer", who.customer.email) for who in unknown if who.customer.email}
        #: Why they could not be added, by CustomerID.
        self.refused_customers = failed_additions(
            db, company_id, "add_customer", {who.customer_id for who in unknown}
        )
        # Without a session nothing was asked in it.
        session_id = run.session.id if run.session else 0
        self.answered = catalogue.answered_lookups(db, company_id, session_id, asked)
        one_piece = any(need.one_piece for _, prepared in batch for need in prepared.items)
        self.mapped_items = catalogue.items_by_id(
            db, company_id, set(self.mappings.values()) if one_piece else ()
        )

    def mapped(self, store_id: int, kind: str, key: str) -> str:
        """What a store, else the whole company, calls `key`; "" if neither says."""
        return self.mappings.get((store_id, kind, key)) or self.mappings.get((0, kind, key)) or ""

    def _unmapped(self, buyers: Iterable[tuple[int, CustomerNeed]]) -> list[CustomerNeed]:
        return [
            who
            for store_id, who in buyers
            if not any(self.mapped(store_id, "customer", key) for _, key in keys_of(who.customer))
        ]

    def _know_items(self, keys: set[str]) -> None:
        fields = self._run.settings["items.keys"]
        known = catalogue.items_by_keys(self._run.db, self._run.company.id, keys, fields)
        self.by_key: dict[str, dict[str, list[KnownItem]]] = {
            "ALU": _grouped(known, lambda item: item.alu_key),
            "UPC": _grouped(known, lambda item: item.upc_key),
            "ITEMNUMBER": _grouped(known, lambda item: item.item_number),
        }

    def _know_customers(self, unknown: Sequence[CustomerNeed]) -> None:
        emails = {fold(who.customer.email) for who in unknown if who.customer.email}
        customer_ids = {fold(who.customer_id) for who in unknown}
        people = catalogue.customers_by_keys(self._run.db, self._run.company.id, emails, customer_ids)
        self.by_email = _grouped(people, lambda person: person.email_key)
        self.by_customer_id = _grouped(people, lambda person: person.customer_id_key)


def _needed(
    run: Run, batch: Sequence[tuple[Any, Prepared]]
) -> tuple[set[tuple[int, str, str]], list[tuple[int, CustomerNeed]], set[str]]:
    """What a batch needs: (store, kind, key) of items, (store, buyer), names of departments."""
    items = {
        (activity.store_id, "line" if need.kind == "line" else "item", need.key)
        for activity, prepared in batch
        for spelling in (prepared, prepared.for_stock)
        if spelling is not None
        for need in spelling.items
    }
    if items and run.settings["items.fallback"]:
        items.add((0, "line", run.settings["items.fallback"]))
    buyers = [(activity.store_id, prepared.customer) for activity, prepared in batch if prepared.customer]
    return items, buyers, {prepared.department for _, prepared in batch if prepared.department}


def _grouped(rows: Iterable[Any], key: Any) -> dict[str, list[Any]]:
    groups: dict[str, list[Any]] = {}
    for row in rows:
        groups.setdefault(key(row), []).append(row)
    groups.pop("", None)
    return groups
