"""The company as people have it: the screens, the shelves and the till.

Nothing here goes through messages; tests and operators use it to see what is
in the company, and to do what staff do while the service is not looking.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import TypeAlias

from ops_sandbox.pos import taxes
from ops_sandbox.pos.adjustments import put_on_shelf
from ops_sandbox.pos.books import Books
from ops_sandbox.pos.deletions import delete_record
from ops_sandbox.pos.dialect import PosDialect
from ops_sandbox.pos.errors import RequestRefused, UnknownRecord
from ops_sandbox.pos.lists import change_item, new_customer, new_department, new_item, on_hand_field
from ops_sandbox.pos.receipts import new_receipt
from ops_sandbox.pos.store import Record, Store
from ops_sandbox.pos.values import Fields
from ops_sandbox.pos.views import (
    Customer,
    Department,
    Item,
    Receipt,
    SalesOrder,
    customer_of,
    department_of,
    item_of,
    order_of,
    receipt_of,
)

Quantity: TypeAlias = Decimal | int


class Counter:
    """What can be seen and done without messages.

    Amounts are store currency, quantities pieces. What Point of Sale would refuse
    on its screens raises `RequestRefused`, with the status that a request would get.
    """

    def __init__(self, store: Store, books: Books) -> None:
        self._store = store
        self._books = books
        self._lock = threading.RLock()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Keep everything done in the block at its end: for entering many records at once."""
        with self._lock, self._store.transaction():
            yield

    # What it is

    @property
    def name(self) -> str:
        """Company Data name."""
        return self._books.name

    @property
    def dialect(self) -> PosDialect:
        """How it behaves where the reference does not say."""
        return self._books.dialect

    @property
    def stores(self) -> tuple[int, ...]:
        """StoreNumbers, ascending."""
        return self._books.stores

    @property
    def store_number(self) -> int:
        """The store of the workstation that requests arrive at."""
        return self._books.store_number

    @property
    def utc_offset_hours(self) -> float:
        """The offset of local time; set it to play the change to summer time."""
        return self._books.moments.utc_offset_hours

    @utc_offset_hours.setter
    def utc_offset_hours(self, hours: float) -> None:
        with self.transaction():
            self._books.moments.utc_offset_hours = hours
            self._store.meta["utc_offset_hours"] = hours

    @property
    def employee(self) -> str | None:
        """Who is logged in; fills an omitted Cashier. None: logins are not required."""
        return self._books.employee

    @employee.setter
    def employee(self, name: str | None) -> None:
        self._books.employee = name

    # Reading

    def receipts(self) -> list[Receipt]:
        """All sales receipts, oldest first."""
        return [receipt_of(record) for record in self._all("SalesReceipt")]

    def customers(self) -> list[Customer]:
        """All customers, oldest first."""
        return [customer_of(record) for record in self._all("Customer")]

    def items(self) -> list[Item]:
        """All items, oldest first."""
        return [item_of(record) for record in self._all("ItemInventory")]

    def departments(self) -> list[Department]:
        """All departments, "System" first."""
        return [department_of(record) for record in self._all("Department")]

    def sales_orders(self) -> list[SalesOrder]:
        """All sales orders, oldest first."""
        return [order_of(record) for record in self._all("SalesOrder")]

    def reversals(self) -> dict[str, str]:
        """TxnID of each receipt that was reversed, and of the one that reverses it."""
        with self.transaction():
            return dict(self._store.meta.get("reversals", {}))

    def item(self, list_id: str) -> Item:
        """One item. Raises `UnknownRecord`."""
        with self.transaction():
            return item_of(self._known("ItemInventory", list_id))

    def customer(self, list_id: str) -> Customer:
        """One customer. Raises `UnknownRecord`."""
        with self.transaction():
            return customer_of(self._known("Customer", list_id))

    def receipt(self, txn_id: str) -> Receipt:
        """One receipt. Raises `UnknownRecord`."""
        with self.transaction():
            return receipt_of(self._known("SalesReceipt", txn_id))

    def _all(self, kind: str) -> list[Record]:
        with self.transaction():
            return list(self._store.all(kind))

    # What people do at the till and in the back office

    def add_item(
        self,
        desc1: str = "",
        *,
        alu: str = "",
        upc: str = "",
        price1: Decimal | None = None,
        on_hand: Mapping[int, Quantity] | None = None,
        department_list_id: str | None = None,
        item_type: str = "Inventory",
        tax_code: str = taxes.TAXABLE,
        **fields: object,
    ) -> Item:
        """Enter an item; `on_hand` is pieces by StoreNumber, further fields go by element name.

        Nothing is checked for length or characters, as little as the screens of Point of
        Sale do: a control character here comes back in answers as an illegal reference.
        Without department it goes into "System". Raises `UnknownRecord`.
        """
        with self.transaction():
            department = department_list_id or next(iter(self._store.all("Department"))).id
            self._known("Department", department)
            shelf = {on_hand_field(store): Decimal(pieces) for store, pieces in (on_hand or {}).items()}
            given: Fields = {
                "ALU": alu,
                "UPC": upc,
                "Desc1": desc1,
                "Price1": Decimal("0.00") if price1 is None else price1,
                "DepartmentListID": department,
                "ItemType": item_type,
                "TaxCode": tax_code,
                **shelf,
                **fields,
            }
            return item_of(new_item(self._books, given))

    def add_customer(
        self, last_name: str, *, first_name: str = "", email: str = "", phone: str = "", **fields: object
    ) -> Customer:
        """Enter a customer; further fields go by element name, such as `BillAddress={"City": ...}`."""
        with self.transaction():
            given = {"LastName": last_name, "FirstName": first_name, "EMail": email, "Phone": phone, **fields}
            return customer_of(new_customer(self._books, given))

    def add_department(self, name: str, *, code: str | None = None) -> Department:
        """Enter a department; `code` is by default the first three letters of its name."""
        with self.transaction():
            fields = {"DepartmentName": name, "DepartmentCode": code or name[:3].upper()}
            return department_of(new_department(self._books, fields))

    def sell_in_store(
        self,
        lines: Sequence[tuple[str, Quantity]],
        *,
        store: int | None = None,
        customer_list_id: str | None = None,
        comments: str = "",
    ) -> Receipt:
        """A sale at the till, paid in cash; `lines` are (list_id, qty). Raises `UnknownRecord`."""
        with self.transaction(), self._store.request():
            for list_id, _ in lines:
                self._known("ItemInventory", list_id)
            self._known_store(store)
            fields: Fields = {
                "Comments": comments,
                "SalesReceiptItemAdd": [{"ListID": list_id, "Qty": Decimal(qty)} for list_id, qty in lines],
            }
            if customer_list_id is not None:
                fields["CustomerListID"] = customer_list_id
            if store is not None:
                fields["StoreNumber"] = store
            return receipt_of(new_receipt(self._books, fields, cash_pays=True))

    def set_stock(self, list_id: str, store: int, qty: Quantity) -> Item:
        """Set the on-hand of one store. Raises `UnknownRecord`."""
        with self.transaction():
            item = self._known("ItemInventory", list_id)
            self._known_store(store)
            return item_of(put_on_shelf(self._books, item, store, Decimal(qty)))

    def change_item(self, list_id: str, **fields: object) -> Item:
        """Set fields of an item by element name; None empties one. Raises `UnknownRecord`."""
        with self.transaction():
            return item_of(change_item(self._books, self._known("ItemInventory", list_id), fields))

    def delete_sales_order(self, txn_id: str) -> None:
        """Take a sales order out, as a person does. Raises `UnknownRecord`."""
        with self.transaction():
            delete_record(self._books, "SalesOrder", self._known("SalesOrder", txn_id))

    def delete_customer(self, list_id: str) -> None:
        """Delete a customer; ListDeletedQuery will tell. Raises `UnknownRecord`."""
        with self.transaction():
            delete_record(self._books, "Customer", self._known("Customer", list_id))

    def delete_item(self, list_id: str) -> None:
        """Delete an item; ListDeletedQuery will tell. Raises `UnknownRecord`."""
        with self.transaction():
            delete_record(self._books, "ItemInventory", self._known("ItemInventory", list_id))

    def set_tax(self, category: str, code: str, percent: Decimal) -> None:
        """Set the percent of a tax code in a tax category. Raises `UnknownRecord`."""
        with self.transaction():
            try:
                taxes.set_percent(self._books, category, code, percent)
            except RequestRefused as error:
                raise UnknownRecord("tax category or code", f"{category}/{code}") from error

    def _known_store(self, number: int | None) -> None:
        if number is not None and number not in self.stores:
            raise UnknownRecord("store", str(number))

    def _known(self, kind: str, record_id: str) -> Record:
        record = self._store.find(kind, record_id)
        if record is None:
            raise UnknownRecord(kind, record_id)
        return record
