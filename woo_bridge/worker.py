"""The worker of the shop's side: drains the activities addressed to the shop.

An activity is claimed in one transaction, the shop is called without any, and
the answer is settled in another. A worker that dies between leaves a claim
that ends by itself after ten minutes, since all its calls may be repeated. A
shop that is down is not called for each of its activities in turn: the rest of
them are put off with the first ones, and what comes later waits (`Reach`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from queue_store import meters
from queue_store.activities import move
from queue_store.companies import list_companies, list_stores
from queue_store.database import Database
from queue_store.errors import LostRace
from queue_store.log_context import about
from queue_store.models import Activity, Company, Store
from queue_store.secrets import SecretBox
from queue_store.settings import Settings, company_settings, store_settings
from queue_store.shop_claim import (
    claim_shop_work,
    free_abandoned,
    has_shop_work,
    still_claimed,
    stores_with_work,
)
from queue_store.shop_work import settle_shop_work
from queue_store.states import ActivityState
from woo_bridge.client import ShopClient
from woo_bridge.ending import delay, end_many, failure, subject, wait_of
from woo_bridge.errors import (
    BadStoreUrl,
    ShopError,
    ShopUnreachable,
    StoreNotCalled,
    UnknownHost,
)
from woo_bridge.kinds import KINDS, MANY_KINDS
from woo_bridge.kinds.kind import Claimed, Ended, Tools
from woo_bridge.reach import Reach

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

#: Activities claimed at once: few, so that another worker finds some too.
AT_ONCE = 20
#: Calls in a row that come to nothing before a shop is taken to be down: one alone may be one record's fault.
_STRIKES = 2


@dataclass(frozen=True, slots=True)
class _Work:
    """A claimed activity, as it was at the claim."""

    activity_id: int
    store_id: int
    kind: str
    record_id: str
    payload: bytes
    attempt: int
    settings: Settings


@dataclass(slots=True)
class _Line:
    """The connection to one shop in one round."""

    #: None where the shop must not be called at all; then `error` says why.
    client: ShopClient | None
    strikes: int = 0
    error: ShopError | None = None


def open_client(store: Store, box: SecretBox, *, only_public: bool = False) -> ShopClient:
    """A client with the store's own key; who calls it looks first where the store's URL leads.

    `only_public`: and each connection looks again.
    """
    secret = box.open(store.consumer_secret)
    return ShopClient(store.url, store.consumer_key, secret, only_public=only_public)


class Worker:
    """`run_once` does what is due now; any number of workers may share a database."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        *,
        make_client: Callable[[Store, SecretBox], ShopClient] = open_client,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        reach: Reach | None = None,
    ) -> None:
        """`reach` is shared with the scheduler."""
        self._reach = reach or Reach()
        self._database, self._box = database, box
        self._make_client, self._now = make_client, now

    def run_once(self, store_id: int = 0) -> int:
        """Claim and do what is due, a bounded piece of it; how many activities were settled or put off.

        Of one store, or of all of them. A shop that did not answer just now is left alone.
        """
        work, many = self._claim(store_id)
        with ExitStack() as open_clients:
            lines: dict[int, _Line] = {}

            def line_of(store_id: int) -> _Line:
                if store_id not in lines:
                    lines[store_id] = self._line(store_id, open_clients)
                return lines[store_id]

            for piece in work:
                with about(store=piece.settings.owner, activity=piece.activity_id):
                    self._do(piece, line_of(piece.store_id))
            for some in many:
                with about(store=some[0].settings.owner):
                    self._do_many(some, line_of(some[0].store_id))
        return len(work) + sum(map(len, many))

    def _claim(self, only: int) -> tuple[list[_Work], list[list[_Work]]]:
        """What is done one by one, and what is done many at a time, of one kind and store each."""
        now = self._now()
        silent = self._reach.silent(now)
        with self._database.read() as db:
            due = [
                company.id
                for company in list_companies(db)
                if has_shop_work(db, company.id, now, store_id=only, but_stores=silent)
            ]
        work: list[_Work] = []
        many: list[list[_Work]] = []
        for company_id in due:
            with self._database.write() as db:
                free_abandoned(db, company_id, now)
                stores = {store.id: store for store in list_stores(db, company_id)}
                settings = {store.id: store_settings(db, store) for store in stores.values()}
                single = claim_shop_work(
                    db, company_id, now, AT_ONCE, store_id=only, but=tuple(MANY_KINDS), but_stores=silent
                )
                work += _works(single, settings)
                for kind in MANY_KINDS.values():
                    for store_id in stores_with_work(db, company_id, kind.name, now):
                        if store_id in silent or only not in (0, store_id):
                            continue
                        claimed = claim_shop_work(
                            db, company_id, now, kind.at_once, kind=kind.name, store_id=store_id
                        )
                        if claimed:
                            many.append(_works(claimed, settings))
        return work, many

    def _line(self, store_id: int, open_clients: ExitStack) -> _Line:
        with self._database.read() as db:
            store = next(store for store in list_stores(db) if store.id == store_id)
            try:
                return _Line(open_clients.enter_context(self._make_client(store, self._box)))
            except UnknownHost as error:
                unreachable = ShopUnreachable("the shop was not called", str(error), may_have_arrived=False)
                self._is_silent(store_id, unreachable)
                return _Line(None, error=unreachable)
            except BadStoreUrl as error:
                return _Line(None, error=StoreNotCalled(str(error)))

    def _do(self, work: _Work, line: _Line) -> None:
        kind = KINDS.get(work.kind)
        if kind is None:
            self._settle(work, self._unknown)
            return
        reason = kind.not_wanted(work.settings, work.payload)
        if reason:
            self._settle(work, lambda db, store, activity: _cancel(db, activity, reason))
            return
        if line.client is None or (line.error is not None and line.strikes >= _STRIKES):
            assert line.error is not None
            down = line.error
            self._settle(work, lambda db, store, activity: self._put_off(db, store, activity, down))
            return
        try:
            answer = kind.call(line.client, work.payload)
        except ShopError as error:
            failure = error
            line.strikes, line.error = line.strikes + 1 if error.retriable else 0, error
            if self._is_silent(work.store_id, error):
                line.strikes = _STRIKES
            self._settle(work, lambda db, store, activity: self._put_off(db, store, activity, failure))
            return
        line.strikes = 0
        self._reach.answered(work.store_id)

        def settle(db: Session, store: Store, activity: Activity) -> None:
            done = kind.settle(db, store, store_settings(db, store), activity, answer)
            settle_shop_work(db, activity, cause=done.cause, sentence=done.sentence)

        self._settle(work, settle)

    def _do_many(self, works: Sequence[_Work], line: _Line) -> None:
        kind = MANY_KINDS[works[0].kind]
        ended: Mapping[int, Ended]
        if line.client is None or (line.error is not None and line.strikes >= _STRIKES):
            assert line.error is not None
            ended = dict.fromkeys((work.activity_id for work in works), line.error)
        else:
            claimed = [Claimed(work.activity_id, work.record_id, work.payload) for work in works]
            tools = Tools(self._database, line.client, works[0].store_id, self._now)
            try:
                ended = kind.run(tools, claimed)
            except ShopError as error:
                ended = dict.fromkeys((work.activity_id for work in works), error)
            errors = [end for end in ended.values() if isinstance(end, ShopError)]
            if errors:
                self._is_silent(works[0].store_id, errors[0])
            else:
                self._reach.answered(works[0].store_id)
        self._settle_many(works, ended)

    def _settle_many(self, works: Sequence[_Work], ended: Mapping[int, Ended]) -> None:
        attempts = {work.activity_id: work.attempt for work in works}
        self._database.write_again(lambda db: end_many(db, attempts, ended, self._now()))

    def _is_silent(self, store_id: int, error: ShopError) -> bool:
        """True if the shop did not answer at all, and is left alone for a while; an error of its own is an answer."""
        if isinstance(error, ShopUnreachable) and error.status is None:
            self._reach.failed(store_id, self._now())
            return True
        return False

    def _settle(self, work: _Work, step: Callable[[Session, Store, Activity], None]) -> None:
        def settle(db: Session) -> None:
            activity = still_claimed(db, {work.activity_id: work.attempt}).get(work.activity_id)
            if activity is None:
                # The claim ended, and somebody else does it, or did it already.
                return
            step(db, db.get_one(Store, activity.store_id), activity)

        try:
            self._database.write_again(settle)
        except LostRace:
            logger.info("activity %s was settled by somebody else", work.activity_id)

    def _put_off(self, db: Session, store: Store, activity: Activity, error: ShopError) -> None:
        KINDS[activity.kind].without_answer(db, store, store_settings(db, store), activity, error)
        payload = activity.newer_payload or activity.payload
        if not error.retriable:
            _fail(db, activity, str(error), failure(activity, error), payload=payload, newer_payload=None)
            return
        base: int = company_settings(db, db.get_one(Company, activity.company_id))["retry.base_seconds"]
        move(
            db,
            activity,
            ActivityState.DELAYED,
            cause=str(error),
            sentence=delay(activity, error),
            next_at=self._now() + wait_of(activity.attempts, base, error),
            payload=payload,
            newer_payload=None,
        )

    def _unknown(self, db: Session, store: Store, activity: Activity) -> None:
        sentence = (
            f"{subject(activity)}: this version does not know activities of kind {activity.kind}. "
            "Update qbwoo, then retry it."
        )
        _fail(db, activity, sentence, sentence)


def _works(claimed: Iterable[Activity], settings: Mapping[int, Settings]) -> list[_Work]:
    return [
        _Work(a.id, a.store_id, a.kind, a.record_id, a.payload, a.attempts, settings[a.store_id])
        for a in claimed
    ]


def _fail(db: Session, activity: Activity, cause: str, sentence: str, **changes: Any) -> None:
    move(db, activity, ActivityState.FAILED, cause=cause, sentence=sentence, **changes)
    meters.FAILURES.add_after(db, activity.company_id, meters.SHOP)


def _cancel(db: Session, activity: Activity, reason: str) -> None:
    move(
        db,
        activity,
        ActivityState.CANCELLED,
        cause=reason,
        sentence=f"{subject(activity)}: {reason}",
        newer_payload=None,
    )
