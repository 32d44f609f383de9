"""What the documents of a company that tracks its stock take from QuickBooks' stock: kept as they leave, or are found.

Only called while the company tracks stock. See `queue_store.levels` for what
becomes of it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal
from typing import Any

from qbwc_service.binding import request_id_of
from qbwc_service.errors import NotSendable
from qbwc_service.kinds import DOCUMENTS
from qbwc_service.preparing import prepare
from qbwc_service.resolving import resolve
from qbwc_service.run import Run
from qbxml.reader import read_requests
from qbxml.records import Record
from queue_store.activities import WEB_ORDER
from queue_store.adjustments import ADJUST_STOCK, record_of
from queue_store.allocation import moves_of, record_moves, with_moves
from queue_store.catalogue import items_by_id
from queue_store.models import Activity, Attempt, Exchange
from queue_store.product_payloads import decode_adjustment
from queue_store.undo_plan import UNDOINGS
from queue_store.undoings import decode_undoing


def record(run: Run, activities: Sequence[Any], requests: Sequence[str]) -> None:
    """What these activities (rows) take, whose requests leave now in the set that was handed out last."""
    texts = {row.id: request for row, request in zip(activities, requests, strict=True)}
    documents = [row.id for row in activities if row.kind in DOCUMENTS]
    adjustments = [row.id for row in activities if row.kind == ADJUST_STOCK]
    undoings = [row.id for row in activities if row.kind in UNDOINGS]
    models = [run.db.get_one(Activity, number) for number in (*documents, *undoings, *adjustments)]
    taken = {one.id: run.spelling.read_moves(texts[one.id]) for one in models if one.kind in DOCUMENTS}
    taken |= {one.id: _of_adjustment(one) for one in models if one.kind == ADJUST_STOCK}
    rows = _rows(run, models, taken, sent_turn=run.company.turn, settled_turn=None)
    record_moves(run.db, rows + _reversed(run, models, sent_turn=run.company.turn))


def answered(run: Run, exchange: Exchange, rows: Collection[Any]) -> None:
    """Documents that `exchange` has brought to the books, of which nothing is kept, or only of a later attempt."""
    documents = [row for row in rows if row.kind in DOCUMENTS]
    if not documents:
        return
    known = with_moves(run.db, [row.id for row in documents])
    for row in documents:
        if row.id not in known or row.number != row.attempts:
            _record_sent(run, run.db.get_one(Activity, row.id), row.number, exchange)


def found(run: Run, activity: Activity, attempt: Attempt | None) -> None:
    """A document was found in the books; `attempt` wrote it, where that is known."""
    is_known = bool(with_moves(run.db, [activity.id]))
    if attempt is not None and (attempt.number != activity.attempts or not is_known):
        exchange = run.db.get(Exchange, attempt.exchange_id)
        # Its bytes go after a time, see `queue_store.retention`.
        if exchange is not None and exchange.request:
            _record_sent(run, activity, attempt.number, exchange)
            return
    if not is_known:
        _record_content(run, activity)


def adjusted(run: Run, activity: Activity) -> None:
    """An adjustment was found in the books; where nothing is kept of it, when it left is not known."""
    if not with_moves(run.db, [activity.id]):
        taken = {activity.id: _of_adjustment(activity)}
        record_moves(run.db, _rows(run, [activity], taken, sent_turn=0, settled_turn=run.company.turn))


def _of_adjustment(activity: Activity) -> dict[str, Decimal]:
    what = decode_adjustment(activity.payload)
    return {what.list_id: -what.difference}


def _record_sent(run: Run, activity: Activity, number: int, exchange: Exchange) -> None:
    wanted = request_id_of(activity.id, number, exchange.id)
    if not exchange.request:
        _record_content(run, activity)
        return
    for request in read_requests(exchange.request):
        if request.request_id == wanted:
            taken = {activity.id: run.spelling.read_moves(Record(request.element).xml())}
            record_moves(run.db, _rows(run, [activity], taken, sent_turn=exchange.turn, settled_turn=None))


def _record_content(run: Run, activity: Activity) -> None:
    """Nothing tells what was sent, nor when: its content, as if it were to leave now.

    Reads asked for until now count it on the side that gives the shop less.
    """
    try:
        prepared = prepare(run, activity, activity.payload)
    except NotSendable:
        return
    (verdict,) = resolve(run, [(activity, prepared)])
    prepared = verdict.prepared
    # A line whose item QuickBooks is not known to have moves no stock that a shop could show.
    text = prepared.fill({gap: verdict.values.get(gap, "") for gap in prepared.parts[1::2]})
    taken = {activity.id: run.spelling.read_moves(text)}
    record_moves(run.db, _rows(run, [activity], taken, sent_turn=0, settled_turn=run.company.turn))


def _rows(
    run: Run,
    activities: Sequence[Activity],
    taken: Mapping[int, Mapping[str, Decimal]],
    *,
    sent_turn: int,
    settled_turn: int | None,
) -> list[dict[str, Any]]:
    every = {list_id for pieces in taken.values() for list_id in pieces if list_id}
    types = {one.list_id: one.item_type for one in items_by_id(run.db, run.company.id, every).values()}
    return [
        {
            "activity_id": one.id,
            "list_id": list_id,
            "company_id": one.company_id,
            "store_id": one.store_id,
            "record": record_of(one.id) if one.kind == ADJUST_STOCK else one.order_id or one.record_id,
            "quantity": quantity,
            "is_order": one.kind == WEB_ORDER,
            "sent_turn": sent_turn,
            "settled_turn": settled_turn,
            "closed": False,
        }
        for one in activities
        for list_id, quantity in taken.get(one.id, {}).items()
        if list_id and quantity and run.spelling.keeps_stock(types.get(list_id, ""))
    ]


def _reversed(run: Run, activities: Sequence[Activity], *, sent_turn: int) -> list[dict[str, Any]]:
    """What undoings among `activities` put back: all that their documents took."""
    of = {decode_undoing(one.payload).activity_id: one.id for one in activities if one.kind in UNDOINGS}
    return [
        {
            "activity_id": of[move.activity_id],
            "list_id": move.list_id,
            "company_id": move.company_id,
            "store_id": move.store_id,
            "record": move.record,
            "quantity": -move.quantity,
            "is_order": move.is_order,
            "sent_turn": sent_turn,
            "settled_turn": None,
            "closed": False,
        }
        for move in moves_of(run.db, of)
    ]
