"""Sales orders: Add, Mod, and what receipts do to them.

An order lowers what is available, not what is on hand, and carries no payment.
Source: protocol reference 5.5, 5.7.
"""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import invalid_reference, not_found
from ops_sandbox.pos.lists import STOCKED, merged, shown, stock_figures
from ops_sandbox.pos.pricing import line_fields, price_sale
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import shape_of
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.taxes import TAXABLE, category_or_refuse, percent_of
from ops_sandbox.pos.values import Fields

#: Status descriptions of an order, with their StatusType in CompanyRet.
STATUSES = (("Open", "Open"), ("Closed", "Closed"), ("Custom", "Ready"))
_NOTHING = Decimal(0)
_HUNDRED = Decimal(100)


def add_order(books: Books, request: Request) -> Answer:
    """SalesOrderAddRq."""
    return shown(books, request, new_order(books, request.values["SalesOrderAdd"]))


def new_order(books: Books, fields: Fields) -> Record:
    """Enter an order and keep its pieces from others. Raises status 3120 and 3140 for unknown ids and names."""
    header = {name: value for name, value in fields.items() if name != "SalesOrderItemAdd" and value != ""}
    number = books.store.next("order_number")
    header.setdefault("SalesOrderNumber", str(number))
    header.setdefault("SalesOrderType", "SalesOrder")
    header.setdefault("SalesOrderStatusDesc", "Open")
    header.setdefault("TxnDate", books.moments.today())
    header.setdefault("Cashier", books.employee)
    lines = [
        {**line, "TxnLineID": place}
        for place, line in enumerate(fields.get("SalesOrderItemAdd", []), start=1)
    ]
    books.refuse_double("SalesOrder", header)
    start: Fields = {"StoreExchangeStatus": "Modified", "DepositBalance": _NOTHING}
    record = books.add(
        "SalesOrder", {**start, **_worked_out(books, header, lines, {}, _NOTHING)}, id_field="TxnID"
    )
    _commit_stock(books, {}, record.fields)
    return record


def modify_order(books: Books, request: Request) -> Answer:
    """SalesOrderModRq. Lines are addressed by TxnLineID; an unknown one with a ListID is a new line."""
    sent = dict(request.values["SalesOrderMod"])
    old = books.find("SalesOrder", sent.pop("TxnID"))
    sent_lines: list[Fields] = sent.pop("SalesOrderItemMod", [])
    header = {**old.fields, **merged(books, old.fields, sent)}
    header = {name: value for name, value in header.items() if value is not None}
    books.refuse_double("SalesOrder", header, old.id)
    old_lines: list[Fields] = old.fields.get("SalesOrderItemRet", [])
    lines = {line["TxnLineID"]: _as_sent(line) for line in old_lines}
    kept = dict(lines) if books.dialect.mod_aggregates == "merge" or not sent_lines else {}
    for line in sent_lines:
        line_id = line["TxnLineID"]
        if line_id not in lines:
            if "ListID" not in line:
                raise not_found("TxnLineID", str(line_id))
            line_id = max([*lines, *kept, 0]) + 1
        kept[line_id] = {**kept.get(line_id, lines.get(line_id, {})), **line, "TxnLineID": line_id}
    sold = {line["TxnLineID"]: line["QtySold"] for line in old_lines}
    paid = old.fields["DepositBalance"]
    changed = books.change(old, _worked_out(books, header, list(kept.values()), sold, paid))
    _commit_stock(books, old.fields, changed.fields)
    return shown(books, request, changed)


def _as_sent(line: Fields) -> Fields:
    """A stored line, as if it were sent again."""
    known = ("ListID", "TxnLineID", "Price", "Qty", "TaxCode", "Discount", "DiscountPercent", "UnitOfMeasure")
    also = ("ALU", "Associate", "Attribute", "Commission", "Desc1", "Desc2", "SerialNumber", "Size", "UPC")
    return {name: value for name, value in line.items() if name in known or name in also}


def _worked_out(
    books: Books, header: Fields, sent_lines: list[Fields], sold: dict[int, Decimal], paid: Decimal
) -> Fields:
    """All fields of an order."""
    books.find("Customer", header["CustomerListID"])
    if header["SalesOrderStatusDesc"] not in {name for _, name in STATUSES}:
        raise invalid_reference("SalesOrderStatusDesc", header["SalesOrderStatusDesc"])
    category = category_or_refuse(books, header.get("TaxCategory"))
    priced = price_sale(books, header, sent_lines, category)
    known = shape_of("SalesOrder").aggregates["SalesOrderItemRet"].simple
    lines = []
    for line in priced.lines:
        fields = line_fields(books, line, 1, known.__contains__)
        fields["QtySold"] = sold.get(fields["TxnLineID"], _NOTHING)
        lines.append(fields)
    return {
        **header,
        **_progress(lines),
        "TaxCategory": category,
        "TaxPercentage": percent_of(books, category, TAXABLE),
        "Subtotal": priced.subtotal,
        "TaxAmount": priced.tax,
        "Total": priced.total,
        "BalanceDue": priced.total - paid,
    }


def _progress(lines: list[Fields]) -> Fields:
    """What an order's lines say of the whole."""
    ordered = sum((line["Qty"] for line in lines), _NOTHING)
    sold = sum((line["QtySold"] for line in lines), _NOTHING)
    unfilled = (ordered - sold) / ordered * _HUNDRED if ordered else _NOTHING
    return {
        "ItemsCount": int(ordered),
        "Qty": ordered,
        "UnfilledPercent": unfilled.quantize(Decimal(1)),
        "SalesOrderItemRet": lines,
    }


def _open_quantities(fields: Fields) -> dict[str, Decimal]:
    """Pieces by item that this order still keeps from others."""
    if fields.get("SalesOrderStatusDesc") == "Closed":
        return {}
    wanted: dict[str, Decimal] = {}
    for line in fields.get("SalesOrderItemRet", []):
        left = max(line["Qty"] - line["QtySold"], _NOTHING) * line["NumberOfBaseUnits"]
        wanted[line["ListID"]] = wanted.get(line["ListID"], _NOTHING) + left
    return wanted


def _commit_stock(books: Books, before: Fields, after: Fields) -> None:
    """Bring QuantityOnCustomerOrder of the items in line with a changed order."""
    old, new = _open_quantities(before), _open_quantities(after)
    for list_id in {**old, **new}:
        item = books.store.find("ItemInventory", list_id)
        difference = new.get(list_id, _NOTHING) - old.get(list_id, _NOTHING)
        if item is None or not difference or item.fields["ItemType"] not in STOCKED:
            continue
        changes: Fields = {"QuantityOnCustomerOrder": item.fields["QuantityOnCustomerOrder"] + difference}
        changes.update(stock_figures(books, {**item.fields, **changes}))
        books.change(item, changes, touches=books.dialect.order_moves_item_time_modified)


def close_order(books: Books, order: Record) -> Record:
    """Close an order as it is, filled or not."""
    closed = books.change(order, {"SalesOrderStatusDesc": "Closed"})
    _commit_stock(books, order.fields, closed.fields)
    return closed


def is_ordered(books: Books, list_id: str) -> bool:
    """Whether an open sales order still keeps pieces of the item."""
    return any(_open_quantities(order.fields).get(list_id) for order in books.store.all("SalesOrder"))


def release_order(books: Books, order: Record) -> None:
    """An order is about to be deleted: it keeps nothing from others any more."""
    _commit_stock(books, order.fields, {})


def is_begun(order: Record) -> bool:
    """True if something was sold from the order, or paid towards it."""
    lines = order.fields.get("SalesOrderItemRet", [])
    return bool(order.fields["DepositBalance"]) or any(line["QtySold"] for line in lines)


def fill_order(books: Books, txn_id: str, sold: list[tuple[str, Decimal]]) -> None:
    """A receipt has sold these (ListID, quantity) from the order. Filled wholly, it is closed."""
    order = books.find("SalesOrder", txn_id)
    left = dict.fromkeys((list_id for list_id, _ in sold), _NOTHING)
    for list_id, quantity in sold:
        left[list_id] += quantity
    lines = []
    for line in order.fields.get("SalesOrderItemRet", []):
        open_quantity = max(line["Qty"] - line["QtySold"], _NOTHING)
        taken = min(open_quantity, left.get(line["ListID"], _NOTHING))
        if taken:
            left[line["ListID"]] -= taken
        lines.append({**line, "QtySold": line["QtySold"] + taken})
    changes = _progress(lines)
    if changes["UnfilledPercent"] == 0:
        changes["SalesOrderStatusDesc"] = "Closed"
    changed = books.change(order, changes)
    _commit_stock(books, order.fields, changed.fields)


def unfill_order(books: Books, txn_id: str, returned: list[tuple[str, Decimal]]) -> None:
    """A receipt that sold these (ListID, pieces) from the order was reversed: it is open for them again."""
    order = books.find("SalesOrder", txn_id)
    left = dict.fromkeys((list_id for list_id, _ in returned), _NOTHING)
    for list_id, pieces in returned:
        left[list_id] += pieces
    lines = []
    for line in order.fields.get("SalesOrderItemRet", []):
        units = line["NumberOfBaseUnits"]
        given_back = min(line["QtySold"], left.get(line["ListID"], _NOTHING) / units)
        if given_back:
            left[line["ListID"]] -= given_back * units
        lines.append({**line, "QtySold": line["QtySold"] - given_back})
    changes = _progress(lines)
    if changes["UnfilledPercent"]:
        changes["SalesOrderStatusDesc"] = "Open"
    changed = books.change(order, changes)
    _commit_stock(books, order.fields, changed.fields)


def pay_order(books: Books, txn_id: str, amount: Decimal) -> None:
    """A Deposit receipt has paid `amount` towards the order; a Refund, minus that."""
    order = books.find("SalesOrder", txn_id)
    paid = order.fields["DepositBalance"] + amount
    books.change(order, {"DepositBalance": paid, "BalanceDue": order.fields["Total"] - paid})
