"""A paid order, which becomes one sales receipt."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import msgspec

from qbwc_service.errors import NotSendable
from qbwc_service.kinds.kind import ActivityKind, Doubt, LookUp
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from qbxml.records import Record
from queue_store.payloads import Order

_decoder = msgspec.json.Decoder(Order)


def decode_order(payload: bytes) -> Order:
    """The stored order. Raises NotSendable where the payload is no order."""
    try:
        return _decoder.decode(payload)
    except msgspec.DecodeError as error:
        raise NotSendable(
            f"The stored order cannot be read ({error}). Push it again: qbwoo push orders --store STORE --ids ID"
        ) from error


def _prepare(run: Run, activity: Any, payload: bytes) -> Prepared:
    order = decode_order(payload)
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    return run.spelling.prepare_sale(order, mark, run.settings, run.store_settings(activity.store_id))


def _learn(run: Run, activity: Any, record: Record) -> None:
    """Nothing beyond the activity's own txn_id."""


def _asked_as(run: Run, activity: Any, payload: bytes) -> Collection[LookUp]:
    return [("mark", run.mark(activity.store_id, activity.record_id, activity.generation).record_mark)]


SALE = ActivityKind(
    "sale",
    is_document=True,
    doubt=Doubt.LOOK_BACK,
    prepare=_prepare,
    learn=_learn,
    asked_as=_asked_as,
)
