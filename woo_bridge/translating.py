"""Reading one record of the shop, so that a problem can say in which record it is, and where."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import TypeVar

import msgspec

from queue_store.payloads import TaxAmount
from woo_bridge import raw
from woo_bridge.errors import Untranslatable

T = TypeVar("T")
R = TypeVar("R")

#: Kind and id of the line that a value stands in.
Place = tuple[str, object]

_meta_value = msgspec.json.Decoder(str | int | float | None)


class Translation:
    """One record on its way; `record` is what people call it. Every method raises Untranslatable."""

    def __init__(self, record: str) -> None:
        self.record = record

    def taxes(self, taxes: raw.Many[raw.RawTax], path: Place) -> tuple[TaxAmount, ...]:
        # A rate that does not levy this line is listed with an empty amount.
        return tuple(
            [
                TaxAmount(rate_id=raw.rate_id(tax.id), amount=self.amount(tax.total, "taxes", path))
                for tax in raw.each(taxes)
                if tax.total not in ("", None)
            ]
        )

    def meta_quantity(self, meta: raw.RawMeta, path: Place) -> Decimal:
        try:
            return raw.amount(_meta_value.decode(meta.value))
        except (msgspec.DecodeError, ValueError, RecursionError) as error:
            raise self.problem(str(meta.key), "it is not a quantity", path) from error

    def amount(self, value: raw.RawAmount | None, field: str, path: Place | None = None) -> Decimal:
        try:
            return raw.amount(value)
        except ValueError as error:
            raise self.problem(field, str(error), path) from error

    def value(
        self,
        read: Callable[[T], R],
        value: T,
        field: str,
        path: Place | None = None,
    ) -> R:
        try:
            return read(value)
        except ValueError as error:
            raise self.problem(field, str(error), path) from error

    def problem(self, field: str, problem: str, path: Place | None = None) -> Untranslatable:
        place = f"{path[0]}[{path[1]}].{field}" if path else field
        return Untranslatable(self.record, place, problem)
