"""Items as Point of Sale's Adds and Mods. Source of lengths and names: protocol reference 5.8."""

from __future__ import annotations

from decimal import Decimal

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.flavours.pos.items import LEVELS
from qbwc_service.flavours.pos.records import finish
from qbwc_service.needs import Gaps, Prepared
from queue_store.payloads import Item, ItemChange, ItemDetails

_ALU, _UPC = 20, 18
_CENT = Decimal("0.01")


def prepare_item_add(item: Item) -> Prepared:
    """ItemInventoryAdd into its department. Raises NotSendable."""
    name = f"Item {item.sku}"
    if len(item.sku) > _ALU:
        raise NotSendable(
            f"SKU {item.sku!r} has {len(item.sku)} characters, an ALU in QuickBooks has 20: no item can be made for "
            f"it. Map it to an item: qbwoo mapping set item {item.sku!r} -- LISTID"
        )
    fitting = Fitting(name)
    gaps = Gaps()
    body = {
        **_details(item.details or ItemDetails(), fitting),
        "ALU": item.sku,
        "DepartmentListID": gaps.gap("department"),
        "Desc1": fitting.text("Desc1", item.name, 30) or item.sku,
        "ItemType": item.item_type,
        "TaxCode": item.tax_code or None,
    }
    body["Price1"] = body.get("Price1") or item.price.quantize(_CENT)
    prepared = finish(name, "ItemInventoryAddRq", "ItemInventoryAdd", body, fitting, gaps)
    return Prepared(parts=prepared.parts, department=item.department, remarks=prepared.remarks)


def prepare_item_mod(change: ItemChange) -> Prepared:
    """ItemInventoryMod of the fields that are given, and of no other. Raises NotSendable."""
    name = f"Item {change.sku or change.list_id}"
    fitting, gaps = Fitting(name), Gaps()
    body = {
        **_details(change.details, fitting),
        "ListID": change.list_id,
        "DepartmentListID": gaps.gap("department") if change.department else None,
        "Desc1": fitting.text("Desc1", change.name, 30),
        "TaxCode": change.tax_code or None,
    }
    prepared = finish(name, "ItemInventoryModRq", "ItemInventoryMod", body, fitting, gaps)
    return Prepared(parts=prepared.parts, department=change.department, remarks=prepared.remarks)


def _details(details: ItemDetails, fitting: Fitting) -> dict[str, object]:
    """Elements of the fields that are given. A field that cannot be written is left out, and said."""
    text = fitting.text
    upc: str | None = details.upc
    if len(details.upc) > _UPC:
        # A part of a code is another product's code.
        fitting.say("UPC", f"{details.upc!r} has more than {_UPC} characters and is left out")
        upc = None
    return {
        **{
            element: details.prices[level].quantize(_CENT)
            for element, level in LEVELS.items()
            if level in details.prices
        },
        "Attribute": text("Attribute", details.attribute, 12),
        "Cost": None if details.cost is None else details.cost.quantize(_CENT),
        "Desc2": text("Desc2", details.description, None),
        "IsWebItem": details.is_web,
        "Size": text("Size", details.size, 12),
        "UPC": text("UPC", upc or "", _UPC),
        "WebDesc": text("WebDesc", details.web_description, None),
        "Manufacturer": text("Manufacturer", details.manufacturer, 50),
        "Weight": details.weight,
        "Keywords": text("Keywords", details.keywords, None),
        "WebCategories": text("WebCategories", details.web_categories, None),
    }
