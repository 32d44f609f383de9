"""What Prometheus reads: the queue as it stands, and what this process has counted.

Names of companies and stores are the only words that are not from a fixed set.
Every process counts for itself; what is read from the database is the same on all.
"""

from __future__ import annotations

import hmac
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.registry import Collector
from sqlalchemy import func, select

from ops_console.addresses import is_loopback
from queue_store import meters
from queue_store.companies import list_companies, list_stores
from queue_store.models import Alert, AlertMessage, OperatorTask
from queue_store.queue_depth import Depth, queue_depth
from queue_store.sessions import last_call

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from queue_store.meters import Meter

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """What the database says at one moment. Companies and stores by name."""

    read_at: datetime
    company_names: Mapping[int, str]
    store_names: Mapping[int, str]
    depth: Mapping[str, list[Depth]]
    called_at: Mapping[str, datetime | None]
    #: By store: when a signed webhook came last, and how many came without a right signature, ever.
    webhook_at: Mapping[str, datetime | None]
    refused: Mapping[str, int]
    open_tasks: Mapping[str, int]
    open_alerts: Mapping[str, int]
    unsent_messages: Mapping[str, int]


def read(db: Session) -> Reading:
    """Costs a look into an index for each company and state, however long the queue is finished."""
    companies, stores = list_companies(db), list_stores(db)
    names = {company.id: company.name for company in companies}
    return Reading(
        read_at=datetime.now(UTC),
        company_names=names,
        store_names={store.id: store.name for store in stores},
        depth={company.name: queue_depth(db, company.id) for company in companies},
        called_at={company.name: last_call(db, company) for company in companies},
        webhook_at={store.name: store.last_webhook_at for store in stores},
        refused={store.name: store.refused_webhooks for store in stores},
        open_tasks=_numbers(db, names, OperatorTask, OperatorTask.open),
        open_alerts=_numbers(db, names, Alert, Alert.closed_at.is_(None)),
        unsent_messages=_numbers(db, names, AlertMessage, AlertMessage.sent_at.is_(None)),
    )


def _numbers(
    db: Session, names: Mapping[int, str], model: type[OperatorTask | Alert | AlertMessage], condition: object
) -> dict[str, int]:
    query = select(model.company_id, func.count()).where(condition).group_by(model.company_id)  # type: ignore[arg-type]
    counted: dict[int, int] = {row[0]: row[1] for row in db.execute(query)}
    return {name: counted.get(company_id, 0) for company_id, name in names.items()}


def exposition(reading: Reading) -> str:
    """In the text form that Prometheus reads."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Reader(reading))
    return generate_latest(registry).decode()


class _Reader(Collector):
    def __init__(self, reading: Reading) -> None:
        self._reading = reading

    def collect(self) -> Iterable[Metric]:
        yield from _of_database(self._reading)
        yield from _of_process(self._reading)


def _of_database(found: Reading) -> Iterator[Metric]:
    depth = GaugeMetricFamily(
        "qbwoo_activities",
        "Activities that are not finished, by whom they are for and their state.",
        labels=("company", "target", "state"),
    )
    oldest = GaugeMetricFamily(
        "qbwoo_oldest_activity_seconds",
        "Age of the oldest activity in a state; nothing where there is none.",
        labels=("company", "target", "state"),
    )
    for company, rows in found.depth.items():
        # People know one state less, and so does this.
        for (target, state), (number, at) in _as_shown(rows).items():
            depth.add_metric((company, target, state), number)
            if at is not None:
                oldest.add_metric((company, target, state), _age(found, at))
    yield depth
    yield oldest
    calls = GaugeMetricFamily(
        "qbwoo_web_connector_silence_seconds",
        "Since the company's Web Connector called last, to the minute; nothing before the first call.",
        labels=("company",),
    )
    for name, at in found.called_at.items():
        if at is not None:
            calls.add_metric((name,), _age(found, at))
    yield calls
    webhooks = GaugeMetricFamily(
        "qbwoo_webhook_silence_seconds",
        "Since a signed webhook of the store came last, to the minute; nothing before the first one.",
        labels=("store",),
    )
    for name, at in found.webhook_at.items():
        if at is not None:
            webhooks.add_metric((name,), _age(found, at))
    yield webhooks
    refused = CounterMetricFamily(
        "qbwoo_refused_webhooks", "Deliveries for a store without a right signature, ever.", labels=("store",)
    )
    for name, number in found.refused.items():
        refused.add_metric((name,), number)
    yield refused
    for metric, what, numbers in (
        ("qbwoo_open_tasks", "Tasks that wait for a person.", found.open_tasks),
        ("qbwoo_open_alerts", "Alerts that are not over.", found.open_alerts),
        (
            "qbwoo_unsent_alert_messages",
            "Messages about alerts that are still to be sent.",
            found.unsent_messages,
        ),
    ):
        gauge = GaugeMetricFamily(metric, what, labels=("company",))
        for name, number in numbers.items():
            gauge.add_metric((name,), number)
        yield gauge


def _of_process(found: Reading) -> Iterator[Metric]:
    companies, stores = found.company_names, found.store_names
    yield _counter("qbwoo_exchanges", "Message sets that came to an end.", meters.EXCHANGES, companies)
    yield _histogram(
        "qbwoo_exchange_seconds",
        "From a message set's leaving to its answer.",
        meters.EXCHANGE_SECONDS,
        companies,
    )
    yield _counter(
        "qbwoo_failures", "Activities that failed, by the class of the cause.", meters.FAILURES, companies
    )
    yield _counter(
        "qbwoo_webhooks", "Deliveries for a store, and what became of them.", meters.WEBHOOKS, stores
    )
    yield _histogram("qbwoo_worker_rounds_seconds", "Rounds of the worker.", meters.ROUNDS, {})
    yield _counter("qbwoo_alert_messages", "Tries to send a message about alerts.", meters.ALERT_MESSAGES, {})


def _counter(name: str, what: str, meter: Meter, names: Mapping[int, str]) -> CounterMetricFamily:
    family = CounterMetricFamily(name, what, labels=meter.labels)
    for labels, counts in _named(meter, names):
        family.add_metric(labels, counts[0])
    return family


def _histogram(name: str, what: str, meter: Meter, names: Mapping[int, str]) -> HistogramMetricFamily:
    family = HistogramMetricFamily(name, what, labels=meter.labels)
    for labels, (*counts, total) in _named(meter, names):
        running, buckets = 0.0, []
        for bound, count in zip((*map(str, meter.bounds), "+Inf"), counts, strict=True):
            running += count
            buckets.append((bound, running))
        family.add_metric(labels, buckets, total)
    return family


def _named(meter: Meter, names: Mapping[int, str]) -> Iterator[tuple[list[str], tuple[float, ...]]]:
    """Ids become names; what belongs to nobody known here is left out."""
    for labels, counts in sorted(meter.read().items(), key=lambda row: tuple(map(str, row[0]))):
        if all(one in names for one in labels if isinstance(one, int)):
            yield [_word(one, names) for one in labels], counts


def _word(label: str | int, names: Mapping[int, str]) -> str:
    return names[label] if isinstance(label, int) else label.replace(" ", "_")


def _as_shown(rows: Iterable[Depth]) -> dict[tuple[str, str], tuple[int, datetime | None]]:
    shown: dict[tuple[str, str], tuple[int, datetime | None]] = {}
    for row in rows:
        key = row.target, row.state.shown
        number, at = shown.get(key, (0, None))
        oldest = min((one for one in (at, row.oldest_at) if one is not None), default=None)
        shown[key] = number + row.number, oldest
    return shown


def _age(found: Reading, at: datetime) -> float:
    return max(round((found.read_at - at).total_seconds(), 3), 0.0)


def may_read(token: str | None, authorization: str, address: str, *, forwarded: bool) -> bool:
    """True for who shows the token; where none is set, for who asks from this very machine.

    `forwarded`: a proxy passed the call on, so that its address says nothing of who asks.
    """
    if token is None:
        return is_loopback(address) and not forwarded
    return hmac.compare_digest(authorization.encode("utf-8", "surrogateescape"), f"Bearer {token}".encode())
