"""Every setting of a store, with its default and a word of explanation."""

from __future__ import annotations

from collections.abc import Mapping

from queue_store.setting_forms import (
    Setting,
    among,
    boolean,
    by_key,
    folded_words,
    moment,
    percent,
    pieces,
    price_ending,
    price_level,
    price_levels,
    signed_percent,
    text,
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
    Setting("products.from_quickbooks", "off", among("off", "marked", "rule"), "Which items of QuickBooks become draft products here: none, those marked for the web, or those that products.departments, products.vendors and products.keywords name.", "off, marked or rule"),
    Setting("products.departments", "", folded_words, "With rule: names or codes of departments; empty: of any.", "names or codes separated by commas"),
    Setting("products.vendors", "", folded_words, "With rule: codes of vendors; empty: of any.", "codes separated by commas"),
    Setting("products.keywords", "", folded_words, "With rule: words of which an item's keywords have one; empty: with any.", "words separated by commas"),
    Setting("products.name", "desc1", among("desc1", "desc2"), "What a draft is called: the item's Desc1, or its Desc2 where it has one.", "desc1 or desc2"),
    Setting("products.description", "web", among("none", "web", "desc2"), "Description of a draft: none, the item's WebDesc, or its Desc2.", "none, web or desc2"),
    Setting("products.short_description", "desc2", among("none", "web", "desc2"), "Short description of a draft.", "none, web or desc2"),
    Setting("products.styles", "variable", among("variable", "simple"), "Items with a size or attribute: one variable product for each style, or a simple product for each item.", "variable or simple"),
    Setting("products.size_name", "Size", text(28, least=1), "Name of the shop's attribute that holds an item's size.", "1 to 28 characters"),
    Setting("products.attribute_name", "Attribute", text(28, least=1), "Name of the shop's attribute that holds an item's attribute.", "1 to 28 characters"),
    Setting("products.manufacturer_name", "Manufacturer", text(28), "Name of the shop's attribute that holds a draft's manufacturer; empty: it is left out.", "at most 28 characters"),
    Setting("products.categories", "department", among("none", "department", "web", "both"), "Categories of a draft: none, one called as the item's department, those of its WebCategories, or both.", "none, department, web or both"),
    Setting("products.new_categories", "true", boolean, "A category that the shop lacks is made.", "true or false"),
    Setting("products.when_gone", "nothing", among("nothing", "out_of_stock", "draft"), "A product made by us whose item is deleted, or no longer wanted here: it stays, shows no stock, or becomes a draft. It is never deleted.", "nothing, out_of_stock or draft"),
    Setting("prices.limit_percent", "50", pieces, "A price that would move by more percent waits for you; 0: none does.", "0 or more"),
)  # fmt: skip
