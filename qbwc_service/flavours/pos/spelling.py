"""Point of Sale behind the interface that the conversation uses."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import msgspec

from qbwc_service.errors import TaxRatesUnknown, UnreadableAnswer
from qbwc_service.flavours.pos import (
    customers,
    figures,
    item_records,
    items,
    paper,
    reads,
    receipts,
    records,
    returns,
    stock,
    web_orders,
)
from qbwc_service.flavours.spelling import Adjusted, Figures, FoundDocument, Page, Written
from qbwc_service.flavours.tax_table import TaxTable
from qbwc_service.marks import Mark, mark_of_document
from qbwc_service.needs import CustomerNeed, Prepared
from qbwc_service.paper import Naming, Paper
from qbxml.grammar import load_grammar
from qbxml.records import Record
from qbxml.writer import message_set
from queue_store.books import SALES_ORDER
from queue_store.catalogue import fold
from queue_store.payloads import Customer, Department, Item, ItemChange, Order, Refund
from queue_store.product_payloads import StockAdjustment
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")
#: What QuickBooks itself calls what it wrote, the kinds of record one after another.
_NUMBERS = ("SalesReceiptNumber", "SalesOrderNumber", "ItemNumber", "InventoryAdjustmentNumber")
_DISCOUNTS = ("Discount", "DiscountPercent")
#: DiscountSource of what QuickBooks took off by itself.
_OWN_DISCOUNTS = frozenset({"Pricing", "Reward"})


class PosSpelling:
    """See `qbwc_service.flavours.spelling.Spelling`."""

    def message_set(self, requests: Collection[str]) -> str:
        return message_set(_GRAMMAR, requests)

    def prepare_sale(
        self,
        order: Order,
        mark: Mark,
        company: Settings,
        store: Settings,
        taxes: TaxTable,
        sales_order: str = "",
    ) -> Prepared:
        return _or_rates(
            lambda: receipts.prepare_receipt(order, mark, company, store, taxes, sales_order=sales_order)
        )

    def prepare_web_order(
        self, order: Order, mark: Mark, company: Settings, store: Settings, taxes: TaxTable
    ) -> Prepared:
        return _or_rates(lambda: web_orders.prepare_web_order(order, mark, company, store, taxes))

    def prepare_return(
        self,
        refund: Refund,
        mark: Mark,
        sale: Prepared | None,
        company: Settings,
        store: Settings,
        taxes: TaxTable,
    ) -> Prepared:
        return _or_rates(lambda: returns.prepare_return(refund, mark, sale, company, store, taxes))

    def prepare_customer_add(self, need: CustomerNeed) -> Prepared:
        return records.prepare_customer_add(need)

    def prepare_customer_mod(self, customer: Customer, list_id: str) -> Prepared:
        return records.prepare_customer_mod(customer, list_id)

    def prepare_item_add(self, item: Item) -> Prepared:
        return item_records.prepare_item_add(item)

    def prepare_item_mod(self, change: ItemChange) -> Prepared:
        return item_records.prepare_item_mod(change)

    def prepare_adjustment(self, adjustment: StockAdjustment, mark: str, company: Settings) -> Prepared:
        return stock.prepare_adjustment(adjustment, mark, company)

    def read_adjustment(self, record: Record) -> Adjusted:
        return stock.read_adjustment(record)

    def prepare_department_add(self, department: Department) -> Prepared:
        return records.prepare_department_add(department)

    def prepare_reversal(self, txn_id: str) -> Prepared:
        return receipts.prepare_reversal(txn_id)

    def prepare_deletion(self, txn_id: str) -> Prepared:
        return web_orders.prepare_deletion(txn_id)

    def fallback_customer(self, company: Settings) -> CustomerNeed:
        return customers.fallback_customer(company)

    def company_request(self, request_id: str) -> str:
        return reads.company_request(request_id)

    def look_up_requests(self, kind: str, key: str, company: Settings) -> Sequence[Mapping[str, object]]:
        return reads.look_up_bodies(kind, key, company)

    def look_up_request(self, kind: str, body: Mapping[str, object], request_id: str) -> str:
        return reads.look_up_request(kind, body, request_id)

    def look_back_request(
        self,
        request_id: str,
        page: Page,
        *,
        head: str | None = None,
        since: datetime | None = None,
        orders: bool = False,
    ) -> str:
        return reads.look_back_request(request_id, page, head=head, since=since, orders=orders)

    def period_request(self, request_id: str, page: Page, since: date, until: date) -> str:
        return reads.period_request(request_id, page, since, until)

    def read_figures(self, record: Record) -> Figures:
        return figures.of_receipt(record)

    def sent_figures(self, request: str) -> Figures:
        return figures.of_request(request)

    def pull_request(self, request_id: str, kind: str, page: Page, filters: Mapping[str, str]) -> str:
        return reads.pull_request(request_id, kind, page, filters)

    def read_sold(self, record: Record) -> tuple[datetime | None, Collection[str]]:
        return record.moment("TimeCreated"), stock.sold(record)

    def read_department(self, record: Record) -> tuple[str, str]:
        return record.text("ListID") or "", record.text("DepartmentName") or ""

    def deleted_request(self, request_id: str, kind: str, since: datetime) -> str:
        return reads.deleted_request(request_id, kind, since)

    def read_tax_rates(self, record: Record) -> Mapping[tuple[str, str], Decimal]:
        return reads.tax_rates(record)

    def read_paper(self, request: str, naming: Naming) -> Paper:
        return paper.read_paper(request, naming)

    def read_moves(self, request: str) -> Mapping[str, Decimal]:
        return stock.moves_of_request(request)

    def keeps_stock(self, item_type: str) -> bool:
        return item_type not in items.WITHOUT_STOCK

    def read_written(self, record: Record) -> Written:
        if record.name == "TxnReverseRs":
            # Its TxnID is that of the receipt that was reversed.
            reversal = record.text("ReversalTxnID")
            if not reversal:
                raise UnreadableAnswer(f"{record.name} holds no ReversalTxnID")
            return Written(reversal)
        there = record.first_texts("TxnID", "ListID", "Total", *_NUMBERS, *_DISCOUNTS)
        txn_id = there.get("TxnID") or there.get("ListID")
        if not txn_id:
            raise UnreadableAnswer(f"{record.name} holds neither TxnID nor ListID")
        return Written(
            txn_id,
            next((there[name] for name in _NUMBERS if name in there), ""),
            record.decimal("Total") if "Total" in there else None,
            discounted=any(record.decimal(name) for name in _DISCOUNTS if name in there)
            or any(source in _OWN_DISCOUNTS for source in record.texts("SalesReceiptItemRet/DiscountSource")),
        )

    def read_document(self, record: Record) -> FoundDocument:
        txn_id = record.text("TxnID")
        if not txn_id:
            raise UnreadableAnswer(f"{record.name} holds no TxnID")
        if record.name == "SalesOrderRet":
            number = record.text("SalesOrderNumber") or ""
            return FoundDocument(
                txn_id,
                mark_of_document(record.text("Instructions"), number),
                SALES_ORDER,
                number,
                record.decimal("Total"),
                True,
                record.moment("TimeCreated"),
            )
        status = record.text("HistoryDocStatus") or "Regular"
        return FoundDocument(
            txn_id,
            mark_of_document(record.text("Comments"), record.text("TrackingNumber")),
            record.text("SalesReceiptType") or "Sales",
            record.text("SalesReceiptNumber") or "",
            record.decimal("Total"),
            status == "Regular",
            record.moment("TimeCreated"),
            status,
        )

    def item_row(self, record: Record, company_id: int, now: datetime, asked_turn: int = 0) -> dict[str, Any]:
        return items.item_row(record, company_id, now, asked_turn)

    def customer_row(self, record: Record, company_id: int, now: datetime) -> dict[str, Any]:
        billing = record.child("BillAddress")
        return {
            "company_id": company_id,
            "list_id": record.text("ListID") or "",
            "email_key": fold(record.text("EMail") or ""),
            "customer_id_key": fold(record.text("CustomerID") or ""),
            "first_name": (record.text("FirstName") or "")[:40],
            "last_name": (record.text("LastName") or "")[:40],
            "postcode": ((billing and billing.text("PostalCode")) or "")[:20],
            "fields": msgspec.json.encode(record.fields()),
            "time_modified": record.moment("TimeModified"),
            "read_at": now,
            "deleted": False,
        }


def _or_rates(prepare: Callable[[], Prepared]) -> Prepared:
    """What `prepare` makes ready, or the wish to ask QuickBooks for its tax rates first."""
    try:
        return prepare()
    except TaxRatesUnknown as unknown:
        return Prepared(parts=("",), look_ups=(reads.TAX_RATES,), remarks=(unknown.sentence,))
