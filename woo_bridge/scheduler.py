"""Runs what is due by itself, in small pieces, on whatever node comes first.

A run is claimed by compare-and-set, each piece is committed with what it read
and with where the next one begins, and a node that was taken for dead commits
nothing more. So each run happens once, and a dead node's run is gone on with.
Between two pieces nobody holds a run: other work of the node comes in between.
"""

from __future__ import annotations

import json
import logging
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, tzinfo
from typing import TYPE_CHECKING, Any, cast

from queue_store import schedules as store_of
from queue_store.companies import get_store, list_stores
from queue_store.database import Database
from queue_store.errors import LostClaim, NotFound, WrongSecretKey
from queue_store.log_context import about
from queue_store.models import Schedule, Store
from queue_store.secrets import SecretBox
from queue_store.settings import store_settings
from queue_store.tasks import close_task, raise_task
from woo_bridge.client import ShopClient
from woo_bridge.errors import BridgeError, ShopUnreachable, UnknownHost
from woo_bridge.job import Job, Next, Piece
from woo_bridge.planning import Planned, due_at, planned
from woo_bridge.reach import Reach

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

#: How often it is looked whether stores, settings or the clock change what is due.
LOOK = timedelta(minutes=1)
#: Failures in a row after which a person is told of a shop that may only be down for a while.
_PATIENCE = 4
TASK = "schedule"


class NotNow(BridgeError):
    """A run that was asked for by hand cannot begin; the message is a whole sentence."""


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a run is that was asked for by hand."""

    name: str
    done: bool
    failed: bool
    sentence: str


@dataclass(frozen=True, slots=True)
class _Claim:
    """A run that is this node's for one piece."""

    schedule: Schedule
    number: int
    store: Store


class Scheduler:
    """`run_once` does one piece of what is due; any number of them may share a database."""

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        jobs: Sequence[Job],
        *,
        open_client: Callable[[Store], ShopClient],
        public_url: str | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        reach: Reach | None = None,
    ) -> None:
        """`reach` is shared with the worker."""
        self._reach = reach or Reach()
        self._database, self._box, self._now = database, box, now
        self._jobs: Mapping[str, Job] = {job.name: job for job in jobs}
        self._open_client, self._public_url = open_client, public_url
        self._looked_at: datetime | None = None
        self._looking = threading.Lock()

    # By itself

    def due_stores(self) -> list[int]:
        """The stores of which something is due. No shop is called for that."""
        now = self._now()
        self._look_at_times(now)
        with self._database.read() as db:
            return store_of.stores_due(db, self._jobs.keys(), now, but_stores=self._reach.silent(now))

    def run_once(self, store_id: int = 0) -> int:
        """Do one piece of what is due longest, of one store or of all; 1, or 0 if nothing is.

        May be called for several stores at once, each by a thread of its own.
        """
        now = self._now()
        self._look_at_times(now)
        silent = self._reach.silent(now)
        with self._database.read() as db:
            due = store_of.next_due(db, self._jobs.keys(), now, store_id=store_id, but_stores=silent)
        if due is None:
            return 0
        with self._database.write() as db:
            claim = self._claim(db, due, now)
        if claim is None:
            return 1
        with about(store=claim.store.name, schedule=due.name):
            self._piece(claim, hold=False)
        return 1

    def _look_at_times(self, now: datetime) -> None:
        with self._looking:
            if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOK:
                self._look(now, starting=self._looked_at is None)
                self._looked_at = now

    def _look(self, now: datetime, *, starting: bool) -> None:
        """Bring what is due up to stores and settings; after a start read what was missed meanwhile."""
        with self._database.read() as db:
            everyone = list_stores(db)
            there = {
                (one.store_id, one.name) for one in store_of.list_schedules(db, [s.id for s in everyone])
            }
        stores = [store for store in everyone if store.live_kinds]
        missing = {
            store.id: [
                name
                for name, job in self._jobs.items()
                if (store.id, name) not in there and (store.live_kinds or not job.needs_shop)
            ]
            for store in everyone
        }
        if any(missing.values()):
            with self._database.write() as db:
                for store in everyone:
                    store_of.add_missing(db, store, missing[store.id], now)
        self.plan_all(now)
        if starting:
            with self._database.write() as db:
                for store in stores:
                    store_of.hurry(
                        db, store.id, [job.name for job in self._jobs.values() if job.at_once], now
                    )

    def plan_all(self, now: datetime) -> None:
        """Work out anew when each schedule is due; what is so already is not written."""
        changed: list[tuple[Schedule, datetime | None]] = []
        for one in self.planned():
            due = due_at(one, now)
            if due != one.schedule.next_at and not _is_claimed(one.schedule, now):
                changed.append((one.schedule, due))
        if changed:
            with self._database.write() as db:
                for schedule, due in changed:
                    store_of.plan(db, schedule, due)

    def planned(self) -> list[Planned]:
        """Every schedule of every store, by store."""
        with self._database.read() as db:
            stores = {store.id: store for store in list_stores(db)}
            rows = store_of.list_schedules(db, list(stores))
            zones: dict[int, tzinfo] = {}
            found = [
                planned(db, row, stores[row.store_id], self._jobs[row.name], zones)
                for row in rows
                if row.name in self._jobs
            ]
            db.expunge_all()
        return found

    def _claim(self, db: Session, due: Schedule, now: datetime) -> _Claim | None:
        """None: another node was first, or it is not due after all: a setting was changed, quiet hours began."""
        schedule = db.get_one(Schedule, due.id)
        store = db.get_one(Store, schedule.store_id)
        at = due_at(planned(db, schedule, store, self._jobs[schedule.name]), now)
        if at is None or at > now:
            store_of.plan(db, schedule, at)
            return None
        return self._take(db, schedule, store, now)

    def _take(self, db: Session, schedule: Schedule, store: Store, now: datetime) -> _Claim | None:
        number = store_of.claim(db, schedule, now)
        if number is None:
            return None
        db.refresh(schedule)
        return _Claim(schedule, number, store)

    # By hand

    def run_now(self, name: str, store_name: str) -> Iterator[Progress]:
        """Run one from its beginning to its end, or go on with the run at hand, whatever the hour.

        One Progress after each piece. Raises NotFound, NotNow.
        """
        job = self._jobs.get(name)
        if job is None:
            raise NotFound("schedule", name, f"Known are: {', '.join(self._jobs)}.")
        now = self._now()
        with self._database.write() as db:
            store = get_store(db, store_name)
            reason = job.idle(store)
            if reason:
                raise NotNow(f"{reason} Run: qbwoo store live {store_name}")
            store_of.add_missing(db, store, [name], now)
            schedule = store_of.find_schedule(db, store, name)
            claim = self._take(db, schedule, store, now) if schedule is not None else None
            if claim is None:
                since = schedule.running_since if schedule is not None else None
                told = f" since {since:%H:%M:%S} UTC" if since else ""
                raise NotNow(f"{name} of store {store_name} is being run by another process{told}.")
        while True:
            with about(store=store_name, schedule=name):
                progress = self._piece(claim, hold=True)
            yield progress
            if progress.done:
                return

    # A piece

    def _piece(self, claim: _Claim, *, hold: bool) -> Progress:
        with self._database.read() as db:
            row = db.get_one(Schedule, claim.schedule.id)
        job = self._jobs[row.name]
        state: dict[str, Any] = json.loads(row.place) if row.place else {}
        memory: dict[str, Any] = json.loads(row.memory) if row.memory else {}
        found = Counter(state.get("found", {}))
        remarks: list[str] = state.get("remarks", [])
        with ExitStack() as opened:
            try:
                # Where no shop is needed there is no client: whoever uses one all the same is a defect.
                client = (
                    opened.enter_context(self._open_client(claim.store))
                    if job.needs_shop
                    else cast(ShopClient, None)
                )
                piece = Piece(
                    self._database,
                    client,
                    claim.store.id,
                    state.get("place", {}),
                    memory,
                    found,
                    self._now(),
                    row.began_at or self._now(),
                    self._public_url,
                    self._box.open,
                )
                keep = job.step(piece)
            except (BridgeError, WrongSecretKey) as error:
                if isinstance(error, (ShopUnreachable, UnknownHost)):
                    self._reach.failed(claim.store.id, self._now())
                return self._failed(claim, error)

        if job.needs_shop:
            self._reach.answered(claim.store.id)

        def work(db: Session) -> Next:
            store = db.get_one(Store, claim.store.id)
            after = keep(db, store, store_settings(db, store))
            self._kept(db, claim, after, found + Counter(after.found), [*remarks, after.remark], hold)
            return after

        try:
            after = self._database.write_again(work)
        except LostClaim as error:
            logger.info("%s", error)
            return Progress(row.name, True, True, str(error))
        sentence = _told(job, found + Counter(after.found), [*remarks, after.remark])
        if after.place is None:
            logger.info("schedule %s of store %s: %s", row.name, claim.store.name, sentence)
        return Progress(row.name, after.place is None, False, sentence)

    def _kept(
        self, db: Session, claim: _Claim, after: Next, found: Counter[str], remarks: list[str], hold: bool
    ) -> None:
        now, row, job = self._now(), claim.schedule, self._jobs[claim.schedule.name]
        values: dict[str, Any] = {} if after.memory is None else {"memory": json.dumps(after.memory)}
        told = [remark for remark in remarks if remark]
        if after.place is not None:
            state = {"place": after.place, "found": found, "remarks": told}
            values |= {"place": json.dumps(state), "next_at": now}
            values["claimed_until"] = now + store_of.CLAIM_ENDS if hold else None
        else:
            values |= {
                "place": "",
                "claimed_until": None,
                "running_since": None,
                "finished_at": now,
                "result": store_of.DONE,
                "sentence": _told(job, found, told),
                "failures": 0,
            }
            close_task(db, company_id=row.company_id, kind=TASK, subject=_subject(claim))
        store_of.keep_piece(db, row.id, claim.number, row.name, **values)
        if after.hurry:
            store_of.hurry(db, row.store_id, after.hurry, now)
        if after.place is None:
            self._plan_next(db, claim)

    def _plan_next(self, db: Session, claim: _Claim) -> None:
        """When it is due again; what was asked for while it ran is still wanted."""
        row = db.get_one(Schedule, claim.schedule.id, populate_existing=True)
        if row.wanted_at is not None and row.began_at is not None and row.wanted_at <= row.began_at:
            row.wanted_at = None
        store = db.get_one(Store, row.store_id)
        row.next_at = due_at(planned(db, row, store, self._jobs[row.name]), self._now())
        db.flush()

    def _failed(self, claim: _Claim, error: BridgeError | WrongSecretKey) -> Progress:
        """It is tried again later, from where it stood; a person is told of what does not pass by itself."""
        row, now = claim.schedule, self._now()
        passing = isinstance(error, UnknownHost) or (isinstance(error, BridgeError) and error.retriable)
        sentence = f"{error} It is tried again by itself."

        def work(db: Session) -> None:
            store_of.keep_piece(
                db,
                row.id,
                claim.number,
                row.name,
                claimed_until=None,
                running_since=None,
                finished_at=now,
                result=store_of.FAILED,
                sentence=sentence,
                failures=row.failures + 1,
            )
            self._plan_next(db, claim)
            if not passing or row.failures + 1 >= _PATIENCE:
                told = f"{self._jobs[row.name].title}, store {claim.store.name}: {sentence}"
                raise_task(db, company_id=row.company_id, kind=TASK, subject=_subject(claim), sentence=told)

        try:
            self._database.write_again(work)
        except LostClaim as lost:
            return Progress(row.name, True, True, str(lost))
        logger.warning("schedule %s of store %s failed: %s", row.name, claim.store.name, error)
        return Progress(row.name, True, True, sentence)


def _told(job: Job, found: Counter[str], remarks: list[str]) -> str:
    return " ".join([job.tell(found), *(remark for remark in remarks if remark)])


def _subject(claim: _Claim) -> str:
    return f"{claim.store.name} {claim.schedule.name}"


def _is_claimed(row: Schedule, now: datetime) -> bool:
    return row.claimed_until is not None and row.claimed_until >= now
