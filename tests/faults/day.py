"""One day of one seed: its steps, the quiet time after them, and what was broken."""

from __future__ import annotations

import random
import time
import traceback
from collections.abc import Callable, Collection
from contextlib import suppress

from sqlalchemy import select

from qbwc_service.preparing import prepare_pending
from queue_store.models import Activity
from queue_store.states import ActivityState
from tests.faults import desk, shopkeeping, troubles
from tests.faults.invariants import violations
from tests.faults.refund_invariants import broken_refunds
from tests.faults.scene import Plot, Scene, Violation
from tests.faults.snapshots import let_time_pass
from tests.faults.stage import Report, Stage
from tests.faults.storage import StorageFailed
from tests.faults.undo_invariants import broken_undos
from tests.faults.watching import on_set
from tests.faults.web_order_invariants import broken_web_orders

#: Sessions and sets that the quiet time may take.
_MOST_SESSIONS = 25
_MOST_SETS = 150
_Action = Callable[[Scene, random.Random], None]


class Day:
    """One day of one seed."""

    def __init__(
        self,
        stage: Stage,
        seed: int,
        *,
        skip: Collection[int] = (),
        log: Callable[[str], None] | None = None,
        plot: Plot | None = None,
    ) -> None:
        stage.morning.restore(stage.database)
        plot = plot or Plot.of(seed)
        self.scene = Scene(stage, seed, plot, log or (lambda _line: None))
        self.scene.world.on_set = lambda request: on_set(self.scene, request)
        self.skip = set(skip)
        self.actions: dict[_Action, float] = {
            go_on: 40,
            shopkeeping.place: 7,
            shopkeeping.change: 8,
            shopkeeping.refund: 5,
            shopkeeping.delete_refund: 0.7,
            shopkeeping.deliver: 6,
            troubles.late_answer: 4,
            troubles.out_of_order: 3,
            troubles.time_passes: 4,
            troubles.restart: 1,
            troubles.backup: 2,
            troubles.restore: 1.2,
            desk.operator: 4,
            prepare: 3,
            shopkeeping.read_again: 4,
            troubles.till_sale: 2,
            troubles.clock_of_pos: 1,
            troubles.clock_back: 1,
            troubles.poison: 0.8,
        }
        if plot.undo:
            self.actions |= {desk.undo: 5}
        if plot.web_orders:
            self.actions |= {desk.delete_sales_order: 0.6}

    def run(self) -> Report:
        """The day, the quiet time, and what was broken."""
        scene = self.scene
        began, cpu, found = time.perf_counter(), time.process_time(), []
        try:
            if scene.plot.undo:
                self._yesterday()
            with troubles.refusals(scene):
                for number in range(scene.steps):
                    if number not in self.skip:
                        self._step(random.Random(f"{scene.seed} {number}"), number)
            self.settle(found)
        except Violation as violation:
            found.append(str(violation))
        except Exception:  # noqa: BLE001 - whatever the service raises breaks the call
            found.append("".join(traceback.format_exc()[-1500:]))
        finally:
            for connector in scene.connectors:
                connector.forget()
            for backup, _ in scene.backups:
                backup.close()
        return Report(
            scene.seed,
            found,
            scene.fired,
            scene.steps,
            time.perf_counter() - began,
            time.process_time() - cpu,
        )

    def settle(self, found: list[str]) -> None:
        """The storm is over: what is broken after it, and after all that failed was retried, is added to `found`.

        Raises Violation.
        """
        scene = self.scene
        self._calm()
        doubtful = self._doubtful()
        self._quiet(settled=doubtful)
        found += self._check(healed=False)
        desk.retry_all(scene)
        self._quiet()
        returns = desk.see_to_returns(scene)
        if returns:
            self._quiet()
            desk.retry_all(scene)
            self._quiet()
            desk.release_returns(scene, returns)
            self._quiet()
        found += self._check(healed=True)

    def restart(self) -> None:
        """The service begins anew, here."""
        troubles.start(self.scene)

    def _doubtful(self) -> dict[int, int]:
        """Attempts of what was sent and is not answered, by activity."""
        with self.scene.database.read() as db:
            query = select(Activity.id, Activity.attempts).where(
                Activity.target == "quickbooks",
                Activity.state.in_((ActivityState.SENT, ActivityState.IN_DOUBT)),
            )
            return {row.id: row.attempts for row in db.execute(query)}

    def _step(self, rng: random.Random, number: int) -> None:
        action = rng.choices(list(self.actions), list(self.actions.values()))[0]
        self.scene.log(f"{number:3} {action.__name__}")
        action(self.scene, rng)

    def _yesterday(self) -> None:
        """Documents that are in the books already, so that there is something to undo."""
        scene, rng = self.scene, random.Random(f"yesterday {self.scene.seed}")
        scene.world.faults = False
        for _ in range(rng.randrange(2, 6)):
            shopkeeping.take(scene, scene.shop.place(rng))
            refunded = scene.shop.refund(rng.choice(scene.shop.ids()), rng) if rng.random() < 0.4 else None
            if refunded is not None:
                shopkeeping.take(scene, refunded)
        self._quiet()
        scene.world.faults = True

    # The quiet time --------------------------------------------------------

    def _calm(self) -> None:
        """No more faults; what the shop has arrives once more."""
        scene = self.scene
        scene.log("    quiet")
        scene.world.faults = False
        scene.pos.poison = None
        for connector in scene.connectors:
            connector.forget()
        for body in scene.mail:
            shopkeeping.take(scene, body)
        scene.mail.clear()
        for order_id in scene.shop.ids():
            shopkeeping.take(scene, scene.shop.newest(order_id), read_now=True)
        # The shop goes on, so that there is a document to look back for.
        shopkeeping.take(scene, scene.shop.place_paid(random.Random(scene.seed)))

    def _quiet(self, settled: dict[int, int] | None = None) -> None:
        """Sessions until there is nothing to do; what was in doubt (`settled`) is so no more after the first one."""
        database, connector, rng = self.scene.database, self.scene.connectors[0], random.Random(0)
        for number in range(_MOST_SESSIONS):
            if not number or self._is_delayed():
                let_time_pass(database, 70)
            shopkeeping.work_for_the_shop(self.scene)
            prepare_pending(database)
            connector.forget()
            connector.step(rng)
            if connector.says == "none" and not self._is_delayed():
                return
            if connector.says:
                continue
            while connector.stage != "idle":
                connector.step(rng)
                if connector.sets > _MOST_SETS:
                    raise Violation(f"a quiet session takes more than {_MOST_SETS} sets")
            percents = connector.percents
            if percents != sorted(percents) or 100 in percents[:-1] or percents[-1:] != [100]:
                raise Violation(f"the percentages of a quiet session were {percents}")
            still = set((settled or {}).items()) & set(self._doubtful().items())
            if still:
                raise Violation(f"{len(still)} activities are in doubt after a quiet session, as before it")
            settled = None
        raise Violation(f"the queue is not drained after {_MOST_SESSIONS} quiet sessions")

    def _is_delayed(self) -> bool:
        with self.scene.database.read() as db:
            query = select(Activity.id).where(Activity.state == ActivityState.DELAYED).limit(1)
            return db.scalars(query).first() is not None

    def _check(self, *, healed: bool) -> list[str]:
        with self.scene.database.read() as db:
            return [
                broken
                for promises in (violations, broken_refunds, broken_web_orders, broken_undos)
                for broken in promises(db, self.scene, healed=healed)
            ]


def go_on(scene: Scene, rng: random.Random) -> None:
    """A connector makes its next calls."""
    connector = scene.connectors[0 if rng.random() < 0.88 else 1]
    if connector is scene.connectors[1] and connector.stage == "idle":
        scene.fired["second connector"] += 1
    for _ in range(rng.randrange(1, 5)):
        was_idle = connector.stage == "idle"
        connector.step(rng)
        if was_idle and connector.says:
            # Nothing to do: it comes again some other time.
            break


def prepare(scene: Scene, rng: random.Random) -> None:
    """The worker makes ready what waits."""
    with suppress(StorageFailed):
        scene.world.stored(rng, lambda: prepare_pending(scene.database), 0.05)
