"""The kinds of activity that go to QuickBooks: one visible table.

A new kind is a module here, one spelling per flavour, a payload, and a line below.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from qbwc_service.kinds.adjustment import ADJUSTMENT
from qbwc_service.kinds.customers import ADD_CUSTOMER, CHANGE_CUSTOMER
from qbwc_service.kinds.deletion import DELETION
from qbwc_service.kinds.items import ADD_DEPARTMENT, ADD_ITEM, CHANGE_ITEM
from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.kinds.refund import RETURN
from qbwc_service.kinds.reversal import REVERSAL
from qbwc_service.kinds.sale import SALE
from qbwc_service.kinds.web_order import WEB_ORDER
from qbwc_service.run import Run
from queue_store.books import Identity

KINDS: Mapping[str, ActivityKind] = {
    kind.name: kind
    for kind in (
        WEB_ORDER,
        SALE,
        RETURN,
        ADD_CUSTOMER,
        CHANGE_CUSTOMER,
        ADD_ITEM,
        CHANGE_ITEM,
        ADD_DEPARTMENT,
        REVERSAL,
        DELETION,
        ADJUSTMENT,
    )
}
#: Kinds that write documents: they wait for look-back.
DOCUMENTS = frozenset(name for name, kind in KINDS.items() if kind.is_document)


def identity_of(run: Run, activity: Any) -> Identity:
    """What an activity's document (row or model) is found by in the books."""
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    return KINDS[activity.kind].document_type, mark.record_mark


def look_up_of(run: Run, activity: Any) -> LookUp:
    """What QuickBooks is asked, to tell of an activity's document (row or model) alone."""
    (asked,) = KINDS[activity.kind].asked_as(run, activity, b"")
    return asked


__all__ = ["DOCUMENTS", "KINDS", "ActivityKind", "Doubt", "identity_of", "look_up_of"]
