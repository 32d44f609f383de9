"""What one call of the conversation works with: the database, the company, its session and settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import cached_property

from sqlalchemy.orm import Session

from qbwc_service.flavours import FLAVOURS
from qbwc_service.flavours.spelling import Spelling
from qbwc_service.flavours.tax_table import NO_TAXES, TaxTable
from qbwc_service.marks import Mark
from queue_store.activities import ORDER_KINDS
from queue_store.companies import list_stores, live_kinds
from queue_store.drafts import exchanges_products
from queue_store.ids import new_id
from queue_store.models import Company, QbwcSession, Store
from queue_store.product_work import SHOWN_KINDS
from queue_store.settings import Settings, company_settings, store_settings
from queue_store.tax_rates import chosen_taxes, tax_rates_of

#: QuickBooks' tax rates are asked for again after this long.
_TAX_RATES_HOLD = timedelta(days=1)


def exchange_suffix(exchange_id: int) -> str:
    """What the requestIDs of an exchange end with."""
    return f".{exchange_id}"


def exchange_of(request_id: str | None) -> int | None:
    """The exchange that a requestID of ours names, of reads and writes alike; None for any other id."""
    _, dot, exchange_id = (request_id or "").rpartition(".")
    is_ours = dot and exchange_id.isascii() and exchange_id.isdigit() and len(exchange_id) < 20
    return int(exchange_id) if is_ours else None


@dataclass
class Run:
    """One transaction's view; nothing of it is kept between two calls."""

    db: Session
    company: Company
    now: datetime
    session: QbwcSession | None = None
    #: Id of the exchange that this call hands out, should it hand out one.
    exchange_id: int = field(default_factory=new_id)
    #: The company's turn in which the set was handed out whose answer this call takes, see `Company.turn`.
    asked_turn: int = 0
    _store_settings: dict[int, Settings] = field(default_factory=dict)
    _taxes: dict[int, TaxTable] = field(default_factory=dict)

    @cached_property
    def settings(self) -> Settings:
        return company_settings(self.db, self.company)

    @cached_property
    def stores(self) -> dict[int, Store]:
        return {store.id: store for store in list_stores(self.db, self.company.id)}

    @cached_property
    def web_order_stores(self) -> frozenset[int]:
        """The stores of which some orders become web orders."""
        return frozenset(store.id for store in self.stores.values() if store.sends_web_orders)

    @property
    def feeds_shops(self) -> bool:
        """True if a store of it shows QuickBooks' stock or prices, or exchanges products with it."""
        return (
            any(live_kinds(store) & SHOWN_KINDS for store in self.stores.values()) or self.exchanges_products
        )

    @cached_property
    def exchanges_products(self) -> bool:
        """True if products go to a store of it, or come from one."""
        return any(exchanges_products(self.db, store) for store in self.stores.values())

    @cached_property
    def spelling(self) -> Spelling:
        """How this company's QuickBooks is spoken to."""
        return FLAVOURS[self.company.flavour]

    @property
    def open_session(self) -> QbwcSession:
        """The session, where there must be one."""
        assert self.session is not None
        return self.session

    def request_id(self, name: str) -> str:
        """requestID of a read: of this exchange alone, so that no answer is taken for another's."""
        return f"{name}{exchange_suffix(self.exchange_id)}"

    def store_settings(self, store_id: int) -> Settings:
        """Settings of one of the company's stores."""
        if store_id not in self._store_settings:
            self._store_settings[store_id] = store_settings(self.db, self.stores[store_id])
        return self._store_settings[store_id]

    def taxes(self, store_id: int, tax_mode: str = "") -> TaxTable:
        """What is known of tax for one of the company's stores; nothing where the shop's own tax is written.

        `tax_mode` is that of the document; "": the company's.
        """
        if (tax_mode or self.settings["tax.mode"]) != "flavour":
            return NO_TAXES
        if store_id not in self._taxes:
            self._taxes[store_id] = TaxTable(
                chosen_taxes(self.db, self.company.id, store_id),
                tax_rates_of(self.db, self.company.id, since=self.now - _TAX_RATES_HOLD),
                self.stores[store_id].name,
            )
        return self._taxes[store_id]

    @cached_property
    def _heads(self) -> dict[int, str]:
        prefix = self.settings["documents.prefix"]
        return {store_id: f"{prefix}{store.code}" for store_id, store in self.stores.items()}

    def head(self, store_id: int) -> str:
        """How the marks of a store's documents begin, such as "WMAIN"."""
        return self._heads[store_id]

    def mark(self, store_id: int, record_id: str, generation: int) -> Mark:
        """The mark of one document."""
        return Mark(self.head(store_id), record_id, generation)

    def pause_of(self, kind: str, store_id: int) -> str:
        """The sentence of a document whose store is not live for orders; "" for everything else."""
        store = self.stores.get(store_id)
        if kind not in ORDER_KINDS or store is None or "orders" in live_kinds(store):
            return ""
        return (
            f"is held: store {store.name} was paused while it was on its way, and it is not in QuickBooks. "
            f"It goes when you run: qbwoo store live {store.name}"
        )

    def prepared_with(self, store_id: int) -> str:
        """What a prepared request depends on besides its payload; another value means: prepare anew."""
        store = self.stores.get(store_id)
        return f"{self.company.settings_version}.{store.settings_version if store else 0}"
