"""Prepared receipts written straight into a sandbox company file, without a queue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from ops_sandbox.pos import PosCompanyFile, PosDialect
from qbwc_service.flavours.pos.receipts import prepare_receipt
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import Mark
from qbwc_service.needs import Prepared
from qbxml.grammar import load_grammar
from qbxml.writer import message_set
from queue_store.payloads import Order
from queue_store.settings import Settings
from tests.making_orders import company as company_settings
from tests.making_orders import store as store_settings


class Books:
    """A company file that makes items and customers up as receipts ask for them."""

    def __init__(
        self,
        dialect: PosDialect | None = None,
        tax_rates: Mapping[tuple[str, str], Decimal] | None = None,
        *,
        stocked: bool = False,
    ) -> None:
        rates: dict[str, Any] = {"tax_rates": tax_rates} if tax_rates else {}
        self.pos = PosCompanyFile.create(None, dialect=dialect, company_name="Sandbox Goods", **rates)
        self._session = self.pos.begin_session("Company Data=Sandbox Goods")
        self._stocked = stocked
        self._ids: dict[str, str] = {}

    def write(
        self,
        order: Order,
        company: Settings | None = None,
        taxes: TaxTable = NO_TAXES,
        store: Settings | None = None,
    ) -> tuple[Any, Prepared]:
        """The receipt as it stands in the company file. Raises NotSendable, AssertionError with the refusal."""
        prepared = prepare_receipt(
            order,
            Mark("WMAIN", str(order.order_id), 1),
            company or company_settings(),
            store or store_settings(),
            taxes,
        )
        return self.enter(prepared), prepared

    def enter(self, prepared: Prepared) -> Any:
        """Fill the gaps and send it; gives the receipt."""
        values = {f"{need.kind}:{need.key}": self._item(need.kind, need.key) for need in prepared.items}
        assert prepared.customer is not None
        values["customer"] = self._customer(prepared.customer.customer_id)
        values["request"] = "1"
        answer = self._session.process(message_set(load_grammar("qbposxml"), [prepared.fill(values)]))
        status = re.search(r'statusCode="(\d+)"', answer)
        assert status is not None
        assert status[1] == "0", answer
        return self.pos.receipts()[-1]

    def _item(self, kind: str, key: str) -> str:
        name = f"{kind}:{key}"
        if name not in self._ids:
            stocked = kind == "sku" and self._stocked
            item = self.pos.add_item(key, alu=key, item_type="Inventory" if stocked else "NonInventory")
            self._ids[name] = item.list_id
        return self._ids[name]

    def _customer(self, customer_id: str) -> str:
        name = f"customer:{customer_id}"
        if name not in self._ids:
            self._ids[name] = self.pos.add_customer("Buyer").list_id
        return self._ids[name]
