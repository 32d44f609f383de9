"""A company, a session on it, and a way to ask it things."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from lxml import etree

from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.pos.views import Item


class Clock:
    """Stands still until it is moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 1, 31, 15, 0, 0, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Desk:
    """A company with one item, and the asking of it."""

    def __init__(self, clock: Clock, dialect: PosDialect) -> None:
        self.clock = clock
        self.company = PosCompanyFile.create(None, clock=clock, dialect=dialect)
        self.session = self.company.begin_session("")
        self.tea: Item = self.company.add_item(
            "Green tea", alu="TEA-50", upc="0012345", price1=Decimal("7.50"), on_hand={1: 12, 2: 3}
        )

    @staticmethod
    def document(body: str, on_error: str = "continueOnError", version: str = "3.0") -> str:
        return (
            f'<?xml version="1.0" encoding="utf-8"?>\n<?qbposxml version="{version}"?>\n'
            f'<QBPOSXML><QBPOSXMLMsgsRq onError="{on_error}">{body}</QBPOSXMLMsgsRq></QBPOSXML>'
        )

    def ask(self, body: str, on_error: str = "continueOnError") -> list[etree._Element]:
        """The answers to a set."""
        text = self.session.process(self.document(body, on_error))
        root = etree.fromstring(text.encode("windows-1252"))
        assert root.tag == "QBPOSXML"
        assert [child.tag for child in root] == ["QBPOSXMLMsgsRs"]
        return list(root[0])

    def one(self, body: str) -> etree._Element:
        """The answer to a set of one request."""
        (answer,) = self.ask(body)
        return answer

    def line(self, inner: str = "", list_id: str | None = None) -> str:
        return f"<SalesReceiptItemAdd><ListID>{list_id or self.tea.list_id}</ListID>{inner}</SalesReceiptItemAdd>"

    def receipt(self, lines: str, paid: str | None, head: str = "", shipping: str | None = None) -> str:
        """A SalesReceiptAddRq paid in cash."""
        ship = (
            f"<ShippingInformation><Shipping>{shipping}</Shipping></ShippingInformation>" if shipping else ""
        )
        cash = (
            f"<TenderCashAdd><TenderAmount>{paid}</TenderAmount></TenderCashAdd>" if paid is not None else ""
        )
        return f"<SalesReceiptAddRq><SalesReceiptAdd>{head}{ship}{lines}{cash}</SalesReceiptAdd></SalesReceiptAddRq>"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def make_desk(clock: Clock) -> Callable[..., Desk]:
    """A desk at a company with the given switches."""
    return lambda **switches: Desk(clock, PosDialect(**switches))


@pytest.fixture
def desk(make_desk: Callable[..., Desk]) -> Desk:
    return make_desk()
