"""What is sent to the shop for a product that is made: checked here, since a batch checks nothing.

QuickBooks keeps plain text, the shop HTML: what would be read as a tag is
escaped, but for a WebDesc that is HTML already, which was typed for a web page.
"""

from __future__ import annotations

import html
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from queue_store.catalogue import fold
from queue_store.draft_rules import Draft, DraftRules
from queue_store.product_payloads import ShopAttribute
from woo_bridge.product_calls import price_text
from woo_bridge.translate_products import MADE_FOR

_IS_HTML = re.compile(r"</?[a-z][a-z0-9]*(\s[^<>]*)?/?>", re.IGNORECASE)
_MOST_PIECES = 10**9

#: Ids of the shop's global attributes by folded name.
Attributes = Mapping[str, int]


def simple_body(
    draft: Draft, rules: DraftRules, categories: Collection[int], attributes: Attributes
) -> dict[str, Any]:
    """A simple product, as a draft. Raises ValueError for a price or quantity that must not go out."""
    return _product(draft, rules, categories, attributes) | {
        "type": "simple",
        "sku": draft.sku,
        **_mark(draft),
        **_weight(draft),
        **_prices(draft, rules),
        **_stock(draft),
    }


def parent_body(
    sku: str,
    members: Sequence[Draft],
    rules: DraftRules,
    categories: Collection[int],
    attributes: Attributes,
) -> dict[str, Any]:
    """The variable product of a style, as a draft: its texts are the first member's."""
    body = _product(members[0], rules, categories, attributes)
    chosen = [
        _attribute(name, values, attributes, for_variations=True)
        for name, values in choices_of(members, rules).items()
    ]
    return body | {"type": "variable", "sku": sku, "attributes": chosen + body["attributes"]}


def variation_body(
    draft: Draft, rules: DraftRules, status: str, attributes: Collection[ShopAttribute]
) -> dict[str, Any]:
    """A variation; `attributes` are those of its parent. Raises ValueError as `simple_body`."""
    by_name = {fold(one.name): one for one in attributes}
    chosen = []
    for name, value in choice_of(draft, rules).items():
        known = by_name[fold(name)]
        option = next((one for one in known.options if fold(one) == fold(value)), value)
        place = {"id": known.attribute_id} if known.attribute_id else {"name": html.escape(known.name, False)}
        chosen.append({**place, "option": option})
    return {
        "sku": draft.sku,
        "status": status,
        "attributes": chosen,
        **_mark(draft),
        **_weight(draft),
        **_prices(draft, rules),
        **_stock(draft),
    }


def choice_of(draft: Draft, rules: DraftRules) -> dict[str, str]:
    """The values of a variation by the attribute's name."""
    values = {rules.size_name: draft.size, rules.attribute_name: draft.attribute}
    return {name: value for name, value in values.items() if value}


def choices_of(members: Sequence[Draft], rules: DraftRules) -> dict[str, list[str]]:
    """All values of a style's attributes, in the order of its items; each once, however it is typed."""
    found: dict[str, dict[str, str]] = {}
    for draft in members:
        for name, value in choice_of(draft, rules).items():
            found.setdefault(name, {}).setdefault(fold(value), value)
    return {
        name: list(found[name].values()) for name in (rules.size_name, rules.attribute_name) if name in found
    }


def more_attributes(
    parent: Sequence[Mapping[str, Any]], members: Sequence[Draft], rules: DraftRules
) -> list[dict[str, Any]] | None:
    """The parent's attributes, as the shop tells them, with the values that they lack; None: they lack none.

    Raises ValueError naming an attribute that the parent has not got for its variations.
    """
    wanted = choices_of(members, rules)
    found = [dict(one) for one in parent]
    changed = False
    for name, values in wanted.items():
        same = [one for one in found if fold(html.unescape(str(one.get("name")))) == fold(name)]
        if not same or not same[0].get("variation"):
            raise ValueError(name)
        options = [str(option) for option in same[0].get("options") or []]
        known = {fold(html.unescape(option)) for option in options}
        lacking = [value for value in values if fold(value) not in known]
        if lacking:
            same[0]["options"] = options + lacking
            changed = True
    return found if changed else None


def plain_html(text: str) -> str:
    """QuickBooks' plain text for a page of the shop; HTML that was typed for a page stays."""
    return text if _IS_HTML.search(text) else html.escape(text, quote=False)


def _product(
    draft: Draft, rules: DraftRules, categories: Collection[int], attributes: Attributes
) -> dict[str, Any]:
    body: dict[str, Any] = {
        "name": html.escape(draft.name, quote=False),
        "status": "draft",
        "attributes": [],
    }
    if draft.description:
        body["description"] = plain_html(draft.description)
    if draft.short_description:
        body["short_description"] = plain_html(draft.short_description)
    if categories:
        body["categories"] = [{"id": number} for number in categories]
    if draft.manufacturer:
        body["attributes"] = [
            _attribute(rules.manufacturer_name, [draft.manufacturer], attributes, for_variations=False)
        ]
    return body


def _attribute(
    name: str, values: Sequence[str], attributes: Attributes, *, for_variations: bool
) -> dict[str, Any]:
    """The shop's global attribute of that name, else one of the product's own."""
    number = attributes.get(fold(name))
    place: dict[str, Any] = {"id": number} if number else {"name": html.escape(name, quote=False)}
    return {**place, "options": list(values), "visible": True, "variation": for_variations}


def _mark(draft: Draft) -> dict[str, Any]:
    """By which ours are told from a person's."""
    return {"meta_data": [{"key": MADE_FOR, "value": draft.list_id}]} if draft.is_ruled else {}


def _weight(draft: Draft) -> dict[str, str]:
    return (
        {"weight": f"{draft.weight.normalize():f}"} if draft.weight is not None and draft.weight > 0 else {}
    )


def _prices(draft: Draft, rules: DraftRules) -> dict[str, str]:
    """Nothing where QuickBooks has no price: a product without one cannot be bought."""
    found: dict[str, str] = {}
    if draft.regular_price is not None:
        found["regular_price"] = price_text(draft.regular_price, rules.price.decimals)
        if draft.sale_price is not None and draft.sale_price < draft.regular_price:
            found["sale_price"] = price_text(draft.sale_price, rules.price.decimals)
    return found


def _stock(draft: Draft) -> dict[str, Any]:
    if draft.manage_stock is None:
        return {}
    if not draft.manage_stock or draft.quantity is None:
        return {"manage_stock": draft.manage_stock}
    if type(draft.quantity) is not int or abs(draft.quantity) > _MOST_PIECES:
        raise ValueError(f"{draft.quantity!r} is not a number of pieces")
    return {"manage_stock": True, "stock_quantity": draft.quantity}
