"""Customers, items, departments and vendors: entered and changed.

No EditSequence anywhere, the last writer wins, and nothing is unique unless
the dialect says so. Source: protocol reference 5.2, 5.8.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import RequestRefused, invalid_reference
from ops_sandbox.pos.reader import Request
from ops_sandbox.pos.shapes import shape_of
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.taxes import TAXABLE, category_or_refuse, percent_of
from ops_sandbox.pos.values import Fields

#: Item types that have stock of their own.
STOCKED = frozenset({"Inventory", "Assembly"})

_NO_AMOUNT = Decimal("0.00")
_NONE = Decimal(0)

_NEW_CUSTOMER: Fields = {
    "AccountBalance": _NO_AMOUNT,
    "AccountLimit": _NO_AMOUNT,
    "AmountPastDue": _NO_AMOUNT,
    "CustomerDiscPercent": _NONE,
    "CustomerDiscType": "None",
    "IsAcceptingChecks": True,
    "IsUsingChargeAccount": False,
    "IsUsingWithQB": False,
    "IsRewardsMember": False,
    "IsNoShipToBilling": False,
    "StoreExchangeStatus": "Modified",
}

_NEW_ITEM: Fields = {
    "Cost": _NO_AMOUNT,
    "HasPictures": False,
    "IsBelowReorder": False,
    "IsEligibleForCommission": True,
    "IsEligibleForRewards": True,
    "IsPrintingTags": True,
    "IsUnorderable": False,
    "IsWebItem": False,
    "ItemType": "Inventory",
    "Price1": _NO_AMOUNT,
    "QuantityOnCustomerOrder": _NONE,
    "QuantityOnOrder": _NONE,
    "QuantityOnPendingOrder": _NONE,
    "SerialFlag": "Optional",
    "StoreExchangeStatus": "Modified",
}


def on_hand_field(store: int) -> str:
    """Such as OnHandStore01."""
    return f"OnHandStore{store:02d}"


def merged(books: Books, old: Fields, sent: Fields) -> Fields:
    """What a Mod changes: name -> new value, None for a field to be emptied."""
    changes: Fields = {}
    for name, value in sent.items():
        if value == "":
            if books.dialect.mod_empty_text == "clears":
                changes[name] = None
        elif books.dialect.mod_aggregates == "replace":
            changes[name] = value
        elif isinstance(value, dict):
            kept = {**old.get(name, {}), **merged(books, old.get(name, {}), value)}
            changes[name] = {key: one for key, one in kept.items() if one is not None}
        elif name == "ShipAddress":
            addresses = {one.get("AddressName"): one for one in old.get(name, [])}
            addresses.update({one.get("AddressName"): one for one in value})
            changes[name] = list(addresses.values())
        else:
            changes[name] = value
    return changes


# Customers


def add_customer(books: Books, request: Request) -> Answer:
    """CustomerAddRq."""
    return shown(books, request, new_customer(books, request.values["CustomerAdd"]))


def new_customer(books: Books, fields: Fields) -> Record:
    """Enter a customer. Raises a status for an unknown tax category or a name that is taken."""
    _check_customer(books, fields, "")
    books.refuse_double("Customer", fields)
    return books.add("Customer", {**_NEW_CUSTOMER, **fields, "FullName": _full_name(fields)})


def modify_customer(books: Books, request: Request) -> Answer:
    """CustomerModRq."""
    sent = dict(request.values["CustomerMod"])
    old = books.find("Customer", sent.pop("ListID"))
    changes = merged(books, old.fields, sent)
    new = {**old.fields, **changes}
    _check_customer(books, new, old.id)
    books.refuse_double("Customer", new, old.id)
    return shown(books, request, books.change(old, {**changes, "FullName": _full_name(new)}))


def _full_name(fields: Fields) -> str:
    parts = (fields.get("Salutation"), fields.get("FirstName"), fields.get("LastName"))
    return " ".join(part for part in parts if part)


def _check_customer(books: Books, fields: Fields, own_id: str) -> None:
    category_or_refuse(books, fields.get("TaxCategory"))
    if not fields.get("LastName"):
        raise RequestRefused(3150, 'There is a missing element: "LastName".')
    if not books.dialect.customer_names_unique:
        return
    first = books.keys.of("FirstName", fields.get("FirstName") or "")
    for other in books.lookup("Customer", "LastName", fields["LastName"]):
        if other.id != own_id and books.keys.of("FirstName", other.fields.get("FirstName", "")) == first:
            name = _full_name(fields)
            raise RequestRefused(3100, f'The name "{name}" of the list element is already in use.')


# Departments


def add_department(books: Books, request: Request) -> Answer:
    """DepartmentAddRq."""
    return shown(books, request, new_department(books, request.values["DepartmentAdd"]))


def new_department(books: Books, fields: Fields) -> Record:
    """Enter a department."""
    if fields.get("TaxCode"):
        percent_of(books, category_or_refuse(books, None), fields["TaxCode"])
    books.refuse_double("Department", fields)
    return books.add("Department", {"StoreExchangeStatus": "Modified", **fields})


# Vendors. Messages only read them; they are entered on the screens.


def new_vendor(books: Books, fields: Fields) -> Record:
    """Enter a vendor."""
    books.refuse_double("Vendor", fields)
    return books.add("Vendor", {"IsInactive": False, "StoreExchangeStatus": "Modified", **fields})


# Items


def add_item(books: Books, request: Request) -> Answer:
    """ItemInventoryAddRq."""
    return shown(books, request, new_item(books, request.values["ItemInventoryAdd"]))


def new_item(books: Books, fields: Fields) -> Record:
    """Enter an item. Raises status 3120 for its department or vendor, 3140 for its tax code."""
    department = books.find("Department", fields["DepartmentListID"])
    given = {name: value for name, value in fields.items() if value != ""}
    item = {"TaxCode": department.fields.get("TaxCode", TAXABLE), **_NEW_ITEM, **given}
    _check_item(books, item)
    books.refuse_double("ItemInventory", item)
    item["DepartmentCode"] = department.fields["DepartmentCode"]
    item = _of_our_stores(books, item)
    item["VendorCode"] = _vendor_code(books, item)
    item["ItemNumber"] = books.store.next("item_number")
    return books.add("ItemInventory", {**item, **stock_figures(books, item)})


def modify_item(books: Books, request: Request) -> Answer:
    """ItemInventoryModRq."""
    sent = dict(request.values["ItemInventoryMod"])
    old = books.find("ItemInventory", sent.pop("ListID"))
    return shown(books, request, change_item(books, old, merged(books, old.fields, sent)))


def change_item(books: Books, old: Record, changes: Fields) -> Record:
    """Set fields of an item, None for one to be emptied; moves its TimeModified. Raises as `new_item` does."""
    new = {**old.fields, **changes}
    _check_item(books, new)
    books.refuse_double("ItemInventory", new, old.id)
    department = books.find("Department", new["DepartmentListID"])
    codes = {"DepartmentCode": department.fields["DepartmentCode"], "VendorCode": _vendor_code(books, new)}
    changes = {**_of_our_stores(books, changes), **codes, **stock_figures(books, new)}
    return books.change(old, changes)


def _vendor_code(books: Books, item: Fields) -> str | None:
    """Follows from the vendor, as DepartmentCode does from the department."""
    if not item.get("VendorListID"):
        return None
    code: str | None = books.find("Vendor", item["VendorListID"]).fields.get("VendorCode")
    return code


def _check_item(books: Books, item: Fields) -> None:
    for name in (None, "VendorInfo2", "VendorInfo3", "VendorInfo4", "VendorInfo5"):
        vendor = (item if name is None else item.get(name) or {}).get("VendorListID")
        if vendor:
            books.find("Vendor", vendor)
    if item.get("TaxCode"):
        percent_of(books, category_or_refuse(books, None), item["TaxCode"])
    here = {on_hand_field(store) for store in books.stores}
    for name, value in item.items():
        if name.startswith("OnHandStore") and name not in here and value:
            raise invalid_reference("StoreNumber", int(name.removeprefix("OnHandStore")))


def _of_our_stores(books: Books, item: Fields) -> Fields:
    """Without the figures of stores that do not exist: they are never returned."""
    here = {f"{store:02d}" for store in books.stores}
    return {
        name: value
        for name, value in item.items()
        if "Store" not in name or name[-2:] in here or not name[-2:].isdigit()
    }


def stock_figures(books: Books, item: Fields) -> Fields:
    """The on-hand of each store and the figures that follow from it.

    An item of a type that keeps no stock has none, whatever was sent for it.
    """
    if item["ItemType"] not in STOCKED:
        nothing = _NONE if books.dialect.no_stock_figures == "zero" else None
        shelves = dict.fromkeys((on_hand_field(store) for store in books.stores), nothing)
        return {**shelves, "QuantityOnHand": nothing, "IsBelowReorder": False, "AvailableQty": None}
    on_hand = sum((Decimal(item.get(on_hand_field(store)) or 0) for store in books.stores), _NONE)
    ordered = Decimal(item.get("QuantityOnCustomerOrder") or 0)
    reorder: Any = item.get("ReorderPoint")
    available = [
        {
            "StoreNumber": store,
            "QuantityOnOrder": _NONE,
            # An order names no store: it counts where it was taken.
            "QuantityOnCustomerOrder": ordered if store == books.store_number else _NONE,
            "QuantityOnPendingOrder": _NONE,
        }
        for store in books.stores
    ]
    return {
        **{on_hand_field(store): item.get(on_hand_field(store)) or _NONE for store in books.stores},
        "QuantityOnHand": on_hand,
        "IsBelowReorder": reorder is not None and on_hand < reorder,
        "AvailableQty": available,
    }


def shown(books: Books, request: Request, record: Record) -> Answer:
    """The answer to an Add or a Mod: the record, or what IncludeRetElement asks of it."""
    only = frozenset(request.values.get("IncludeRetElement", ()))
    body = books.writer.element(f"{record.kind}Ret", shape_of(record.kind), record.fields, only)
    return Answer(body=body, made=record.id)
