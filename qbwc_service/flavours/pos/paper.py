"""Point of Sale's requests read back as people read documents. Anything written here is shown, also what is new."""

from __future__ import annotations

import re
from decimal import Decimal

from qbwc_service.paper import Name, Naming, Paper, PaperLine, called
from qbxml.reader import read_requests
from qbxml.records import Record

_TITLES = {
    "SalesReceiptAdd": "Sales receipt",
    "SalesOrderAdd": "Sales order",
    "CustomerAdd": "New customer",
    "CustomerMod": "Change of a customer",
    "ItemInventoryAdd": "New item",
    "ItemInventoryMod": "Change of an item",
    "DepartmentAdd": "New department",
    "TxnReverseRq": "Reversal of a receipt",
    "ListDelRq": "Deletion of a sales order",
    "InventoryQtyAdjustmentAdd": "Adjustment of stock",
}
#: Of a receipt, by SalesReceiptType.
_RECEIPTS = {"Sales": "Sales receipt", "Return": "Return receipt"}
_LABELS = {
    "CustomerListID": "Customer",
    "DepartmentListID": "Department",
    "TxnDate": "Date",
    "StoreNumber": "Store",
    "ShippingInformation": "Ship to",
    "EMail": "E-mail",
    "ListID": "QuickBooks' id",
    "TxnID": "QuickBooks' id",
    "SalesOrderTxnID": "Fulfils sales order",
}
#: Told by the title already.
_TOLD = frozenset({"SalesReceiptType", "TxnReverseType", "ListDelType"})
#: Parts of an address as they stand on an envelope; what is not here comes after.
_ENVELOPE = (
    "FullName",
    "CompanyName",
    "Street",
    "Street2",
    "City",
    "State",
    "PostalCode",
    "Country",
    "Phone",
)
#: Amounts of the whole document, and which way they go.
_EXTRAS = {"Shipping": 1, "Discount": -1}
_LINE = re.compile(r"Sales(?:Receipt|Order)ItemAdd")
_TENDER = re.compile(r"Tender(\w+)Add")
_WORD = re.compile(r"(?<=[a-z])(?=[A-Z])")
_ROOT = "<QBPOSXML><QBPOSXMLMsgsRq>{}</QBPOSXMLMsgsRq></QBPOSXML>"


def read_paper(request: str, naming: Naming) -> Paper:
    """One request's text as a document. Raises QbxmlError where it is no request."""
    (found,) = read_requests(_ROOT.format(request))
    request_itself = Record(found.element)
    parts = request_itself.children()
    # A reversal or a deletion holds its values itself.
    body = parts[0] if len(parts) == 1 and parts[0].children() else request_itself
    # Of an item, Discount would be a field like another.
    has_lines = any(_LINE.fullmatch(child.name) for child in body)
    header: list[tuple[str, str]] = []
    lines: list[PaperLine] = []
    extras: list[tuple[str, Decimal]] = []
    tenders: list[tuple[str, Decimal]] = []
    for child in body:
        name = child.name
        if _LINE.fullmatch(name):
            lines.append(_line(child, naming))
        elif tender := _TENDER.fullmatch(name):
            words = [tender[1], *(value for key, value in child.fields().items() if key != "TenderAmount")]
            tenders.append((" ".join(words), child.decimal("TenderAmount") or Decimal(0)))
        elif has_lines and name in _EXTRAS:
            extras.append((name, _EXTRAS[name] * (body.decimal(name) or Decimal(0))))
        elif name not in _TOLD:
            header.append((_LABELS.get(name) or _WORD.sub(" ", name).capitalize(), _value(child, naming)))
    title = _RECEIPTS.get(body.text("SalesReceiptType") or "") or _TITLES.get(body.name, body.name)
    paid = "Paid back by" if body.text("SalesReceiptType") == "Return" else "Paid by"
    return Paper(title, tuple(header), tuple(lines), tuple(extras), tuple(tenders), paid)


def _line(line: Record, naming: Naming) -> PaperLine:
    quantity = _number(line, "Qty", Decimal(1))
    price = _number(line, "Price", Decimal(0))
    item = line.text("ListID") or ""
    return PaperLine(
        item=called(naming, item) if item else Name(line.text("ALU") or ""),
        description=line.text("Desc1") or "",
        quantity=quantity,
        price=price,
        amount=_number(line, "ExtendedPrice", quantity * price),
        tax_code=line.text("TaxCode") or "",
    )


def _number(line: Record, name: str, otherwise: Decimal) -> Decimal:
    found = line.decimal(name)
    return otherwise if found is None else found


def _value(child: Record, naming: Naming) -> str:
    """A simple value, a name for an id, or the parts of an address in one line."""
    parts = child.children()
    if parts:
        places = {name: place for place, name in enumerate(_ENVELOPE)}
        parts.sort(key=lambda part: places.get(part.name, len(places)))
        return ", ".join(filter(None, (_value(part, naming) for part in parts)))
    text = (child.element.text or "").strip()
    if not child.name.endswith("ListID"):
        return text
    name = called(naming, text)
    return name.text if name.known else f"{name.text} (not known in QuickBooks yet)"
