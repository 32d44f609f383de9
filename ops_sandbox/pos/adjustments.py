"""Inventory quantity adjustments: absolute new quantities.

NewQuantity overwrites whatever was sold since the caller read it; OldQuantity
in the answer is how a caller notices. Source: protocol reference 5.8.
"""

from __future__ import annotations

from decimal import Decimal

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import invalid_value
from ops_sandbox.pos.lists import STOCKED, on_hand_field, shown, stock_figures
from ops_sandbox.pos.pricing import base_units
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.values import Fields

_NOTHING = Decimal(0)
#: Quantities have five decimals at most.
_SMALLEST = Decimal("0.00001")


def add_adjustment(books: Books, request: Request) -> Answer:
    """InventoryQtyAdjustmentAddRq."""
    return shown(books, request, new_adjustment(books, request.values["InventoryQtyAdjustmentAdd"]))


def new_adjustment(books: Books, fields: Fields) -> Record:
    """Enter an adjustment memo, and put its quantities on the shelf unless it is held.

    Raises status 3120 for an unknown item, 3140 for an unknown store or unit,
    3210 for an item that keeps no stock.
    """
    store = books.store_or_refuse(fields.get("StoreNumber"))
    held = fields.get("TxnState") == "Held"
    lines = []
    cost = _NOTHING
    for sent in fields.get("InventoryQtyAdjustmentItemAdd", []):
        item = books.find("ItemInventory", sent["ListID"])
        if item.fields["ItemType"] not in STOCKED:
            raise invalid_value(f"Item {item.fields['ItemNumber']} has no stock of its own.")
        units = base_units(item, sent)
        on_hand = item.fields.get(on_hand_field(store), _NOTHING)
        old, new = (on_hand / units).quantize(_SMALLEST), sent["NewQuantity"]
        lines.append({**sent, "OldQuantity": old, "QtyDifference": new - old, "NumberOfBaseUnits": units})
        cost += (new - old) * units * item.fields.get("Cost", _NOTHING)
        if not held:
            touches = books.dialect.adjustment_moves_item_time_modified
            put_on_shelf(books, item, store, new * units, touches=touches)
    header = {name: value for name, value in fields.items() if name != "InventoryQtyAdjustmentItemAdd"}
    return books.add(
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


def put_on_shelf(
    books: Books, item: Record, store: int, quantity: Decimal, *, touches: bool = True
) -> Record:
    """Set the on-hand of one store; `touches` moves the item's TimeModified. Raises status 3210."""
    if item.fields["ItemType"] not in STOCKED:
        raise invalid_value(f"Item {item.fields['ItemNumber']} has no stock of its own.")
    changes: Fields = {on_hand_field(store): quantity}
    changes = {**changes, **stock_figures(books, {**item.fields, **changes})}
    return books.change(item, changes, touches=touches)
