"""Shoppers and those who handle orders: what they do in the shop while nobody calls its API."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal

from ops_sandbox.shop import orders, refunds, shares
from ops_sandbox.shop.checkout import Basket, check_out
from ops_sandbox.shop.errors import NoSuchRecord
from ops_sandbox.shop.order_view import order_body, refund_body
from ops_sandbox.shop.shopkeeper import Shopkeeper
from ops_sandbox.shop.wire import Doc, money


class People(Shopkeeper):
    """Orders placed, paid, shipped, cancelled and refunded at the moment that the shop's clock shows.

    Each queues the webhooks that it would on a real shop. Raises `NoSuchRecord`.
    """

    def place_order(
        self,
        items: Sequence[tuple[str | int, int]],
        email: str = "shopper@example.net",
        *,
        paid: bool = True,
        status: str | None = None,
        payment_method: str = "stripe",
        coupon: str | None = None,
        shipping: Decimal | None = None,
        customer_id: int = 0,
        new_account: bool = False,
        billing: Doc | None = None,
        ship_to: Doc | None = None,
        currency: str = "USD",
        customer_note: str = "",
        transaction_id: str = "",
        meta: Doc | None = None,
        created_via: str = "store-api",
    ) -> Doc:
        """A shopper's order of (SKU or product id, quantity) items, see `checkout.Basket`.

        `paid` and `payment_method` lead it to its status; `status` moves it on to another at once. Gives
        the order's REST body, `"id"` and the lines' ids in it. Raises `NoSuchRecord`.
        """
        basket = Basket(
            items=items,
            email=email,
            paid=paid,
            payment_method=payment_method,
            coupon=coupon,
            shipping=shipping,
            customer_id=customer_id,
            new_account=new_account,
            billing=billing or {},
            ship_to=ship_to,
            currency=currency,
            customer_note=customer_note,
            transaction_id=transaction_id,
            meta=meta or {},
            created_via=created_via,
        )
        with self.site.store.transaction():
            order = check_out(self.site, basket)
            if status is not None and status != order["status"]:
                orders.set_status(self.site, order, status)
            return order_body(self.site, order, self.home_url)

    def set_status(self, order_id: int, status: str) -> Doc:
        """Move an order to a status, as on the admin page. Gives its body."""
        with self.site.store.transaction():
            order = self._order(order_id)
            orders.set_status(self.site, order, status)
            return order_body(self.site, order, self.home_url)

    def cancel(self, order_id: int) -> Doc:
        """Cancel an order: its stock goes back, `_reduced_stock` leaves its lines. Gives its body."""
        return self.set_status(order_id, "cancelled")

    def complete(self, order_id: int) -> Doc:
        """An order was shipped. Gives its body."""
        return self.set_status(order_id, "completed")

    def pay(self, order_id: int, transaction_id: str = "") -> Doc:
        """A payment that came in: processing, or completed where nothing has to be packed. Gives its body."""
        with self.site.store.transaction():
            order = self._order(order_id)
            orders.pay(self.site, order, transaction_id)
            return order_body(self.site, order, self.home_url)

    def touch_order(self, order_id: int) -> Doc:
        """Re-save an order as it is: its date moves and order.updated is queued. Gives its body."""
        with self.site.store.transaction():
            order = self._order(order_id)
            orders.touch(self.site, order)
            return order_body(self.site, order, self.home_url)

    def trash_order(self, order_id: int) -> None:
        """To the trash: order.deleted."""
        with self.site.store.transaction():
            orders.trash_order(self.site, self._order(order_id))

    def untrash_order(self, order_id: int) -> None:
        """Out of the trash by the admin page's Restore link: order.restored."""
        with self.site.store.transaction():
            orders.untrash_order(self.site, self._order(order_id))

    def erase_order(self, order_id: int) -> None:
        """Delete an order for good, with its refunds and notes: fires nothing."""
        with self.site.store.transaction():
            orders.erase_order(self.site, self._order(order_id))

    def refund(
        self,
        order_id: int,
        *,
        amount: Decimal | str | None = None,
        items: Iterable[tuple[str | int, int]] | None = None,
        reason: str = "",
        restock: bool = True,
    ) -> Doc:
        """Refund an amount, or (SKU, quantity) items with their share of tax; neither means all that is left.

        All that is left of an order without refunds goes line by line, shipping
        included. Gives the refund's body.
        """
        with self.site.store.transaction():
            order = self._order(order_id)
            body: Doc = {"reason": reason, "api_refund": False, "api_restock": restock}
            if amount is not None:
                body["amount"] = str(amount)
            elif items is not None:
                body["line_items"] = [
                    shares.share(self.site, order, key, quantity) for key, quantity in items
                ]
            else:
                left = Decimal(order["total"]) - refunds.refunded_so_far(self.site, order)
                body["amount"] = money(left)
                if not order["_refund_ids"]:
                    body["line_items"] = [
                        shares.whole(line)
                        for kind in ("line_items", "shipping_lines", "fee_lines")
                        for line in order[kind]
                    ]
            refund = refunds.create_refund(self.site, order, body)
            return refund_body(self.site, refund, self.home_url)

    def delete_refund(self, order_id: int, refund_id: int) -> None:
        """Delete a refund: fires nothing, and the order's date stays."""
        with self.site.store.transaction():
            order = self._order(order_id)
            refunds.delete_refund(self.site, order, refunds.find_refund(self.site, order, refund_id))

    def orders(self) -> list[Doc]:
        """All orders' bodies by id, the trashed too."""
        with self.site.store.transaction():
            table = self.site.table("orders")
            return [order_body(self.site, table[key], self.home_url) for key in sorted(table)]

    def _order(self, order_id: int) -> Doc:
        order = self.site.table("orders").get(order_id)
        if order is None:
            raise NoSuchRecord("order", order_id)
        return order
