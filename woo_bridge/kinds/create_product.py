"""Products that a shop lacks, made of QuickBooks' items as drafts: up to 100 wishes in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from queue_store.drafts import CREATE_PRODUCT as NAME
from queue_store.product_payloads import decode_creation
from woo_bridge.draft_pass import DraftPass
from woo_bridge.kinds.kind import Claimed, Ended, ManyKind, Tools
from woo_bridge.paging import PER_PAGE


def _run(tools: Tools, works: Sequence[Claimed]) -> Mapping[int, Ended]:
    return DraftPass(tools, {work.activity_id: decode_creation(work.payload) for work in works}).run()


CREATE_PRODUCT = ManyKind(name=NAME, at_once=PER_PAGE, run=_run)
