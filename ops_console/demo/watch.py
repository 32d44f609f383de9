"""Telling what happens while it happens: webhooks, runs of the Web Connector, receipts, refusals.

Everything is seen from outside, as a shop owner could see it: in the shop's
log of deliveries, in the Web Connector's window, in the company file, and in
the list of activities.
"""

from __future__ import annotations

import queue
from collections import Counter
from decimal import Decimal

from ops_console.cli.demo_screen import Screen
from ops_console.demo.stage import FinishedRun, PlayedConnector
from ops_console.demo.verdict import Told, record_of
from ops_console.errors import NotDone
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.shop import Delivery, Shop
from queue_store.activities import RETURN, SALE, list_activities
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.states import ActivityState

WEBHOOKS, RECEIPTS = "webhooks_taken_in", "receipts_written"
#: How many of the newest sales are looked at; more are never on their way at once.
_NEWEST = 200
_SETTLED = frozenset({"succeeded", "waiting", "held", "failed", "cancelled"})


class Watch:
    """Each `look` tells what is new since the last one. Not for several threads."""

    def __init__(
        self, screen: Screen, shop: Shop, pos: PosCompanyFile, connector: PlayedConnector, database: Database
    ) -> None:
        self._screen, self._shop, self._pos = screen, shop, pos
        self._connector, self._database = connector, database
        self._deliveries = len(shop.delivery_log)
        self._receipts = len(pos.receipts())
        self._told: dict[int, Told] = {}
        #: Finished runs of the Web Connector, and those of them that had work.
        self.runs = 0
        self.sessions = 0
        #: Runs that failed, one after another.
        self.failures = 0

    def look(self) -> None:
        """Tell what is new. Raises NotDone when the Web Connector's thread died."""
        told = self.told(_NEWEST)
        log = self._shop.delivery_log
        for delivery in log[self._deliveries :]:
            self._deliveries += 1
            self._tell_delivery(delivery)
        self._tell_receipts()
        for order_id, now in sorted(told.items()):
            if now != self._told.get(order_id) and now.is_settled and now.sentence:
                style = "red" if now.state == "failed" else "yellow"
                self._screen.event(now.sentence, counted=True, style=style)
        self._told.update(told)
        while True:
            try:
                run = self._connector.runs.get_nowait()
            except queue.Empty:
                return
            self._tell_run(run)

    def told(self, newest: int | None = None) -> dict[int, Told]:
        """What the service says of each order, by order id."""
        with self._database.read() as db:
            sales = list_activities(db, kind=SALE, limit=newest)
            returns = list_activities(db, kind=RETURN, limit=newest)
            refunds = Counter(int(one.order_id) for one in returns if _is_settled(one))
            return {
                int(sale.order_id): Told(
                    ActivityState(sale.state).shown,
                    sale.sentence,
                    is_settled=_is_settled(sale),
                    settled_refunds=refunds[int(sale.order_id)],
                )
                for sale in sales
            }

    def _tell_delivery(self, delivery: Delivery) -> None:
        if delivery.is_ping:
            return
        what = f"webhook {delivery.topic} {delivery.resource_id}"
        if delivery.status_code == 200:
            self._screen.event(f"{what}: taken in", counted=True)
        else:
            self._screen.event(f"{what}: NOT taken in, answer {delivery.status_code}", style="red")
        if delivery.topic.startswith("order."):
            self._screen.count(WEBHOOKS)

    def _tell_receipts(self) -> None:
        receipts = self._pos.receipts()
        for receipt in receipts[self._receipts :]:
            record = record_of(receipt)
            if record is not None:
                order_id, refund_id = record
                what = f"order {order_id}" if refund_id is None else f"refund {refund_id} of order {order_id}"
                word = "receipt" if refund_id is None else "return"
                text = f"{word} {receipt.number} written: {what}, {amount(receipt.total)} USD"
                self._screen.event(text, counted=True, style="green")
                self._screen.count(RECEIPTS)
        self._receipts = len(receipts)

    def _tell_run(self, run: FinishedRun | Exception) -> None:
        if isinstance(run, Exception):
            raise NotDone(f"The played Web Connector broke down: {run!r}") from run
        self.runs += 1
        report = run.report
        for oddity in report.oddities:
            self._screen.event(f"Web Connector: strange: {oddity}", style="red")
        self.failures = 0 if report.outcome in ("ok", "none") else self.failures + 1
        if report.outcome == "none":
            return
        if report.outcome != "ok":
            code = f" ({report.qbwc_code})" if report.qbwc_code else ""
            self._screen.event(f"Web Connector: {report.outcome}{code}: {report.status_text}", style="red")
            return
        self.sessions += 1
        kinds = ", ".join(f"{count} {name}" for name, count in run.requests.most_common())
        self._screen.event(
            f"session {self.sessions}: {_plural(report.requests, 'request')} in "
            f"{_plural(report.sets, 'message set')}: {kinds}",
            style="cyan",
        )


def _is_settled(activity: Activity) -> bool:
    """What waits for its sale, its customer or items goes on by itself."""
    waits_for_another = activity.state == ActivityState.WAITING and activity.reason == "activity"
    return activity.state in _SETTLED and not waits_for_another


def _plural(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def amount(value: Decimal) -> str:
    """With two decimals and commas."""
    return f"{value:,.2f}"
