"""The filters of a query, and which records they leave.

By the shape of their names: `XFilter` with a criterion, `XRangeFilter` with
both ends, and the bare element for ids, enumerations and booleans.
Source: protocol reference 5.4.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from ops_sandbox.pos.indexes import Span
from ops_sandbox.pos.moments import Moments
from ops_sandbox.pos.store import Record, Store
from ops_sandbox.pos.values import Fields

_CONTROLS = frozenset({"MaxReturned", "OwnerID", "IncludeRetElement"})

#: A look-up that leaves more records than this is not worth an index of its own.
_SMALL = 32


class Keys:
    """The comparable form of values: case and clock times as the dialect has them."""

    def __init__(self, moments: Moments, *, ignores_case: bool) -> None:
        self.moments = moments
        self.ignores_case = ignores_case

    def of(self, field: str, value: Any) -> Any:
        """Of a stored value. Ids and enumerations keep their case, it does not vary."""
        if isinstance(value, str):
            return value.casefold() if self.ignores_case else value
        if isinstance(value, datetime):
            return self.moments.key(value)
        return value

    def asked(self, value: Any) -> Any:
        """Of a value out of a filter."""
        return self.moments.filter_key(value) if isinstance(value, datetime) else self.of("", value)


@dataclass(frozen=True, slots=True)
class Condition:
    """What one filter asks of one field. A record without the field does not meet it."""

    field: str
    #: The keys that meet it, where they lie next to each other.
    span: Span | None
    #: For Contains and EndsWith.
    criterion: str = ""
    text: str = ""

    def holds(self, key: Any) -> bool:
        """Whether a record with this key is meant."""
        if self.span is not None:
            return self.span.holds(key)
        return self.text in key if self.criterion == "Contains" else key.endswith(self.text)


def conditions_of(values: Fields, keys: Keys) -> list[Condition]:
    """The filters among the children of a query, in their order."""
    return [_condition(name, value, keys) for name, value in values.items() if name not in _CONTROLS]


def _condition(name: str, value: Any, keys: Keys) -> Condition:
    if not isinstance(value, dict):
        key = keys.asked(value)
        return Condition(name, Span(low=key, high=key))
    if name.endswith("RangeFilter"):
        field = name.removesuffix("RangeFilter")
        return Condition(field, Span(keys.asked(value[f"From{field}"]), high=keys.asked(value[f"To{field}"])))
    field = name.removesuffix("Filter")
    key = keys.asked(value[field])
    match value.get("MatchStringCriterion") or value["MatchNumericCriterion"]:
        case "Equal":
            return Condition(field, Span(low=key, high=key))
        case "StartsWith":
            return Condition(field, Span(low=key, prefix=True))
        case "LessThan":
            return Condition(field, Span(high=key, high_open=True))
        case "LessThanEqual":
            return Condition(field, Span(high=key))
        case "GreaterThan":
            return Condition(field, Span(low=key, low_open=True))
        case "GreaterThanEqual":
            return Condition(field, Span(low=key))
        case criterion:
            return Condition(field, None, criterion, key)


def select(store: Store, kind: str, id_field: str, conditions: list[Condition], keys: Keys) -> list[Record]:
    """The records that meet all of `conditions`, oldest first."""
    candidates = _candidates(store, kind, id_field, conditions)
    chosen = [
        record
        for record in candidates
        if all(
            condition.field in record.fields
            and condition.holds(keys.of(condition.field, record.fields[condition.field]))
            for condition in conditions
        )
    ]
    chosen.sort(key=lambda record: record.sequence)
    return chosen


def _candidates(store: Store, kind: str, id_field: str, conditions: list[Condition]) -> list[Record]:
    """A set of records, as small as comes cheaply, that contains the wanted ones."""
    spans = [(one.field, one.span) for one in conditions if one.span is not None]
    for field, span in spans:
        if field == id_field:
            found = store.find(kind, str(span.low))
            return [] if found is None else [found]
    if not spans or store.count(kind) <= _SMALL:
        return list(store.all(kind))
    best: tuple[int, list[str]] | None = None
    for field, span in spans:
        index = store.index(kind, field)
        first, last = index.bounds(span)
        if best is None or last - first < best[0]:
            best = last - first, index.ids(first, last)
    assert best is not None
    return [record for record_id in best[1] if (record := store.find(kind, record_id)) is not None]
