"""Goods that come in and move between stores: receiving vouchers and transfer slips.

Messages can only ask for these documents; they are entered on the screens.
Source: protocol reference 5.2 and the grammar of their queries.
"""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal

from ops_sandbox.pos.books import CENT, Books
from ops_sandbox.pos.errors import invalid_value
from ops_sandbox.pos.lists import STOCKED
from ops_sandbox.pos.receipts import move_stock
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.values import Fields

_NOTHING = Decimal(0)

#: (ListID, pieces).
Pieces = Sequence[tuple[str, Decimal]]


def new_voucher(
    books: Books, pieces: Pieces, store: int, *, is_return: bool, vendor: Record | None, comments: str
) -> Record:
    """Goods received from a vendor, or returned to it, at each item's Cost. Raises status 3120, 3140, 3210."""
    items = _items(books, pieces)
    store = books.store_or_refuse(store)
    lines: list[Fields] = [
        {
            **_named(item),
            "Cost": item.fields.get("Cost", _NOTHING),
            "ExtendedCost": (item.fields.get("Cost", _NOTHING) * qty).quantize(CENT),
            "NumberOfBaseUnits": Decimal(1),
            "QtyReceived": qty,
        }
        for item, qty in items
    ]
    total = sum((line["ExtendedCost"] for line in lines), _NOTHING)
    voucher = books.add(
        "Voucher",
        {
            **_header(books, items, comments),
            "CompanyName": vendor.fields.get("CompanyName") if vendor else None,
            "StoreNumber": store,
            "Subtotal": total,
            "Total": total,
            "VendorCode": vendor.fields.get("VendorCode") if vendor else None,
            "VendorListID": vendor.id if vendor else None,
            "VoucherItemRet": lines,
            "VoucherNumber": books.store.next("voucher_number"),
            "VoucherType": "Return" if is_return else "Receiving",
        },
        id_field="TxnID",
    )
    touches = books.dialect.receiving_moves_item_time_modified
    if not is_return:
        for list_id, _ in pieces:
            received: Fields = {"LastReceived": books.moments.today()}
            books.change(books.find("ItemInventory", list_id), received, touches=touches)
    leaving = [(list_id, qty if is_return else -qty) for list_id, qty in pieces]
    move_stock(books, leaving, store, touches=touches)
    return voucher


def new_transfer(books: Books, pieces: Pieces, source: int, target: int, *, comments: str) -> Record:
    """Goods moved from one store to another, there at once. Raises status 3120, 3140, 3210."""
    items = _items(books, pieces)
    source, target = books.store_or_refuse(source), books.store_or_refuse(target)
    cost = sum((item.fields.get("Cost", _NOTHING) * qty for item, qty in items), _NOTHING)
    slip = books.add(
        "TransferSlip",
        {
            **_header(books, items, comments),
            "FromStoreNumber": source,
            "SlipNumber": books.store.next("slip_number"),
            "ToStoreNumber": target,
            "TotalCost": cost.quantize(CENT),
            "TransferSlipItemRet": [
                {"ListID": item.id, "NumberOfBaseUnits": Decimal(1), "Qty": qty} for item, qty in items
            ],
        },
        id_field="TxnID",
    )
    touches = books.dialect.receiving_moves_item_time_modified
    move_stock(books, list(pieces), source, touches=touches)
    move_stock(books, [(list_id, -qty) for list_id, qty in pieces], target, touches=touches)
    return slip


def _items(books: Books, pieces: Pieces) -> list[tuple[Record, Decimal]]:
    items = []
    for list_id, qty in pieces:
        item = books.find("ItemInventory", list_id)
        if item.fields["ItemType"] not in STOCKED:
            raise invalid_value(f"Item {item.fields['ItemNumber']} has no stock of its own.")
        if qty <= 0:
            raise invalid_value(f"A quantity of goods that move is above nothing, not {qty}.")
        items.append((item, qty))
    return items


def _named(item: Record) -> Fields:
    names = ("ListID", "ALU", "Attribute", "Desc1", "Desc2", "ItemNumber", "Size", "UPC")
    return {name: item.fields[name] for name in names if name in item.fields}


def _header(books: Books, items: list[tuple[Record, Decimal]], comments: str) -> Fields:
    return {
        "Associate": books.employee,
        "Comments": comments,
        "HistoryDocStatus": "Regular",
        "ItemsCount": len(items),
        "QuickBooksFlag": "NotPosted",
        "StoreExchangeStatus": "Modified",
        "TotalQty": sum((qty for _, qty in items), _NOTHING),
        "TxnDate": books.moments.today(),
        "TxnState": "Normal",
        "Workstation": 1,
    }
