"""Sales receipts: Add, TxnReverse, and the stock that they move.

A receipt can be neither modified nor deleted. Source: protocol reference 5.5.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import RequestRefused, invalid_value, not_found
from ops_sandbox.pos.lists import STOCKED, on_hand_field, shown, stock_figures
from ops_sandbox.pos.orders import fill_order, pay_order, unfill_order
from ops_sandbox.pos.pricing import Priced, line_fields, price_sale
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import answer_shape, shape_of
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.taxes import TAXABLE, category_or_refuse, percent_of
from ops_sandbox.pos.values import Fields

#: Tender kinds in the order of the schema.
TENDERS = ("Account", "Cash", "Check", "CreditCard", "DebitCard", "Deposit", "Gift", "GiftCard")
#: Receipts that move money, not goods.
_MONEY_ONLY = frozenset({"Deposit", "Refund", "Payout", "Payin"})
_NOTHING = Decimal(0)

_NEW_RECEIPT: Fields = {
    "HistoryDocStatus": "Regular",
    "QuickBooksFlag": "NotPosted",
    "SalesReceiptType": "Sales",
    "StoreExchangeStatus": "Modified",
    "TxnState": "Normal",
    "Workstation": 1,
}


@dataclass(frozen=True, slots=True)
class _Tenders:
    rets: Fields
    amount: Decimal
    kind: str


def add_receipt(books: Books, request: Request) -> Answer:
    """SalesReceiptAddRq."""
    return shown(books, request, new_receipt(books, request.values["SalesReceiptAdd"]))


def new_receipt(books: Books, fields: Fields, *, cash_pays: bool = False) -> Record:
    """Enter a receipt, move its stock and fill or pay its order.

    `cash_pays` tenders the total in cash, as a till does. Raises a status for
    unknown ids (3120), names (3140), signs that the dialect does not take (3210)
    and tenders that do not add up (20004).
    """
    kind = fields.get("SalesReceiptType", "Sales")
    turned = kind == "Return" and books.dialect.return_signs == "negative"
    sign = -1 if turned else 1
    store = books.store_or_refuse(fields.get("StoreNumber"))
    category = category_or_refuse(books, fields.get("TaxCategory"))
    customer = books.find("Customer", fields["CustomerListID"]) if fields.get("CustomerListID") else None
    order = books.find("SalesOrder", fields["SalesOrderTxnID"]) if fields.get("SalesOrderTxnID") else None
    sent_lines: list[Fields] = fields.get("SalesReceiptItemAdd", [])
    priced = price_sale(books, fields, sent_lines, category, sign)
    if kind == "Return" and priced.total < 0:
        raise invalid_value(f"A receipt of type Return takes {books.dialect.return_signs} figures.")
    held = fields.get("TxnState") == "Held"
    if cash_pays:
        fields = {**fields, "TenderCashAdd": [{"TenderAmount": priced.total * sign}]}
    tenders = _tenders(fields)
    total = priced.total * sign
    if kind in _MONEY_ONLY and not sent_lines:
        total = tenders.amount
    elif not held:
        _check_balance(books, total, tenders)

    books.refuse_double("SalesReceipt", fields)
    receipt = books.add(
        "SalesReceipt",
        {
            **_NEW_RECEIPT,
            "Cashier": books.employee,
            "TxnDate": books.moments.today(),
            **{name: value for name, value in fields.items() if not name.endswith("Add") and value != ""},
            **_figures(books, priced, sign),
            **tenders.rets,
            "SalesReceiptNumber": books.store.next("receipt_number"),
            "StoreNumber": store,
            "TaxCategory": category,
            "TaxPercentage": percent_of(books, category, TAXABLE),
            "TenderType": tenders.kind,
            "Total": total,
            "SalesReceiptItemRet": _lines(books, priced, sign),
            "BillingInformation": _billing(customer),
        },
        id_field="TxnID",
    )
    if not held:
        leaving = [(line.item.id, line.base_units) for line in priced.lines]
        if kind == "Return":
            leaving = [(list_id, -units) for list_id, units in leaving]
        if kind not in _MONEY_ONLY:
            move_stock(books, leaving, store, touches=books.dialect.sale_moves_item_time_modified)
        if order is not None:
            _settle_order(books, order.id, kind, priced, total)
        if customer is not None:
            _note_sale(books, customer, receipt, tenders)
    return receipt


def _figures(books: Books, priced: Priced, sign: int) -> Fields:
    figures: Fields = {
        "ItemsCount": int(sum((abs(line.qty) for line in priced.lines), _NOTHING)),
        "Subtotal": priced.subtotal * sign,
        "TaxAmount": priced.tax * sign,
    }
    if priced.discount:
        figures["Discount"] = priced.discount
    return figures


def _lines(books: Books, priced: Priced, sign: int) -> list[Fields]:
    known = shape_of("SalesReceipt").aggregates["SalesReceiptItemRet"].simple
    return [line_fields(books, line, sign, known.__contains__) for line in priced.lines]


def _tenders(fields: Fields) -> _Tenders:
    rets: Fields = {}
    amounts: list[tuple[str, Decimal]] = []
    for kind in TENDERS:
        sent: list[Fields] = fields.get(f"Tender{kind}Add", [])
        if sent:
            rets[f"Tender{kind}Ret"] = sent
            amounts += [(kind, one["TenderAmount"]) for one in sent]
    amount = sum((one for _, one in amounts), _NOTHING)
    match amounts:
        case []:
            return _Tenders(rets, amount, "None")
        case [(kind, _)]:
            return _Tenders(rets, amount, kind)
        case _:
            return _Tenders(rets, amount, "Split")


def _check_balance(books: Books, total: Decimal, tenders: _Tenders) -> None:
    undefined = total - tenders.amount
    if undefined and books.dialect.unbalanced_tenders == "refuse":
        raise RequestRefused(20004, f"The receipt is not balanced. Undefined amount is {undefined:.2f}")


def _billing(customer: Record | None) -> Fields | None:
    """The billing address comes from the customer; the receipt's PostalCode is shorter."""
    if customer is None:
        return None
    known = shape_of("SalesReceipt").aggregates["BillingInformation"].simple
    own = {**customer.fields, **customer.fields.get("BillAddress", {})}
    billing: dict[str, Any] = {name: own[name] for name in known if own.get(name)}
    if "PostalCode" in billing:
        billing["PostalCode"] = billing["PostalCode"][:10]
    return billing


def move_stock(books: Books, leaving: list[tuple[str, Decimal]], store: int, *, touches: bool) -> None:
    """Take pieces from the shelf of `store`; negative ones go back. Stock may fall below zero.

    `touches` moves the items' TimeModified, which is for the dialect to say.
    """
    by_item: dict[str, Decimal] = {}
    for list_id, units in leaving:
        by_item[list_id] = by_item.get(list_id, _NOTHING) + units
    shelf = on_hand_field(store)
    for list_id, units in by_item.items():
        item = books.store.find("ItemInventory", list_id)
        # A reversal may come after its item was deleted.
        if item is None or not units or item.fields["ItemType"] not in STOCKED:
            continue
        changes: Fields = {shelf: item.fields.get(shelf, _NOTHING) - units}
        changes.update(stock_figures(books, {**item.fields, **changes}))
        books.change(item, changes, touches=touches)


def _settle_order(books: Books, txn_id: str, kind: str, priced: Priced, total: Decimal) -> None:
    if kind == "Sales":
        fill_order(books, txn_id, [(line.item.id, line.qty) for line in priced.lines])
    elif kind in ("Deposit", "Refund") and books.dialect.deposit_pays_order:
        pay_order(books, txn_id, total if kind == "Deposit" else -total)


def _note_sale(books: Books, customer: Record, receipt: Record, tenders: _Tenders) -> None:
    charged = sum((one["TenderAmount"] for one in tenders.rets.get("TenderAccountRet", ())), _NOTHING)
    changes: Fields = {"LastSale": receipt.fields["TxnDate"]}
    if charged:
        changes["AccountBalance"] = customer.fields["AccountBalance"] + charged
    books.change(customer, changes, touches=books.dialect.sale_moves_customer_time_modified)


# TxnReverse


def reverse(books: Books, request: Request) -> Answer:
    """TxnReverseRq: a new receipt that undoes the old one. A second time is refused with 3210."""
    kind, txn_id = request.values["TxnReverseType"], request.values["TxnID"]
    if kind != "SalesReceipt":
        raise RequestRefused(3250, f"Reversing a {kind} is not supported in this edition.")
    old = books.store.find("SalesReceipt", txn_id)
    if old is None:
        raise not_found("SalesReceipt", txn_id)
    reversing = reverse_receipt(books, old)
    if request.values.get("Associate"):
        reversing = books.change(reversing, {"Associate": request.values["Associate"]})
    fields: Fields = {"TxnReverseType": kind, "TxnID": txn_id, "ReversalTxnID": reversing.id}
    if request.values.get("Associate"):
        fields["Associate"] = request.values["Associate"]
    return Answer(body=books.writer.children(answer_shape("TxnReverseRs"), fields))


def reverse_receipt(books: Books, old: Record) -> Record:
    """Enter the receipt that undoes `old`, and put the goods back. Raises status 3210."""
    txn_id = old.id
    marks: dict[str, str] = books.store.meta.setdefault("reversals", {})
    if txn_id in marks or txn_id in marks.values():
        raise invalid_value(
            f"Receipt {old.fields['SalesReceiptNumber']} has been reversed, or reverses another."
        )
    if old.fields["TxnState"] == "Held":
        raise invalid_value("A held receipt cannot be reversed.")
    reversing = books.add("SalesReceipt", _reversed_fields(books, old), id_field="TxnID")
    books.store.meta["reversals"] = {**marks, txn_id: reversing.id}
    if books.dialect.reversal_marks_receipts:
        books.change(old, {"HistoryDocStatus": "Reversed"})
    _put_back(books, old)
    return reversing


def _reversed_fields(books: Books, old: Record) -> Fields:
    fields = _negated(old.fields, ("Subtotal", "TaxAmount", "Total", "Discount"))
    fields["SalesReceiptItemRet"] = [
        _negated(line, ("Qty", "ExtendedPrice", "ExtendedTax", "TaxAmount", "Discount"))
        for line in fields.get("SalesReceiptItemRet", [])
    ]
    for kind in TENDERS:
        name = f"Tender{kind}Ret"
        if name in fields:
            fields[name] = [_negated(one, ("TenderAmount", "TipAmount", "Cashback")) for one in fields[name]]
    if "ShippingInformation" in fields:
        fields["ShippingInformation"] = _negated(fields["ShippingInformation"], ("Shipping",))
    for name in ("TxnID", "TimeCreated", "TimeModified"):
        del fields[name]
    fields["TxnDate"] = books.moments.today()
    fields["SalesReceiptNumber"] = books.store.next("receipt_number")
    fields["HistoryDocStatus"] = "Reversing" if books.dialect.reversal_marks_receipts else "Regular"
    return fields


def _negated(fields: Fields, names: tuple[str, ...]) -> Fields:
    return {name: -value if name in names else value for name, value in fields.items()}


def _put_back(books: Books, old: Record) -> None:
    if old.fields["SalesReceiptType"] in _MONEY_ONLY:
        return
    turned = old.fields["SalesReceiptType"] == "Return" and books.dialect.return_signs == "positive"
    back = [
        (line["ListID"], line["Qty"] * line.get("NumberOfBaseUnits", 1) * (1 if turned else -1))
        for line in old.fields.get("SalesReceiptItemRet", [])
    ]
    touches = books.dialect.sale_moves_item_time_modified
    move_stock(books, back, old.fields["StoreNumber"], touches=touches)
    order_id: str = old.fields.get("SalesOrderTxnID", "")
    filled = old.fields["SalesReceiptType"] == "Sales" and books.store.find("SalesOrder", order_id)
    if filled and books.dialect.reversal_reopens_order:
        unfill_order(books, order_id, [(list_id, -pieces) for list_id, pieces in back])
