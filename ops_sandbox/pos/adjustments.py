"""Inventory quantity adjustments: absolute new quantities.

NewQuantity overwrites whatever was sold since the caller read it; OldQuantity
in the answer is how a caller notices. Source: protocol reference 5.8.
"""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import invalid_value
from ops_sandbox.pos.lists import on_hand_field, shown, stock_figures
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.receipts import STOCKED
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.values import Fields

_NOTHING = Decimal(0)


def add_adjustment(books: Books, request: Request) -> Answer:
    """InventoryQtyAdjustmentAddRq."""
    fields: Fields = request.values["InventoryQtyAdjustmentAdd"]
    store = books.store_or_refuse(fields.get("StoreNumber"))
    held = fields.get("TxnState") == "Held"
    lines = []
    cost = _NOTHING
    for sent in fields.get("InventoryQtyAdjustmentItemAdd", []):
        item = books.find("ItemInventory", sent["ListID"])
        if item.fields["ItemType"] not in STOCKED:
            raise invalid_value(f"Item {item.fields['ItemNumber']} has no stock of its own.")
        old = item.fields.get(on_hand_field(store), _NOTHING)
        new = sent["NewQuantity"]
        lines.append(
            {**sent, "OldQuantity": old, "QtyDifference": new - old, "NumberOfBaseUnits": Decimal(1)}
        )
        cost += (new - old) * item.fields.get("Cost", _NOTHING)
        if not held:
            put_on_shelf(books, item, store, new)
    header = {name: value for name, value in fields.items() if name != "InventoryQtyAdjustmentItemAdd"}
    record = books.add(
        "InventoryQtyAdjustment",
        {
            "HistoryDocStatus": "Regular",
            "InventoryAdjustmentSource": "Manual",
            "QuickBooksFlag": "NotPosted",
            "StoreExchangeStatus": "Modified",
            "TxnDate": books.moments.today(),
            "TxnState": "Normal",
            "Workstation": 1,
            **header,
            "CostDifference": cost,
            "InventoryAdjustmentNumber": books.store.next("adjustment_number"),
            "InventoryQtyAdjustmentItemRet": lines,
            "ItemsCount": len(lines),
            "NewQuantity": sum((line["NewQuantity"] for line in lines), _NOTHING),
            "OldQuantity": sum((line["OldQuantity"] for line in lines), _NOTHING),
            "QtyDifference": sum((line["QtyDifference"] for line in lines), _NOTHING),
            "StoreNumber": store,
        },
        id_field="TxnID",
    )
    return shown(books, request, record)


def put_on_shelf(books: Books, item: Record, store: int, quantity: Decimal) -> Record:
    """Set the on-hand of one store. Unlike a sale, this always moves the item's TimeModified."""
    changes: Fields = {on_hand_field(store): quantity}
    return books.change(item, {**changes, **stock_figures(books, {**item.fields, **changes})})
