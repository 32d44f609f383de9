"""Records as people and tests read them: plain values, times in UTC."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from ops_sandbox.pos.receipts import TENDERS
from ops_sandbox.pos.store import Record
from ops_sandbox.pos.values import Fields

_NOTHING = Decimal(0)


@dataclass(frozen=True, slots=True)
class Tender:
    """One way in which a receipt was paid."""

    #: "Cash", "CreditCard", ...
    kind: str
    amount: Decimal
    #: CardName, CheckNumber or GiftCertificateNumber; "" for other kinds.
    detail: str


@dataclass(frozen=True, slots=True)
class SaleLine:
    """One line of a receipt or a sales order."""

    list_id: str
    item_number: int
    desc1: str
    qty: Decimal
    price: Decimal
    extended_price: Decimal
    tax_code: str
    #: Tax on the whole line, whatever the dialect shows as TaxAmount.
    tax_amount: Decimal


@dataclass(frozen=True, slots=True)
class Receipt:
    """A sales receipt."""

    txn_id: str
    number: int
    #: SalesReceiptType: "Sales", "Return", ...
    type: str
    #: HistoryDocStatus: "Regular", "Reversed", "Reversing".
    status: str
    comments: str
    tracking_number: str
    promo_code: str
    txn_date: date
    ship_date: date | None
    store_number: int
    customer_list_id: str | None
    sales_order_txn_id: str | None
    tax_category: str
    subtotal: Decimal
    discount: Decimal
    shipping: Decimal
    tax_amount: Decimal
    total: Decimal
    tender_type: str
    lines: tuple[SaleLine, ...]
    tenders: tuple[Tender, ...]
    created: datetime


@dataclass(frozen=True, slots=True)
class SalesOrder:
    """A sales order."""

    txn_id: str
    number: str
    #: SalesOrderType: "SalesOrder", "WebOrder", ...
    type: str
    status: str
    instructions: str
    customer_list_id: str
    total: Decimal
    balance_due: Decimal
    lines: tuple[SaleLine, ...]
    created: datetime


@dataclass(frozen=True, slots=True)
class Customer:
    """A customer."""

    list_id: str
    first_name: str
    last_name: str
    full_name: str
    company_name: str
    email: str
    phone: str
    customer_id: str
    #: BillAddress by element name.
    bill_address: Mapping[str, str]
    created: datetime
    time_modified: datetime


@dataclass(frozen=True, slots=True)
class Item:
    """An inventory item."""

    list_id: str
    item_number: int
    alu: str
    upc: str
    desc1: str
    desc2: str
    attribute: str
    size: str
    department_list_id: str
    item_type: str
    #: Pieces by StoreNumber; stores with none included.
    on_hand: Mapping[int, Decimal]
    on_customer_order: Decimal
    price1: Decimal
    tax_code: str
    is_web_item: bool
    #: All that the company keeps of it, by element name.
    fields: Mapping[str, Any]
    created: datetime
    time_modified: datetime

    @property
    def quantity_on_hand(self) -> Decimal:
        """Pieces in all stores together."""
        return sum(self.on_hand.values(), _NOTHING)


@dataclass(frozen=True, slots=True)
class Department:
    """A department."""

    list_id: str
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class Vendor:
    """A vendor."""

    list_id: str
    code: str
    company_name: str


@dataclass(frozen=True, slots=True)
class AdjustmentLine:
    """One line of a quantity adjustment, in the unit it was entered in."""

    list_id: str
    old_quantity: Decimal
    new_quantity: Decimal


@dataclass(frozen=True, slots=True)
class Adjustment:
    """A quantity adjustment."""

    txn_id: str
    number: int
    reason: str
    comments: str
    #: InventoryAdjustmentSource: "Manual", "PhysicalInventory", "Assembly".
    source: str
    store_number: int
    lines: tuple[AdjustmentLine, ...]
    created: datetime


def receipt_of(record: Record) -> Receipt:
    """A SalesReceipt record for reading."""
    fields = record.fields
    return Receipt(
        txn_id=record.id,
        number=fields["SalesReceiptNumber"],
        type=fields["SalesReceiptType"],
        status=fields["HistoryDocStatus"],
        comments=fields.get("Comments", ""),
        tracking_number=fields.get("TrackingNumber", ""),
        promo_code=fields.get("PromoCode", ""),
        txn_date=fields["TxnDate"],
        ship_date=fields.get("ShipDate"),
        store_number=fields["StoreNumber"],
        customer_list_id=fields.get("CustomerListID"),
        sales_order_txn_id=fields.get("SalesOrderTxnID"),
        tax_category=fields["TaxCategory"],
        subtotal=fields["Subtotal"],
        discount=fields.get("Discount", _NOTHING),
        shipping=fields.get("ShippingInformation", {}).get("Shipping", _NOTHING),
        tax_amount=fields["TaxAmount"],
        total=fields["Total"],
        tender_type=fields["TenderType"],
        lines=tuple(_line_of(line) for line in fields.get("SalesReceiptItemRet", ())),
        tenders=_tenders_of(fields),
        created=_utc(fields["TimeCreated"]),
    )


def _tenders_of(fields: Fields) -> tuple[Tender, ...]:
    tenders = []
    for kind in TENDERS:
        for one in fields.get(f"Tender{kind}Ret", ()):
            details = (one.get(name) for name in ("CardName", "CheckNumber", "GiftCertificateNumber"))
            tenders.append(Tender(kind, one["TenderAmount"], next(filter(None, details), "")))
    return tuple(tenders)


def _line_of(line: Fields) -> SaleLine:
    return SaleLine(
        list_id=line["ListID"],
        item_number=line["ItemNumber"],
        desc1=line.get("Desc1", ""),
        qty=line["Qty"],
        price=line["Price"],
        extended_price=line["ExtendedPrice"],
        tax_code=line.get("TaxCode", ""),
        tax_amount=line["ExtendedTax"],
    )


def order_of(record: Record) -> SalesOrder:
    """A SalesOrder record for reading."""
    fields = record.fields
    return SalesOrder(
        txn_id=record.id,
        number=fields["SalesOrderNumber"],
        type=fields["SalesOrderType"],
        status=fields["SalesOrderStatusDesc"],
        instructions=fields.get("Instructions", ""),
        customer_list_id=fields["CustomerListID"],
        total=fields["Total"],
        balance_due=fields["BalanceDue"],
        lines=tuple(_line_of(line) for line in fields.get("SalesOrderItemRet", ())),
        created=_utc(fields["TimeCreated"]),
    )


def customer_of(record: Record) -> Customer:
    """A Customer record for reading."""
    fields = record.fields
    return Customer(
        list_id=record.id,
        first_name=fields.get("FirstName", ""),
        last_name=fields["LastName"],
        full_name=fields["FullName"],
        company_name=fields.get("CompanyName", ""),
        email=fields.get("EMail", ""),
        phone=fields.get("Phone", ""),
        customer_id=fields.get("CustomerID", ""),
        bill_address=MappingProxyType(dict(fields.get("BillAddress", {}))),
        created=_utc(fields["TimeCreated"]),
        time_modified=_utc(fields["TimeModified"]),
    )


def item_of(record: Record) -> Item:
    """An ItemInventory record for reading."""
    fields = record.fields
    shelf = {int(name[-2:]): quantity for name, quantity in fields.items() if name.startswith("OnHandStore")}
    return Item(
        list_id=record.id,
        item_number=fields["ItemNumber"],
        alu=fields.get("ALU", ""),
        upc=fields.get("UPC", ""),
        desc1=fields.get("Desc1", ""),
        desc2=fields.get("Desc2", ""),
        attribute=fields.get("Attribute", ""),
        size=fields.get("Size", ""),
        department_list_id=fields["DepartmentListID"],
        item_type=fields["ItemType"],
        on_hand=MappingProxyType(dict(sorted(shelf.items()))),
        on_customer_order=fields["QuantityOnCustomerOrder"],
        price1=fields["Price1"],
        tax_code=fields.get("TaxCode", ""),
        is_web_item=fields["IsWebItem"],
        fields=MappingProxyType(fields),
        created=_utc(fields["TimeCreated"]),
        time_modified=_utc(fields["TimeModified"]),
    )


def department_of(record: Record) -> Department:
    """A Department record for reading."""
    return Department(record.id, record.fields["DepartmentCode"], record.fields.get("DepartmentName", ""))


def vendor_of(record: Record) -> Vendor:
    """A Vendor record for reading."""
    return Vendor(record.id, record.fields.get("VendorCode", ""), record.fields.get("CompanyName", ""))


def adjustment_of(record: Record) -> Adjustment:
    """An InventoryQtyAdjustment record for reading."""
    fields = record.fields
    lines = fields["InventoryQtyAdjustmentItemRet"]
    return Adjustment(
        txn_id=record.id,
        number=fields["InventoryAdjustmentNumber"],
        reason=fields["Reason"],
        comments=fields.get("Comments", ""),
        source=fields["InventoryAdjustmentSource"],
        store_number=fields["StoreNumber"],
        lines=tuple(
            AdjustmentLine(line["ListID"], line["OldQuantity"], line["NewQuantity"]) for line in lines
        ),
        created=_utc(fields["TimeCreated"]),
    )


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
