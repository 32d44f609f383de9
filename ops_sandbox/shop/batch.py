"""Batch calls: up to 100 items in all, each settled by itself, none of them validated."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ops_sandbox.shop.calls import RestCall
from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.wire import Doc, as_int

LIMIT = 100

#: Creates from a request item and gives the body of the answer.
Create = Callable[[Doc], Doc]
#: Changes by id and item; the id is 0 when the item has none.
Update = Callable[[int, Doc], Doc]
#: Deletes for good by id.
Erase = Callable[[int], Doc]


def run_batch(call: RestCall, create: Create, update: Update, erase: Erase) -> Doc:
    """The answer of a batch: per list, in the order of the request, bodies or {"id", "error"}.

    Raises `RestError` 413 above the limit, and what was ordered to break it off.
    Not a transaction: what came before a failure stays done.
    """
    body = call.body
    if sum(len(_items(body, name)) for name in ("create", "update", "delete")) > LIMIT:
        raise RestError(
            "woocommerce_rest_request_entity_too_large",
            f"Unable to accept more than {LIMIT} items for this request.",
            413,
        )
    answer: Doc = {}
    place = 0
    for name in ("create", "update", "delete"):
        if name not in body:
            continue
        answer[name] = []
        for item in _items(body, name):
            if call.before_item is not None:
                call.before_item(place)
            place += 1
            answer[name].append(_settle(name, item, create, update, erase))
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
