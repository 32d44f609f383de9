"""Requests and message sets as text, refused rather than sent wrong.

QuickBooks refuses a whole message set for one misplaced or misspelt element,
with a code that names no place (0x80040400). So every request is held against
the grammar here, and its elements are put into the binding order.

    render_request(
        load_grammar("qbposxml"),
        "SalesReceiptAddRq",
        {"SalesReceiptAdd": {"TrackingNumber": "WEB-1207", "SalesReceiptItemAdd": [...]}},
        {"requestID": "1207-add"},
    )

Text is built directly, for speed; `markup.escaped` is the one place where it is
escaped, and a test proves that a parser reads back what was written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType

from .compiler import PlanCompiler
from .errors import BodyError, UnknownEdition
from .grammar import Grammar
from .plans import Attributes, Macro, MessagePlan
from .values import TO_TEXT, WallClock

__all__ = ["Macro", "WallClock", "message_set", "render_request"]

_NOTHING: Mapping[str, str] = MappingProxyType({})
_PlanKey = tuple[int, str, str, str, bool]
#: The grammar is kept beside its plan, so that its id() is not given to another one.
_plans: dict[_PlanKey, tuple[Grammar, MessagePlan]] = {}


def render_request(
    grammar: Grammar,
    name: str,
    body: Mapping[str, object],
    attrs: Mapping[str, str] = _NOTHING,
    edition: str = "",
    *,
    version: str = "",
    windows_1252: bool = True,
) -> str:
    """One request element, not yet in a message set.

    `body` maps the names of the request's children to a value, a mapping (an
    aggregate) or a list of either (a repeated element). The order of its keys
    does not matter. None, an empty list, and an aggregate of nothing but None
    are left out; an empty text writes an empty element, which clears the field
    in a Mod. A key such as "@defMacro" is an attribute of an aggregate, and
    `Macro("ListID:C1")` a reference to it. Where the grammar lets two kinds of
    line alternate, all of the first kind come first.

    Python types are those of `values`. Text must be Windows-1252 (see
    `transliterate.fit`), in both dialects, unless `windows_1252` is False.

    `edition` "" writes what every edition takes; `version` "" is the grammar's.

    Raises UnknownMessage, UnknownEdition, and a BodyError that names the path.
    """
    key = (id(grammar), name, edition, version, windows_1252)
    found = _plans.get(key)
    if found is None:
        _check_edition(grammar, edition, version)
        plan = PlanCompiler(grammar, edition, version, windows_1252).message(name)
        found = _plans[key] = (grammar, plan)
    return found[1].write(body, attrs)


def message_set(
    grammar: Grammar,
    requests: Iterable[str],
    on_error: str = "continueOnError",
    attrs: Mapping[str, str] = _NOTHING,
    *,
    version: str = "",
) -> str:
    """A whole document of `requests`, each from `render_request`.

    Point of Sale knows no other attribute than `onError`; Desktop also knows
    `newMessageSetID` and `oldMessageSetID` (24 characters at most) and
    `responseData`. Raises a BodyError where an attribute is wrong.
    """
    _check_edition(grammar, "", version)
    kind = grammar.request_set
    given = {f"@{name}": value for name, value in {**attrs, "onError": on_error}.items()}
    try:
        written = Attributes(kind.attrs, TO_TEXT[grammar.dialect], True).write(given)
    except BodyError as error:
        error.beneath(kind.name)
        raise
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n'
        f'<?{grammar.dialect} version="{version or grammar.version}"?>\n'
        f"<{grammar.root}><{kind.name}{written}>{''.join(requests)}</{kind.name}></{grammar.root}>"
    )


def _check_edition(grammar: Grammar, edition: str, version: str) -> None:
    if edition and edition not in grammar.editions:
        raise UnknownEdition(edition, grammar.dialect, grammar.editions)
    if version and not all(part.isdecimal() for part in version.split(".")):
        raise UnknownEdition(version, grammar.dialect, [grammar.version])
