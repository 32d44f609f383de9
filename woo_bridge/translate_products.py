"""WooCommerce's product and variation JSON to the queue's `ShopItem`, validated once and for all."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from queue_store.product_payloads import ShopAttribute, ShopCategory, ShopItem
from queue_store.setting_forms import names_a_cost
from woo_bridge import raw
from woo_bridge.errors import Untranslatable
from woo_bridge.raw_products import RawProduct, Text
from woo_bridge.translating import Translation

#: Meta data of the products that we make: the ListID of their item.
MADE_FOR = "_qbwoo_list_id"
_MOST_COSTS = 10
_MOST_COST = Decimal(10) ** 9
_decoder = msgspec.json.Decoder(RawProduct)
#: What a writing of ours may move.
_WRITTEN = (
    "status", "manage_stock", "quantity", "stock_status", "backorders", "regular_price", "sale_price", "is_dated_sale",
    "modified_at",
)  # fmt: skip


def translate_product(
    body: bytes | msgspec.Raw, *, known: ShopItem | None = None, parent_id: int = 0
) -> ShopItem:
    """One product or variation from the bytes of a webhook, a REST answer or a batch. Raises Untranslatable.

    What the body does not name stays as `known` has it, so that a list may be
    asked for some fields. `parent_id` is for shops that do not tell it of a variation.
    """
    try:
        found = _decoder.decode(body)
    except msgspec.ValidationError as error:
        problem, _, path = str(error).partition(" - at ")
        raise Untranslatable(_name_of(bytes(body)), path.strip("`").removeprefix("$."), problem) from error
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as error:
        raise Untranslatable(_name_of(bytes(body)), "", f"it is not JSON ({error})") from error
    return _Translation(found).item(known, parent_id)


def translate_answer(body: bytes, known: ShopItem) -> ShopItem:
    """`known` as it stands after a writing, which answers texts in another form than they are read.

    Raises Untranslatable.
    """
    answered = translate_product(body, known=known)
    return msgspec.structs.replace(known, **{name: getattr(answered, name) for name in _WRITTEN})


def _name_of(body: bytes) -> str:
    known = raw.identify(body)
    return "A product" if known is None or known.id is None else f"Product {known.id}"


class _Translation(Translation):
    """One product on its way."""

    def __init__(self, found: RawProduct) -> None:
        self.raw = found
        super().__init__(f"Product {found.id}")

    def item(self, known: ShopItem | None, parent_id: int) -> ShopItem:
        found = self.raw
        told: dict[str, Any] = {}
        self._tell(told, "type", found.type, raw.line)
        self._tell(told, "status", found.status, raw.line)
        self._tell(told, "name", found.name, _title)
        for name in ("sku", "stock_status", "backorders", "tax_class", "weight", "global_unique_id"):
            self._tell(told, name, getattr(found, name), _line)
        for name in ("description", "short_description"):
            self._tell(told, name, getattr(found, name), _text)
        self._tell(told, "manage_stock", found.manage_stock, _managed)
        self._tell(told, "virtual", found.virtual, bool)
        self._tell(told, "parent_id", found.parent_id, lambda number: number or 0)
        self._tell(told, "categories", found.categories, _categories)
        self._tell(told, "attributes", found.attributes, _attributes)
        self._tell(told, "variation_ids", found.variations, _ids)
        self._tell(told, "made_for", found.meta_data, _made_for)
        self._tell(told, "costs", found.meta_data, _costs)
        if not isinstance(found.date_modified_gmt, UnsetType):
            told["modified_at"] = self.value(raw.moment, found.date_modified_gmt, "date_modified_gmt")
        for name, field in (
            ("quantity", "stock_quantity"),
            ("regular_price", "regular_price"),
            ("sale_price", "sale_price"),
        ):
            value = getattr(found, field)
            if value is not UNSET:
                told[name] = self._amount_or_none(value, field)
        if not isinstance(found.date_on_sale_from_gmt, UnsetType) or not isinstance(
            found.date_on_sale_to_gmt, UnsetType
        ):
            told["is_dated_sale"] = any(
                value is not UNSET and bool(value)
                for value in (found.date_on_sale_from_gmt, found.date_on_sale_to_gmt)
            )
        if parent_id and not told.get("parent_id"):
            told["parent_id"] = parent_id
        if known is not None:
            return msgspec.structs.replace(known, **told)
        told.setdefault("type", "variation" if told.get("parent_id") else "simple")
        told.setdefault("status", "publish")
        return ShopItem(product_id=found.id, **told)

    def _tell(self, told: dict[str, Any], name: str, value: Any, read: Any) -> None:
        if value is not UNSET:
            told[name] = self.value(read, value, name)

    def _amount_or_none(self, value: raw.RawAmount | None, field: str) -> Decimal | None:
        if value is None or (isinstance(value, str) and not value.strip()):
            return None
        return self.amount(value, field)


def _line(value: Text | float) -> str:
    return raw.line(repr(value) if isinstance(value, float) else value)


def _title(value: Text) -> str:
    return raw.title(None if value is None else str(value))


def _text(value: Text) -> str:
    return "" if value is None else str(value)


def _managed(value: bool | str | None) -> str:
    """ "yes", "no" or "parent"."""
    if isinstance(value, str):
        word = value.strip().lower()
        return word if word == "parent" else "yes" if word in ("yes", "true", "1") else "no"
    return "yes" if value else "no"


def _categories(value: Any) -> tuple[ShopCategory, ...]:
    return tuple([ShopCategory(category_id=one.id, name=_title(one.name)) for one in raw.each(value)])


def _attributes(value: Any) -> tuple[ShopAttribute, ...]:
    found = []
    for one in raw.each(value):
        options = tuple([_line(option) for option in raw.each(one.options)])
        if one.option not in (None, ""):
            options = (_line(one.option),)
        found.append(
            ShopAttribute(
                attribute_id=one.id or 0,
                name=_title(one.name),
                options=options,
                is_for_variations=one.variation,
            )
        )
    return tuple(found)


def _made_for(value: Any) -> str:
    for one in raw.each(value):
        if one.key == MADE_FOR and isinstance(one.value, str):
            return one.value[:36]
    return ""


def _costs(value: Any) -> dict[str, Decimal]:
    """Plugins keep what a product costs under keys of their own; which of them counts is a setting."""
    found: dict[str, Decimal] = {}
    for one in raw.each(value):
        if not isinstance(one.key, str) or not names_a_cost(one.key) or len(found) == _MOST_COSTS:
            continue
        try:
            number = Decimal(str(one.value).strip())
        except InvalidOperation:
            continue
        if number.is_finite() and 0 <= number < _MOST_COST:
            found[one.key] = number
    return found


def _ids(value: Any) -> tuple[int, ...]:
    return tuple([one for one in raw.each(value) if isinstance(one, int) and not isinstance(one, bool)])
