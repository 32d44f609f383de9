"""Documents in doubt, and those of which the books know more than we do: found, bound, or not there.

What QuickBooks may have is read by look-back, and asked for by its own mark
besides: look-back trusts QuickBooks' clock, which somebody may have put back.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any

from qbwc_service.binding import bound_change, check_total, compare_newer
from qbwc_service.doubt import not_found
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.spelling import Written
from qbwc_service.kinds import DOCUMENTS
from qbwc_service.kinds.kind import LookUp
from qbwc_service.look_back import doubled
from qbwc_service.preparing import prepare
from qbwc_service.run import Run
from queue_store.activities import attempts_of
from queue_store.books import live_documents, marks_of, of_generation
from queue_store.catalogue import AnsweredLookup, answered_lookups
from queue_store.drain import at_home, change, in_doubt, without_clear_answer
from queue_store.intake import changed_after_sent
from queue_store.models import Activity, BookDocument
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState
from queue_store.waits import wake_waiters


def settle_documents(run: Run) -> None:
    """After look-back: each document in doubt is bound, or goes again if its own mark did not find it either."""
    activities = in_doubt(run.db, run.company.id, kinds=DOCUMENTS)
    marks = _marks(run, activities)
    found = live_documents(run.db, run.company.id, set(marks.values()))
    told = _answers(run, marks.values())
    for activity in activities:
        mark = marks[activity.id]
        if own := of_generation(found.get(mark, []), activity.generation):
            bind_found(run, activity, own, mark)
        elif mark in told and told[mark].passing:
            # QuickBooks could not tell: it stays in doubt, and is asked for again in the next session.
            activity.sentence = f"Order {activity.reference}: the answer to it was lost. {told[mark].problem}"
            run.db.flush()
        elif mark in told:
            not_found(run, activity)


def marks_to_ask(run: Run) -> list[LookUp]:
    """The marks of documents in doubt that QuickBooks was not asked for since they came into doubt."""
    marks = _marks(run, in_doubt(run.db, run.company.id, kinds=DOCUMENTS))
    told = _answers(run, marks.values())
    return [("mark", mark) for mark in marks.values() if mark not in told]


def documents_can_be_settled(run: Run) -> bool:
    """True if any document in doubt can still be cleared up in this session."""
    marks = _marks(run, in_doubt(run.db, run.company.id, kinds=DOCUMENTS))
    told = _answers(run, marks.values())
    return any(mark not in told or not told[mark].passing for mark in marks.values())


def without_known_documents(
    run: Run, candidates: Sequence[Any]
) -> tuple[list[Any], list[LookUp], list[tuple[Any, AnsweredLookup]]]:
    """Documents that are in the books already are bound; the other candidates go on.

    Gives these, what is to be asked first, and those of which QuickBooks could not tell.
    One of which an earlier attempt was never clearly answered is asked for by its own
    mark in the session in which it goes again.
    """
    marks = _marks(run, [row for row in candidates if row.kind in DOCUMENTS])
    found = live_documents(run.db, run.company.id, set(marks.values()))
    sent_before = [row.id for row in candidates if row.id in marks and row.attempts]
    unclear = without_clear_answer(run.db, sent_before)
    told = _answers(run, [marks[activity_id] for activity_id in unclear])
    rest: list[Any] = []
    to_ask: list[LookUp] = []
    not_told: list[tuple[Any, AnsweredLookup]] = []
    for row in candidates:
        mark = marks.get(row.id, "")
        if own := of_generation(found.get(mark, []), row.generation):
            bind_found(run, row, own, mark)
        elif row.id in unclear and mark not in told:
            to_ask.append(("mark", mark))
        elif row.id in unclear and told[mark].passing:
            not_told.append((row, told[mark]))
        else:
            rest.append(row)
    return rest, to_ask, not_told


def _marks(run: Run, activities: Sequence[Any]) -> dict[int, str]:
    """Record marks by activity."""
    return {one.id: run.mark(one.store_id, one.record_id, one.generation).record_mark for one in activities}


def _answers(run: Run, marks: Collection[str]) -> dict[str, AnsweredLookup]:
    """What QuickBooks said in this session of these marks."""
    asked = {("mark", mark) for mark in marks}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, asked)
    return {mark: answer for (_, mark), answer in answered.items()}


def settle_at_home(run: Run, txn_ids: Collection[str]) -> None:
    """Documents just read whose activity is held, failed or cancelled here, or waits: bound.

    So it is after a backup was put back, or with a second instance: the books tell what became of it.
    """
    marks = marks_of(run.db, run.company.id, txn_ids)
    record_ids = {mark.partition("-")[2] for mark in marks}
    if not record_ids:
        return
    found: dict[int, str] = {}
    activities = at_home(
        run.db, run.company.id, store_ids=run.stores.keys(), kinds=DOCUMENTS, record_ids=record_ids
    )
    for activity in activities:
        mark = run.mark(activity.store_id, activity.record_id, activity.generation).record_mark
        if mark in marks:
            found[activity.id] = mark
    documents = live_documents(run.db, run.company.id, set(found.values()))
    for activity in activities:
        mark = found.get(activity.id, "")
        if own := of_generation(documents.get(mark, []), activity.generation):
            bind_found(run, activity, own, mark)


def bind_found(run: Run, activity: Any, documents: list[BookDocument], record_mark: str) -> None:
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
    model.generation = max(document.generation, model.generation)
    run.open_session.settled += 1
    run.db.flush()
    if len(documents) > 1:
        doubled(run, record_mark, activity.reference, activity.id)
    if known:
        compare_newer(run, activity.id, fingerprint, content=content)
    elif was_in_doubt and attempts:
        check_total(run, activity, document.total, attempts[-1].predicted_total)
    else:
        changed_after_sent(run.db, model)
    wake_waiters(run.db, [activity.id])
    note_outcomes(run.db, run.company, [activity.id])


def _content_of_total(run: Run, activity: Activity, document: BookDocument) -> str:
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
