"""Settings that are tables or lists of words, typed as one line of text.

Each `read_...` turns the text of a setting into its value, and raises
`BadForm` with what is wrong in it, for people.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

#: Tenders that a receipt may carry, spelt as Point of Sale does. GiftCard is not among them: it makes
#: Point of Sale call a card processor. Source: protocol reference 5.5.
TENDERS = ("Cash", "Check", "CreditCard", "DebitCard", "Account", "Deposit", "Gift")
#: The row of a tender table for gateways that it does not name.
ANY_GATEWAY = "*"
#: How a tender table names orders without a gateway.
NO_GATEWAY = "none"
_CARD_NAME = 16
_GATEWAY = re.compile(r"[a-z0-9_.-]{1,64}|\*")


class BadForm(ValueError):
    """A setting's text cannot be read; the message says why, as the end of a sentence about it."""


@dataclass(frozen=True, slots=True)
class TenderRow:
    """How what a gateway took is tendered in QuickBooks."""

    #: One of `TENDERS`.
    kind: str
    #: Only of a CreditCard; "": the company's `documents.card_name`.
    card_name: str = ""


def read_tenders(text: str) -> Mapping[str, TenderRow]:
    """ "stripe=CreditCard:Visa, cod=Cash, *=Account" by gateway. Raises BadForm."""
    rows: dict[str, TenderRow] = {}
    for row in _rows(text):
        gateway, equals, tender = (part.strip() for part in row.partition("="))
        gateway = gateway.lower()
        if not equals or not _GATEWAY.fullmatch(gateway):
            raise BadForm(f"{row!r} is no row: it must read GATEWAY=TENDER, such as stripe=CreditCard:Visa.")
        if gateway in rows:
            raise BadForm(f"names the gateway {gateway!r} twice.")
        rows[gateway] = _tender(tender)
    return rows


def _tender(text: str) -> TenderRow:
    kind, colon, card_name = (part.strip() for part in text.partition(":"))
    known = {name.lower(): name for name in TENDERS}.get(kind.lower())
    if kind.lower() == "giftcard":
        raise BadForm(
            "names the tender GiftCard, which makes Point of Sale call a card processor: use Gift instead."
        )
    if known is None:
        raise BadForm(f"names the tender {kind!r}, which is not known. Known are: {', '.join(TENDERS)}.")
    if colon and known != "CreditCard":
        raise BadForm(f"gives {known} the card name {card_name!r}: only CreditCard has one.")
    if colon and not 1 <= len(card_name) <= _CARD_NAME:
        raise BadForm(f"has the card name {card_name!r}: it must have 1 to {_CARD_NAME} characters.")
    return TenderRow(known, card_name)


#: What an order can become in QuickBooks.
RECEIPT, SALES_ORDER, NOTHING = "receipt", "sales order", "nothing"
_STATUS = re.compile(r"[a-z0-9_-]{1,40}")


@dataclass(frozen=True, slots=True)
class DocumentTable:
    """Which document an order of a status becomes, for every gateway or for one."""

    #: Documents by (status, gateway); gateway "": any that has no row of its own.
    rows: Mapping[tuple[str, str], str]

    def of(self, status: str, gateway: str) -> str:
        """The document; "" where the table does not name the status."""
        return self.rows.get((status, gateway.lower() or NO_GATEWAY)) or self.rows.get((status, ""), "")

    def statuses(self, document: str) -> tuple[str, ...]:
        """The statuses that become `document`, for any gateway at least."""
        return tuple(dict.fromkeys(status for (status, _), one in self.rows.items() if one == document))

    @property
    def has_orders(self) -> bool:
        """True if anything becomes a sales order."""
        return SALES_ORDER in self.rows.values()


def receipts_for(statuses: Iterable[str]) -> DocumentTable:
    """The table by which these statuses become a receipt, and nothing else is sent."""
    return DocumentTable({(status.removeprefix("wc-"), ""): RECEIPT for status in statuses})


def read_statuses(text: str) -> tuple[str, ...]:
    """Order statuses, separated by commas; one at least. Raises BadForm."""
    statuses = tuple(dict.fromkeys(row.lower() for row in _rows(text)))
    for status in statuses:
        if not _STATUS.fullmatch(status):
            raise BadForm(f"{status!r} is no order status: it must read as in the shop, such as processing.")
    if not statuses:
        raise BadForm("names no status: an order would never reach the books.")
    return statuses


def read_documents(text: str) -> DocumentTable:
    """ "on-hold=sales order, processing=receipt, processing/cod=sales order"; "": no rows. Raises BadForm."""
    rows: dict[tuple[str, str], str] = {}
    for row in _rows(text):
        key, equals, document = (part.strip().lower() for part in row.partition("="))
        status, slash, gateway = (part.strip() for part in key.partition("/"))
        status = status.removeprefix("wc-")
        if not equals or not _STATUS.fullmatch(status) or (slash and not _GATEWAY.fullmatch(gateway)):
            raise BadForm(
                f"{row!r} is no row: it must read STATUS=DOCUMENT or STATUS/GATEWAY=DOCUMENT, such as completed=receipt."
            )
        if document not in (RECEIPT, SALES_ORDER, NOTHING):
            raise BadForm(
                f"names the document {document!r}, which is not known. Known are: {RECEIPT}, {SALES_ORDER}, {NOTHING}."
            )
        if (status, gateway) in rows:
            raise BadForm(f"names {key!r} twice.")
        rows[status, gateway] = document
    if rows and RECEIPT not in rows.values():
        raise BadForm(f"names no status that becomes a {RECEIPT}: an order would never reach the books.")
    return DocumentTable(rows)


def read_rates(text: str) -> Mapping[str, Decimal]:
    """ "EUR=1.0835, GBP=1.27": what one of each is worth in the company's currency. Raises BadForm."""
    rates: dict[str, Decimal] = {}
    for row in _rows(text):
        currency, _, number = (part.strip() for part in row.partition("="))
        if not re.fullmatch(r"[A-Z]{3}", currency):
            raise BadForm(f"{row!r} is no row: it must read CURRENCY=RATE, such as EUR=1.0835.")
        if currency in rates:
            raise BadForm(f"names {currency} twice.")
        try:
            rate = Decimal(number)
        except InvalidOperation:
            rate = Decimal(0)
        if not rate.is_finite() or not Decimal("0.000001") <= rate <= Decimal(1_000_000):
            raise BadForm(
                f"has the rate {number!r} for {currency}: a number from 0.000001 to 1000000 is expected."
            )
        rates[currency] = rate
    return rates


def read_names(text: str) -> re.Pattern[str] | None:
    """Words or phrases, separated by commas, as a pattern that finds any of them whole; None for none."""
    names = [re.escape(name) for name in _rows(text)]
    return re.compile(rf"(?<!\w)(?:{'|'.join(names)})(?!\w)", re.IGNORECASE) if names else None


def read_skus(text: str) -> re.Pattern[str] | None:
    """SKUs, separated by commas, as a pattern for a whole SKU; a trailing * stands for any ending."""
    names = [re.escape(sku.removesuffix("*")) + ".*" * sku.endswith("*") for sku in _rows(text)]
    return re.compile("|".join(names), re.IGNORECASE) if names else None


def _rows(text: str) -> list[str]:
    return [row.strip() for row in text.split(",") if row.strip()]
