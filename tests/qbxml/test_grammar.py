"""The grammar files as objects: the facts that the writer builds on."""

from collections.abc import Iterator

import pytest

from qbxml.grammar import Choice, Element, Entry, Grammar, load_grammar
from qbxml.values import TO_TEXT


@pytest.fixture(params=["qbposxml", "qbxml"])
def grammar(request: pytest.FixtureRequest) -> Grammar:
    return load_grammar(request.param)


def flat(content: tuple[Entry, ...]) -> Iterator[Element]:
    for entry in content:
        if isinstance(entry, Choice):
            for branch in entry.branches:
                yield from flat(branch)
        else:
            yield entry


def contents(content: tuple[Entry, ...]) -> Iterator[list[Element]]:
    """The elements of this aggregate, then those of each aggregate below."""
    elements = list(flat(content))
    yield elements
    for element in elements:
        if element.content:
            yield from contents(element.content)


def test_a_grammar_is_read_once() -> None:
    assert load_grammar("qbxml") is load_grammar("qbxml")


def test_both_dialects_know_their_version_root_and_sets() -> None:
    pos, desktop = load_grammar("qbposxml"), load_grammar("qbxml")
    assert (pos.version, pos.root, pos.request_set.name) == ("3.0", "QBPOSXML", "QBPOSXMLMsgsRq")
    assert (desktop.version, desktop.root, desktop.request_set.name) == ("13.0", "QBXML", "QBXMLMsgsRq")
    assert pos.editions == ()
    assert desktop.editions == ("QBD", "QBCA", "QBUK", "QBAU")
    assert list(pos.request_set.attrs) == ["onError"]


def test_every_message_of_a_set_is_described(grammar: Grammar) -> None:
    for kind in grammar.sets.values():
        assert kind.messages <= set(grammar.messages)
    assert {name for kind in grammar.sets.values() for name in kind.messages} == set(grammar.messages)


def test_every_request_has_its_response(grammar: Grammar) -> None:
    for name in grammar.request_set.messages:
        assert f"{name.removesuffix('Rq')}Rs" in grammar.messages


def test_a_name_occurs_once_in_each_aggregate_of_a_request(grammar: Grammar) -> None:
    for name in grammar.request_set.messages:
        for elements in contents(grammar.messages[name].content):
            names = [element.name for element in elements]
            assert len(names) == len(set(names)), name


def test_an_element_is_either_a_value_of_a_known_type_or_an_aggregate(grammar: Grammar) -> None:
    for message in grammar.messages.values():
        for elements in contents(message.content):
            for element in elements:
                if element.type is None:
                    assert not element.enum
                else:
                    assert element.type in TO_TEXT[grammar.dialect]
                    assert not element.content
                assert bool(element.enum) == (element.type == "ENUMTYPE"), element.name


def test_every_attribute_has_a_known_type(grammar: Grammar) -> None:
    for message in grammar.messages.values():
        assert {spec.type for spec in message.attrs.values()} <= set(TO_TEXT[grammar.dialect])


def test_lengths_differ_by_edition_where_the_grammar_says_so() -> None:
    customer = load_grammar("qbxml").messages["CustomerAddRq"].content[0]
    assert isinstance(customer, Element)
    name = next(e for e in flat(customer.content) if e.name == "Name")
    assert name.length("QBD") == name.length() == 41


def test_a_recorded_limit_is_there() -> None:
    receipt = load_grammar("qbposxml").messages["SalesReceiptAddRq"].content[0]
    assert isinstance(receipt, Element)
    limits = {e.name: e.length() for e in flat(receipt.content) if e.type == "STRTYPE"}
    assert (limits["TrackingNumber"], limits["PromoCode"], limits["Comments"]) == (50, 10, 2000)
