"""Validation of single calls, in WordPress' words. Items of a batch are not validated at all."""

from __future__ import annotations

import math
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from ops_sandbox.shop import orders, product_fields, webhooks
from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.wire import Doc, as_bool, as_int, decimal_or


@dataclass(frozen=True)
class Rule:
    """What one parameter has to be: `kind` is a JSON Schema type, `choices` an enum."""

    kind: str
    choices: tuple[str, ...] = ()
    minimum: int | None = None
    maximum: int | None = None


Rules = dict[str, Rule]

_NOT_WHOLE = Decimal("0.5")

_TEXT, _FLAG, _WHOLE = Rule("string"), Rule("boolean"), Rule("integer")
_LIST, _OBJECT = Rule("array"), Rule("object")

PRODUCT: Rules = {
    **dict.fromkeys(
        ("name", "sku", "slug", "description", "short_description", "regular_price", "sale_price", "weight"),
        _TEXT,
    ),
    **dict.fromkeys(("manage_stock", "virtual", "downloadable", "featured", "sold_individually"), _FLAG),
    **dict.fromkeys(("stock_quantity", "menu_order", "low_stock_amount"), _WHOLE),
    **dict.fromkeys(("meta_data", "categories", "attributes", "images"), _LIST),
    "dimensions": _OBJECT,
    "status": Rule("string", product_fields.STATUSES),
    "type": Rule("string", product_fields.TYPES),
    "backorders": Rule("string", ("no", "notify", "yes")),
    "stock_status": Rule("string", ("instock", "outofstock", "onbackorder")),
    "tax_status": Rule("string", ("taxable", "shipping", "none")),
}
VARIATION: Rules = {k: v for k, v in PRODUCT.items() if k not in {"type", "name", "manage_stock"}}
ORDER: Rules = {
    **dict.fromkeys(
        ("currency", "customer_note", "payment_method", "payment_method_title", "transaction_id"), _TEXT
    ),
    **dict.fromkeys(("line_items", "shipping_lines", "fee_lines", "coupon_lines", "meta_data"), _LIST),
    "billing": _OBJECT,
    "shipping": _OBJECT,
    "customer_id": _WHOLE,
    "set_paid": _FLAG,
    "status": Rule("string", orders.STATUSES),
}
CUSTOMER: Rules = {
    **dict.fromkeys(("email", "first_name", "last_name", "username", "password"), _TEXT),
    "billing": _OBJECT,
    "shipping": _OBJECT,
    "meta_data": _LIST,
}
REFUND: Rules = {
    "amount": _TEXT,
    "reason": _TEXT,
    "api_refund": _FLAG,
    "api_restock": _FLAG,
    "line_items": _LIST,
}
WEBHOOK: Rules = {
    **dict.fromkeys(("name", "topic", "delivery_url", "secret"), _TEXT),
    "status": Rule("string", webhooks.STATUSES),
}
TERM: Rules = {
    **dict.fromkeys(("name", "slug", "description"), _TEXT),
    **dict.fromkeys(("parent", "menu_order"), _WHOLE),
    "display": Rule("string", ("default", "products", "subcategories", "both")),
}
ATTRIBUTE: Rules = {
    **dict.fromkeys(("name", "slug", "type"), _TEXT),
    "order_by": Rule("string", ("menu_order", "name", "name_num", "id")),
    "has_archives": _FLAG,
}
NOTE: Rules = {"note": _TEXT, "customer_note": _FLAG}
COLLECTION: Rules = {
    "page": Rule("integer", minimum=1),
    "per_page": Rule("integer", minimum=1, maximum=100),
    "offset": _WHOLE,
    "order": Rule("string", ("asc", "desc")),
}
ORDERBY = {
    "orders": ("date", "modified", "id", "include", "title", "slug"),
    "products": (
        "date",
        "modified",
        "id",
        "include",
        "title",
        "slug",
        "price",
        "popularity",
        "rating",
        "menu_order",
    ),
    "customers": ("id", "include", "name", "registered_date"),
    "webhooks": ("date", "id", "title"),
    "refunds": ("date", "modified", "id", "include", "title", "slug"),
    "taxes": ("id", "order", "priority"),
    "terms": ("id", "include", "name", "slug", "term_group", "description", "count"),
}


def checked(body: Doc, rules: Rules) -> Doc:
    """`body` with numbers and flags in their own types. Raises `RestError` 400 naming every bad parameter.

    None passes every rule; parameters without a rule pass as they are.
    """
    problems: dict[str, Doc] = {}
    clean = dict(body)
    for name, rule in rules.items():
        value = body.get(name)
        if value is None:
            continue
        problem = _problem(name, value, rule)
        if problem is not None:
            problems[name] = problem
        elif rule.kind == "integer":
            clean[name] = as_int(value)
        elif rule.kind == "boolean":
            clean[name] = as_bool(value)
    if problems:
        raise RestError(
            "rest_invalid_param",
            f"Invalid parameter(s): {', '.join(problems)}",
            400,
            extra={"params": {k: v["message"] for k, v in problems.items()}, "details": problems},
        )
    return clean


def checked_statuses(text: str) -> list[str]:
    """A comma list of order statuses as a list filter takes it. Raises `RestError` 400."""
    choices = ("any", "trash", *orders.STATUSES)
    wanted = [part.strip() for part in text.split(",") if part.strip()]
    for place, status in enumerate(wanted):
        if status not in choices:
            message = f"status[{place}] is not one of {_enumerated(choices)}."
            detail = {"code": "rest_not_in_enum", "message": message, "data": None}
            raise RestError(
                "rest_invalid_param",
                "Invalid parameter(s): status",
                400,
                extra={"params": {"status": message}, "details": {"status": detail}},
            )
    return wanted


def _problem(name: str, value: object, rule: Rule) -> Doc | None:
    if not _is_kind(value, rule.kind):
        return _detail("rest_invalid_type", f"{name} is not of type {rule.kind}.", {"param": name})
    if rule.choices and value not in rule.choices:
        return _detail("rest_not_in_enum", f"{name} is not one of {_enumerated(rule.choices)}.", None)
    if rule.kind == "integer":
        number = as_int(value)
        if rule.maximum is not None and rule.minimum is not None:
            if not rule.minimum <= number <= rule.maximum:
                text = f"{name} must be between {rule.minimum} (inclusive) and {rule.maximum} (inclusive)"
                return _detail("rest_out_of_bounds", text, None)
        elif rule.minimum is not None and number < rule.minimum:
            text = f"{name} must be greater than or equal to {rule.minimum}"
            return _detail("rest_out_of_bounds", text, None)
    return None


def _detail(code: str, message: str, data: object) -> Doc:
    return {"code": code, "message": message, "data": data}


def _is_kind(value: Any, kind: str) -> bool:
    if kind == "string":
        return isinstance(value, str)
    if kind == "array":
        return isinstance(value, list)
    if kind == "object":
        return isinstance(value, dict) or value == []
    if kind == "boolean":
        return isinstance(value, bool) or (
            isinstance(value, str | int) and str(value).lower() in {"true", "false", "0", "1"}
        )
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    if isinstance(value, float) and not math.isfinite(value):
        return False
    number = decimal_or(value, _NOT_WHOLE)
    return number == number.to_integral_value()


def _enumerated(choices: tuple[str, ...]) -> str:
    return f"{', '.join(choices[:-1])}, and {choices[-1]}"
