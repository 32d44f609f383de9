"""The kinds of activity that go to QuickBooks: one visible table.

A new kind is a module here, one spelling per flavour, a payload, and a line below.
"""

from __future__ import annotations

from collections.abc import Mapping

from qbwc_service.kinds.customers import ADD_CUSTOMER, CHANGE_CUSTOMER
from qbwc_service.kinds.items import ADD_DEPARTMENT, ADD_ITEM
from qbwc_service.kinds.kind import ActivityKind, Doubt
from qbwc_service.kinds.reversal import REVERSAL
from qbwc_service.kinds.sale import SALE

KINDS: Mapping[str, ActivityKind] = {
    kind.name: kind for kind in (SALE, ADD_CUSTOMER, CHANGE_CUSTOMER, ADD_ITEM, ADD_DEPARTMENT, REVERSAL)
}
#: Kinds that write documents: they wait for look-back.
DOCUMENTS = frozenset(name for name, kind in KINDS.items() if kind.is_document)

__all__ = ["DOCUMENTS", "KINDS", "ActivityKind", "Doubt"]
