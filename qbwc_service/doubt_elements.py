"""Customers, items and departments in doubt: asked for by their keys, then bound, or added again.

Nor is one added that was not asked for in the session in which it leaves.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from qbwc_service import moves
from qbwc_service.binding import bound_change
from qbwc_service.doubt import not_found
from qbwc_service.flavours.spelling import Written
from qbwc_service.kinds import KINDS, Doubt
from qbwc_service.kinds.adjustment import DOCUMENT_TYPE
from qbwc_service.kinds.adjustment import LOOK_UP as ADJUSTMENT_LOOK_UP
from qbwc_service.kinds.kind import LookUp
from qbwc_service.run import Run
from qbwc_service.waiters import let_waiters_go
from queue_store.adjustments import ADJUST_STOCK
from queue_store.books import live_documents
from queue_store.catalogue import (
    AnsweredLookup,
    answered_lookups,
    customers_by_keys,
    fold,
    items_by_keys,
    mappings_of,
)
from queue_store.claim import payloads_of
from queue_store.drain import change, in_doubt
from queue_store.models import Activity
from queue_store.waits import wake_waiters

#: What the catalogue calls the fields that may hold a SKU.
_ITEM_KEYS = {"ALU": "alu_key", "UPC": "upc_key", "ITEMNUMBER": "item_number"}
#: So long a sale waits for its customer if QuickBooks cannot tell whether it has him; then it goes without.
_PATIENCE = timedelta(hours=1)
_BY_LOOK_UP = frozenset(name for name, kind in KINDS.items() if kind.doubt is Doubt.LOOK_UP)


def settle_list_elements(run: Run) -> list[LookUp]:
    """Customers, items and departments in doubt whose keys were asked are settled; gives the keys still to ask."""
    activities = in_doubt(run.db, run.company.id, kinds=_BY_LOOK_UP)
    asked = {
        activity.id: list(KINDS[activity.kind].asked_as(run, activity, activity.payload))
        for activity in activities
    }
    every = {pair for pairs in asked.values() for pair in pairs}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, every)
    to_ask: list[LookUp] = []
    for activity in activities:
        pairs = [pair for pair in asked[activity.id] if run.spelling.look_up_requests(*pair, run.settings)]
        missing = [pair for pair in pairs if pair not in answered]
        if missing:
            to_ask += missing
            continue
        # What was not found now is not there, whatever the catalogue remembers.
        list_id = _list_id(run, [pair for pair in pairs if answered[pair].found])
        trouble = next((answered[pair] for pair in pairs if answered[pair].problem), None)
        if list_id:
            _bind_element(run, activity, list_id)
        elif trouble:
            # QuickBooks could not tell: it stays in doubt, and is asked for again in the next session.
            activity.sentence = f"{activity.reference}: the answer to it was lost. {trouble.problem}"
            run.db.flush()
            if KINDS[activity.kind].is_dispensable and run.now - activity.updated_at > _PATIENCE:
                let_waiters_go(run.db, [(activity.id, activity.kind, activity.sentence)])
        else:
            not_found(run, activity)
    return to_ask


def elements_can_be_settled(run: Run) -> bool:
    """True if any of them can still be cleared up in this session."""
    activities = in_doubt(run.db, run.company.id, kinds=_BY_LOOK_UP)
    asked = [KINDS[one.kind].asked_as(run, one, one.payload) for one in activities]
    every = {pair for pairs in asked for pair in pairs}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, every)
    return any(not any(answered[pair].problem for pair in pairs if pair in answered) for pairs in asked)


def without_known_elements(
    run: Run, candidates: Sequence[Any]
) -> tuple[list[Any], list[LookUp], list[tuple[Any, AnsweredLookup]]]:
    """Additions of what QuickBooks has already are bound; the other candidates go on.

    Gives these, what is to be asked first, and those of which QuickBooks could not tell.

    An addition may have waited for days, or come out of a backup: QuickBooks is asked
    in the session in which it leaves, by the key that its waiters were looked for.
    """
    rows = [row for row in candidates if row.kind in _BY_LOOK_UP]
    if not rows:
        return list(candidates), [], []
    rest: list[Any] = []
    asked: dict[int, list[LookUp]] = {}
    payloads = payloads_of(run.db, [row.id for row in rows])
    for row in rows:
        pairs = KINDS[row.kind].asked_as(run, row, payloads[row.id])
        asked[row.id] = [p for p in pairs if run.spelling.look_up_requests(*p, run.settings)][-1:]
    every = {pair for pairs in asked.values() for pair in pairs}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, every)
    to_ask: list[LookUp] = []
    unclear: list[tuple[Any, AnsweredLookup]] = []
    for row in candidates:
        pairs = asked.get(row.id, [])
        if any(pair not in answered for pair in pairs):
            to_ask += pairs
        elif trouble := next((answered[pair] for pair in pairs if answered[pair].problem), None):
            unclear.append((row, trouble))
        elif list_id := _list_id(run, [pair for pair in pairs if answered[pair].found]):
            _bind_element(run, row, list_id)
        else:
            rest.append(row)
    return rest, to_ask, unclear


def _bind_element(run: Run, activity: Any, list_id: str) -> None:
    change(run.db, [bound_change(activity, Written(list_id), "", cause=f"found in QuickBooks as {list_id}")])
    model = run.db.get_one(Activity, activity.id)
    run.db.refresh(model)
    if model.kind == ADJUST_STOCK and run.company.tracks_stock:
        moves.adjusted(run, model)
    run.open_session.settled += 1
    wake_waiters(run.db, [activity.id])


def _list_id(run: Run, pairs: list[LookUp]) -> str:
    """What QuickBooks calls the element that these keys name; the surest key first."""
    db, company_id = run.db, run.company.id
    for kind, key in pairs:
        folded = fold(key)
        if kind == "customer id":
            people = [
                p for p in customers_by_keys(db, company_id, (), {folded}) if p.customer_id_key == folded
            ]
            ids = [person.list_id for person in people]
        elif kind == "customer":
            ids = [person.list_id for person in customers_by_keys(db, company_id, {folded}, ())]
        elif kind == "item":
            known = items_by_keys(db, company_id, {folded}, run.settings["items.keys"])
            # By the fields that hold SKUs only: an item's number may look like another one's SKU.
            ids = [
                item.list_id
                for field in run.settings["items.keys"]
                for item in known
                if getattr(item, _ITEM_KEYS[field]) == folded
            ]
        elif kind == ADJUSTMENT_LOOK_UP:
            identity = (DOCUMENT_TYPE, key)
            ids = [one.txn_id for one in live_documents(db, company_id, {identity}).get(identity, [])]
        else:
            ids = list(mappings_of(db, company_id, {(kind, folded)}).values())
        if ids:
            return ids[0]
    return ""
