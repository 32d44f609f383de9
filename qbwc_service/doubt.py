"""What was sent and not clearly answered: how it became so, and what becomes of it if it is not in QuickBooks.

Nothing in doubt is ever sent again before it was looked for: documents as
`doubt_documents` says, list elements as `doubt_elements`; what may go again
goes again. After a refusal of a whole set (0x80040400) what was not found goes
in halves, until the bad request stands alone and fails with its reason.
"""

from __future__ import annotations

from typing import Any

from qbwc_service.binding import back_off, bound_fingerprint, compare_newer, take_newer
from qbwc_service.kinds import KINDS, Doubt
from qbwc_service.run import Run
from qbwc_service.waiters import let_waiters_go
from qbxml.hresults import HresultRule
from queue_store import meters
from queue_store.activities import called
from queue_store.catalogue import forget_lookups
from queue_store.claim import payloads_of
from queue_store.drain import Change, change, in_doubt, lose_exchange, suspect
from queue_store.intake import is_dropped_if_missing
from queue_store.models import Activity, Exchange
from queue_store.shop_notes import note_outcomes
from queue_store.states import ActivityState
from queue_store.waits import wake_waiters
from queue_store.withdraw import follow_cancelled

#: After so many failures of its set in a row, a set is halved, and a request that is alone fails.
_MOST_FAILURES = 3

#: `Activity.reason` of what is in doubt: how it came to be.
LOST = "lost"
HRESULT = "hresult"
POISON = "poison"
CONDEMNED = "condemned"

_ASKED = (Doubt.LOOK_UP, Doubt.STATUS)
_AGAIN = frozenset(name for name, kind in KINDS.items() if kind.doubt is Doubt.AGAIN)


def lose(run: Run, exchange: Exchange, cause: str, rule: HresultRule | None = None) -> None:
    """An exchange will not be answered, or was answered by an HRESULT: what it carried is in doubt."""
    reason = LOST if rule is None else POISON if rule.is_parse_refusal else HRESULT
    rows = lose_exchange(run.db, exchange, cause, reason=reason)
    if rows:
        run.open_session.looked_back = False
        _suspect(run, exchange, rows, reason)
        payloads = payloads_of(run.db, [row.id for row in rows if KINDS[row.kind].doubt in _ASKED])
        asked = [KINDS[row.kind].asked_as(run, row, payloads.get(row.id, b"")) for row in rows]
        forget_lookups(run.db, run.company.id, {pair for pairs in asked for pair in pairs})
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


def not_found(run: Run, activity: Activity) -> None:
    """QuickBooks does not have it, however it was looked for: it goes again, or nowhere, as things stand now."""
    name = called(activity)
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
        note_outcomes(run.db, run.company, [activity.id])
    elif activity.unwanted or is_dropped_if_missing(activity):
        cancelled = (
            f"{name} was cancelled in the shop before it reached QuickBooks." if activity.unwanted else ""
        )
        place = take_newer(run, activity.id)
        _move(run, activity, ActivityState.CANCELLED, cancelled or place.sentence)
        follow_cancelled(run.db, [activity.id])
    elif activity.reason == CONDEMNED and activity.newer_payload is None:
        sentence = (
            f"{name}: QuickBooks could not read its request even alone, without saying why. See the exact request: "
            f"qbwoo activity show {activity.id}. Correct the record in the shop and push it again, or tell support."
        )
        _move(run, activity, ActivityState.FAILED, sentence)
        meters.FAILURES.add_after(run.db, run.company.id, meters.POISON)
        refused = let_waiters_go(run.db, [(activity.id, activity.kind, sentence)])
        note_outcomes(run.db, run.company, refused)
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


def repeatable_in_doubt(run: Run) -> bool:
    """True if something is in doubt that may simply go again."""
    return bool(in_doubt(run.db, run.company.id, kinds=_AGAIN))


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
        not_found(run, activity)
