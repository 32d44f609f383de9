"""`make bench-drain`: a busy day's orders, their new customers and items, into a Point of Sale at 20 ms a request.

The served product on one side; on the other the sandbox's Web Connector and
company file, over real SOAP and HTTP. What counts is how few calls it takes,
since each is a round trip and leaves QuickBooks idle, and that the receipts
are right: every order once, to the cent.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from bench.figures import Bar, judge, machine, median, spread
from bench.installation import COMPANY, PASSWORD, Installation
from bench.orders import Line, make_order
from bench.served import qbwoo, serve
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.web_connector import QwcFile, RunReport, WebConnector

#: Of 150 SKUs and 300 buyers, QuickBooks has these at the beginning.
_SKUS, _KNOWN_SKUS = 150, 50
_BUYERS, _KNOWN_BUYERS = 300, 100
_LINES = 3
_FIRST_ID = 10_001
_MOST_SESSIONS = 10
#: Grows from the smallest set to this.
_MOST_IN_A_SET = 50

MOST_CALLS_PER_ACTIVITY = 0.1
MOST_SECONDS_A_CALL = 2.0
MOST_MIB = 150.0


@dataclass(frozen=True, slots=True)
class Result:
    """One run."""

    documents: int
    #: With the adds of customers, items and departments.
    activities: int
    calls: Counter[str]
    sets: int
    requests: int
    longest_call: float
    slowest: str
    wall: float
    most_resident: float
    resident_at_start: float
    cpu: float
    wrong: tuple[str, ...]

    @property
    def all_calls(self) -> int:
        return sum(self.calls.values())


def main(words: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="bench.drain", description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    parser.add_argument("--orders", type=int, default=500)
    parser.add_argument("--latency", type=float, default=0.020, metavar="SECONDS", help="per request")
    options = parser.parse_args(words)
    print(machine())
    print(
        f"{options.orders} orders of {_LINES} lines with tax and shipping, {_BUYERS - _KNOWN_BUYERS} new customers, "
        f"{_SKUS - _KNOWN_SKUS} new items; {options.latency * 1000:g} ms a request, sets of 1 to {_MOST_IN_A_SET}\n"
    )
    results = []
    for number in range(1, options.runs + 1):
        with tempfile.TemporaryDirectory(prefix="qbwoo-bench-") as folder:
            result = run(Path(folder), orders_of(options.orders), options.latency)
        results.append(result)
        floor = result.requests * options.latency
        print(
            f"run {number}: {result.wall:5.1f} s (QuickBooks alone {floor:.1f} s), {result.all_calls} calls, "
            f"longest {result.longest_call * 1000:.0f} ms ({result.slowest}), {result.most_resident:.0f} MiB, "
            f"{len(result.wrong)} wrong",
            flush=True,
        )
        for problem in result.wrong[:5]:
            print(f"  {problem}")
    return _report(results, options.latency)


def orders_of(count: int) -> list[dict[str, Any]]:
    """Orders over all SKUs and buyers; buyers come again."""
    return [
        make_order(
            _FIRST_ID + number,
            [
                Line(
                    sku_of((number * _LINES + place) % _SKUS),
                    1 + (number + place) % 3,
                    Decimal(399 + 7 * ((number + 11 * place) % 400)) / 100,
                )
                for place in range(_LINES)
            ],
            buyer_of(number % _BUYERS),
        )
        for number in range(count)
    ]


def sku_of(number: int) -> str:
    return f"SKU-{number:04d}"


def buyer_of(number: int) -> str:
    return f"buyer{number:04d}@example.net"


def run(folder: Path, orders: list[dict[str, Any]], latency: float) -> Result:
    """Orders in, receipts out."""
    installation = Installation(folder)
    installation.set_up(items__missing="create", pace__start="1", pace__most=str(_MOST_IN_A_SET))
    installation.take(orders)
    pos = _company_file()
    pos.latency_seconds_per_request = latency
    with serve(installation.settings) as server:
        at_start = server.weight()
        installation.wait_until_prepared()
        qwc = folder / "books.qwc"
        qbwoo(
            installation.settings, "qwc", "write", COMPANY, "--url", server.url, "--rehearsal", "-o", str(qwc)
        )
        connector = WebConnector(QwcFile.read(qwc, allow_plain_http=True), PASSWORD, pos)
        reports: list[RunReport] = []
        before, began = server.weight(), time.perf_counter()
        while len(reports) < _MOST_SESSIONS:
            reports.append(connector.run_once())
            if reports[-1].outcome != "ok" or not _is_pending(installation):
                break
        wall, after = time.perf_counter() - began, server.weight()
    counts = installation.counts()
    installation.close()
    slowest = max(reports, key=lambda report: report.longest_call_seconds)
    calls: Counter[str] = Counter()
    for report in reports:
        calls.update(report.calls)
    return Result(
        documents=sum(count for (kind, _), count in counts.items() if kind == "sale"),
        activities=sum(counts.values()),
        calls=calls,
        sets=sum(report.sets for report in reports),
        requests=sum(report.requests for report in reports),
        longest_call=slowest.longest_call_seconds,
        slowest=slowest.slowest_method,
        wall=wall,
        most_resident=after.most_resident,
        resident_at_start=at_start.resident,
        cpu=after.cpu_seconds - before.cpu_seconds,
        wrong=(*_odd(reports), *_unsettled(counts), *_wrong_receipts(orders, pos)),
    )


def _company_file() -> PosCompanyFile:
    pos = PosCompanyFile.create(None)
    with pos.transaction():
        for number in range(_KNOWN_SKUS):
            pos.add_item(f"Shelf {number}", alu=sku_of(number), price1=Decimal("5.00"), on_hand={1: 1000})
        for number in range(_BUYERS - _KNOWN_BUYERS, _BUYERS):
            pos.add_customer(f"Buyer{number:04d}", email=buyer_of(number))
    return pos


def _is_pending(installation: Installation) -> bool:
    return any(state in ("pending", "waiting", "sent", "in_doubt") for _, state in installation.counts())


def _odd(reports: list[RunReport]) -> list[str]:
    return [
        f"the Web Connector: {report.outcome}, {report.status_text}, {report.oddities}"
        for report in reports
        if report.outcome not in ("ok", "none") or report.oddities or report.qbwc_code
    ]


def _unsettled(counts: dict[tuple[str, str], int]) -> list[str]:
    return [
        f"{count} of {kind} are {state}" for (kind, state), count in counts.items() if state != "succeeded"
    ]


def _wrong_receipts(orders: list[dict[str, Any]], pos: PosCompanyFile) -> list[str]:
    """Orders that are not in the company file exactly once with their exact total, and what nobody ordered."""
    receipts: dict[str, list[Decimal]] = {}
    for receipt in pos.receipts():
        # The first word of Comments is the document's mark, "WMAIN-10001/1".
        mark = (receipt.comments or " ").split(maxsplit=1)[0]
        receipts.setdefault(mark.partition("-")[2].partition("/")[0], []).append(receipt.total)
    wrong = []
    for order in orders:
        totals = receipts.pop(str(order["id"]), [])
        if totals != [Decimal(order["total"])]:
            wrong.append(
                f"order {order['id']} of {order['total']}: receipts {[str(total) for total in totals]}"
            )
    return [*wrong, *(f"a receipt for {mark!r}, which is no order" for mark in receipts)]


def _report(results: list[Result], latency: float) -> int:
    last = results[-1]
    adds = last.activities - last.documents
    print(
        f"\n{last.documents} documents and {adds} adds before them: {last.activities} activities\n"
        f"calls of the last run: {', '.join(f'{name} {count}' for name, count in sorted(last.calls.items()))}; "
        f"{last.sets} sets, {last.requests} requests"
    )
    floors = [result.requests * latency for result in results]
    lines = {
        "SOAP calls per activity": [result.all_calls / result.activities for result in results],
        "SOAP calls per document": [result.all_calls / result.documents for result in results],
        "longest call, s": [result.longest_call for result in results],
        "wall, s": [result.wall for result in results],
        "wall / QuickBooks alone": [
            result.wall / floor for result, floor in zip(results, floors, strict=True)
        ],
        "server CPU, s": [result.cpu for result in results],
        "server MiB at start": [result.resident_at_start for result in results],
        "server MiB at most": [result.most_resident for result in results],
    }
    for name, values in lines.items():
        print(f"  {name:26} {spread(values, '{:.3f}')}")
    return judge(
        [
            Bar("SOAP calls per activity", median(lines["SOAP calls per activity"]), MOST_CALLS_PER_ACTIVITY),
            # Not the median: none may be longer.
            Bar("longest call of all runs", max(lines["longest call, s"]), MOST_SECONDS_A_CALL, unit="s"),
            Bar("server memory", median(lines["server MiB at most"]), MOST_MIB, unit="MiB"),
            Bar("wrong orders in all runs", float(sum(len(result.wrong) for result in results)), 0),
        ]
    )


if __name__ == "__main__":
    sys.exit(main())
