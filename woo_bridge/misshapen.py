"""What to say of a record that has another shape than a shop's: the field, and what is wrong with it, in plain words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import msgspec

from woo_bridge.errors import Untranslatable

#: msgspec's words for what JSON holds.
_WORDS = {
    "array": "a list",
    "bool": "true or false",
    "decimal": "a number",
    "float": "a number",
    "int": "a number",
    "null": "empty (null)",
    "object": "an object",
    "str": "text",
}
_EXPECTED = re.compile(r"Expected `([^`]+)`, got `([^`]+)`")
_MISSING = re.compile(r"Object missing required field `([^`]+)`")
_IN_A_LIST = re.compile(r"(\w+)\[(\d+)\]")


def misshapen(record: str, error: msgspec.ValidationError, body: bytes) -> Untranslatable:
    """The error to raise for `record`, of which `body` does not decode.

    Lines are named by their ids, as everywhere: "line_items[41].total".
    """
    problem, _, place = str(error).partition(" - at ")
    path = _by_ids(place.strip("`").removeprefix("$").removeprefix("."), body)
    if missing := _MISSING.fullmatch(problem):
        path = f"{path}.{missing[1]}".removeprefix(".")
        problem = "it is missing"
    elif expected := _EXPECTED.fullmatch(problem):
        problem = f"it is {_said([expected[2]])}, not {_said(expected[1].split(' | '))}"
    elif problem == "Invalid decimal string":
        problem = "it is not a number"
    return Untranslatable(record, path, problem)


def _said(kinds: Iterable[str]) -> str:
    return " or ".join(dict.fromkeys(_WORDS.get(kind, kind) for kind in kinds))


def _by_ids(path: str, body: bytes) -> str:
    """`path` with the id of a line where msgspec counts from 0; as it is where the line has none."""
    found = _IN_A_LIST.match(path)
    if found is None:
        return path
    try:
        line: Any = json.loads(body)[found[1]][int(found[2])]
    except (ValueError, LookupError, TypeError, RecursionError):
        return path
    line_id = line.get("id") if isinstance(line, dict) else None
    if not isinstance(line_id, int):
        return path
    return f"{found[1]}[{line_id}]{path[found.end() :]}"
