"""A paid order, which becomes one sales receipt."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.kinds.kind import ActivityKind, Doubt, asked_by_mark
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from queue_store.books import SALES_ORDER, live_documents
from queue_store.payloads import Order

_decoder = msgspec.json.Decoder(Order)


def decode_order(run: Run, activity: Any, payload: bytes) -> Order:
    """The stored order of an activity (row or model). Raises NotSendable where the payload is no order."""
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(
            f"The stored order cannot be read ({error}). Push it again: qbwoo push orders "
            f"--store {run.stores[activity.store_id].name} --ids {activity.record_id}"
        ) from error


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    order = decode_order(run, activity, payload)
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    store_id = activity.store_id
    order_txn_id = web_orders_of(run, [activity]).get(activity.id, "")
    return run.spelling.prepare_sale(
        order, mark, run.settings, run.store_settings(store_id), run.taxes(store_id), order_txn_id
    )


def web_orders_of(run: Run, sales: Sequence[Any]) -> dict[int, str]:
    """TxnIDs of the web orders in the books that these sales (rows or models) fulfil, by activity id.

    One that an earlier generation fulfilled is not named again: whether QuickBooks opens a sales order
    whose receipt is reversed is not known, and a receipt that names none is never refused for it.
    No statement where no store of the company sends web orders.
    """
    identities = {
        sale.id: (SALES_ORDER, run.mark(sale.store_id, sale.record_id, sale.generation).record_mark)
        for sale in sales
        if sale.store_id in run.web_order_stores
    }
    if not identities:
        return {}
    found = live_documents(run.db, run.company.id, set(identities.values()))
    return {
        sale.id: document.txn_id
        for sale in sales
        for document in found.get(identities.get(sale.id, ("", "")), [])[:1]
        if document.generation >= sale.generation
    }


SALE = ActivityKind(
    "sale",
    is_document=True,
    doubt=Doubt.LOOK_BACK,
    prepare=_prepare,
    asked_as=asked_by_mark,
)
