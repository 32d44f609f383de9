"""Documents as JSON and as text: the paper, the arithmetic, the XML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any

from lxml import etree

from qbwc_service.arithmetic import Row
from qbwc_service.paper import Name, Paper
from qbwc_service.previewing import Preview

#: What repeats in requests and answers, a piece for each line of an order.
_LINES = ("SalesReceiptItemAdd", "SalesReceiptItemRet", "SalesOrderItemAdd", "SalesOrderItemRet")
_ALL = "--limit 0 shows all"


def as_json(preview: Preview) -> dict[str, Any]:
    """Everything, in plain values."""
    return {
        "receipt": None if preview.paper is None else _paper(preview.paper, preview.total),
        "arithmetic": [
            {"row": row.name, "shop": row.shop, "receipt": row.receipt, "difference": row.difference}
            for row in preview.arithmetic
        ],
        "document": preview.document,
        "predicted_total": preview.total,
        "unknown": list(preview.unknown),
        "remarks": list(preview.remarks),
        "refusal": preview.refusal,
    }


def as_text(preview: Preview, *, limit: int, xml: bool = True) -> Iterator[str]:
    """Lines of text; at most `limit` lines of the document are among them (0: all), and as many in the XML."""
    if preview.paper is not None:
        yield from _paper_text(preview.paper, preview.total, limit)
        yield ""
    if preview.arithmetic:
        yield from _arithmetic_text(preview.arithmetic)
    if preview.refusal:
        yield f"Refused: {preview.refusal}"
    if preview.unknown:
        yield f"Asked of QuickBooks first: {', '.join(_some(preview.unknown, limit))}"
    for remark in _some(preview.remarks, limit):
        yield f"Remark: {remark}"
    if preview.unknown or preview.remarks:
        yield ""
    if xml and preview.document:
        yield f"{pretty(preview.document, limit=limit)}"


def pretty(xml: str, *, limit: int = 0) -> str:
    """A request or answer, indented; its lines beyond `limit` (0: none) are left out, and it says so.

    What is no XML, or several pieces of it, stays as it is.
    """
    try:
        root = etree.fromstring(xml, etree.XMLParser(resolve_entities=False, no_network=True))
    except etree.XMLSyntaxError:
        return xml
    if limit:
        _cut(root, limit)
    etree.indent(root)
    # As ASCII, so that every character stands there as it travels.
    return etree.tostring(root, encoding="ascii").decode("ascii")


def _cut(root: etree._Element, limit: int) -> None:
    for tag in _LINES:
        for parent in [one for one in root.iter("*") if one.find(tag) is not None]:
            beyond = parent.findall(tag)[limit:]
            if beyond:
                beyond[0].addprevious(
                    etree.Comment(f" {len(beyond)} more {tag}, left out here: a limit of 0 shows them ")
                )
                for line in beyond:
                    parent.remove(line)


def _paper(paper: Paper, total: Decimal | None) -> dict[str, Any]:
    return {
        "title": paper.title,
        "header": [{"name": name, "value": value} for name, value in paper.header],
        "lines": [
            {
                "item": line.item.text,
                "item_known": line.item.known,
                "description": line.description,
                "quantity": line.quantity,
                "price": line.price,
                "amount": line.amount,
                "tax_code": line.tax_code,
            }
            for line in paper.lines
        ],
        "extras": [{"name": name, "amount": amount} for name, amount in paper.extras],
        "tenders": [{"name": name, "amount": amount} for name, amount in paper.tenders],
        "total": total if total is not None or not paper.lines else paper.sum,
    }


def _paper_text(paper: Paper, total: Decimal | None, limit: int) -> Iterator[str]:
    yield paper.title
    width = max((len(name) for name, _ in paper.header), default=0)
    for name, value in paper.header:
        yield f"  {name:<{width}}  {' '.join(value.split())}".rstrip()
    if not paper.lines:
        return
    shown = paper.lines[:limit] if limit else paper.lines
    rows = [("qty", "item", "description", "price", "amount", "tax")]
    for line in shown:
        cells = (_plain(line.quantity), _item(line.item), line.description)
        rows.append((*cells, _money(line.price), _money(line.amount), line.tax_code))
    yield ""
    yield from _table(rows, right=(0, 3, 4))
    if len(shown) < len(paper.lines):
        rest = sum((line.amount for line in paper.lines[len(shown) :]), Decimal(0))
        yield f"  ... {len(paper.lines) - len(shown)} more lines over {_money(rest)}: {_ALL}"
    amounts = [*paper.extras, ("Total", paper.sum if total is None else total)]
    amounts += [(f"{paper.paid} {name}", amount) for name, amount in paper.tenders]
    yield ""
    yield from _table([(name, _money(amount)) for name, amount in amounts], right=(1,))


def _arithmetic_text(rows: Iterable[Row]) -> Iterator[str]:
    cells = [("", "shop", "receipt", "difference")]
    cells += [(row.name, _money(row.shop), _money(row.receipt), _money(row.difference)) for row in rows]
    yield from _table(cells, right=(1, 2, 3))
    yield ""


def _table(rows: Sequence[Sequence[str]], *, right: Sequence[int]) -> Iterator[str]:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (
            cell.rjust(width) if place in right else cell.ljust(width)
            for place, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        yield f"  {'  '.join(cells)}".rstrip()


def _some(texts: Sequence[str], limit: int) -> list[str]:
    if not limit or len(texts) <= limit:
        return list(texts)
    return [*texts[:limit], f"{len(texts) - limit} more ({_ALL})"]


def _item(name: Name) -> str:
    return name.text if name.known else f"[{name.text}]"


def _money(amount: Decimal | None) -> str:
    return "-" if amount is None else f"{amount:,.2f}" if amount == round(amount, 2) else f"{amount:,f}"


def _plain(quantity: Decimal) -> str:
    return format(quantity.normalize(), "f")
