"""What responses mean for their activities: bound, refused, tried again, or in doubt.

A success always binds; a refusal counts only for the current attempt. Everything
is collected first and then written in a few statements, in the transaction of the call.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from qbwc_service import moves
from qbwc_service.binding import (
    back_off,
    bound_change,
    bound_fingerprint,
    check_refused_total,
    check_total,
    compare_newer,
    request_id_of,
    take_newer,
)
from qbwc_service.errors import UnreadableAnswer
from qbwc_service.flavours.spelling import Written
from qbwc_service.kinds import DOCUMENTS, KINDS, Doubt
from qbwc_service.run import Run
from qbwc_service.undoings import REFUSED
from qbwc_service.waiters import let_waiters_go
from qbxml.outcomes import Outcome
from qbxml.reader import Response, read_requests
from qbxml.records import Record
from qbxml.statuses import NOT_BALANCED, StatusRule, classify_status
from queue_store import meters
from queue_store.activities import called, expire_activities, get_activity, note
from queue_store.books import retire_orders
from queue_store.catalogue import forget, forget_all_lookups, forget_lookups
from queue_store.drain import Change, change, settle_attempts
from queue_store.drain import Outcome as AttemptOutcome
from queue_store.models import Exchange
from queue_store.rereading import want_items
from queue_store.sessions import look_back_again
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState, AttemptState
from queue_store.tasks import REFUSED_TOTAL, close_tasks, raise_task
from queue_store.waits import wake_waiters
from queue_store.withdraw import follow_cancelled

#: A request whose mapping was stale is tried again with a fresh one, this often.
_STALE_TRIES = 3


@dataclass(slots=True)
class Settled:
    """What an answer came to."""

    succeeded: list[int] = field(default_factory=list)
    #: (activity, kind, sentence)
    failed: list[tuple[int, str, str]] = field(default_factory=list)
    again: int = 0
    unanswered: int = 0

    @property
    def settled(self) -> int:
        return len(self.succeeded) + len(self.failed)


class Batch:
    """Collects what a set of responses changes."""

    def __init__(self, run: Run, exchange: Exchange) -> None:
        self.run = run
        self.exchange = exchange
        self.result = Settled()
        self.attempts: list[AttemptOutcome] = []
        self.bound: list[Change] = []
        self.others: list[Change] = []
        self.after: list[tuple[Any, Written]] = []
        #: Bound to an earlier attempt already, and so at rest now.
        self.kept: list[Any] = []
        self.unclear: list[Any] = []
        #: Refused because QuickBooks computed another total.
        self.unbalanced: list[Any] = []

    def take(self, row: Any, response: Response) -> None:
        """One response to one attempt."""
        rule = classify_status(response.status_code, response.status_severity, response.status_message)
        if rule.outcome is Outcome.DONE:
            try:
                record = response.written
                written = self.run.spelling.read_written(record)
            except (IndexError, UnreadableAnswer):
                self.leave_in_doubt(row)
                return
            if row.attempt_state == AttemptState.SUCCEEDED and row.attempt_txn_id == written.txn_id:
                return  # A repeated answer changes nothing.
            self._attempt(row, AttemptState.SUCCEEDED, response, written.txn_id)
            self._succeed(row, record, written)
            return
        if row.attempt_state == AttemptState.SUCCEEDED:
            return
        if rule.outcome is Outcome.IN_DOUBT:
            self.leave_in_doubt(row)
            return
        self._attempt(row, AttemptState.REFUSED, response, None)
        if row.attempts == row.number and row.state in (ActivityState.SENT, ActivityState.IN_DOUBT):
            self._refuse(row, response, rule)

    def leave_in_doubt(self, row: Any) -> None:
        """The answer says nothing clear about this one."""
        self.result.unanswered += 1
        self.unclear.append(row)
        if row.state != ActivityState.SENT or row.attempts != row.number:
            return
        self.others.append(
            Change(
                activity_id=row.id,
                before=row.state,
                after=ActivityState.IN_DOUBT,
                sentence=f"{called(row)}: QuickBooks' answer does not say what became of it. QuickBooks is asked "
                "before it goes again.",
                reason="lost",
            )
        )

    # Success ----------------------------------------------------------------

    def _succeed(self, row: Any, record: Record, written: Written) -> None:
        known = row.txn_id
        if row.state == ActivityState.SUCCEEDED:
            if known != written.txn_id:
                self._doubled(row, known, written)
            return
        newer_is_out = row.attempts > row.number and row.state in (ActivityState.SENT, ActivityState.IN_DOUBT)
        if newer_is_out:
            # Bound, but a second request may have been executed too: that is found out first.
            activity = get_activity(self.run.db, row.id)
            activity.txn_id, activity.txn_number, activity.total = (
                written.txn_id,
                written.number,
                written.total,
            )
            return
        if known and known != written.txn_id:
            self._doubled(row, known, written)
        done = KINDS[row.kind].doubt is Doubt.STATUS
        cause = "QuickBooks has done it" if done else f"QuickBooks wrote {written.number or written.txn_id}"
        self.bound.append(bound_change(row, written, row.sent_fingerprint, cause=cause))
        KINDS[row.kind].learn(self.run, row, record)
        self.after.append((row, written))
        self.result.succeeded.append(row.id)

    def _doubled(self, row: Any, known: str | None, written: Written) -> None:
        raise_task(
            self.run.db,
            company_id=self.run.company.id,
            kind="doubled",
            subject=str(row.id),
            sentence=f"{called(row)} was written to QuickBooks twice ({known} and {written.number or written.txn_id}). "
            "Reverse one of them in QuickBooks.",
            activity_id=row.id,
        )

    # Refusal ----------------------------------------------------------------

    def _refuse(self, row: Any, response: Response, rule: StatusRule) -> None:
        why = f"{response.status_message.strip() or rule.meaning} (status {response.status_code})"
        if row.txn_id:
            # An earlier attempt is in the books; this one is not: exactly once.
            self.others.append(
                Change(
                    activity_id=row.id,
                    before=row.state,
                    after=ActivityState.SUCCEEDED,
                    cause=f"the repeat was refused: {why}",
                )
            )
            self.result.succeeded.append(row.id)
            self.kept.append(row)
            return
        if KINDS[row.kind].doubt is Doubt.STATUS and rule.outcome is not Outcome.RETRY:
            # It may have been undone before, by an attempt or by a person: the document itself is asked.
            sentence = f"{called(row)}: QuickBooks refused it: {why}. {rule.advice}"
            if row.state == ActivityState.IN_DOUBT:
                # The refusal comes late: it is in doubt already, and now it is known why.
                activity = get_activity(self.run.db, row.id)
                activity.reason, activity.sentence = REFUSED, sentence
                note(self.run.db, row.id, row.state, row.state, sentence)
            else:
                self._to(row, ActivityState.IN_DOUBT, sentence, reason=REFUSED)
            self.unclear.append(row)
            self.result.again += 1
            return
        if row.unwanted:
            take_newer(self.run, row.id)
            self._to(
                row,
                ActivityState.CANCELLED,
                f"{called(row)} was cancelled in the shop, and QuickBooks had refused it.",
            )
            return
        if row.newer_payload is not None:
            place = take_newer(self.run, row.id)
            self._to(
                row,
                place.state,
                place.sentence,
                cause=f"refused ({why}); newer content from the shop takes its place",
                reason=place.reason,
            )
            self.result.again += 1
            return
        pause = self.run.pause_of(row.kind, row.store_id)
        if pause and rule.outcome in (Outcome.RETRY, Outcome.STALE):
            self._to(row, ActivityState.HELD, f"{called(row)} {pause}", reason="not live")
            return
        if rule.outcome is Outcome.RETRY:
            self._to(
                row,
                ActivityState.DELAYED,
                f"{called(row)}: QuickBooks could not take it now: {why}. It is tried again by itself.",
                next_at=self.run.now + back_off(self.run, row.attempts),
            )
            self.result.again += 1
            return
        if rule.outcome is Outcome.STALE and row.set_failures < _STALE_TRIES:
            ids = self._ids_sent(row)
            forget(self.run.db, self.run.company.id, ids)
            if self.run.feeds_shops:
                # Which of them it is, is not told: the shop hears of it once they were read again.
                want_items(self.run.db, self.run.company.id, ids)
            if retire_orders(self.run.db, self.run.company.id, ids):
                # Somebody may have deleted its web order: all that are there are read again.
                self.run.stores[row.store_id].census_done = False
                look_back_again(self.run.db, self.run.company.id)
            forget_all_lookups(self.run.db, self.run.company.id)
            activity = get_activity(self.run.db, row.id)
            activity.set_failures += 1
            self._to(
                row,
                ActivityState.PENDING,
                cause=f"what it refers to has changed in QuickBooks: {why}; looked up anew",
            )
            self.result.again += 1
            return
        what = "its receipt" if row.kind in DOCUMENTS else "it"
        sentence = f"{called(row)}: QuickBooks refused {what}: {why}. {rule.advice}"
        if response.status_code == NOT_BALANCED and row.kind in DOCUMENTS:
            self.unbalanced.append(row)
        self._to(row, ActivityState.FAILED, sentence)
        meters.FAILURES.add_after(self.run.db, self.run.company.id, f"quickbooks {rule.outcome}")
        self.result.failed.append((row.id, row.kind, sentence))

    def _ids_sent(self, row: Any) -> set[str]:
        """The list ids that the refused request named."""
        wanted = request_id_of(row.id, row.number, row.attempt_exchange_id)
        if not self.exchange.request:
            return set()
        for request in read_requests(self.exchange.request):
            if request.request_id == wanted:
                names = {"ListID", "CustomerListID", "DepartmentListID", "SalesOrderTxnID"}
                return {
                    str(found.text) for found in request.element.iter() if found.tag in names and found.text
                }
        return set()

    def _to(
        self,
        row: Any,
        after: ActivityState,
        sentence: str = "",
        *,
        cause: str = "",
        reason: str = "",
        next_at: Any = None,
    ) -> None:
        self.others.append(
            Change(
                activity_id=row.id,
                before=row.state,
                after=after,
                cause=cause,
                sentence=sentence,
                reason=reason,
                next_at=next_at,
            )
        )

    def _attempt(self, row: Any, state: AttemptState, response: Response, txn_id: str | None) -> None:
        self.attempts.append(
            AttemptOutcome(row.id, row.number, state, response.status_code, response.status_message, txn_id)
        )

    # Writing ----------------------------------------------------------------

    def write(self) -> None:
        db, exchange_id = self.run.db, self.exchange.id
        db.flush()
        settle_attempts(db, self.attempts)
        change(db, self.bound, exchange_id=exchange_id)
        if self.run.company.tracks_stock:
            moves.answered(self.run, self.exchange, [row for row, _ in self.after])
        change(db, self.others, exchange_id=exchange_id)
        wake_waiters(db, self.result.succeeded, exchange_id=exchange_id)
        refused = let_waiters_go(db, self.result.failed, exchange_id=exchange_id)
        expire_activities(db)
        follow_cancelled(db, [one.activity_id for one in self.others if one.after == ActivityState.CANCELLED])
        for row in self.unclear:
            activity = get_activity(db, row.id)
            asked = KINDS[row.kind].asked_as(self.run, activity, activity.payload)
            forget_lookups(db, self.run.company.id, asked)
        for row, written in self.after:
            if row.kind in DOCUMENTS:
                check_total(self.run, row, written.total, row.predicted_total, discounted=written.discounted)
                if row.newer_payload is not None or row.unwanted or row.sent_fingerprint != row.fingerprint:
                    compare_newer(self.run, row.id, row.sent_fingerprint, content=row.fingerprint)
        for row in self.unbalanced:
            check_refused_total(self.run, row)
        if again := {str(row.id) for row, _ in self.after if row.attempts > 1}:
            close_tasks(db, self.run.company.id, REFUSED_TOTAL, subjects=again)
        for row in self.kept:
            compare_newer(self.run, row.id, bound_fingerprint(self.run, row.id), content=row.fingerprint)
        note_outcomes(db, self.run.company, [*self.result.succeeded, *refused])
