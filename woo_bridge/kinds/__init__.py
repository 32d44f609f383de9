"""The kinds of activity addressed to the shop. A new kind is one module here and one line in `KINDS`."""

from __future__ import annotations

from collections.abc import Mapping

from woo_bridge.kinds.create_product import CREATE_PRODUCT
from woo_bridge.kinds.find_drafts import FIND_DRAFTS
from woo_bridge.kinds.kind import ManyKind, ShopKind
from woo_bridge.kinds.note_order import NOTE_ORDER
from woo_bridge.kinds.read_refunds import READ_REFUNDS
from woo_bridge.kinds.reread_order import REREAD_ORDER
from woo_bridge.kinds.retire_product import RETIRE_PRODUCT
from woo_bridge.kinds.sync_product import SYNC_PRODUCT

KINDS: Mapping[str, ShopKind] = {kind.name: kind for kind in (REREAD_ORDER, READ_REFUNDS, NOTE_ORDER)}
#: Kinds that are done many at a time, all of one store.
MANY_KINDS: Mapping[str, ManyKind] = {
    kind.name: kind for kind in (FIND_DRAFTS, CREATE_PRODUCT, SYNC_PRODUCT, RETIRE_PRODUCT)
}

__all__ = ["KINDS", "MANY_KINDS", "ManyKind", "ShopKind"]
