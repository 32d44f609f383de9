"""What a setting is, and how the text of one is read.

Each reader raises ValueError where the text does not fit.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from queue_store.product_payloads import LIST_PRICE, WEB_PRICE

_COST = re.compile("cost|cogs|purchase|wholesale", re.IGNORECASE)
_MAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?")
_LEVELS = frozenset((LIST_PRICE, WEB_PRICE, "1", "2", "3", "4", "5"))


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how its text is read, its default, and what it does."""

    key: str
    default: str
    parse: Callable[[str], Any]
    explanation: str
    #: What a value must look like, for the sentence when it does not.
    form: str = ""


def words(value: str) -> tuple[str, ...]:
    return tuple(word.strip() for word in value.split(",") if word.strip())


def folded_words(value: str) -> frozenset[str]:
    """For comparing: trimmed, case-blind."""
    return frozenset(word.casefold() for word in words(value))


def names_a_cost(key: str) -> bool:
    """True for a key of a product's meta data under which a cost may be kept."""
    return len(key) <= 64 and _COST.search(key) is not None


def cost_key(value: str) -> str:
    if value and not names_a_cost(value):
        raise ValueError(value)
    return value


#: Fields of an item that a shop may rule.
ITEM_FIELDS = (
    "name",
    "description",
    "size",
    "attribute",
    "manufacturer",
    "weight",
    "upc",
    "cost",
    "department",
)


def item_fields(value: str) -> frozenset[str]:
    fields = folded_words(value)
    if not fields <= set(ITEM_FIELDS):
        raise ValueError(value)
    return fields


def boolean(value: str) -> bool:
    folded = value.strip().lower()
    if folded in {"true", "yes", "on", "1"}:
        return True
    if folded in {"false", "no", "off", "0"}:
        return False
    raise ValueError(value)


def moment(value: str) -> datetime | None:
    if not value:
        return None
    moment = datetime.fromisoformat(value)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def among(*allowed: str) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if value not in allowed:
            raise ValueError(value)
        return value

    return parse


def between(least: int, most: int) -> Callable[[str], int]:
    def parse(value: str) -> int:
        number = int(value)
        if not least <= number <= most:
            raise ValueError(value)
        return number

    return parse


def text(longest: int, *, least: int = 0) -> Callable[[str], str]:
    def parse(value: str) -> str:
        if not least <= len(value) <= longest:
            raise ValueError(value)
        return value

    return parse


def keys(value: str) -> tuple[str, ...]:
    keys = words(value.upper())
    if not keys or not set(keys) <= {"ALU", "UPC", "ITEMNUMBER"} or len(set(keys)) < len(keys):
        raise ValueError(value)
    return keys


def number(value: str) -> int | None:
    return int(value) if value else None


def currency(value: str) -> str:
    if value and not (len(value) == 3 and value.isalpha() and value.isupper()):
        raise ValueError(value)
    return value


def prefix(value: str) -> str:
    if not (1 <= len(value) <= 3 and value.isalnum() and value.isascii()):
        raise ValueError(value)
    return value


def by_key(*settings: Setting) -> Mapping[str, Setting]:
    """Raises ValueError if one is listed twice: only the last would count."""
    found = {setting.key: setting for setting in settings}
    if len(found) < len(settings):
        keys = [setting.key for setting in settings]
        raise ValueError(f"listed twice: {', '.join(key for key in found if keys.count(key) > 1)}")
    return found


#: What alerts are about. "tasks" are all tasks that belong to none of the others.
TOPICS = ("connector", "failed", "waiting", "doubt", "stopped", "totals", "doubled", "webhooks", "schedules", "reconciliation", "tasks")  # fmt: skip


def topics(value: str) -> frozenset[str]:
    chosen = folded_words(value)
    if not chosen <= set(TOPICS):
        raise ValueError(value)
    return chosen


def mail_addresses(value: str) -> tuple[str, ...]:
    """Bare addresses, each once; none where the text is empty."""
    found = tuple(dict.fromkeys(words(value)))
    if not all(_MAIL.fullmatch(one) and len(one) <= 254 for one in found):
        raise ValueError(value)
    return found


def web_address(value: str) -> str:
    """An http or https URL without a user in it, or ""; where it leads is looked at before it is called."""
    text = value.strip()
    if not text:
        return ""
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or "@" in parts.netloc:
        raise ValueError
    if len(text) > 1000 or parts.fragment or not text.isascii() or not text.isprintable() or " " in text:
        raise ValueError
    return text


def percent(value: str) -> Decimal:
    return _decimal(value, Decimal(0), Decimal(100))


def signed_percent(value: str) -> Decimal:
    return _decimal(value, Decimal(-99), Decimal(1000))


def pieces(value: str) -> Decimal:
    return _decimal(value, Decimal(0), Decimal(1_000_000_000))


def interval(value: str) -> int:
    """Minutes, a quarter of an hour to a day; 0: never."""
    minutes = int(value)
    if minutes and not 15 <= minutes <= 1440:
        raise ValueError(value)
    return minutes


def hour_or_never(value: str) -> int | None:
    """0 to 23; "never" as None."""
    return None if value.strip().lower() == "never" else between(0, 23)(value)


def hours(value: str) -> tuple[int, int] | None:
    """ "22-6" as (22, 6); "" as None."""
    if not value.strip():
        return None
    first, _, last = value.partition("-")
    found = between(0, 23)(first), between(0, 23)(last)
    if found[0] == found[1]:
        raise ValueError(value)
    return found


def time_zone(value: str) -> ZoneInfo | None:
    """A name of the time zone data, such as "Europe/Berlin"; "" as None."""
    name = value.strip()
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, OSError) as error:
        raise ValueError(value) from error


def location_numbers(value: str) -> tuple[str, ...]:
    """Numbers as QuickBooks' locations are told apart by: "1,2"."""
    numbers = words(value)
    if not all(number.isascii() and number.isdigit() and len(number) <= 4 for number in numbers):
        raise ValueError(value)
    return tuple(dict.fromkeys(str(int(number)) for number in numbers))


def price_level(value: str) -> str:
    level = value.strip().lower()
    if level and level not in _LEVELS:
        raise ValueError(value)
    return level


def own_level(value: str) -> str:
    level = price_level(value)
    if not level:
        raise ValueError(value)
    return level


def price_levels(value: str) -> tuple[str, ...]:
    levels = tuple(dict.fromkeys(price_level(word) for word in words(value)))
    if not levels:
        raise ValueError(value)
    return levels


def price_ending(value: str) -> Decimal | None:
    """ ".99" as 0.99; None for no ending."""
    if not value.strip():
        return None
    ending = _decimal(value, Decimal(0), Decimal("0.9999"))
    if not value.strip().lstrip("0").startswith("."):
        raise ValueError(value)
    return ending


def _decimal(value: str, least: Decimal, most: Decimal) -> Decimal:
    try:
        number = Decimal(value.strip())
    except InvalidOperation:
        raise ValueError(value) from None
    if not number.is_finite() or not least <= number <= most:
        raise ValueError(value)
    return number
