"""An order as SalesReceiptAdd, made ready but for QuickBooks' ids."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.balance import Receipt, ReceiptLine, predict
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.marks import MARK_LENGTH, Mark
from qbwc_service.needs import CustomerNeed, Gaps, ItemNeed, Prepared
from qbxml.errors import QbxmlError
from qbxml.grammar import load_grammar
from qbxml.writer import render_request
from queue_store.payloads import Address, Customer, Item, Order
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")


def prepare_receipt(order: Order, mark: Mark, company: Settings, store: Settings) -> Prepared:
    """The request that writes `order`. Raises NotSendable."""
    name = f"Order {order.number}"
    if len(str(mark)) > MARK_LENGTH:
        raise NotSendable(
            f"{name}: its mark {mark} would be longer than {MARK_LENGTH} characters. Tell support."
        )
    receipt = predict(order, company)
    gaps, fitting = Gaps(), Fitting(name)
    needs: dict[tuple[str, str], ItemNeed] = {}
    lines = [_line(line, gaps, needs, fitting, company) for line in receipt.lines]
    customer = customer_need(order, company, mark.head)
    body: dict[str, Any] = {
        "Comments": fitting.text(
            "Comments", f"{mark} Order {store['orders.number_prefix']}{order.number}", 2000
        ),
        "CustomerListID": gaps.gap("customer"),
        "SalesReceiptType": "Sales",
        "StoreNumber": company["documents.store_number"],
        "TrackingNumber": str(mark),
        "TxnDate": _date(order, company["documents.date"]),
        "ShippingInformation": _shipping(order, fitting),
        "SalesReceiptItemAdd": lines,
    }
    body.update(_tender(receipt, company))
    try:
        text = render_request(
            _GRAMMAR, "SalesReceiptAddRq", {"SalesReceiptAdd": body}, {"requestID": gaps.gap("request")}
        )
    except QbxmlError as error:
        raise NotSendable(f"{name} cannot be written as a receipt: {error}") from error
    remarks = fitting.remarks
    if receipt.rounding:
        remarks = (*remarks, f"{name}: {receipt.rounding} went to {company['lines.rounding']}")
    return Prepared(
        parts=gaps.cut(text),
        items=tuple(needs.values()),
        customer=customer,
        predicted_total=receipt.total,
        remarks=remarks,
    )


def prepare_reversal(txn_id: str) -> Prepared:
    """The request that reverses the receipt `txn_id`. Raises NotSendable."""
    gaps = Gaps()
    body = {"TxnReverseType": "SalesReceipt", "TxnID": txn_id}
    try:
        text = render_request(_GRAMMAR, "TxnReverseRq", body, {"requestID": gaps.gap("request")})
    except QbxmlError as error:
        raise NotSendable(f"Receipt {txn_id} cannot be reversed: {error}") from error
    return Prepared(parts=gaps.cut(text))


def _line(
    line: ReceiptLine,
    gaps: Gaps,
    needs: dict[tuple[str, str], ItemNeed],
    fitting: Fitting,
    company: Settings,
) -> Mapping[str, object]:
    own = line.kind == "line"
    known = needs.get((line.kind, line.key))
    needs[line.kind, line.key] = ItemNeed(
        kind=line.kind,
        key=line.key,
        item=Item(
            sku=line.key,
            name=line.key if own else line.label,
            item_type="NonInventory" if own else "Inventory",
            price=Decimal(0) if own else max(line.unit_price, Decimal(0)),
            tax_code=company["lines.tax_code"] if own else company["items.new_tax_code"],
            department=company["items.department"],
        ),
        one_piece=line.one_piece or (known is not None and known.one_piece),
        label=line.label,
    )
    return {
        "ListID": gaps.gap(f"{line.kind}:{line.key}"),
        "Desc1": fitting.text("Desc1", line.label, 30),
        "Price": line.price,
        "Qty": line.quantity,
        "TaxCode": company["lines.tax_code"],
    }


def customer_need(order: Order, company: Settings, head: str) -> CustomerNeed:
    """Who bought. A guest without e-mail cannot be told from another: the named web customer stands in."""
    email = order.billing.email.strip().lower()
    billing = order.billing
    customer = Customer(
        customer_id=order.customer_id,
        email=email,
        first_name=billing.first_name,
        last_name=billing.last_name,
        company=billing.company,
        billing=billing,
        shipping=order.shipping,
        modified_at=order.modified_at,
    )
    if order.customer_id:
        return CustomerNeed(customer=customer, customer_id=f"{head}-C{order.customer_id}")
    if email:
        return CustomerNeed(customer=customer, customer_id=guest_customer_id(email, company))
    return fallback_customer(company)


def guest_customer_id(email: str, company: Settings) -> str:
    """Our CustomerID of a guest: the same for every order of one e-mail address."""
    digest = hashlib.sha256(email.encode()).hexdigest()[:20]
    return f"{company['documents.prefix']}G-{digest}"


def fallback_customer(company: Settings) -> CustomerNeed:
    """The named web customer of the company."""
    name = company["customers.fallback"]
    return CustomerNeed(
        customer=Customer(last_name=name), customer_id=f"{company['documents.prefix']}-ONLINE", fallback=True
    )


def _date(order: Order, which: str) -> date:
    moments: dict[str, datetime | None] = {
        "ordered": order.created_at,
        "paid": order.paid_at,
        "completed": order.completed_at,
    }
    moment = moments[which] or order.created_at
    # The day as the shop's own clock showed it.
    return (moment + timedelta(seconds=order.utc_offset_seconds)).date()


def _shipping(order: Order, fitting: Fitting) -> Mapping[str, object] | None:
    address: Address = order.shipping
    name = f"{address.first_name} {address.last_name}".strip()
    if not (address.line1 or address.city or address.postcode or name):
        return None
    return {
        "City": fitting.text("City", address.city, 31),
        "CompanyName": fitting.text("CompanyName", address.company, 41),
        "Country": fitting.text("Country", address.country, 32),
        "FullName": fitting.text("FullName", name, 40),
        "Phone": fitting.text("Phone", address.phone or order.billing.phone, 40),
        "PostalCode": fitting.text("PostalCode", address.postcode, 10),
        "ShipBy": fitting.text("ShipBy", ", ".join(s.title for s in order.shipping_lines if s.title), 50),
        "State": fitting.text("State", address.state, 21),
        "Street": fitting.text("Street", address.line1, 41),
        "Street2": fitting.text("Street2", address.line2, 41),
    }


def _tender(receipt: Receipt, company: Settings) -> Mapping[str, object]:
    if not receipt.total:
        return {}
    kind = company["documents.tender"]
    tender: dict[str, object] = {"TenderAmount": receipt.total}
    if kind == "CreditCard":
        tender["CardName"] = company["documents.card_name"]
    return {f"Tender{kind}Add": [tender]}
