"""The round that looks for causes and sends what is to be told; any number of processes may share a database."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from datetime import UTC, datetime

from ops_console.alerts.channels import Channels
from ops_console.alerts.message import by_what, compose
from ops_console.errors import NotTold
from queue_store import alerts, meters
from queue_store.alert_causes import causes_of
from queue_store.database import Database
from queue_store.errors import LostClaim
from queue_store.log_context import about
from queue_store.models import AlertMessage, Company
from queue_store.settings import company_settings

logger = logging.getLogger(__name__)

#: Messages sent in one round: causes are looked for again in between.
_AT_ONCE = 20


class AlertRounds:
    """`run_once` looks at every company that is due, and sends what waits."""

    def __init__(
        self,
        database: Database,
        channels: Channels,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._database, self._channels, self._now = database, channels, now

    def run_once(self) -> int:
        """How many alerts were opened or closed, and messages sent."""
        with self._database.read() as db:
            due = alerts.due(db, self._now())
        return sum(self._look(company_id) for company_id in due) + self._send()

    def _look(self, company_id: int) -> int:
        now = self._now()
        with self._database.write() as db:
            number = alerts.claim(db, company_id, now)
        if number is None:
            return 0
        with self._database.read() as db:
            company = db.get_one(Company, company_id)
            causes = causes_of(db, company, now)
            telling = self._channels.told_how(company_settings(db, company), now)
        try:
            return self._database.write_again(
                lambda db: alerts.keep(db, company_id, number, causes, telling, now)
            )
        except LostClaim:
            return 0

    def _send(self) -> int:
        sent = 0
        for _ in range(_AT_ONCE):
            now = self._now()
            with self._database.read() as db:
                waiting = alerts.next_message(db, now)
            if waiting is None:
                break
            with self._database.write() as db:
                message = alerts.claim_message(db, waiting.id, waiting.tries, now)
            if message is None:
                continue
            if not self._try(message):
                # A server that is down takes its time-out from each message that follows: they go in later rounds.
                break
            sent += 1
        return sent

    def _try(self, row: AlertMessage) -> bool:
        with self._database.read() as db:
            company = db.get_one(Company, row.company_id)
            settings = company_settings(db, company)
            told = json.loads(row.told)
            known = alerts.alerts_by_id(db, [one for ids in told.values() for one in ids])
            message = compose(
                row.id, company.name, by_what(told, known), row.created_at, settings["alerts.time_zone"]
            )
        with about(company=company.name):
            try:
                remark = self._channels.send(row.channel, settings, message)
            except NotTold as error:
                problem = str(error)
                logger.warning("alerts by %s, try %d: %s", row.channel, row.tries, problem)
                meters.ALERT_MESSAGES.add(row.channel, "failed")
                self._database.write_again(
                    lambda db: alerts.message_failed(db, row.id, row.tries, problem, self._now())
                )
                return False
            if remark:
                logger.warning("alerts by %s: %s", row.channel, remark)
            logger.info("alerts by %s: %s", row.channel, message.subject)
        meters.ALERT_MESSAGES.add(row.channel, "sent")
        self._database.write_again(lambda db: alerts.message_sent(db, row.id, row.tries, self._now()))
        return True
