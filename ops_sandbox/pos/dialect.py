"""What the protocol reference leaves open about Point of Sale, one switch each.

A service must work with every Point of Sale that the reference permits, and
nobody has seen them all. So each fact that it marks as uncertain is a switch
here: a test that passes for `PosDialect.random` relies on none of them.
"""

from __future__ import annotations

import random
from dataclasses import dataclass, fields
from typing import Any, Literal, get_args, get_type_hints

NoMatch = Literal["status_1", "status_1_no_retcount", "status_0", "status_0_no_retcount"]

#: Switches that `PosDialect.random` leaves alone: they contradict what else is promised of the file.
_KEPT = frozenset({"parse_error_executes", "unique_fields"})


@dataclass(frozen=True, slots=True, kw_only=True)
class PosDialect:
    """How this Point of Sale behaves where the reference does not say."""

    # Documents
    #: A child in the wrong place is refused as unparseable; else the order does not matter.
    strict_order: bool = True
    #: The highest qbposXML version taken; the reference knows of one sample that asks for 4.0.
    highest_version: Literal["3.0", "4.0"] = "3.0"
    #: An id that is no 64-bit integer: refused with its request (3000), or with the whole document.
    malformed_id: Literal["status_3000", "parse_error"] = "parse_error"
    #: What a document refused by 0x80040400 has done; `random` keeps "nothing".
    parse_error_executes: Literal["nothing", "requests_before"] = "nothing"
    #: Characters that windows-1252 lacks: the document is refused, or "?" is stored.
    outside_windows_1252: Literal["refuse", "question_marks"] = "refuse"
    #: Control characters stored at the till: answered as illegal references, or left out.
    control_characters: Literal["references", "dropped"] = "references"
    #: After `stopOnError` the rest is answered with 3231, or not answered at all.
    after_stop: Literal["status_3231", "left_out"] = "status_3231"

    # Opening
    #: "" as company file: the company last used opens, or 0x80040416.
    empty_company_text: Literal["opens_last", "refused"] = "opens_last"
    #: What the Web Connector passes on as the name of the company file.
    company_file_name: Literal["name", "empty"] = "name"
    #: Practice mode works on a copy; else it writes into the live company.
    practice_is_apart: bool = True

    # Queries
    no_match: NoMatch = "status_1"
    #: A query by an id that does not exist.
    unknown_id_query: Literal["as_no_match", "status_500"] = "as_no_match"
    filter_ignores_case: bool = True
    #: Several filters in one query: all hold, or only the first is heeded.
    several_filters: Literal["and", "first_only"] = "and"
    #: Date-times carry the offset of the query's moment: the instant stays right, or the local
    #: clock time stays as it was and a stamp from the other half of the year is an hour off.
    stamps: Literal["instant_kept", "wall_clock_kept"] = "instant_kept"

    # Lists
    customer_names_unique: bool = False
    #: Further fields enforced unique, such as "ItemInventory.ALU"; `random` keeps none.
    unique_fields: frozenset[str] = frozenset()
    #: An aggregate in a Mod: the children sent replace theirs, or the whole is replaced.
    mod_aggregates: Literal["merge", "replace"] = "merge"
    #: An empty element in a Mod: clears the field, or is passed over.
    mod_empty_text: Literal["clears", "ignored"] = "clears"

    # Sales
    tax_rounding: Literal["line", "receipt"] = "line"
    tax_half: Literal["half_up", "half_even"] = "half_up"
    #: Tax on the Shipping of a receipt, by the tax category's ShippingTaxCode.
    shipping_taxed: bool = False
    #: A line's Discount and DiscountPercent still come off its Price; else Price is net of them.
    price_is_before_discount: bool = True
    #: A line's Discount amount counts once, or for each piece.
    line_discount_per: Literal["line", "unit"] = "line"
    #: A line's ExtendedPrice as sent wins, or is computed from Price and Qty.
    extended_price_sent: Literal["kept", "recomputed"] = "recomputed"
    #: A line's TaxAmount in answers: of one piece, or of the line as its ExtendedTax is.
    line_tax_amount: Literal["unit", "line"] = "line"
    #: A line without TaxCode: the item's, or untaxed.
    omitted_tax_code: Literal["item", "none"] = "item"
    #: Tenders that do not add up to Total: status 20004, or taken as they are.
    unbalanced_tenders: Literal["refuse", "accept"] = "refuse"
    #: The form of a line that lowers the total; the other form is refused.
    negative_line: Literal["negative_price", "negative_qty", "both"] = "both"
    #: Signs of Qty, Shipping and tenders on a receipt of type Return.
    return_signs: Literal["positive", "negative"] = "positive"
    #: HistoryDocStatus after TxnReverse reads Reversed and Reversing; else both stay Regular.
    reversal_marks_receipts: bool = True
    #: A sale that moves stock moves the item's TimeModified too.
    sale_moves_item_time_modified: bool = True
    #: A sale to a customer moves the customer's TimeModified too.
    sale_moves_customer_time_modified: bool = False
    #: A Deposit receipt with SalesOrderTxnID lowers the order's BalanceDue.
    deposit_pays_order: bool = True

    # Stock. Last, so that what a seed has drawn of the switches above stays as it was.
    #: An InventoryQtyAdjustment moves the TimeModified of its items; the reference says nothing either way.
    adjustment_moves_item_time_modified: bool = True
    #: The same for receiving vouchers and transfer slips.
    receiving_moves_item_time_modified: bool = True
    #: The same for a sales order, which moves QuantityOnCustomerOrder alone.
    order_moves_item_time_modified: bool = True
    #: TxnReverse of a receipt that filled a sales order opens the order again.
    reversal_reopens_order: bool = False
    #: Stock figures of an item type that keeps no stock (Service, NonInventory ...): 0, or none at all.
    no_stock_figures: Literal["zero", "left_out"] = "zero"
    #: An item that is on an open sales order can be deleted; else status 3170.
    ordered_item_can_be_deleted: bool = True
    #: What the later pages of an iterator show: each record as it is then, without those deleted since,
    #: or all of them as they were when it was started.
    iterator_pages: Literal["live", "as_started"] = "live"
    #: ListDel of a sales order that was filled in part, or that a deposit lies on: 3170, or it goes.
    begun_order_deleted: bool = False

    @classmethod
    def random(cls, rng: random.Random) -> PosDialect:
        """One of the Points of Sale that the reference permits.

        All switches are drawn but `parse_error_executes` and `unique_fields`.
        """
        hints = get_type_hints(cls)
        drawn: dict[str, Any] = {}
        for switch in fields(cls):
            if switch.name not in _KEPT:
                choices = (False, True) if hints[switch.name] is bool else get_args(hints[switch.name])
                drawn[switch.name] = rng.choice(choices)
        return cls(**drawn)
