"""Every setting of a store, with its default and a word of explanation."""

from __future__ import annotations

from collections.abc import Mapping

from queue_store.setting_forms import (
    Setting,
    among,
    between,
    boolean,
    by_key,
    hour_or_never,
    hours,
    interval,
    moment,
    percent,
    pieces,
    price_ending,
    price_level,
    price_levels,
    signed_percent,
    text,
    time_zone,
    words,
)
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
    Setting("stock.share", "100", percent, "Percent of what is free that this shop may sell.", "0 to 100"),
    Setting("stock.buffer", "0", pieces, "Pieces of each item that this shop never sells.", "0 or more"),
    Setting("stock.threshold", "0", pieces, "At or below so many pieces the shop shows none.", "0 or more"),
    Setting("stock.edits", "overwrite", among("overwrite", "adjust"), "A person's change of a quantity in the shop: QuickBooks' quantity takes its place, or it goes to QuickBooks as an adjustment.", "overwrite or adjust"),
    Setting("stock.limit", "1000", pieces, "A quantity that would move by more waits for you; 0: none does.", "0 or more"),
    Setting("prices.ruled_by", "quickbooks", among("quickbooks", "shop"), "Where prices are made: QuickBooks' go to the shop, or the shop's to QuickBooks.", "quickbooks or shop"),
    Setting("prices.levels", "web,1", price_levels, "Price levels of QuickBooks for the regular price: the first that an item has. A missing one never becomes 0.00.", "web, msrp and 1 to 5, separated by commas"),
    Setting("prices.sale_level", "", price_level, "Price level of QuickBooks for the sale price; empty: the shop's sale prices are its own.", "web, msrp, 1 to 5, or empty"),
    Setting("prices.percent", "0", signed_percent, "Percent put on QuickBooks' prices for this shop; negative: taken off.", "-99 to 1000"),
    Setting("prices.ending", "", price_ending, "How prices end after that, such as .99: the nearest price with this ending, never 0; empty: as they come.", "such as .99, or empty"),
    Setting("prices.limit_percent", "50", pieces, "A price that would move by more percent waits for you; 0: none does.", "0 or more"),
    Setting("catch_up.orders_minutes", "15", interval, "How often orders that changed in the shop are read again, in case a webhook was lost; 0: never.", "0, or 15 to 1440"),
    Setting("catch_up.products_minutes", "60", interval, "The same of products.", "0, or 15 to 1440"),
    Setting("catch_up.refunds_minutes", "1440", interval, "How often the shop's newest refunds are listed; 0: never.", "0, or 15 to 1440"),
    Setting("catch_up.deleted_minutes", "1440", interval, "How often the shop is asked whether open and recent orders, and the refunds of these, are still there; 0: never.", "0, or 15 to 1440"),
    Setting("catch_up.customers_minutes", "1440", interval, "How often the accounts of customers that are in QuickBooks are read again; 0: never.", "0, or 15 to 1440"),
    Setting("catch_up.webhooks_minutes", "15", interval, "How often the shop's webhooks are looked at, and turned on again; 0: never.", "0, or 15 to 1440"),
    Setting("catch_up.comparison_hour", "2", hour_or_never, "Hour at which all products of the shop are read and compared, by the shop's own clock.", "0 to 23, or never"),
    Setting("catch_up.days", "30", between(1, 366), "For so many days after its last change an order is asked for, so that a deletion shows.", "1 to 366"),
    Setting("catch_up.quiet", "", hours, "Hours of the shop's clock in which nothing that runs every so many minutes begins, such as 22-6; empty: none.", "such as 22-6, or empty"),
    Setting("catch_up.time_zone", "", time_zone, "The shop's time zone, such as Europe/Berlin; empty: as the times of its last order tell.", "a time zone's name, or empty"),
)  # fmt: skip
