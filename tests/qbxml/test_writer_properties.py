"""Every request of both grammars, written from random bodies, is read back as what it was."""

import random
import string
from collections.abc import Iterator, Mapping
from dataclasses import fields
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from qbxml import values
from qbxml.grammar import Choice, Element, Entry, Grammar, load_grammar
from qbxml.reader import read_requests
from qbxml.writer import Macro, message_set, render_request

GRAMMARS = {"qbposxml": load_grammar("qbposxml"), "qbxml": load_grammar("qbxml")}
REQUESTS = [(d, name) for d, g in GRAMMARS.items() for name in sorted(g.request_set.messages)]
CASES = [(d, name, edition) for d, name in REQUESTS for edition in ("", *GRAMMARS[d].editions)]
#: What Windows-1252 holds, with what XML treats in its own way several times over.
ALPHABET = string.ascii_letters + "&<>\"'&<>\"' \t\r\n]]>éßÆ€“—…\u00a0"
GUID = "{90A44FB5-33D9-4815-AC85-BC87A7E7D1EB}"


class Author:
    """Makes bodies for a grammar: with `fullness` 0 only what is required, with 1 everything."""

    def __init__(self, grammar: Grammar, edition: str, seed: int, fullness: float) -> None:
        self.grammar = grammar
        self.edition = edition
        self.random = random.Random(seed)
        self.fullness = fullness

    def body(self, content: tuple[Entry, ...]) -> dict[str, Any]:
        body: dict[str, Any] = {}
        for entry in content:
            if self.edition in entry.not_in or not (entry.required or self.random.random() < self.fullness):
                continue
            if isinstance(entry, Choice):
                usable = [b for b in entry.branches if any(self.edition not in e.not_in for e in b)]
                if not usable:
                    continue
                chosen = self.random.sample(usable, self.count(entry, len(usable)))
                if entry.repeats:
                    chosen = [tuple(Element(**fields_of(e) | {"repeats": True}) for e in b) for b in chosen]
                for branch in chosen:
                    # A branch in use holds something, or the choice would not be made.
                    body |= self.body(branch) or self.body(tuple(forced(e) for e in branch[:1]))
            elif entry.repeats:
                body[entry.name] = [self.value(entry) for _ in range(self.count(entry, 3))]
            else:
                body[entry.name] = self.value(entry)
        return body

    def count(self, entry: Entry, most: int) -> int:
        return self.random.randint(1, most) if entry.repeats and self.fullness else 1

    def value(self, element: Element) -> Any:
        pick = self.random
        limit = element.length(self.edition)
        if limit is None:
            limit = min(element.lengths.values(), default=60)
        match element.type:
            case None:
                body = self.body(element.content)
                if element.attrs and pick.random() < self.fullness:
                    body["@defMacro"] = f"ListID:C{pick.randint(1, 9)}"
                return body
            case "ENUMTYPE":
                assert element.enum
                return pick.choice(element.enum)
            case "STRTYPE":
                return "".join(pick.choices(ALPHABET, k=pick.choice([1, limit, pick.randint(1, limit)])))
            case "BOOLTYPE":
                return pick.random() < 0.5
            case "INTTYPE":
                return pick.randint(int(element.minimum or -999), int(element.maximum or 9999))
            case "AMTTYPE":
                return Decimal(pick.randint(-(10**9), 10**9)).scaleb(pick.choice([0, -1, -2]))
            case "PRICETYPE" | "QUANTYPE" | "PERCENTTYPE" | "FLOATTYPE":
                return Decimal(pick.randint(-(10**9), 10**9)).scaleb(-pick.randint(0, 5))
            case "DATETYPE":
                return date(1970, 1, 1) + timedelta(days=pick.randint(0, 20000))
            case "DATETIMETYPE":
                return datetime(1970, 1, 2, tzinfo=UTC) + timedelta(seconds=pick.randint(0, 2 * 10**9))
            case "GUIDTYPE":
                return pick.choice([GUID, "0"])
            case "IDTYPE":
                if element.macro and pick.random() < 0.3:
                    return Macro("ListID:C1")
                if self.grammar.dialect == "qbposxml":
                    return str(pick.randint(-(2**63), 2**63 - 1))
                return f"{pick.randint(0, 2**32):X}-{pick.randint(0, 10**9)}"
        raise AssertionError(element.type)


def forced(entry: Entry) -> Entry:
    """`entry`, required."""
    if isinstance(entry, Choice):
        return Choice(entry.branches, True, entry.repeats)
    return Element(**fields_of(entry) | {"required": True})


def fields_of(entry: Entry) -> dict[str, Any]:
    return {field.name: getattr(entry, field.name) for field in fields(entry)}


def names_of(content: tuple[Entry, ...]) -> Iterator[str]:
    for entry in content:
        if isinstance(entry, Choice):
            for branch in entry.branches:
                yield from names_of(branch)
        else:
            yield entry.name


def consume(content: tuple[Entry, ...], children: list[etree._Element], edition: str) -> list[etree._Element]:
    """What is left of `children` after `content` took its part, in order; a second reading of the grammar."""
    for entry in content:
        taken = 0
        while children and (entry.repeats or not taken):
            if isinstance(entry, Element):
                if children[0].tag != entry.name:
                    break
                check(entry, children[0], edition)
                children = children[1:]
            else:
                branch = next((b for b in entry.branches if children[0].tag in names_of(b)), None)
                if branch is None:
                    break
                children = consume(branch, children, edition)
            taken += 1
        demanded = entry.required and not (entry.not_in and edition in ("", *entry.not_in))
        assert taken or not demanded, entry
    return children


def check(element: Element, node: etree._Element, edition: str) -> None:
    if element.type is None:
        assert consume(element.content, list(node), edition) == []
        return
    assert not len(node)
    limit = element.length(edition)
    assert limit is None or len(node.text or "") <= limit


def assert_same(given: Any, nodes: list[etree._Element]) -> None:
    """The nodes of one name say what the body said."""
    wanted = given if isinstance(given, list) else [given]
    assert len(wanted) == len(nodes)
    for value, node in zip(wanted, nodes, strict=True):
        text = node.text or ""
        match value:
            case Mapping():
                for name, inner in value.items():
                    if name.startswith("@"):
                        assert node.get(name[1:]) == inner
                    else:
                        assert_same(inner, node.findall(name))
                assert len(node) == sum(
                    len(v) if isinstance(v, list) else 1 for k, v in value.items() if k[0] != "@"
                )
            case Macro():
                assert node.get("useMacro") == value.name
            case bool():
                assert values.boolean_value(text) is value
            case Decimal():
                assert values.decimal_value(text) == value
            case int():
                assert values.integer_value(text) == value
            case datetime():
                assert values.moment_value(text) == value
            case date():
                assert values.date_value(text) == value
            case _:
                assert text == value


def shuffled(value: Any, order: random.Random) -> Any:
    if isinstance(value, dict):
        return {key: shuffled(value[key], order) for key in order.sample(list(value), len(value))}
    return [shuffled(item, order) for item in value] if isinstance(value, list) else value


def prove(dialect: str, name: str, edition: str, seed: int, fullness: float) -> None:
    grammar = GRAMMARS[dialect]
    content = grammar.messages[name].content
    body = Author(grammar, edition, seed, fullness).body(content)
    text = render_request(grammar, name, body, {"requestID": f"r{seed}"}, edition)
    (request,) = read_requests(message_set(grammar, [text]))
    assert (request.name, request.request_id) == (name, f"r{seed}")
    assert consume(content, list(request.element), edition) == []
    assert_same(body, [request.element])
    assert text.isascii()
    again = shuffled(body, random.Random(seed))
    assert render_request(grammar, name, again, {"requestID": f"r{seed}"}, edition) == text


def known(case: tuple[str, str, str]) -> bool:
    dialect, name, edition = case
    return edition not in GRAMMARS[dialect].messages[name].not_in


@pytest.mark.parametrize(("dialect", "name", "edition"), [case for case in CASES if known(case)])
def test_every_request_is_written_with_the_least_and_with_everything(
    dialect: str, name: str, edition: str
) -> None:
    prove(dialect, name, edition, 1, 0.0)
    prove(dialect, name, edition, 2, 1.0)


@given(
    st.sampled_from([case for case in CASES if known(case)]),
    st.integers(0, 2**32),
    st.floats(0, 1, allow_nan=False),
)
def test_a_random_body_is_read_back_as_it_was(case: tuple[str, str, str], seed: int, fullness: float) -> None:
    prove(*case, seed, fullness)


@given(
    st.text(
        st.characters(codec="cp1252", exclude_categories=["Cc"]) | st.sampled_from("\t\r\n"), max_size=2000
    )
)
def test_any_text_of_windows_1252_survives(text: str) -> None:
    written = render_request(
        GRAMMARS["qbposxml"], "SalesReceiptAddRq", {"SalesReceiptAdd": {"Comments": text}}
    )
    assert (etree.fromstring(written)[0][0].text or "") == text


@given(st.text(st.characters(exclude_categories=["Cc", "Cs", "Cn"]), max_size=200))
def test_any_text_at_all_survives_where_it_is_allowed(text: str) -> None:
    body = {"CustomerAdd": {"Name": "n", "Notes": text}}
    written = render_request(GRAMMARS["qbxml"], "CustomerAddRq", body, windows_1252=False)
    assert (etree.fromstring(written)[0].findtext("Notes") or "") == text
