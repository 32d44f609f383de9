"""An item of Point of Sale as it answers it, in the catalogue's words."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any

from qbxml.records import Record
from queue_store.catalogue import fold
from queue_store.payloads import encode
from queue_store.product_payloads import LIST_PRICE, WEB_PRICE, BookItem

#: Types whose items have no stock of their own. Source: protocol reference 5.8.
WITHOUT_STOCK = frozenset({"NonInventory", "Service", "Group"})
#: Names of price levels by element.
LEVELS = {"Price1": "1", "Price2": "2", "Price3": "3", "Price4": "4", "Price5": "5", "WebPrice": WEB_PRICE, "MSRP": LIST_PRICE}  # fmt: skip
_STORES = tuple(range(1, 21))


def read_item(record: Record) -> BookItem:
    """An ItemInventoryRet. Point of Sale leaves out what has no value, and the stock of stores that do not exist."""

    def text(name: str) -> str:
        return record.text(name) or ""

    return BookItem(
        list_id=text("ListID"),
        item_number=text("ItemNumber"),
        alu=text("ALU"),
        upc=text("UPC"),
        name=text("Desc1"),
        description=text("Desc2"),
        web_description=text("WebDesc"),
        item_type=text("ItemType"),
        keeps_stock=text("ItemType") not in WITHOUT_STOCK,
        department_list_id=text("DepartmentListID"),
        department_code=text("DepartmentCode"),
        vendor_list_id=text("VendorListID"),
        vendor_code=text("VendorCode"),
        size=text("Size"),
        attribute=text("Attribute"),
        tax_code=text("TaxCode"),
        manufacturer=text("Manufacturer"),
        weight=record.decimal("Weight"),
        keywords=text("Keywords"),
        web_categories=text("WebCategories"),
        is_web=bool(record.boolean("IsWebItem")),
        cost=record.decimal("Cost"),
        prices=_numbers(record, LEVELS),
        on_hand=_numbers(record, {f"OnHandStore{number:02d}": str(number) for number in _STORES}),
        on_order=_on_order(record),
        on_hand_total=record.decimal("QuantityOnHand"),
        on_order_total=record.decimal("QuantityOnCustomerOrder"),
    )


def _numbers(record: Record, names: Mapping[str, str]) -> dict[str, Decimal]:
    found = {key: record.decimal(name) for name, key in names.items()}
    return {key: value for key, value in found.items() if value is not None}


def _on_order(record: Record) -> dict[str, Decimal]:
    """Pieces on customers' orders, by store."""
    found: dict[str, Decimal] = {}
    for store in record.children("AvailableQty"):
        number, quantity = store.integer("StoreNumber"), store.decimal("QuantityOnCustomerOrder")
        if number is not None and quantity is not None:
            found[str(number)] = quantity
    return found


def item_row(record: Record, company_id: int, now: datetime, asked_turn: int) -> dict[str, Any]:
    """The row of the catalogue for an item."""
    item = read_item(record)
    return {
        "company_id": company_id,
        "list_id": item.list_id,
        "item_number": item.item_number,
        "alu_key": fold(item.alu),
        "upc_key": fold(item.upc),
        "name": item.name[:200],
        "item_type": item.item_type,
        "tax_code": item.tax_code,
        "department_list_id": item.department_list_id,
        "content": encode(item),
        "is_web": item.is_web,
        "style_key": style_key(item),
        "time_modified": record.moment("TimeModified"),
        "read_at": now,
        "asked_turn": asked_turn,
        "wanted": False,
        "deleted": False,
    }


def style_key(item: BookItem) -> str:
    """What the items of one style share: department and Desc1; "" without a size or attribute to tell them apart.

    Source: protocol reference 5.8, marked as uncertain: the schema has no parent id.
    """
    if not (item.size or item.attribute) or not item.name:
        return ""
    return f"{item.department_list_id} {fold(item.name)}"[:120]
