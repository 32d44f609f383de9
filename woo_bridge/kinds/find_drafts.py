"""Looking through the whole catalogue for items that a store wants as products, in pieces that are committed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from queue_store.drafts import FIND_DRAFTS as NAME
from queue_store.drafts import ask_all_drafts
from queue_store.models import Company, Store
from woo_bridge.kinds.kind import Claimed, Done, Ended, ManyKind, Tools


def _run(tools: Tools, works: Sequence[Claimed]) -> Mapping[int, Ended]:
    asked, after = 0, ""
    while True:
        with tools.database.write() as db:
            store = db.get_one(Store, tools.store_id)
            company = db.get_one(Company, store.company_id)
            number, next_after = ask_all_drafts(
                db, company, store, cause="the store wants products of QuickBooks' items", after=after
            )
        asked += number
        if next_after is None:
            return {work.activity_id: Done(f"{asked} asked for") for work in works}
        after = next_after


FIND_DRAFTS = ManyKind(name=NAME, at_once=1, run=_run)
