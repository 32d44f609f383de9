"""Products of the shop held against QuickBooks, and written where they differ: up to 100 in one pass."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from queue_store.product_payloads import decode_sync
from queue_store.product_sync import SYNC_PRODUCT as NAME
from woo_bridge.kinds.kind import Claimed, Ended, ManyKind, Tools
from woo_bridge.paging import PER_PAGE
from woo_bridge.product_pass import ProductPass


def _run(tools: Tools, works: Sequence[Claimed]) -> Mapping[int, Ended]:
    payloads = {int(work.record_id): decode_sync(work.payload) for work in works}
    ids = {int(work.record_id): work.activity_id for work in works}
    ended = ProductPass(tools, payloads, ids).run()
    return {work.activity_id: ended[int(work.record_id)] for work in works}


SYNC_PRODUCT = ManyKind(name=NAME, at_once=PER_PAGE, run=_run)
