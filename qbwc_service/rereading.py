"""Which items are to be read again by ListID, in the session in which something moved their stock."""

from __future__ import annotations

from qbwc_service.kinds.kind import ITEM_ID, LookUp
from qbwc_service.run import Run
from queue_store.rereading import items_to_reread


def items_to_read(run: Run, limit: int) -> list[LookUp]:
    """Up to `limit` look-ups of items that were touched since they were read; none while no shop shows them."""
    if not (run.company.tracks_stock or run.feeds_shops):
        return []
    session_id = run.session.id if run.session else 0
    list_ids = items_to_reread(run.db, run.company, session_id=session_id, limit=limit)
    look_ups = [(ITEM_ID, list_id) for list_id in list_ids]
    return [one for one in look_ups if run.spelling.look_up_requests(*one, run.settings)]
