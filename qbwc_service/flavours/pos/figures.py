"""The numbers of a receipt: as Point of Sale shows it, and as a request of ours would write it."""

from __future__ import annotations

from decimal import ROUND_HALF_UP, Decimal

from lxml import etree

from qbwc_service.flavours.spelling import Figures
from qbxml.records import Record

_CENT = Decimal("0.01")


def of_receipt(record: Record) -> Figures:
    """Figures of a SalesReceiptRet."""
    return _figures(record, "Ret", record.decimal("TaxAmount"))


def of_request(request: str) -> Figures:
    """Figures of a SalesReceiptAddRq; the tax is QuickBooks' own to compute."""
    (receipt,) = Record(etree.fromstring(request)).children("SalesReceiptAdd")
    return _figures(receipt, "Add", None)


def _figures(record: Record, ending: str, tax: Decimal | None) -> Figures:
    tenders = [
        (child.name.removeprefix("Tender").removesuffix(ending), child.decimal("TenderAmount") or Decimal(0))
        for child in record.children()
        if child.name.startswith("Tender") and child.name.endswith(ending)
    ]
    return Figures(
        day=record.text("TxnDate") or "",
        tax=tax,
        lines=tuple(_line(line) for line in record.children(f"SalesReceiptItem{ending}")),
        tenders=tuple(tenders),
    )


def _line(line: Record) -> tuple[Decimal, Decimal]:
    found = line.decimal("Qty")
    quantity = Decimal(1) if found is None else found
    extended = line.decimal("ExtendedPrice")
    if extended is None:
        extended = ((line.decimal("Price") or Decimal(0)) * quantity).quantize(_CENT, ROUND_HALF_UP)
    return quantity, extended
