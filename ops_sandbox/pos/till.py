"""What staff do at the till and in the back office while no message is under way.

Each of these does at once what a person does on the screens, at the moment
that the company's clock shows. For a day in which they fall between messages,
plan them on an `ops_sandbox.clock.SimulatedClock` that the company was made with.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import TypeVar

from ops_sandbox.pos.adjustments import new_adjustment
from ops_sandbox.pos.counter import Counter, Quantity
from ops_sandbox.pos.deletions import delete_record
from ops_sandbox.pos.goods import new_transfer, new_voucher
from ops_sandbox.pos.lists import new_vendor
from ops_sandbox.pos.orders import close_order, new_order
from ops_sandbox.pos.receipts import new_receipt, reverse_receipt
from ops_sandbox.pos.values import Fields
from ops_sandbox.pos.views import (
    Adjustment,
    Item,
    Receipt,
    SalesOrder,
    Vendor,
    adjustment_of,
    order_of,
    receipt_of,
    vendor_of,
)

#: (ListID, pieces) of each line.
Lines = Sequence[tuple[str, Quantity]]
_Entered = TypeVar("_Entered")


class Till(Counter):
    """The deeds beside those of `Counter`: `sell_in_store`, `add_item`, `change_item`, `delete_item` ...

    `store` is a StoreNumber, None for the store that this Point of Sale is set to.
    Raises `UnknownRecord` for an id or a store that the company does not have, and
    `RequestRefused` for what its screens do not take.
    """

    # Sales

    def return_in_store(self, lines: Lines, *, store: int | None = None, comments: str = "") -> Receipt:
        """Goods brought back, paid out in cash: a receipt of type Return."""
        sign = -1 if self.dialect.return_signs == "negative" else 1
        fields: Fields = {
            "Comments": comments,
            "SalesReceiptItemAdd": [
                {"ListID": list_id, "Qty": Decimal(qty) * sign} for list_id, qty in lines
            ],
            "SalesReceiptType": "Return",
            "StoreNumber": store,
        }
        return self._enter(lines, store, lambda: receipt_of(new_receipt(self._books, fields, cash_pays=True)))

    def reverse_receipt(self, txn_id: str) -> Receipt:
        """Undo a receipt; gives the one that reverses it."""
        with self.transaction(), self._store.request():
            return receipt_of(reverse_receipt(self._books, self._known("SalesReceipt", txn_id)))

    def take_order(
        self, lines: Lines, customer_list_id: str, *, order_type: str = "SalesOrder", instructions: str = ""
    ) -> SalesOrder:
        """A customer's order (SalesOrder, Layaway, WorkOrder, WebOrder): lowers what is available."""
        self.customer(customer_list_id)
        fields: Fields = {
            "CustomerListID": customer_list_id,
            "Instructions": instructions,
            "SalesOrderItemAdd": [{"ListID": list_id, "Qty": Decimal(qty)} for list_id, qty in lines],
            "SalesOrderType": order_type,
        }
        return self._enter(lines, None, lambda: order_of(new_order(self._books, fields)))

    def hand_out_order(self, txn_id: str, lines: Lines | None = None, *, store: int | None = None) -> Receipt:
        """Sell from an order, paid in cash: `lines` of it, by default all that it still keeps."""
        with self.transaction():
            order = self._known("SalesOrder", txn_id).fields
        sold = lines
        if sold is None:
            kept = order.get("SalesOrderItemRet", [])
            sold = [(one["ListID"], left) for one in kept if (left := one["Qty"] - one["QtySold"]) > 0]
        fields: Fields = {
            "CustomerListID": order["CustomerListID"],
            "SalesOrderTxnID": txn_id,
            "SalesReceiptItemAdd": [{"ListID": list_id, "Qty": Decimal(qty)} for list_id, qty in sold],
            "StoreNumber": store,
        }
        return self._enter(sold, store, lambda: receipt_of(new_receipt(self._books, fields, cash_pays=True)))

    def close_order(self, txn_id: str) -> SalesOrder:
        """Close an order unfilled: it keeps nothing from others any more."""
        with self.transaction(), self._store.request():
            return order_of(close_order(self._books, self._known("SalesOrder", txn_id)))

    def delete_order(self, txn_id: str) -> None:
        """Delete a sales order; ListDeletedQuery will tell."""
        with self.transaction(), self._store.request():
            delete_record(self._books, "SalesOrder", self._known("SalesOrder", txn_id))

    # Goods

    def receive(
        self, lines: Lines, *, store: int | None = None, vendor_list_id: str | None = None, comments: str = ""
    ) -> str:
        """Goods that came in from a vendor: a receiving voucher. Gives its TxnID."""
        return self._voucher(lines, store, vendor_list_id, comments, is_return=False)

    def return_to_vendor(
        self, lines: Lines, *, store: int | None = None, vendor_list_id: str | None = None, comments: str = ""
    ) -> str:
        """Goods sent back to a vendor: a return voucher. Gives its TxnID."""
        return self._voucher(lines, store, vendor_list_id, comments, is_return=True)

    def transfer(self, lines: Lines, *, source: int, target: int, comments: str = "") -> str:
        """Goods carried from one store to another: a transfer slip. Gives its TxnID."""
        pieces = [(list_id, Decimal(qty)) for list_id, qty in lines]
        self._known_store(target)

        def enter() -> str:
            return new_transfer(self._books, pieces, source, target, comments=comments).id

        return self._enter(lines, source, enter)

    def count_stock(
        self,
        quantities: Mapping[str, Quantity],
        *,
        store: int | None = None,
        reason: str = "COUNT",
        comments: str = "",
        source: str = "Manual",
    ) -> Adjustment:
        """Counted pieces by ListID: an adjustment memo with absolute new quantities.

        `source` is its InventoryAdjustmentSource: Manual, PhysicalInventory, Assembly.
        """
        fields: Fields = {
            "Comments": comments,
            "InventoryAdjustmentSource": source,
            "InventoryQtyAdjustmentItemAdd": [
                {"ListID": list_id, "NewQuantity": Decimal(qty)} for list_id, qty in quantities.items()
            ],
            "Reason": reason,
            "StoreNumber": store,
        }
        lines = list(quantities.items())
        return self._enter(lines, store, lambda: adjustment_of(new_adjustment(self._books, fields)))

    # Items

    def change_prices(self, list_id: str, **prices: Decimal | None) -> Item:
        """Set prices of an item by element name (Price1 to Price5, MSRP, Cost, WebPrice); None empties one."""
        return self.change_item(list_id, **prices)

    def mark_for_web(self, list_id: str, marked: bool = True, **fields: object) -> Item:
        """Set or clear IsWebItem; further web fields go by element name (WebDesc, WebPrice, WebCategories)."""
        return self.change_item(list_id, IsWebItem=marked, **fields)

    def add_vendor(self, company_name: str, *, code: str | None = None, **fields: object) -> Vendor:
        """Enter a vendor; `code` is by default the first three letters of its name."""
        given: Fields = {
            "CompanyName": company_name,
            "VendorCode": code or company_name[:3].upper(),
            **fields,
        }
        with self.transaction(), self._store.request():
            return vendor_of(new_vendor(self._books, given))

    # Reading

    def stock(self, list_id: str, store: int | None = None) -> Decimal:
        """Pieces on hand in one store. Raises `UnknownRecord`."""
        self._known_store(store)
        return self.item(list_id).on_hand.get(store or self._books.store_number, Decimal(0))

    def sales_order(self, txn_id: str) -> SalesOrder:
        """One sales order. Raises `UnknownRecord`."""
        with self.transaction():
            return order_of(self._known("SalesOrder", txn_id))

    def vendors(self) -> list[Vendor]:
        """All vendors, oldest first."""
        return [vendor_of(record) for record in self._all("Vendor")]

    def adjustments(self) -> list[Adjustment]:
        """All quantity adjustments, oldest first."""
        return [adjustment_of(record) for record in self._all("InventoryQtyAdjustment")]

    def _voucher(
        self, lines: Lines, store: int | None, vendor_list_id: str | None, comments: str, *, is_return: bool
    ) -> str:
        pieces = [(list_id, Decimal(qty)) for list_id, qty in lines]

        def enter() -> str:
            vendor = None if vendor_list_id is None else self._known("Vendor", vendor_list_id)
            where = self._books.store_number if store is None else store
            return new_voucher(
                self._books, pieces, where, is_return=is_return, vendor=vendor, comments=comments
            ).id

        return self._enter(lines, store, enter)

    def _enter(self, lines: Lines, store: int | None, enter: Callable[[], _Entered]) -> _Entered:
        """Do `enter` as a whole or not at all, after its items and its store were found."""
        with self.transaction(), self._store.request():
            self._known_store(store)
            for list_id, _ in lines:
                self._known("ItemInventory", list_id)
            return enter()
