"""Reconciling a store: what the books were read to have, held against the queue and the shop."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import msgspec
from sqlalchemy.orm import Session

from ops_console import accepting
from ops_console.comparing import VERDICTS, Booked, Placed, Wanted, compare
from ops_console.reconciliation_report import Report
from qbwc_service.errors import NotSendable
from qbwc_service.flavours.spelling import Figures
from qbwc_service.kinds import KINDS
from qbwc_service.needs import Prepared
from qbwc_service.run import Run
from queue_store import reconciliations as store_of
from queue_store.activities import RETURN, SALE
from queue_store.books import undone_among
from queue_store.database import Database
from queue_store.errors import WrongSecretKey
from queue_store.models import Activity, Company, Reconciliation, Store
from queue_store.quoting import quoted
from queue_store.returns import refund_record_id, refund_reference
from queue_store.setting_tables import RECEIPT
from queue_store.settings import store_settings
from queue_store.states import ABROAD, ActivityState
from queue_store.tasks import raise_task
from woo_bridge.client import ShopClient
from woo_bridge.disposition import ENDED, REFUNDED, OrderRules, order_rules
from woo_bridge.errors import BridgeError
from woo_bridge.shop_clock import shop_offset

#: Gives a client for a store's name, or raises BridgeError.
OpenClient = Callable[[Store], ShopClient]

_figures = msgspec.json.Decoder(Figures)
#: Kind of the task about records that do not agree.
TASK = "reconciliation"
_FIELDS = ("number", "status", "date_created_gmt", "total", "refunds")
#: Kinds that become receipts: a web order is none.
_RECONCILED = (SALE, RETURN)


class _Told(msgspec.Struct):
    """What the payload of any document tells of itself."""

    #: Of an order.
    total: Decimal | None = None
    #: Of a refund.
    amount: Decimal | None = None
    created_at: datetime | None = None
    utc_offset_seconds: int = 0


_told = msgspec.json.Decoder(_Told, strict=False)


class _ShopRefund(msgspec.Struct):
    id: int
    #: Negative.
    total: Decimal


class _ShopRow(msgspec.Struct):
    id: int
    number: str
    status: str
    date_created_gmt: str | None
    total: Decimal
    refunds: list[_ShopRefund] = []


_shop_row = msgspec.json.Decoder(_ShopRow, strict=False)


def compare_due(database: Database, open_client: OpenClient) -> int:
    """Compare one reconciliation whose receipts were read; how many were compared (0 or 1)."""
    with database.read() as db:
        due = store_of.next_read(db)
        if due is None:
            return 0
        store = db.get_one(Store, due.store_id)
        due_id = due.id
        since, until = date.fromisoformat(due.since), date.fromisoformat(due.until)
        run = _run(db, store)
        rules = order_rules(store, store_settings(db, store))
        head, offset = run.head(store.id), shop_offset(db, store)
    placed, problem = _placed(open_client, store, rules, head, since, until, offset)
    with database.read() as db:
        due = db.get_one(Reconciliation, due_id)
        store = db.get_one(Store, due.store_id)
        wanted = list(_wanted(db, _run(db, store), store, since, until))
        booked = [
            Booked(
                txn_id=one.txn_id,
                record_mark=one.record_mark,
                generation=one.generation,
                type=one.type,
                number=one.number,
                total=one.total,
                live=one.live,
                figures=_figures.decode(one.figures),
            )
            for one in store_of.receipts_of(db, due.id)
        ]
        undone = undone_among(db, store.company_id, [one.txn_id for one in booked])
        inside = [replace(one, live=one.live and one.txn_id not in undone) for one in booked]
        read_at = due.read_at
    expected = {str(one.activity_id) for one in wanted if one.inside}
    rows = [
        row
        for row in compare(wanted, inside, placed)
        # The receipts of some days around it were read too.
        if not row.day or due.since <= row.day <= due.until or row.activity in expected
    ]
    counts = {verdict: sum(row.verdict == verdict for row in rows) for verdict in VERDICTS}
    report = Report(
        store=store.name,
        since=due.since,
        until=due.until,
        read_at=read_at,
        shop_problem=problem,
        counts=counts,
        rows=rows,
    )
    database.write_again(lambda db: _finish(db, due_id, report))
    return 1


def _finish(db: Session, due_id: int, report: Report) -> None:
    due = db.get_one(Reconciliation, due_id)
    if not store_of.finish(db, due, msgspec.json.encode(report)):
        return
    tell(db, due, accepting.marked(db, due.store_id, report))


def tell(db: Session, due: Reconciliation, report: Report) -> None:
    """Raise the task of a report, or bring it up to date; nothing where nothing alarms."""
    alarming = report.alarming
    if not alarming:
        return
    first = "; ".join(f"{row.reference}: {row.why or row.verdict}" for row in alarming[:3])
    raise_task(
        db,
        company_id=due.company_id,
        kind=TASK,
        subject=str(due.store_id),
        sentence=f"Store {report.store}, {report.since} to {report.until}: {len(alarming)} record"
        f"{'' if len(alarming) == 1 else 's'} of shop and QuickBooks do not agree ({first}). See: qbwoo reconcile orders "
        f"--store {report.store} --since {report.since} --until {report.until}. To leave one as it is: qbwoo reconcile "
        f"accept {quoted(alarming[0].reference)} --store {report.store}",
    )


def _run(db: Session, store: Store) -> Run:
    return Run(db, db.get_one(Company, store.company_id), datetime.now(UTC))


# What the queue has -----------------------------------------------------------


def _wanted(db: Session, run: Run, store: Store, since: date, until: date) -> Iterator[Wanted]:
    newest: Activity | None = None
    for activity in store_of.documents_of_store(db, store, _RECONCILED, since):
        if newest is not None and (newest.kind, newest.record_id) != (activity.kind, activity.record_id):
            yield _wanted_of(run, newest, since, until)
        newest = activity
    if newest is not None:
        yield _wanted_of(run, newest, since, until)


def _wanted_of(run: Run, activity: Activity, since: date, until: date) -> Wanted:
    payload = activity.newer_payload or activity.payload
    mark = run.mark(activity.store_id, activity.record_id, activity.generation)
    total, predicted, figures, for_stock = None, None, None, None
    day = (activity.modified_at or activity.created_at).date().isoformat()
    try:
        told = _told.decode(payload)
        total = told.total if told.amount is None else told.amount
        if told.created_at is not None:
            day = (told.created_at + timedelta(seconds=told.utc_offset_seconds)).date().isoformat()
        prepared = KINDS[activity.kind].prepare(run, activity, payload)
        predicted = prepared.predicted_total
        figures = _figures_of(run, prepared)
        for_stock = None if prepared.for_stock is None else _figures_of(run, prepared.for_stock)
    except (NotSendable, msgspec.DecodeError):
        # Its own sentence tells why it cannot be written.
        figures, for_stock = None, None
    if figures is not None and figures.day:
        day = figures.day
    return Wanted(
        activity_id=activity.id,
        kind=activity.kind,
        record_mark=mark.record_mark,
        generation=activity.generation,
        reference=activity.reference,
        state=activity.state,
        txn_id=activity.txn_id or "",
        number=activity.txn_number or "",
        inside=since.isoformat() <= day <= until.isoformat(),
        why=_why(activity),
        unwanted=activity.unwanted,
        total=total,
        predicted_total=predicted,
        figures=figures,
        figures_for_stock=for_stock,
    )


def _figures_of(run: Run, prepared: Prepared) -> Figures:
    return run.spelling.sent_figures(prepared.fill(dict.fromkeys(prepared.parts[1::2], "0")))


def _why(activity: Activity) -> str:
    """Why it is not in the books; "" where nothing is expected of it."""
    state = ActivityState(activity.state)
    if state is ActivityState.CANCELLED and activity.reason != "operator":
        return ""
    if state is ActivityState.SUPERSEDED:
        return ""
    if activity.sentence:
        return activity.sentence
    if state in ABROAD:
        return "It was sent, and what became of it is found out in the next run."
    return "It goes with the next run of the Web Connector."


# What the shop says -------------------------------------------------------------


def _placed(
    open_client: OpenClient,
    store: Store,
    rules: OrderRules,
    head: str,
    since: date,
    until: date,
    offset: int,
) -> tuple[dict[str, Placed] | None, str]:
    """Orders of the period and their refunds by record mark, as the shop lists them.

    None and why where it cannot be asked.
    """
    # From the day before: the shop's day is not UTC's.
    after = datetime(since.year, since.month, since.day, tzinfo=UTC) - timedelta(days=1)
    found: dict[str, Placed] = {}
    try:
        with open_client(store) as client:
            for body in client.iter_orders(after=after, fields=_FIELDS):
                row = _shop_row.decode(body)
                for placed in _placed_of(row, store, rules, head, since, until, offset):
                    found[placed.record_mark] = placed
    except (BridgeError, WrongSecretKey, msgspec.DecodeError, ValueError) as error:
        return None, f"The shop itself could not be asked: {error}"
    return found, ""


def _placed_of(
    row: _ShopRow, store: Store, rules: OrderRules, head: str, since: date, until: date, offset: int
) -> Iterator[Placed]:
    if (
        row.status in ENDED
        or row.status not in (*rules.documents.statuses(RECEIPT), REFUNDED)
        or not row.date_created_gmt
    ):
        return
    created = datetime.fromisoformat(row.date_created_gmt.removesuffix("Z")).replace(tzinfo=UTC)
    if not since <= (created + timedelta(seconds=offset)).date() <= until:
        return
    push = f"qbwoo push orders --store {store.name} --ids {row.id}"
    early = rules.since is None or created < rules.since
    before = f"It was placed before the store's orders go by themselves. To send it: {push}"
    yield Placed(
        record_mark=f"{head}-{row.id}",
        reference=row.number,
        total=row.total,
        advice=before if early else f"No webhook of it arrived. Run: {push}",
        alarming=not early,
    )
    for refund in row.refunds:
        yield Placed(
            kind=RETURN,
            record_mark=f"{head}-{refund_record_id(row.id, refund.id)}",
            reference=refund_reference(refund.id, row.number),
            total=-refund.total,
            advice=before if early else f"It was never read from the shop. Run: {push}",
            alarming=not early,
        )
