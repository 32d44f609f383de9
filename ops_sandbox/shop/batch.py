"""Batch calls: up to 100 items in all, each settled by itself, none of them validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.wire import Doc, as_int

LIMIT = 100

#: Creates from a request item and gives the body of the answer.
Create = Callable[[Doc], Doc]
#: Changes by id and item; the id is 0 when the item has none.
Update = Callable[[int, Doc], Doc]
#: Deletes for good by id.
Erase = Callable[[int], Doc]


def run_batch(body: Doc, create: Create, update: Update, erase: Erase) -> Doc:
    """The answer of a batch: per list, in the order of the request, bodies or {"id", "error"}.

    Raises `RestError` 413 above the limit. Not a transaction: what came before
    a failure stays done.
    """
    if sum(len(_items(body, name)) for name in ("create", "update", "delete")) > LIMIT:
        raise RestError(
            "woocommerce_rest_request_entity_too_large",
            f"Unable to accept more than {LIMIT} items for this request.",
            413,
        )
    answer: Doc = {}
    for name in ("create", "update", "delete"):
        if name in body:
            answer[name] = [_settle(name, item, create, update, erase) for item in _items(body, name)]
    return answer


def _settle(name: str, item: Any, create: Create, update: Update, erase: Erase) -> Doc:
    wanted: Doc = item if isinstance(item, dict) else {"id": item}
    shown_id: object = 0 if name == "create" else wanted.get("id")
    try:
        if name == "create":
            return create(wanted)
        if name == "update":
            return update(as_int(wanted.get("id")), wanted)
        return erase(as_int(wanted.get("id")))
    except RestError as error:
        return {"id": shown_id, "error": error.body()}


def _items(body: Doc, name: str) -> list[Any]:
    value = body.get(name)
    return value if isinstance(value, list) else []
