"""Every setting of a store, with its default and a word of explanation."""

from __future__ import annotations

from collections.abc import Mapping

from queue_store.setting_forms import Setting, among, boolean, by_key, moment, text, words
from queue_store.setting_tables import read_documents, read_statuses

STORE_SETTINGS: Mapping[str, Setting] = by_key(
    Setting("orders.statuses", "processing,completed", read_statuses, "Order statuses that become a receipt.", "statuses separated by commas"),
    Setting("orders.documents", "", read_documents, "What an order becomes in QuickBooks by its status, or by status and gateway: receipt, sales order or nothing; empty: a receipt in orders.statuses.", "rows such as on-hold=sales order, processing/cod=sales order, completed=receipt"),
    Setting("orders.since", "", moment, "Older orders go only by push; empty: first go-live.", "2026-01-31 or 2026-01-31T08:00:00Z"),
    Setting("orders.paid_later", "cod,bacs,cheque", words, "Gateways whose money comes later: such an order waits for it.", "gateway ids separated by commas"),
    Setting("orders.refunded_unsent", "both", among("both", "neither"), "An order refunded in full before it was sent: the sale and the return go both, or neither does.", "both or neither"),
    Setting("orders.number_prefix", "", text(10), "Before the order's number in the receipt's comments.", "at most 10 characters"),
    Setting("customers.name", "", text(30), "Customer of this shop's sales with customers.mode store; empty: customers.fallback and the store code.", "at most 30 characters"),
    Setting("orders.notes", "off", among("off", "failures", "all"), "What is noted on the shop's orders: nothing, refusals (and what became of them), or every receipt.", "off, failures or all"),
    Setting("customers.update", "true", boolean, "Changes of shop accounts (never of guests) go to QuickBooks.", "true or false"),
)  # fmt: skip
