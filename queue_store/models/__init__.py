"""The tables, as typed SQLAlchemy models, by subject. Read these first to know what the product remembers.

`company_id` leads every index, since all work is done for one company at a
time. Ids come from `queue_store.ids`.
"""

from __future__ import annotations

from queue_store.models.activities import Activity, ActivityEvent, ActivityWait, Attempt
from queue_store.models.alerts import Alert, AlertMessage, AlertWatch
from queue_store.models.base import Amount, Base, Packed, UtcDateTime, table_of
from queue_store.models.books import (
    AcceptedDifference,
    BookDocument,
    Calibration,
    PeriodReceipt,
    Reconciliation,
)
from queue_store.models.catalogue import CatalogueCustomer, CatalogueItem, Lookup, Mapping, PullMark, TaxRate
from queue_store.models.companies import (
    AuditEntry,
    Company,
    CompanySetting,
    LoginAttempt,
    Store,
    StoreSetting,
)
from queue_store.models.conversation import Exchange, QbwcSession
from queue_store.models.desk import HandRun, KeptBody, OperatorTask
from queue_store.models.privacy import Erasure, ErasureRest
from queue_store.models.schedules import Schedule
from queue_store.models.stock import OrderTaking, ShopProduct, StockMove

__all__ = [
    "AcceptedDifference",
    "Activity",
    "ActivityEvent",
    "ActivityWait",
    "Alert",
    "AlertMessage",
    "AlertWatch",
    "Amount",
    "Attempt",
    "AuditEntry",
    "Base",
    "BookDocument",
    "Calibration",
    "CatalogueCustomer",
    "CatalogueItem",
    "Company",
    "CompanySetting",
    "Erasure",
    "ErasureRest",
    "Exchange",
    "HandRun",
    "KeptBody",
    "LoginAttempt",
    "Lookup",
    "Mapping",
    "OperatorTask",
    "OrderTaking",
    "Packed",
    "PeriodReceipt",
    "PullMark",
    "QbwcSession",
    "Reconciliation",
    "Schedule",
    "ShopProduct",
    "StockMove",
    "Store",
    "StoreSetting",
    "TaxRate",
    "UtcDateTime",
    "table_of",
]
