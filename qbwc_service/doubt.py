"""What was sent and not clearly answered: how it became so, and how it is settled.

Nothing in doubt is ever sent again before it was looked for. Documents are
found, or not, by look-back; list elements by their keys; what may go again
goes again. After a refusal of a whole set (0x80040400) what was not found goes
in halves, until the bad request stands alone and fails with its reason.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import Any

from qbwc_service.binding import (
    back_off,
    bound_change,
    bound_fingerprint,
    check_total,
    compare_newer,
    take_newer,
)
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.spelling import Written
from qbwc_service.kinds import DOCUMENTS, KINDS, Doubt
from qbwc_service.look_back import doubled
from qbwc_service.preparing import prepare
from qbwc_service.run import Run
from qbxml.hresults import HresultRule
from queue_store.activities import attempts_of
from queue_store.books import live_documents, marks_of, of_generation
from queue_store.catalogue import (
    AnsweredLookup,
    answered_lookups,
    customers_by_keys,
    fold,
    forget_lookups,
    items_by_keys,
    mappings_of,
)
from queue_store.claim import payloads_of
from queue_store.drain import Change, at_home, change, in_doubt, lose_exchange, suspect
from queue_store.intake import changed_after_sent
from queue_store.models import Activity, BookDocument, Exchange
from queue_store.states import ActivityState
from queue_store.waits import fail_waiters, wake_waiters

logger = logging.getLogger(__name__)

#: After so many failures of its set in a row, a set is halved, and a request that is alone fails.
_MOST_FAILURES = 3

#: `Activity.reason` of what is in doubt: how it came to be.
LOST = "lost"
HRESULT = "hresult"
POISON = "poison"
CONDEMNED = "condemned"

#: What the catalogue calls the fields that may hold a SKU.
_ITEM_KEYS = {"ALU": "alu_key", "UPC": "upc_key", "ITEMNUMBER": "item_number"}
_BY_LOOK_UP = frozenset(name for name, kind in KINDS.items() if kind.doubt is Doubt.LOOK_UP)
_ASKED = (Doubt.LOOK_UP, Doubt.STATUS)
_AGAIN = frozenset(name for name, kind in KINDS.items() if kind.doubt is Doubt.AGAIN)


def lose(run: Run, exchange: Exchange, cause: str, rule: HresultRule | None = None) -> None:
    """An exchange will not be answered, or was answered by an HRESULT: what it carried is in doubt."""
    reason = LOST if rule is None else POISON if rule.is_parse_refusal else HRESULT
    rows = lose_exchange(run.db, exchange, cause, reason=reason)
    if rows:
        run.open_session.looked_back = False
        _suspect(run, exchange, rows, reason)
        for activity in _models(run, rows):
            forget_lookups(run.db, run.company.id, KINDS[activity.kind].asked_as(activity, activity.payload))
    run.db.expire_all()


def _suspect(run: Run, exchange: Exchange, rows: list[Any], reason: str) -> None:
    ids = [row.id for row in rows]
    half = max(1, (len(rows) + 1) // 2)
    failures = 0 if reason == LOST else max(row.set_failures for row in rows) + 1
    if reason == POISON or failures >= _MOST_FAILURES:
        if len(rows) == 1:
            _condemn(run, rows[0])
        else:
            suspect(run.db, ids, failures=0, size=half, of=exchange.id)
    else:
        for row in rows:
            suspect(run.db, [row.id], failures=failures, size=row.suspect_size, of=row.suspect_of)


def _condemn(run: Run, row: Any) -> None:
    """It failed alone: if it is not in QuickBooks, it fails for good."""
    activity = run.db.get_one(Activity, row.id)
    run.db.refresh(activity)
    activity.reason = CONDEMNED
    run.db.flush()


def _models(run: Run, rows: list[Any]) -> list[Activity]:
    run.db.expire_all()
    return [run.db.get_one(Activity, row.id) for row in rows if KINDS[row.kind].doubt in _ASKED]


def settle_documents(run: Run) -> int:
    """After the last page of look-back: every document in doubt is bound, or goes again."""
    activities = in_doubt(run.db, run.company.id, kinds=DOCUMENTS)
    marks = {
        activity.id: run.mark(activity.store_id, activity.record_id, activity.generation).record_mark
        for activity in activities
    }
    found = live_documents(run.db, run.company.id, set(marks.values()))
    for activity in activities:
        documents = of_generation(found.get(marks[activity.id], []), activity.generation)
        if documents:
            bind_found(run, activity, documents, marks[activity.id])
        else:
            _not_found(run, activity)
    return len(activities)


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
        own = of_generation(documents.get(mark, []), activity.generation)
        if own:
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


def _not_found(run: Run, activity: Activity) -> None:
    name = f"Order {activity.reference}" if activity.kind == "sale" else activity.reference
    if activity.txn_id:
        # A late answer bound it meanwhile, and the repeat did not get there.
        _move(
            run,
            activity,
            ActivityState.SUCCEEDED,
            cause="an earlier attempt is in QuickBooks, the repeat is not",
        )
        compare_newer(run, activity.id, bound_fingerprint(run, activity.id), content=activity.fingerprint)
        wake_waiters(run.db, [activity.id])
    elif activity.unwanted:
        take_newer(run, activity.id)
        _move(
            run,
            activity,
            ActivityState.CANCELLED,
            f"{name} was cancelled in the shop before it reached QuickBooks.",
        )
    elif activity.reason == CONDEMNED and activity.newer_payload is None:
        sentence = (
            f"{name}: QuickBooks could not read its request even alone, without saying why. See the exact request: "
            f"qbwoo activity show {activity.id}. Correct the record in the shop and push it again, or tell support."
        )
        _move(run, activity, ActivityState.FAILED, sentence)
        fail_waiters(run.db, [(activity.id, sentence)])
    elif pause := run.pause_of(activity.kind, activity.store_id):
        take_newer(run, activity.id)
        _move(run, activity, ActivityState.HELD, f"{name} {pause}", reason="not live")
    elif activity.newer_payload is not None:
        place = take_newer(run, activity.id)
        _move(
            run,
            activity,
            place.state,
            place.sentence,
            cause="not in QuickBooks; newer content from the shop takes its place",
            reason=place.reason,
        )
    elif activity.reason == HRESULT:
        _move(
            run,
            activity,
            ActivityState.DELAYED,
            f"{name}: QuickBooks failed while it was sent, and it is not in the books. It is tried again by itself.",
            next_at=run.now + back_off(run, activity.set_failures or _MOST_FAILURES),
        )
    else:
        _move(run, activity, ActivityState.PENDING, cause="not in QuickBooks: it may go again")


def _move(
    run: Run,
    activity: Activity,
    after: ActivityState,
    sentence: str = "",
    *,
    cause: str = "",
    reason: str = "",
    next_at: Any = None,
) -> None:
    change(
        run.db,
        [
            Change(
                activity_id=activity.id,
                before=activity.state,
                after=after,
                cause=cause,
                sentence=sentence,
                reason=reason,
                next_at=next_at,
            )
        ],
    )
    run.db.refresh(activity)


def settle_repeatable(run: Run) -> None:
    """What may go again goes again at once."""
    for activity in in_doubt(run.db, run.company.id, kinds=_AGAIN):
        _not_found(run, activity)


def settle_list_elements(run: Run) -> list[tuple[str, str]]:
    """Customers, items and departments in doubt whose keys were asked are settled; gives the keys still to ask."""
    activities = in_doubt(run.db, run.company.id, kinds=_BY_LOOK_UP)
    asked = {
        activity.id: list(KINDS[activity.kind].asked_as(activity, activity.payload))
        for activity in activities
    }
    every = {pair for pairs in asked.values() for pair in pairs}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, every)
    to_ask: list[tuple[str, str]] = []
    for activity in activities:
        pairs = [pair for pair in asked[activity.id] if run.spelling.look_up_requests(*pair, run.settings)]
        missing = [pair for pair in pairs if pair not in answered]
        if missing:
            to_ask += missing
            continue
        # What was not found now is not there, whatever the catalogue remembers.
        list_id = _list_id(run, [pair for pair in pairs if answered[pair].found])
        problem = next((answered[pair].problem for pair in pairs if answered[pair].problem), "")
        if list_id:
            _bind_element(run, activity, list_id)
        elif problem:
            # QuickBooks could not tell: it stays in doubt, and is asked for again in the next session.
            activity.sentence = f"{activity.reference}: the answer to it was lost. {problem}"
            run.db.flush()
        else:
            _not_found(run, activity)
    return to_ask


def can_be_settled(run: Run) -> bool:
    """True if anything in doubt can still be cleared up in this session."""
    if in_doubt(run.db, run.company.id, kinds=DOCUMENTS | _AGAIN):
        return True
    activities = in_doubt(run.db, run.company.id, kinds=_BY_LOOK_UP)
    asked = {pair for one in activities for pair in KINDS[one.kind].asked_as(one, one.payload)}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, asked)
    return any(
        not any(answered[pair].problem for pair in pairs if pair in answered)
        for one in activities
        if (pairs := KINDS[one.kind].asked_as(one, one.payload))
    )


def without_known_elements(
    run: Run, candidates: Sequence[Any]
) -> tuple[list[Any], list[tuple[str, str]], list[tuple[Any, AnsweredLookup]]]:
    """Additions of what QuickBooks has already are bound; the other candidates go on.

    Gives these, what is to be asked first, and those of which QuickBooks could not tell.

    An addition may have waited for days, or come out of a backup: QuickBooks is asked
    in the session in which it leaves, by the key that its waiters were looked for.
    """
    rest: list[Any] = []
    asked: dict[int, list[tuple[str, str]]] = {}
    rows = [row for row in candidates if row.kind in _BY_LOOK_UP]
    payloads = payloads_of(run.db, [row.id for row in rows])
    for row in rows:
        pairs = KINDS[row.kind].asked_as(row, payloads[row.id])
        asked[row.id] = [p for p in pairs if run.spelling.look_up_requests(*p, run.settings)][-1:]
    every = {pair for pairs in asked.values() for pair in pairs}
    answered = answered_lookups(run.db, run.company.id, run.open_session.id, every)
    to_ask: list[tuple[str, str]] = []
    unclear: list[tuple[Any, AnsweredLookup]] = []
    for row in candidates:
        pairs = asked.get(row.id, [])
        if any(pair not in answered for pair in pairs):
            to_ask += pairs
        elif trouble := next((answered[pair] for pair in pairs if answered[pair].problem), None):
            unclear.append((row, trouble))
        elif list_id := _list_id(run, [pair for pair in pairs if answered[pair].found]):
            _bind_element(run, row, list_id)
        else:
            rest.append(row)
    return rest, to_ask, unclear


def _bind_element(run: Run, activity: Any, list_id: str) -> None:
    change(run.db, [bound_change(activity, Written(list_id), "", cause=f"found in QuickBooks as {list_id}")])
    run.db.refresh(run.db.get_one(Activity, activity.id))
    run.open_session.settled += 1
    wake_waiters(run.db, [activity.id])


def _list_id(run: Run, pairs: list[tuple[str, str]]) -> str:
    """What QuickBooks calls the element that these keys name; the surest key first."""
    db, company_id = run.db, run.company.id
    for kind, key in pairs:
        folded = fold(key)
        if kind == "customer id":
            people = [
                p for p in customers_by_keys(db, company_id, (), {folded}) if p.customer_id_key == folded
            ]
            ids = [person.list_id for person in people]
        elif kind == "customer":
            ids = [person.list_id for person in customers_by_keys(db, company_id, {folded}, ())]
        elif kind == "item":
            known = items_by_keys(db, company_id, {folded}, run.settings["items.keys"])
            # By the fields that hold SKUs only: an item's number may look like another one's SKU.
            ids = [
                item.list_id
                for field in run.settings["items.keys"]
                for item in known
                if getattr(item, _ITEM_KEYS[field]) == folded
            ]
        else:
            ids = list(mappings_of(db, company_id, {(kind, folded)}).values())
        if ids:
            return ids[0]
    return ""
