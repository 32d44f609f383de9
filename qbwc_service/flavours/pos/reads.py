"""Point of Sale's queries: look-ups by key, look-back, long readings."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal

from qbwc_service.flavours.spelling import Page
from qbxml.grammar import load_grammar
from qbxml.records import Record
from qbxml.transliterate import is_kept
from qbxml.writer import render_request
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")

#: What look-back needs of a receipt: the least that tells whose it is and whether it counts.
_DOCUMENT_FIELDS = (
    "TxnID",
    "TimeCreated",
    "Comments",
    "TrackingNumber",
    "Total",
    "SalesReceiptType",
    "SalesReceiptNumber",
    "HistoryDocStatus",
)
_ORDER_FIELDS = ("TxnID", "TimeCreated", "Instructions", "SalesOrderNumber", "Total")
_RECEIPTS, _ORDERS = "SalesReceiptQueryRq", "SalesOrderQueryRq"
_QUERIES = {
    "item": "ItemInventoryQueryRq",
    "line": "ItemInventoryQueryRq",
    "item id": "ItemInventoryQueryRq",
    "adjustment": "InventoryQtyAdjustmentQueryRq",
    "customer": "CustomerQueryRq",
    "customer id": "CustomerQueryRq",
    "department": "DepartmentQueryRq",
    "reversal": _RECEIPTS,
    "deletion": _ORDERS,
    "order receipts": _RECEIPTS,
    "mark": _RECEIPTS,
    "order mark": _ORDERS,
    "tax rates": "CompanyQueryRq",
}
_LISTS = {
    "items": "ItemInventoryQueryRq",
    "customers": "CustomerQueryRq",
    "sales": _RECEIPTS,
    "departments": "DepartmentQueryRq",
}
_ID = re.compile(r"-?[0-9]{1,19}")
#: The look-up of what the company's tax categories and codes come to.
TAX_RATES = ("tax rates", "company")
#: Longest key that the field of a filter takes.
_LENGTHS = {"ALU": 20, "UPC": 18, "EMail": 99, "CustomerID": 40, "Desc1": 30, "DepartmentName": 30}


def company_request(request_id: str) -> str:
    """CompanyQuery: cheap, and harmless at any time."""
    return render_request(_GRAMMAR, "CompanyQueryRq", {}, {"requestID": request_id})


def tax_rates(record: Record) -> dict[tuple[str, str], Decimal]:
    """Percent by (TaxCategory, POSTaxCode), of a CompanyRet. A pair without percent is untaxed."""
    return {
        (one.text("TaxCategory") or "", one.text("POSTaxCode") or ""): one.decimal("TaxPercent") or Decimal(0)
        for one in record.children("TaxRecord")
        if one.text("TaxCategory") and one.text("POSTaxCode")
    }


def look_up_bodies(kind: str, key: str, company: Settings) -> Sequence[Mapping[str, object]]:
    """One body for each field that may hold `key`; none if no field can."""
    if (kind, key) == TAX_RATES:
        return ({},)
    if not key or not all(map(is_kept, key)):
        return ()
    if kind == "item":
        bodies = [_equal_item_key(field, key) for field in company["items.keys"]]
    elif kind == "line":
        bodies = [_equal("ALU", key), _equal("Desc1", key)]
    elif kind == "item id":
        # Anything else would make QuickBooks refuse the whole set.
        bodies = [{"ListID": key}] if _ID.fullmatch(key) else []
    elif kind == "adjustment":
        bodies = [{"CommentsFilter": {"MatchStringCriterion": "StartsWith", "Comments": key}}]
    elif kind == "customer":
        bodies = [_equal("EMail", key)]
    elif kind == "customer id":
        bodies = [_equal("CustomerID", key)]
    elif kind == "reversal":
        bodies = _receipt_and_copies(*key.split(" ", 1))
    elif kind == "deletion":
        # Whole: what was taken from it stands on its lines.
        bodies = [{"TxnID": key.partition(" ")[0]}]
    elif kind == "order receipts":
        bodies = [{"SalesOrderTxnID": key, "IncludeRetElement": list(_DOCUMENT_FIELDS)}]
    elif kind in ("mark", "order mark"):
        bodies = [_marked(f"{key}/", orders=kind == "order mark")]
    else:
        bodies = [_equal("DepartmentName", key)]
    return [body for body in bodies if body is not None]


def _receipt_and_copies(txn_id: str, mark: str) -> list[Mapping[str, object] | None]:
    """A receipt by its id, and all that bear its mark: one that reverses it may be told by that alone."""
    return [{"TxnID": txn_id, "IncludeRetElement": list(_DOCUMENT_FIELDS)}, _marked(mark)]


def _marked(start: str, *, orders: bool = False) -> Mapping[str, object]:
    """Receipts whose Comments (sales orders whose Instructions) start like this.

    What stands there is compared whole by whoever asked.
    """
    fields, text = (_ORDER_FIELDS, "Instructions") if orders else (_DOCUMENT_FIELDS, "Comments")
    return {
        f"{text}Filter": {"MatchStringCriterion": "StartsWith", text: start},
        "IncludeRetElement": list(fields),
    }


def look_up_request(kind: str, body: Mapping[str, object], request_id: str) -> str:
    return render_request(_GRAMMAR, _QUERIES[kind], body, {"requestID": request_id})


def _equal(field: str, key: str) -> Mapping[str, object] | None:
    if len(key) > _LENGTHS[field]:
        return None
    return {f"{field}Filter": {"MatchStringCriterion": "Equal", field: key}}


def _equal_item_key(field: str, key: str) -> Mapping[str, object] | None:
    if field != "ITEMNUMBER":
        return _equal(field, key)
    if not (key.isascii() and key.isdigit() and len(key) < 10):
        return None
    return {"ItemNumberFilter": {"MatchNumericCriterion": "Equal", "ItemNumber": int(key)}}


def look_back_request(
    request_id: str,
    page: Page,
    *,
    head: str | None = None,
    since: datetime | None = None,
    orders: bool = False,
) -> str:
    fields = _ORDER_FIELDS if orders else _DOCUMENT_FIELDS
    body: dict[str, object] = {"MaxReturned": page.size, "IncludeRetElement": list(fields)}
    if since is not None:
        body["TimeCreatedFilter"] = {"MatchNumericCriterion": "GreaterThanEqual", "TimeCreated": since}
    if head is not None:
        body.update(_marked(f"{head}-", orders=orders))
    return render_request(_GRAMMAR, _ORDERS if orders else _RECEIPTS, body, _paging(request_id, page))


def period_request(request_id: str, page: Page, since: date, until: date) -> str:
    body: dict[str, object] = {
        "MaxReturned": page.size,
        "TxnDateRangeFilter": {"FromTxnDate": since, "ToTxnDate": until},
    }
    return render_request(_GRAMMAR, _RECEIPTS, body, _paging(request_id, page))


def pull_request(request_id: str, kind: str, page: Page, filters: Mapping[str, str]) -> str:
    name = _LISTS[kind]
    body: dict[str, object] = {"MaxReturned": page.size}
    if "changed_since" in filters:
        body["TimeModifiedFilter"] = {
            "MatchNumericCriterion": "GreaterThanEqual",
            "TimeModified": datetime.fromisoformat(filters["changed_since"]),
        }
    created = {
        name: datetime.fromisoformat(filters[name])
        for name in ("created_from", "created_to")
        if name in filters
    }
    if len(created) == 2:
        body["TimeCreatedRangeFilter"] = {
            "FromTimeCreated": created["created_from"],
            "ToTimeCreated": created["created_to"],
        }
    for bound, moment in created.items() if len(created) == 1 else ():
        criterion = "GreaterThanEqual" if bound == "created_from" else "LessThanEqual"
        body["TimeCreatedFilter"] = {"MatchNumericCriterion": criterion, "TimeCreated": moment}
    return render_request(_GRAMMAR, name, body, _paging(request_id, page))


def deleted_request(request_id: str, kind: str, since: datetime) -> str:
    """Which items or customers were deleted since a moment."""
    body = {
        "ListDelType": "ItemInventory" if kind == "items" else "Customer",
        "DeletedDateRangeFilter": {"FromDeletedDate": since, "ToDeletedDate": since + timedelta(days=3650)},
    }
    return render_request(_GRAMMAR, "ListDeletedQueryRq", body, {"requestID": request_id})


def _paging(request_id: str, page: Page) -> dict[str, str]:
    attrs = {"requestID": request_id, "iterator": page.iterator}
    if page.iterator_id:
        attrs["iteratorID"] = page.iterator_id
    return attrs
