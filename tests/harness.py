"""One company with one store, a Point of Sale file and a Web Connector without the wire.

The conversation is driven method by method, so that a test can break it at any
seam; the SOAP layer has tests of its own, and `tests/flows` walk through it too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.request_processor import RequestProcessorError
from qbwc_service.exchange import WebConnectorConversation
from queue_store.activities import list_activities
from queue_store.companies import add_company, add_store, get_company, get_store, set_live
from queue_store.database import Database
from queue_store.models import Activity
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting, set_store_setting, store_settings
from queue_store.shop_claim import claim_shop_work
from queue_store.shop_work import settle_shop_work
from woo_bridge.disposition import order_rules
from woo_bridge.kinds.read_refunds import READ_REFUNDS, OrderAndRefunds
from woo_bridge.take_orders import take_order
from woo_bridge.translate_orders import translate_order

RECORDED = Path(__file__).parent / "data" / "woocommerce" / "rest"
PASSWORD = "a password for the Web Connector"


def recorded_order(name: str) -> dict[str, Any]:
    """A recorded REST answer's order, by the name of its file."""
    body = json.loads((RECORDED / f"order_{name}.json").read_text())["response"]["body"]
    found: dict[str, Any] = body[0] if isinstance(body, list) else body
    return found


def recorded_refunds(order_id: int) -> list[dict[str, Any]]:
    """The recorded refunds of an order, oldest first, as GET orders/ID/refunds gives them."""
    body = json.loads((RECORDED / "get_refunds.json").read_text())["response"]["body"]
    return sorted((one for one in body if one["parent_id"] == order_id), key=lambda one: int(one["id"]))


def numbered(order: dict[str, Any], order_id: int, **changes: Any) -> dict[str, Any]:
    """A copy of an order under another id."""
    return {**order, "id": order_id, "number": str(order_id), **changes}


class AnswerLost(Exception):
    """The connection broke; nobody calls closeConnection."""


@dataclass
class Late:
    """An answer that has not been delivered."""

    ticket: str
    response: str


@dataclass
class House:
    """The product with one company, beside the outside world that it talks to."""

    database: Database
    pos: PosCompanyFile
    conversation: WebConnectorConversation = field(init=False)

    def __post_init__(self) -> None:
        self.conversation = WebConnectorConversation(self.database)

    def restart(self) -> None:
        """The service ends and begins anew."""
        self.conversation = WebConnectorConversation(self.database)
        self.conversation.start()

    def set(self, key: str, value: str) -> None:
        """Change a company setting."""
        with self.database.write() as db:
            set_company_setting(db, get_company(db, "books"), key, value, who="test")

    def set_store(self, key: str, value: str) -> None:
        """Change a store setting."""
        with self.database.write() as db:
            set_store_setting(db, get_store(db, "main"), key, value, who="test")

    def take(self, order: dict[str, Any]) -> None:
        """An order arrives from the shop."""
        with self.database.write() as db:
            store = get_store(db, "main")
            take_order(
                db,
                store,
                order_rules(store, store_settings(db, store)),
                translate_order(json.dumps(order).encode()),
            )

    def take_refunds(self, order: dict[str, Any], refunds: list[dict[str, Any]]) -> None:
        """The worker reads what the shop was asked for: this order, with these refunds."""
        with self.database.write() as db:
            store = get_store(db, "main")
            for activity in claim_shop_work(
                db, store.company_id, datetime.now(UTC), 50, kind=READ_REFUNDS.name, store_id=store.id
            ):
                answer = OrderAndRefunds(
                    json.dumps(order).encode(), [json.dumps(refund).encode() for refund in refunds]
                )
                cause = READ_REFUNDS.settle(db, store, store_settings(db, store), activity, answer).cause
                settle_shop_work(db, activity, cause=cause)

    def activities(self, kind: str | None = "sale") -> list[Activity]:
        """Oldest first."""
        with self.database.read() as db:
            return list(reversed(list_activities(db, kind=kind, limit=None)))

    def states(self, kind: str | None = "sale") -> list[str]:
        return [activity.state for activity in self.activities(kind)]

    def totals(self) -> list[Decimal]:
        """Totals of our live receipts in the books, as they were written."""
        return [receipt.total for receipt in self.our_receipts()]

    def our_receipts(self) -> list[Any]:
        return [
            receipt
            for receipt in self.pos.receipts()
            if receipt.status == "Regular" and (receipt.comments or "").startswith("WMAIN-")
        ]

    def begin(self, address: str = "127.0.0.1") -> tuple[str, str]:
        """authenticate: ticket and what it says."""
        ticket, says, *_ = self.conversation.authenticate("connector", PASSWORD, address)
        return ticket, says

    def send(self, ticket: str) -> str:
        return self.conversation.send_request_xml(ticket, "", "Sandbox Goods", "US", 3, 0)

    def run(
        self,
        *,
        address: str = "127.0.0.1",
        on_set: Callable[[int, str], None] | None = None,
        on_answer: Callable[[int, str, str, str], None] | None = None,
        most: int = 500,
    ) -> list[int]:
        """One session; gives the percentages. The hooks may raise AnswerLost, and the session is gone."""
        ticket, says = self.begin(address)
        if says in ("none", "nvu", "busy"):
            self.conversation.close_connection(ticket)
            return []
        percents: list[int] = []
        books = self.pos.begin_session(says)
        try:
            for number in range(1, most + 1):
                request = self.send(ticket)
                if not request:
                    raise AssertionError(self.conversation.get_last_error(ticket))
                if on_set:
                    on_set(number, request)
                response, hresult, message = "", "", ""
                try:
                    response = books.process(request)
                except RequestProcessorError as error:
                    hresult, message = error.hresult, error.message
                if on_answer:
                    on_answer(number, ticket, request, response)
                percents.append(self.conversation.receive_response_xml(ticket, response, hresult, message))
                if percents[-1] < 0 or percents[-1] == 100:
                    break
            else:
                raise AssertionError("the session did not end")
            self.conversation.close_connection(ticket)
        except AnswerLost:
            pass
        finally:
            books.end()
        return percents

    def run_until_quiet(self, most: int = 20) -> int:
        """Sessions until there is nothing to do; gives their number."""
        for number in range(most):
            if not self.run():
                return number
        raise AssertionError(f"the queue is not drained after {most} sessions: {self.states(None)}")


def make_house(database: Database, box: SecretBox, pos: PosCompanyFile | None = None) -> House:
    """A company "books" with a live store "main"; QuickBooks knows the recorded shop's SKUs only if asked to."""
    with database.write() as db:
        company = add_company(
            db, name="books", flavour="pos", username="connector", password=PASSWORD, company_file=""
        )
        store = add_store(
            db,
            box,
            company=company,
            name="main",
            url="https://shop.example",
            consumer_key="ck_test",
            consumer_secret="cs_test",
            webhook_secret="whsec",
        )
        set_store_setting(db, store, "orders.since", "2020-01-01", who="test")
        set_company_setting(db, company, "items.missing", "create", who="test")
        set_company_setting(db, company, "items.fallback", "Online Item", who="test")
        set_company_setting(db, company, "pull.items_minutes", "0", who="test")
        set_company_setting(db, company, "pull.customers_minutes", "0", who="test")
        set_live(db, store, ["orders", "customers"], who="test")
    return House(database, pos or PosCompanyFile.create(None))
