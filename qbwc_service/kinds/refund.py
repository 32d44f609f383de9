"""Money given back for an order, which becomes one receipt of type Return, after its sale."""

from __future__ import annotations

from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.kinds.kind import ActivityKind, Doubt, asked_by_mark
from qbwc_service.needs import Prepared, decode_prepared
from qbwc_service.run import Run
from queue_store.payloads import Refund
from queue_store.returns import prepared_sale

_decoder = msgspec.json.Decoder(Refund)


def decode_refund(run: Run, activity: Any, payload: bytes) -> Refund:
    """The stored refund of an activity (row or model). Raises NotSendable where the payload is none."""
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(
            f"The stored refund cannot be read ({error}). Push its order again: "
            f"qbwoo push orders --store {run.stores[activity.store_id].name} --ids {activity.order_id}"
        ) from error


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    order_id = str(decode_refund(run, activity, payload).order_id)
    # What was sent, whatever is set now; a sale that look-back found was sent by nobody here.
    stored = prepared_sale(run.db, run.company.id, activity.store_id, order_id)
    return prepare_after(run, activity, payload, decode_prepared(stored) if stored is not None else None)


def prepare_after(run: Run, activity: Any, payload: bytes, sale: Prepared | None) -> Prepared:
    """The return made ready as it goes after this `sale`; None: one that is not known here. Raises NotSendable."""
    refund, store_id = decode_refund(run, activity, payload), activity.store_id
    mark = run.mark(store_id, activity.record_id, activity.generation)
    taxes = run.taxes(store_id, sale.tax_mode if sale is not None else "")
    return run.spelling.prepare_return(refund, mark, sale, run.settings, run.store_settings(store_id), taxes)


RETURN = ActivityKind(
    "return",
    is_document=True,
    doubt=Doubt.LOOK_BACK,
    prepare=_prepare,
    asked_as=asked_by_mark,
    document_type="Return",
)
