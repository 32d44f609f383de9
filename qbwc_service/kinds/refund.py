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


def decode_refund(payload: bytes) -> Refund:
    """The stored refund. Raises NotSendable where the payload is none."""
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(
            f"The stored refund cannot be read ({error}). Push its order again: "
            "qbwoo push orders --store STORE --ids ID"
        ) from error


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    refund = decode_refund(payload)
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    # What was sent, whatever is set now; a sale that look-back found was sent by nobody here.
    stored = prepared_sale(run.db, run.company.id, activity.store_id, str(refund.order_id))
    sent = decode_prepared(stored) if stored is not None else None
    store_id = activity.store_id
    taxes = run.taxes(store_id, sent.tax_mode if sent is not None else "")
    return run.spelling.prepare_return(refund, mark, sent, run.settings, run.store_settings(store_id), taxes)


RETURN = ActivityKind(
    "return",
    is_document=True,
    doubt=Doubt.LOOK_BACK,
    prepare=_prepare,
    asked_as=asked_by_mark,
    document_type="Return",
)
