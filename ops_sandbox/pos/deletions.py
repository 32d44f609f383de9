"""ListDel, and the memory of what was deleted.

Source: protocol reference 5.2, 5.4. There is no IsActive: what is gone is
learnt from ListDeletedQuery alone.
"""

from __future__ import annotations

from datetime import datetime

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import RequestRefused, invalid_value
from ops_sandbox.pos.orders import is_begun, is_ordered, release_order
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import answer_shape, shape_of
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.values import Fields

#: ListDelType -> kind of record.
_KINDS = {
    "Customer": "Customer",
    "Department": "Department",
    "HeldSalesReceipt": "SalesReceipt",
    "ItemInventory": "ItemInventory",
    "SalesOrder": "SalesOrder",
    "Vendor": "Vendor",
}


def delete(books: Books, request: Request) -> Answer:
    """ListDelRq."""
    list_type, record_id = request.values["ListDelType"], request.values["ListID"]
    if list_type not in _KINDS:
        raise RequestRefused(3250, f"Deleting a {list_type} is not supported in this edition.")
    record = books.find(_KINDS[list_type], record_id)
    deleted = delete_record(books, list_type, record)
    fields: Fields = {
        "ListDelType": list_type,
        "ListID": record_id,
        "TimeDeleted": deleted.fields["TimeDeleted"],
        "FullName": record.fields.get("FullName") or record.fields.get("DepartmentName"),
    }
    return Answer(body=books.writer.children(answer_shape("ListDelRs"), fields))


def delete_record(books: Books, list_type: str, record: Record) -> Record:
    """Take the record out and note when. Raises status 3170 for one that is in use."""
    if list_type == "HeldSalesReceipt" and record.fields["TxnState"] != "Held":
        raise invalid_value("Only a held receipt can be deleted.")
    if list_type == "Department" and books.lookup("ItemInventory", "DepartmentListID", record.id):
        raise RequestRefused(3170, "The department could not be deleted: it has items.")
    if list_type == "Vendor" and books.lookup("ItemInventory", "VendorListID", record.id):
        raise RequestRefused(3170, "The vendor could not be deleted: it has items.")
    kept = list_type == "ItemInventory" and not books.dialect.ordered_item_can_be_deleted
    if kept and is_ordered(books, record.id):
        raise RequestRefused(3170, "The item could not be deleted: it is on an open sales order.")
    if list_type == "SalesOrder":
        if is_begun(record) and not books.dialect.begun_order_deleted:
            raise RequestRefused(3170, "The sales order could not be deleted: it was filled in part.")
        release_order(books, record)
    fields: Fields = {
        "ListDelType": list_type,
        "ListID": record.id,
        "TimeCreated": record.fields["TimeCreated"],
        "TimeDeleted": books.now(),
    }
    deleted = books.store.add("ListDeleted", record.id, fields)
    books.store.remove(record)
    return deleted


def query_deleted(books: Books, request: Request) -> Answer:
    """ListDeletedQueryRq; either end of the range may be left open."""
    wanted = request.values["ListDelType"]
    span: dict[str, datetime] = request.values.get("DeletedDateRangeFilter", {})
    first, last = (
        None if span.get(name) is None else books.moments.filter_key(span[name])
        for name in ("FromDeletedDate", "ToDeletedDate")
    )
    found = []
    for record in books.store.all("ListDeleted"):
        when = books.moments.key(record.fields["TimeDeleted"])
        if record.fields["ListDelType"] != wanted:
            continue
        if (first is None or when >= first) and (last is None or when <= last):
            found.append(record)
    form = books.dialect.no_match
    extra = {} if not found and form.endswith("no_retcount") else {"retCount": str(len(found))}
    if not found and form.startswith("status_1"):
        return Answer(1, "A query request did not find a matching object in QuickBooks POS", extra)
    shape = shape_of("ListDeleted")
    return Answer(
        extra=extra,
        body="".join(books.writer.element("ListDeletedRet", shape, record.fields) for record in found),
    )
