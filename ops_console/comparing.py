"""The receipts of a period against the shop's orders: equal, differing, or only on one side.

Pure: what the queue, the books and the shop say goes in, rows come out. A row
that is `alarming` is one that nobody has been told of yet.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from qbwc_service.flavours.spelling import Figures
from queue_store.activities import RETURN, SALE

EQUAL = "equal"
DIFFERS = "differs"
ONLY_SHOP = "only in the shop"
ONLY_BOOKS = "only in QuickBooks"
DOUBLED = "doubled"
#: In the order in which a report names them.
VERDICTS = (DOUBLED, DIFFERS, ONLY_BOOKS, ONLY_SHOP, EQUAL)

_CENT = Decimal("0.01")
_TYPES = {"Sales": SALE, "Return": RETURN}


@dataclass(frozen=True, slots=True, kw_only=True)
class Booked:
    """A receipt in QuickBooks."""

    txn_id: str
    record_mark: str
    generation: int
    type: str
    number: str
    total: Decimal | None
    live: bool
    figures: Figures


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A document that the queue has, as it would be written now."""

    activity_id: int
    kind: str
    record_mark: str
    generation: int
    reference: str
    state: str
    txn_id: str
    #: Dated inside of the period.
    inside: bool
    #: Why it is not in the books, where it is not; "": it ought to be.
    why: str
    total: Decimal | None
    predicted_total: Decimal | None
    figures: Figures | None
    #: As it would be where an item of it keeps stock, if that is spelt otherwise.
    figures_for_stock: Figures | None = None
    number: str = ""
    #: The shop wants nothing of it any more: its order was cancelled, its refund deleted.
    unwanted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Placed:
    """An order that the shop itself shows, in a status that becomes a receipt; or a refund of such a one."""

    kind: str = SALE
    record_mark: str
    reference: str
    total: Decimal
    #: What to do where the queue does not have it.
    advice: str
    alarming: bool = True


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One record of the report."""

    verdict: str
    kind: str
    reference: str
    mark: str
    day: str = ""
    shop_total: Decimal | None = None
    books_total: Decimal | None = None
    difference: Decimal | None = None
    #: Where they differ, or why one side lacks it.
    why: str = ""
    receipts: tuple[str, ...] = ()
    txn_ids: tuple[str, ...] = ()
    activity: str = ""
    alarming: bool = False
    #: Who leaves it as it is, and since when; "": nobody.
    accepted: str = ""


def compare(
    wanted: Iterable[Wanted], booked: Sequence[Booked], placed: Mapping[str, Placed] | None
) -> list[Row]:
    """Rows of every record, the troublesome first. `placed` by record mark; None: the shop was not asked."""
    standing, gone = _standing(booked)
    rows: list[Row] = []
    seen: set[str] = set()
    known: set[tuple[str, str]] = set()
    for one in wanted:
        known.add((one.kind, one.record_mark))
        seen.add(one.record_mark)
        documents = standing.get((one.kind, one.record_mark), [])
        row = _row(one, documents, gone.get((one.kind, one.record_mark), []), placed)
        if row is not None:
            rows.append(row)
    rows += [
        _stray(kind, mark, found) for (kind, mark), found in standing.items() if (kind, mark) not in known
    ]
    rows += [_missing(one) for mark, one in (placed or {}).items() if mark not in seen]
    return sorted(rows, key=lambda row: (VERDICTS.index(row.verdict), row.mark))


def _standing(
    booked: Sequence[Booked],
) -> tuple[dict[tuple[str, str], list[Booked]], dict[tuple[str, str], list[Booked]]]:
    """Receipts that count, and those that were reversed or reverse, by kind and record mark."""
    standing: dict[tuple[str, str], list[Booked]] = {}
    gone: dict[tuple[str, str], list[Booked]] = {}
    for one in booked:
        kind = _TYPES.get(one.type)
        if kind is not None:
            (standing if one.live else gone).setdefault((kind, one.record_mark), []).append(one)
    for key in list(standing):
        left = _without_pairs(standing[key])
        gone.setdefault(key, []).extend(one for one in standing[key] if one not in left)
        standing[key] = left
    return {key: found for key, found in standing.items() if found}, gone


def _without_pairs(documents: Sequence[Booked]) -> list[Booked]:
    """A receipt and its opposite cancel out: not every Point of Sale marks what was reversed."""
    left = list(documents)
    for one in documents:
        opposite = next(
            (
                other
                for other in left
                if one in left
                and one.total
                and other.total == -one.total
                and other.generation == one.generation
            ),
            None,
        )
        if opposite is not None:
            left.remove(one)
            left.remove(opposite)
    return left


def _row(
    one: Wanted, documents: Sequence[Booked], gone: Sequence[Booked], placed: Mapping[str, Placed] | None
) -> Row | None:
    if not documents:
        return _lacking(one, gone)
    document = next((found for found in documents if found.txn_id == one.txn_id), documents[0])
    row = Row(
        verdict=EQUAL,
        kind=one.kind,
        reference=one.reference,
        mark=f"{one.record_mark}/{document.generation}",
        day=document.figures.day,
        shop_total=one.total,
        books_total=document.total,
        receipts=tuple(found.number for found in documents),
        txn_ids=tuple(found.txn_id for found in documents),
        activity=str(one.activity_id),
    )
    if len(documents) > 1:
        why = f"{len(documents)} receipts bear the mark {one.record_mark}: reverse all but one in QuickBooks."
        return msgspec.structs.replace(row, verdict=DOUBLED, why=why, alarming=True)
    if one.unwanted:
        # A task of its own tells of it; whoever left it as it is knows.
        return msgspec.structs.replace(row, verdict=ONLY_BOOKS, shop_total=None, why=one.why)
    expected = one.total if one.predicted_total is None else one.predicted_total
    where = _where(one, document, expected)
    now = (placed or {}).get(one.record_mark) if one.kind == SALE else None
    if now is not None and one.total is not None and now.total != one.total:
        where.append(f"the shop says {now.total} now, of which the queue has not heard")
        expected = now.total.quantize(_CENT, ROUND_HALF_UP)
    if not where:
        return row
    difference = None if document.total is None or expected is None else abs(document.total) - abs(expected)
    return msgspec.structs.replace(
        row,
        verdict=DIFFERS,
        shop_total=now.total if now is not None else one.total,
        difference=difference,
        why="; ".join(where),
        alarming=True,
    )


def _where(one: Wanted, document: Booked, expected: Decimal | None) -> list[str]:
    """Each place where the receipt is not what it would be now."""
    where: list[str] = []
    if document.total is not None and expected is not None and abs(document.total) != abs(expected):
        where.append(f"total {document.total} instead of {expected}")
    if one.figures is None:
        return where
    here, there = one.figures, document.figures
    if one.figures_for_stock is not None and one.figures_for_stock.lines == there.lines:
        here = one.figures_for_stock
    if here.day != there.day:
        where.append(f"dated {there.day} instead of {here.day}")
    if len(here.lines) != len(there.lines):
        where.append(f"{len(there.lines)} lines instead of {len(here.lines)}")
    else:
        for number, ((quantity, amount), (their_quantity, their_amount)) in enumerate(
            zip(here.lines, there.lines, strict=True), start=1
        ):
            if (quantity, amount) != (their_quantity, their_amount):
                where.append(
                    f"line {number}: {their_quantity.normalize():f} for {their_amount} instead of "
                    f"{quantity.normalize():f} for {amount}"
                )
    if sorted(here.tenders) != sorted(there.tenders):
        where.append(f"paid by {_paid(there)} instead of {_paid(here)}")
    return where


def _paid(figures: Figures) -> str:
    return " and ".join(f"{kind} {amount}" for kind, amount in figures.tenders) or "nothing"


def _lacking(one: Wanted, gone: Sequence[Booked]) -> Row | None:
    if not one.inside:
        return None
    why, alarming = one.why, False
    reversed_here = next((found for found in gone if found.txn_id == one.txn_id), None)
    if one.state == "succeeded":
        alarming = True
        receipt = one.number or one.txn_id
        if reversed_here is not None:
            why = f"Its receipt {receipt} was reversed in QuickBooks. To note that: qbwoo activity undo {one.activity_id} --done"
        else:
            why = (
                f"It is bound to receipt {receipt}, which QuickBooks does not show in this period: look whether it is "
                "there, and whether this is the right company file."
            )
    elif not why:
        return None
    return Row(
        verdict=ONLY_SHOP,
        kind=one.kind,
        reference=one.reference,
        mark=f"{one.record_mark}/{one.generation}",
        day="" if one.figures is None else one.figures.day,
        shop_total=one.total,
        why=why,
        activity=str(one.activity_id),
        alarming=alarming,
    )


def _stray(kind: str, mark: str, documents: Sequence[Booked]) -> Row:
    first = documents[0]
    return Row(
        verdict=ONLY_BOOKS if len(documents) == 1 else DOUBLED,
        kind=kind,
        reference=mark,
        mark=f"{mark}/{first.generation}",
        day=first.figures.day,
        books_total=first.total,
        why="It carries a mark of this store, and no such record is known here.",
        receipts=tuple(one.number for one in documents),
        txn_ids=tuple(one.txn_id for one in documents),
        alarming=True,
    )


def _missing(one: Placed) -> Row:
    return Row(
        verdict=ONLY_SHOP,
        kind=one.kind,
        reference=one.reference,
        mark=one.record_mark,
        shop_total=one.total,
        why=one.advice,
        alarming=one.alarming,
    )
