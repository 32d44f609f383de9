"""A played Point of Sale that has everything the orders of one random shop refer to."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from lxml import etree

from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.request_processor import RequestProcessorError
from ops_sandbox.shop.money.taxes import matching, taxes_on
from ops_sandbox.shop.random_orders import RandomOrders
from qbwc_service.flavours.tax_table import TaxTable
from qbwc_service.needs import CustomerNeed, ItemNeed, Prepared
from qbxml.grammar import load_grammar
from qbxml.writer import message_set
from queue_store.settings import Settings

_GRAMMAR = load_grammar("qbposxml")
_PROLOG = re.compile(r"^\s*<\?xml[^>]*\?>")
_PLACE = "Local Sales Tax"
_OWN_ITEMS = ("lines.tax", "lines.shipping", "lines.fee", "lines.rounding", "lines.refund", "items.fallback")


@dataclass(frozen=True, slots=True)
class Answer:
    """What Point of Sale said to one receipt."""

    status: int
    message: str
    total: Decimal | None = None
    tax: Decimal | None = None
    tenders: Decimal = Decimal(0)
    #: Extended prices and quantities by ListID.
    amounts: Mapping[str, Decimal] = field(default_factory=dict)
    quantities: Mapping[str, Decimal] = field(default_factory=dict)


def random_dialect(seed: int) -> PosDialect:
    """The Point of Sale of a shop's seed."""
    return PosDialect.random(random.Random(f"dialect {seed}"))


def tax_table(orders: RandomOrders) -> TaxTable:
    """Tax codes as a shop owner would make and map them: one place, a code for every set of rates that occurs.

    Compound rates are folded into one percentage, with the four decimals that WooCommerce keeps of a rate.
    """
    rules = orders.shop.rules
    chosen: dict[str, tuple[str, str]] = {}
    percents = {(_PLACE, "Tax"): Decimal("8.25"), (_PLACE, "Non"): Decimal(0)}
    for address in orders.shop.addresses:
        for tax_class in ("", *rules.tax_classes):
            rates = matching(rules.rates, address, tax_class)
            for some in (rates, [rate for rate in rates if rate.shipping]):
                key = f"rates:{'+'.join(str(rate.id) for rate in sorted(some, key=lambda rate: rate.id))}"
                if some and key not in chosen:
                    chosen[key] = (_PLACE, f"C{len(chosen)}")
                    percents[chosen[key]] = sum(taxes_on(Decimal(100), some, 4).values(), Decimal(0))
    return TaxTable(chosen, percents)


class PlayedCompany:
    """The company, its ids, and one open session."""

    def __init__(
        self, orders: RandomOrders, dialect: PosDialect, settings: Settings, taxes: TaxTable
    ) -> None:
        assert taxes.percents
        self.pos = PosCompanyFile.create(None, dialect=dialect, tax_rates=taxes.percents)
        self.session = self.pos.begin_session(f"Computer Name=POS;Company Data={self.pos.name};Version=19")
        self.items: dict[tuple[str, str], str] = {}
        self.stocked: dict[str, bool] = {}
        self._customers: dict[str, str] = {}
        for product in orders.shop.products:
            kind = "Inventory" if product.stocked else "NonInventory"
            if product.sku:
                self._enter("sku", product.sku, kind, on_hand={1: 1000} if product.stocked else {})
        for key in _OWN_ITEMS:
            self._enter("line", settings[key], "NonInventory", tax_code="Non")

    def _enter(self, kind: str, key: str, item_type: str, **more: Any) -> None:
        item = self.pos.add_item(key, alu=key, item_type=item_type, price1=Decimal(1), **more)
        self.items[kind, key] = item.list_id
        self.stocked[item.list_id] = item_type == "Inventory"

    def keeps_stock(self, need: ItemNeed) -> bool:
        """Whether the item behind a need keeps stock."""
        return self.stocked[self.items[need.kind, need.key]]

    def known(self, prepared: Prepared) -> Prepared | None:
        """How it goes where it is known which items keep stock; None: the service then refuses it."""
        for spelling in (prepared, prepared.for_stock):
            if spelling and not any(n.one_piece and self.keeps_stock(n) for n in spelling.items):
                return spelling
        return None

    def fill(self, prepared: Prepared, request_id: str) -> str:
        """The request, with real ids."""
        values = {f"{need.kind}:{need.key}": self.items[need.kind, need.key] for need in prepared.items}
        if prepared.customer is not None:
            values["customer"] = self._customer(prepared.customer)
        return prepared.fill({**values, "request": request_id})

    def _customer(self, need: CustomerNeed) -> str:
        if need.customer_id not in self._customers:
            # Some Points of Sale hold that names are unique.
            made = self.pos.add_customer(need.customer_id[:30], CustomerID=need.customer_id)
            self._customers[need.customer_id] = made.list_id
        return self._customers[need.customer_id]

    def send(self, requests: Sequence[str]) -> list[Answer]:
        """One message set; if the document as a whole is refused, each request in a set of its own."""
        try:
            response = self.session.process(message_set(_GRAMMAR, requests))
        except RequestProcessorError as error:
            if len(requests) == 1:
                return [Answer(-1, str(error))]
            return [answer for request in requests for answer in self.send([request])]
        root = etree.fromstring(_PROLOG.sub("", response))
        return [_answer(element) for element in root[0]]


def _answer(element: etree._Element) -> Answer:
    status, message = int(element.get("statusCode", "-1")), element.get("statusMessage", "")
    ret = element.find("SalesReceiptRet")
    if ret is None:
        return Answer(status, message)
    amounts: dict[str, Decimal] = {}
    quantities: dict[str, Decimal] = {}
    for line in ret.iterfind("SalesReceiptItemRet"):
        list_id = line.findtext("ListID", "")
        amounts[list_id] = amounts.get(list_id, Decimal(0)) + Decimal(line.findtext("ExtendedPrice", "0"))
        quantities[list_id] = quantities.get(list_id, Decimal(0)) + Decimal(line.findtext("Qty", "0"))
    tenders = (tender.text or "0" for tender in ret.iterfind("*/TenderAmount"))
    return Answer(
        status,
        message,
        total=Decimal(ret.findtext("Total", "NaN")),
        tax=Decimal(ret.findtext("TaxAmount", "0")),
        tenders=sum(map(Decimal, tenders), Decimal(0)),
        amounts=amounts,
        quantities=quantities,
    )
