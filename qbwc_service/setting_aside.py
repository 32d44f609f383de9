"""Candidates that cannot leave now: refused, postponed, or waiting for what QuickBooks lacks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from qbwc_service.binding import back_off
from qbwc_service.resolving import Addition, Verdict
from qbwc_service.run import Run
from qbwc_service.waiters import let_waiters_go
from queue_store import meters, waits
from queue_store.activities import add_activity, called, newest_of_record
from queue_store.catalogue import AnsweredLookup
from queue_store.drain import Change, change
from queue_store.fingerprint import content_digest
from queue_store.models import Activity
from queue_store.payloads import encode
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState


def set_unclear_aside(run: Run, unclear: Sequence[tuple[Any, AnsweredLookup]]) -> None:
    """Additions of which QuickBooks cannot tell whether it has them: never added blindly."""
    _postpone(run, [(row, f"{called(row)}: {found.problem}") for row, found in unclear if found.passing])
    fail(run, [(row, f"{called(row)}: {found.problem}", "") for row, found in unclear if not found.passing])


def _postpone(run: Run, rows: Sequence[tuple[Any, str]]) -> None:
    """(activity, sentence) each: tried again by itself after a while."""
    change(
        run.db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.DELAYED,
                sentence=sentence,
                next_at=run.now + back_off(run, row.attempts),
            )
            for row, sentence in rows
        ],
    )


def set_aside(run: Run, verdicts: Sequence[Verdict]) -> bool:
    """Fail what is refused; let what lacks something wait for its addition. True if any was."""
    additions: dict[tuple[str, str], Activity] = {}
    waiters: list[tuple[int, int]] = []
    waiting: list[Change] = []
    refused: list[tuple[Any, str, str]] = []
    postponed: list[tuple[Any, str]] = []
    for verdict in verdicts:
        row = verdict.activity
        if verdict.refusal:
            refused.append((row, verdict.refusal, ""))
        elif verdict.hindrance:
            postponed.append((row, verdict.hindrance))
        elif verdict.additions:
            needed = [_addition(run, addition, row, additions) for addition in verdict.additions]
            hindrance = _hindrance(row, needed)
            if hindrance:
                refused.append((row, hindrance, "activity"))
                continue
            waiters += [(row.id, one.id) for one in needed]
            names = ", ".join(dict.fromkeys(one.reference for one in needed))
            waiting.append(
                Change(
                    activity_id=row.id,
                    before=row.state,
                    after=ActivityState.WAITING,
                    sentence=f"{called(row)} waits until QuickBooks has {names}.",
                    reason="activity",
                )
            )
    fail(run, refused)
    _postpone(run, postponed)
    change(run.db, waiting)
    waits.wait_for(run.db, waiters)
    return bool(waiting or refused or postponed)


def _hindrance(row: Any, needed: Sequence[Activity]) -> str:
    """Why waiting for these additions would be in vain; "" if it is not."""
    for one in needed:
        if one.state == ActivityState.FAILED:
            return f"{called(row)} cannot be sent: {one.sentence} Mend that, then retry."
        if one.state == ActivityState.SUCCEEDED:
            return (
                f"{called(row)}: {one.reference} was added to QuickBooks a moment ago ({one.txn_id}) and yet is not "
                "found there. Look at it in QuickBooks, map it by hand, then retry."
            )
    return ""


def _addition(run: Run, addition: Addition, waiter: Any, known: dict[tuple[str, str], Activity]) -> Activity:
    """The activity that adds what is missing: one, however many wait for it."""
    key = (addition.kind, addition.record_id)
    if key in known:
        return known[key]
    newest = newest_of_record(
        run.db,
        company_id=run.company.id,
        store_id=addition.store_id,
        kind=addition.kind,
        record_id=addition.record_id,
    )
    generation = 1
    if newest is not None:
        is_over = newest.state in (ActivityState.SUCCEEDED, ActivityState.CANCELLED, ActivityState.SUPERSEDED)
        # Never a second time in one session: what was just added and is not found would be added without end.
        is_new = newest.state == ActivityState.SUCCEEDED and newest.updated_at >= run.open_session.started_at
        if not is_over or is_new:
            known[key] = newest
            return newest
        # It was added once, and QuickBooks says now that it is not there: somebody deleted it.
        generation = newest.generation + 1
    payload = encode(addition.payload)
    known[key] = add_activity(
        run.db,
        Activity(
            company_id=run.company.id,
            store_id=addition.store_id,
            kind=addition.kind,
            record_id=addition.record_id,
            generation=generation,
            state=ActivityState.PENDING,
            # What waits for it inherits nothing less: it goes first.
            priority=waiter.priority + 1,
            payload=payload,
            digest=content_digest(payload),
            reference=addition.reference,
            session_id=run.open_session.id,
        ),
        cause=f"needed by {waiter.reference}",
    )
    return known[key]


def fail(run: Run, refused: Sequence[tuple[Any, str, str]]) -> None:
    """Fail (activity, sentence, reason) each, and what waits for them."""
    change(
        run.db,
        [
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.FAILED,
                sentence=sentence,
                reason=reason,
            )
            for row, sentence, reason in refused
        ],
    )
    for _ in refused:
        meters.FAILURES.add_after(run.db, run.company.id, meters.NOT_SENDABLE)
    failed = let_waiters_go(run.db, [(row.id, row.kind, sentence) for row, sentence, _ in refused])
    note_outcomes(run.db, run.company, failed)
    run.open_session.failed += len(refused)
    run.open_session.settled += len(refused)
