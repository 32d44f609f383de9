"""The shape of a Ret element, taken from the grammar.

One shape serves three ends: writing a record in the order in which Point of
Sale answers, keeping it as JSON, and knowing the type of the field that a
filter names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from ops_sandbox.pos.values import STORED, Fields
from qbxml.grammar import Choice, Element, Entry, load_grammar

#: Kind of record -> the response that shows it. The Ret is named after the kind.
_SHOWN_IN = {
    "Customer": "CustomerQueryRs",
    "Department": "DepartmentQueryRs",
    "InventoryQtyAdjustment": "InventoryQtyAdjustmentQueryRs",
    "ItemInventory": "ItemInventoryQueryRs",
    "ListDeleted": "ListDeletedQueryRs",
    "SalesOrder": "SalesOrderQueryRs",
    "SalesReceipt": "SalesReceiptQueryRs",
    "TaxCategory": "TaxCategoryAddRs",
    "TaxCode": "TaxCodeAddRs",
    "TransferSlip": "TransferSlipQueryRs",
    "Vendor": "VendorQueryRs",
    "Voucher": "VoucherQueryRs",
}

KINDS = (*_SHOWN_IN, "TaxRecord")

_FIRST = ("ListID", "TxnID", "TimeCreated", "TimeModified")


@dataclass(frozen=True, slots=True)
class Shape:
    """Children of one aggregate, in the order of answers."""

    simple: Mapping[str, str]
    aggregates: Mapping[str, Shape]
    repeating: frozenset[str]

    def revive(self, stored: Fields) -> Fields:
        """Typed fields from what `store_form` made of them."""
        revived: Fields = {}
        for name, value in stored.items():
            if (kind := self.simple.get(name)) is not None:
                reader = STORED.get(kind)
                revived[name] = value if reader is None else _each(value, reader)
            else:
                revived[name] = _each(value, self.aggregates[name].revive)
        return revived


def _each(value: Any, function: Any) -> Any:
    return [function(one) for one in value] if isinstance(value, list) else function(value)


def store_form(value: object) -> str:
    """The `default` of json.dumps for our fields."""
    if isinstance(value, Decimal):
        return str(value)
    if isinstance(value, date | datetime):
        return value.isoformat()
    raise TypeError(f"a {type(value).__name__} is no field of a record")


@cache
def shape_of(kind: str) -> Shape:
    """The shape of the Ret of `kind`, such as "ItemInventory"."""
    grammar = load_grammar("qbposxml")
    if kind == "TaxRecord":
        company = _child(grammar.messages["CompanyQueryRs"].content, "CompanyRet")
        return _shape(_child(company.content, "TaxRecord").content)
    return _shape(_child(grammar.messages[_SHOWN_IN[kind]].content, f"{kind}Ret").content)


@cache
def company_shape() -> Shape:
    """The shape of CompanyRet, which is not kept but put together."""
    return _shape(_child(load_grammar("qbposxml").messages["CompanyQueryRs"].content, "CompanyRet").content)


@cache
def answer_shape(response: str) -> Shape:
    """The shape of a response that has its values right below it, such as TxnReverseRs."""
    return _shape(load_grammar("qbposxml").messages[response].content)


def _child(content: tuple[Entry, ...], name: str) -> Element:
    return next(entry for entry in content if isinstance(entry, Element) and entry.name == name)


def _shape(content: tuple[Entry, ...]) -> Shape:
    elements = [entry for entry in content if isinstance(entry, Element)]
    for entry in content:
        if isinstance(entry, Choice):
            elements += [child for branch in entry.branches for child in branch if isinstance(child, Element)]
    simple = {element.name: element.type for element in elements if element.type is not None}
    ordered = [name for name in _FIRST if name in simple]
    ordered += sorted((name for name in simple if name not in _FIRST), key=str.casefold)
    return Shape(
        {name: simple[name] for name in ordered},
        {element.name: _shape(element.content) for element in elements if element.type is None},
        frozenset(element.name for element in elements if element.repeats),
    )
