"""How a receipt was paid: gift cards by what they took, the gateway the rest.

A tender of kind GiftCard is never written: it makes Point of Sale call a card
processor. Source: protocol reference 5.5.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from qbwc_service.errors import NotSendable
from qbwc_service.flavours.pos.fitting import Fitting
from qbwc_service.needs import Tender
from queue_store.setting_tables import ANY_GATEWAY, NO_GATEWAY, TenderRow
from queue_store.settings import Settings

#: Longest CheckNumber and GiftCertificateNumber.
_NUMBER = 32


def row_of(name: str, gateway: str, company: Settings) -> TenderRow:
    """The tender of `gateway`, by the table, else the company's default. Raises NotSendable."""
    table = company["tenders"]
    key = gateway.lower() or NO_GATEWAY
    row: TenderRow | None = table.get(key) or table.get(ANY_GATEWAY)
    if row is not None:
        return row
    kind: str = company["documents.tender"]
    if kind == "refuse":
        known = company.text("tenders")
        raise NotSendable(
            f"{name}: it was paid through {gateway or 'no gateway'!r}, for which no tender is set. Add one: "
            f'qbwoo company set {company.owner} tenders "{f"{known}, " if known else ""}{key}=CreditCard"; then retry.'
        )
    return TenderRow(kind)


def tenders_of(
    name: str,
    gateway: str,
    transaction_id: str,
    total: Decimal,
    gifts: Sequence[tuple[str, Decimal]],
    company: Settings,
    fitting: Fitting,
) -> dict[str, list[dict[str, Any]]]:
    """The `Tender...Add` elements that pay `total`; none for nothing. Raises NotSendable."""
    tenders: dict[str, list[dict[str, Any]]] = {}
    rest = total
    for code, amount in gifts:
        rest -= amount
        number = fitting.text("GiftCertificateNumber", code, _NUMBER)
        tenders.setdefault("TenderGiftAdd", []).append(
            {"GiftCertificateNumber": number, "TenderAmount": amount}
        )
    if rest < 0:
        raise NotSendable(
            f"{name}: its gift cards paid {total - rest}, which is more than its total of {total}. "
            "Correct them in the shop, or enter it by hand."
        )
    if rest:
        row = row_of(name, gateway, company)
        tender: dict[str, Any] = {"TenderAmount": rest}
        if row.kind == "CreditCard":
            card_name = row.card_name or company["documents.card_name"]
            tender["CardName"] = fitting.text("CardName", card_name, 16) or "Card"
        elif row.kind == "Check":
            tender["CheckNumber"] = fitting.text("CheckNumber", transaction_id, _NUMBER)
        tenders.setdefault(f"Tender{row.kind}Add", []).append(tender)
    return tenders


def paid_by(body: Mapping[str, Any]) -> tuple[Tender, ...]:
    """The tenders among a receipt's fields."""
    return tuple(
        Tender(
            kind=element.removeprefix("Tender").removesuffix("Add"),
            amount=one["TenderAmount"],
            name=one.get("CardName") or one.get("GiftCertificateNumber") or "",
        )
        for element, tenders in body.items()
        if element.startswith("Tender")
        for one in tenders
    )


def paid_back(
    paid: Sequence[Tender], earlier: Decimal, amount: Decimal, sign: int
) -> dict[str, list[dict[str, Any]]]:
    """`amount` of a return, as its sale was `paid`; what `earlier` returns took of the first tenders is gone."""
    tenders: dict[str, list[dict[str, Any]]] = {}
    left = amount
    for place, tender in enumerate(paid):
        gone = min(earlier, tender.amount)
        earlier -= gone
        is_last = place == len(paid) - 1
        back = left if is_last else min(tender.amount - gone, left)
        if not back:
            continue
        left -= back
        spelt: dict[str, Any] = {"TenderAmount": back * sign}
        if tender.kind == "CreditCard":
            spelt["CardName"] = tender.name
        elif tender.kind == "Gift":
            spelt["GiftCertificateNumber"] = tender.name or None
        tenders.setdefault(f"Tender{tender.kind}Add", []).append(spelt)
    return tenders
