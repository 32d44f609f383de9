"""What the conversation asks of a flavour: requests to write, answers to read."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, NamedTuple, Protocol

import msgspec

from qbwc_service.flavours.tax_table import TaxTable
from qbwc_service.marks import Mark
from qbwc_service.needs import CustomerNeed, Prepared
from qbwc_service.paper import Naming, Paper
from qbxml.records import Record
from queue_store.payloads import Customer, Department, Item, ItemChange, Order, Refund
from queue_store.product_payloads import StockAdjustment
from queue_store.settings import Settings


class Written(NamedTuple):
    """What QuickBooks says that it wrote."""

    #: TxnID or ListID.
    txn_id: str
    number: str = ""
    total: Decimal | None = None
    #: True: QuickBooks itself took something off (a price level, a reward).
    discounted: bool = False


@dataclass(frozen=True, slots=True)
class FoundDocument:
    """A document that look-back read."""

    txn_id: str
    mark: Mark | None
    type: str
    number: str
    total: Decimal | None
    live: bool
    time_created: datetime | None
    #: HistoryDocStatus: "Regular", "Reversed" or "Reversing".
    status: str = "Regular"


@dataclass(frozen=True, slots=True)
class Adjusted:
    """An adjustment of stock in QuickBooks."""

    txn_id: str
    number: str
    #: First word of its comments.
    mark: str
    #: False: it was reversed, or reverses another one.
    live: bool
    time_created: datetime | None
    #: (quantity before, quantity after) by ListID.
    quantities: Mapping[str, tuple[Decimal, Decimal]]


@dataclass(frozen=True, slots=True)
class Page:
    """Where a long reading goes on."""

    #: "Start", "Continue" or "Stop".
    iterator: str
    iterator_id: str | None = None
    size: int = 200


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What a receipt says in numbers, as it is read or as it would be sent."""

    day: str = ""
    tax: Decimal | None = None
    #: (quantity, amount) of each line, in order.
    lines: tuple[tuple[Decimal, Decimal], ...] = ()
    #: (kind, amount) of each tender, in order.
    tenders: tuple[tuple[str, Decimal], ...] = ()


class Spelling(Protocol):
    """One flavour. Every `request` is one request's text without the message set around it."""

    def message_set(self, requests: Collection[str]) -> str: ...

    def prepare_sale(
        self,
        order: Order,
        mark: Mark,
        company: Settings,
        store: Settings,
        taxes: TaxTable,
        sales_order: str = "",
    ) -> Prepared:
        """`sales_order` is the TxnID of the web order that the receipt fulfils; "": none."""
        ...

    def prepare_web_order(
        self, order: Order, mark: Mark, company: Settings, store: Settings, taxes: TaxTable
    ) -> Prepared: ...

    def prepare_return(
        self,
        refund: Refund,
        mark: Mark,
        sale: Prepared | None,
        company: Settings,
        store: Settings,
        taxes: TaxTable,
    ) -> Prepared:
        """`sale` is what was sent for its order; None where that is not known here."""
        ...

    def prepare_customer_add(self, need: CustomerNeed) -> Prepared: ...

    def prepare_customer_mod(self, customer: Customer, list_id: str) -> Prepared: ...

    def prepare_item_add(self, item: Item) -> Prepared: ...

    def prepare_item_mod(self, change: ItemChange) -> Prepared: ...

    def prepare_adjustment(self, adjustment: StockAdjustment, mark: str, company: Settings) -> Prepared:
        """The request that sets a quantity; `mark` is the first word of its comments."""
        ...

    def read_adjustment(self, record: Record) -> Adjusted:
        """An adjustment as QuickBooks wrote it."""
        ...

    def prepare_department_add(self, department: Department) -> Prepared: ...

    def prepare_reversal(self, txn_id: str) -> Prepared:
        """The request that reverses a receipt."""
        ...

    def prepare_deletion(self, txn_id: str) -> Prepared:
        """The request that deletes a sales order."""
        ...

    def fallback_customer(self, company: Settings) -> CustomerNeed: ...

    def company_request(self, request_id: str) -> str: ...

    def look_up_requests(self, kind: str, key: str, company: Settings) -> Sequence[Mapping[str, object]]:
        """Bodies of the queries that together answer a look-up; none: QuickBooks cannot hold such a key."""
        ...

    def look_up_request(self, kind: str, body: Mapping[str, object], request_id: str) -> str: ...

    def look_back_request(
        self,
        request_id: str,
        page: Page,
        *,
        head: str | None = None,
        since: datetime | None = None,
        orders: bool = False,
    ) -> str:
        """Receipts whose Comments start with `head`, or that were created since a moment; with `orders` sales orders."""
        ...

    def period_request(self, request_id: str, page: Page, since: date, until: date) -> str:
        """Whole receipts that are dated in a period."""
        ...

    def read_figures(self, record: Record) -> Figures:
        """The numbers of a receipt that was read."""
        ...

    def sent_figures(self, request: str) -> Figures:
        """The numbers of a receipt in a request of ours."""
        ...

    def pull_request(self, request_id: str, kind: str, page: Page, filters: Mapping[str, str]) -> str:
        """Items, customers or "sales" (receipts of anybody, with their lines).

        `filters`: "changed_since", or "created_from" and "created_to", as ISO text.
        """
        ...

    def read_sold(self, record: Record) -> tuple[datetime | None, Collection[str]]:
        """When a receipt was created, and the ListIDs on it."""
        ...

    def read_department(self, record: Record) -> tuple[str, str]:
        """ListID and name of a department."""
        ...

    def deleted_request(self, request_id: str, kind: str, since: datetime) -> str:
        """Items or customers that were deleted since a moment."""
        ...

    def read_tax_rates(self, record: Record) -> Mapping[tuple[str, str], Decimal]:
        """Percents by tax category and code, of the answer to `company_request`."""
        ...

    def read_paper(self, request: str, naming: Naming) -> Paper:
        """One request's text as a person reads it; `naming` says what ids and gaps stand for."""
        ...

    def read_moves(self, request: str) -> Mapping[str, Decimal]:
        """Pieces by ListID that a document takes from the stock, or puts back (negative); none of other requests."""
        ...

    def keeps_stock(self, item_type: str) -> bool:
        """False for items that have no stock of their own."""
        ...

    def read_written(self, record: Record) -> Written: ...

    def read_document(self, record: Record) -> FoundDocument: ...

    def item_row(self, record: Record, company_id: int, now: datetime, asked_turn: int = 0) -> dict[str, Any]:
        """The catalogue's row; `asked_turn` is the company's turn in which the read left."""
        ...

    def customer_row(self, record: Record, company_id: int, now: datetime) -> dict[str, Any]: ...
