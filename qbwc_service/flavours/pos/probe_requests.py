"""How probes, and what they need, are spelt, and what is read of their answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal

from qbwc_service.flavours.pos.probes import Probe, ProbeLine, Taken, TaxRate, World
from qbxml.grammar import load_grammar
from qbxml.records import Record
from qbxml.writer import render_request

_GRAMMAR = load_grammar("qbposxml")
_PRICE = Decimal("10.00")

#: ALU and name of the items that the receipts name.
PLAIN_ITEM = ("QBWOO-CALIBRATION", "qbwoo calibration")
STOCK_ITEM = ("QBWOO-CALIBRATION-S", "qbwoo calibration stock")


def company_taxes(company: Record) -> tuple[TaxRate, ...]:
    """The rates of a CompanyRet."""
    found = []
    for record in company.children("TaxRecord"):
        category, code = record.text("TaxCategory"), record.text("POSTaxCode")
        if category and code:
            found.append(TaxRate(category, code, record.decimal("TaxPercent") or Decimal(0)))
    return tuple(found)


def probe_request(probe: Probe, world: World, token: str, request_id: str) -> str:
    """The receipt, with `token` as the first word of its Comments."""
    rate = world.rate
    body: dict[str, object] = {
        "Comments": f"{token} calibration of qbwoo, is reversed again",
        "Discount": probe.discount,
        "SalesReceiptType": probe.type,
        "TaxCategory": rate.category if rate else None,
        "ShippingInformation": {"Shipping": probe.shipping} if probe.shipping is not None else None,
        "SalesReceiptItemAdd": [_line(line, world) for line in probe.lines],
        "TenderCashAdd": [{"TenderAmount": probe.tender}],
    }
    return render_request(_GRAMMAR, "SalesReceiptAddRq", {"SalesReceiptAdd": body}, {"requestID": request_id})


def _line(line: ProbeLine, world: World) -> Mapping[str, object]:
    code = {"taxed": world.rate.code if world.rate else None, "untaxed": world.untaxed, "": None}[line.tax]
    return {
        "ListID": world.stock_id if line.stock else world.item_id,
        "Discount": line.discount,
        "ExtendedPrice": line.extended,
        "Price": line.price,
        "Qty": line.quantity,
        "TaxCode": code,
    }


def item_requests(world: World, department: str, ids: Sequence[str]) -> list[str]:
    """Queries for the department and both items, under three requestIDs."""
    equal = {"MatchStringCriterion": "Equal"}
    queries = [("DepartmentQueryRq", {"DepartmentNameFilter": {**equal, "DepartmentName": department}})]
    queries += [
        ("ItemInventoryQueryRq", {"ALUFilter": {**equal, "ALU": alu}}) for alu, _ in (PLAIN_ITEM, STOCK_ITEM)
    ]
    return [
        render_request(_GRAMMAR, name, body, {"requestID": request_id})
        for (name, body), request_id in zip(queries, ids, strict=True)
    ]


def department_request(department: str, request_id: str) -> str:
    code = "".join(letter for letter in department.upper() if letter.isascii() and letter.isalnum())[:3]
    body = {"DepartmentName": department, "DepartmentCode": code or "WEB"}
    return render_request(_GRAMMAR, "DepartmentAddRq", {"DepartmentAdd": body}, {"requestID": request_id})


def item_add_request(world: World, *, stock: bool, request_id: str) -> str:
    """An item of ours; the plain one is taxed by itself, so that a code left out can be told."""
    alu, name = STOCK_ITEM if stock else PLAIN_ITEM
    code = world.untaxed if stock or world.rate is None else world.rate.code
    body = {
        "ALU": alu,
        "DepartmentListID": world.department_id,
        "Desc1": name,
        "ItemType": "Inventory" if stock else "NonInventory",
        "Price1": _PRICE,
        "TaxCode": code,
    }
    return render_request(
        _GRAMMAR, "ItemInventoryAddRq", {"ItemInventoryAdd": body}, {"requestID": request_id}
    )


def stock_item_request(world: World, request_id: str) -> str:
    body = {"ListID": world.stock_id}
    return render_request(_GRAMMAR, "ItemInventoryQueryRq", body, {"requestID": request_id})


def receipts_request(token: str, request_id: str) -> str:
    """All receipts of one calibration, reversing ones too."""
    body = {"CommentsFilter": {"MatchStringCriterion": "StartsWith", "Comments": token}}
    return render_request(_GRAMMAR, "SalesReceiptQueryRq", body, {"requestID": request_id})


def reverse_request(txn_id: str, request_id: str) -> str:
    body = {"TxnReverseType": "SalesReceipt", "TxnID": txn_id}
    return render_request(_GRAMMAR, "TxnReverseRq", body, {"requestID": request_id})


def taken(record: Record) -> Taken:
    """What a SalesReceiptRet says of a probe."""
    created = record.moment("TimeCreated")
    return Taken(
        txn_id=record.text("TxnID") or "",
        number=record.text("SalesReceiptNumber") or "",
        total=record.decimal("Total"),
        time_created=created.isoformat() if created else "",
    )
