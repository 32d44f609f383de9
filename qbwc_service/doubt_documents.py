"""Documents in doubt, and those of which the books know more than we do: found, bound, or not there.

What QuickBooks may have is read by look-back, and asked for by its own mark
besides: look-back trusts QuickBooks' clock, which somebody may have put back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from qbwc_service import moves
from qbwc_service.binding import bound_change, check_total, compare_newer
from qbwc_service.doubt import not_found
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.spelling import Written
from qbwc_service.kinds import DOCUMENTS, identity_of, look_up_of
from qbwc_service.kinds.kind import LookUp
from qbwc_service.look_back import doubled
from qbwc_service.preparing import prepare
from qbwc_service.run import Run
from queue_store.activities import SALE, attempts_of, called
from queue_store.books import LiveDocument, live_documents, marks_of, of_generation
from queue_store.catalogue import AnsweredLookup, answered_lookups
from queue_store.drain import at_home, change, in_doubt, without_clear_answer
from queue_store.intake import changed_after_sent
from queue_store.models import Activity
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState
from queue_store.waits import wake_waiters
from queue_store.withdraw import cancel_unsent_web_order, sent_as_receipt


def settle_documents(run: Run) -> None:
    """After look-back: each document in doubt is bound, or goes again if its own mark did not find it either."""
    activities = in_doubt(run.db, run.company.id, kinds=DOCUMENTS)
    found, told = _found(run, activities), _told(run, activities)
    for activity in activities:
        answer = told.get(activity.id)
        if own := found[activity.id]:
            bind_found(run, activity, own)
        elif answer is not None and answer.passing:
            # QuickBooks could not tell: it stays in doubt, and is asked for again in the next session.
            activity.sentence = f"{called(activity)}: the answer to it was lost. {answer.problem}"
            run.db.flush()
        elif answer is not None:
            not_found(run, activity)


def marks_to_ask(run: Run) -> list[LookUp]:
    """The marks of documents in doubt that QuickBooks was not asked for since they came into doubt."""
    activities = in_doubt(run.db, run.company.id, kinds=DOCUMENTS)
    told = _told(run, activities)
    return [look_up_of(run, one) for one in activities if one.id not in told]


def documents_can_be_settled(run: Run) -> bool:
    """True if any document in doubt can still be cleared up in this session."""
    activities = in_doubt(run.db, run.company.id, kinds=DOCUMENTS)
    told = _told(run, activities)
    return any(one.id not in told or not told[one.id].passing for one in activities)


def without_known_documents(
    run: Run, candidates: Sequence[Any]
) -> tuple[list[Any], list[LookUp], list[tuple[Any, AnsweredLookup]]]:
    """Documents that are in the books already are bound; the other candidates go on.

    Gives these, what is to be asked first, and those of which QuickBooks could not tell.
    One of which an earlier attempt was never clearly answered is asked for by its own
    mark in the session in which it goes again.
    """
    documents = [row for row in candidates if row.kind in DOCUMENTS]
    found = _found(run, documents)
    unclear = without_clear_answer(run.db, [row.id for row in documents if row.attempts])
    told = _told(run, [row for row in documents if row.id in unclear])
    rest: list[Any] = []
    to_ask: list[LookUp] = []
    not_told: list[tuple[Any, AnsweredLookup]] = []
    for row in candidates:
        if own := found.get(row.id):
            bind_found(run, row, own)
        elif row.id in unclear and row.id not in told:
            to_ask.append(look_up_of(run, row))
        elif row.id in unclear and told[row.id].passing:
            not_told.append((row, told[row.id]))
        else:
            rest.append(row)
    return rest, to_ask, not_told


def _found(run: Run, activities: Sequence[Any]) -> dict[int, list[LiveDocument]]:
    """Live documents in the books of each of these activities (rows or models), the oldest first."""
    identities = {one.id: identity_of(run, one) for one in activities}
    found = live_documents(run.db, run.company.id, set(identities.values()))
    if not found:
        return {one.id: [] for one in activities}
    return {one.id: of_generation(found.get(identities[one.id], []), one.generation) for one in activities}


def _told(run: Run, activities: Sequence[Any]) -> dict[int, AnsweredLookup]:
    """What QuickBooks said in this session of those of these activities that it was asked for."""
    asked = {one.id: look_up_of(run, one) for one in activities}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, set(asked.values()))
    return {number: answered[pair] for number, pair in asked.items() if pair in answered}


def settle_at_home(run: Run, txn_ids: Collection[str]) -> None:
    """Documents just read whose activity is held, failed or cancelled here, or waits: bound.

    So it is after a backup was put back, or with a second instance: the books tell what became of it.
    """
    marks = marks_of(run.db, run.company.id, txn_ids)
    record_ids = {mark.partition("-")[2] for mark in marks}
    if not record_ids:
        return
    activities = at_home(
        run.db, run.company.id, store_ids=run.stores.keys(), kinds=DOCUMENTS, record_ids=record_ids
    )
    read = [one for one in activities if identity_of(run, one)[1] in marks]
    found = _found(run, read)
    for activity in read:
        if own := found[activity.id]:
            bind_found(run, activity, own)


def bind_found(run: Run, activity: Any, documents: list[LiveDocument]) -> None:
    """Look-back found the document of this activity in the books: bound, and held against what was sent."""
    document = next((one for one in documents if one.txn_id == activity.txn_id), documents[0])
    model = run.db.get_one(Activity, activity.id)
    was_in_doubt, content = activity.state == ActivityState.IN_DOUBT, model.fingerprint
    attempts = attempts_of(run.db, activity.id)
    # Which attempt wrote it is not known; one that predicted its total will do.
    sent = next((one for one in reversed(attempts) if one.predicted_total == document.total), None)
    known = sent.fingerprint if sent else _content_of_total(run, model, document)
    fingerprint = known or content
    change(
        run.db,
        [
            bound_change(
                activity,
                Written(document.txn_id, document.number, document.total),
                fingerprint,
                cause=f"found in QuickBooks as {document.number or document.txn_id}",
            )
        ],
    )
    run.db.expire_all()
    if run.company.tracks_stock:
        moves.found(run, model, sent)
    model.generation = max(document.generation, model.generation)
    run.open_session.settled += 1
    run.db.flush()
    if model.kind == SALE:
        cancel_unsent_web_order(run.db, model, sent_as_receipt(model))
    if len(documents) > 1:
        doubled(run, documents, called(activity), activity.id)
    if known:
        compare_newer(run, activity.id, fingerprint, content=content)
    elif was_in_doubt and attempts:
        check_total(run, activity, document.total, attempts[-1].predicted_total)
    else:
        _keep_beside(run, model)
        changed_after_sent(run.db, model)
    wake_waiters(run.db, [activity.id])
    note_outcomes(run.db, run.company, [activity.id])


def _keep_beside(run: Run, model: Activity) -> None:
    """What the books show is not known here, so that no content may count as equal to it."""
    if model.newer_payload is None:
        model.newer_payload, model.newer_fingerprint = model.payload, model.fingerprint
        model.newer_modified_at = model.modified_at
    model.fingerprint = ""
    run.db.flush()


def _content_of_total(run: Run, activity: Activity, document: LiveDocument) -> str:
    """The books have it from an attempt that is not known here: fingerprint of the content with this total, or ""."""
    for payload, fingerprint in (
        (activity.newer_payload, activity.newer_fingerprint),
        (activity.payload, activity.fingerprint),
    ):
        if payload is None:
            continue
        try:
            if prepare(run, activity, payload).predicted_total == document.total:
                return fingerprint
        except NotSendable:
            continue
    return ""
