"""Errors carry their facts and a sentence."""

import pytest

from qbxml import errors
from qbxml.errors import BodyError, MalformedResponse, QbxmlError, bare_tags, shown

PATH = "SalesReceiptAddRq/SalesReceiptAdd/SalesReceiptItemAdd[2]/Price"
EVERY_BODY_ERROR: list[BodyError] = [
    errors.UnknownElement(PATH, "Prise"),
    errors.MissingElement(PATH),
    errors.RepeatedElement(PATH, 2),
    errors.ChoiceConflict(PATH, ["A", "B"]),
    errors.WrongType(PATH, 1.5, "AMTTYPE"),
    errors.ValueTooLong(PATH, "xyz", 2),
    errors.TooPrecise(PATH, 1.555, 2),
    errors.OutOfRange(PATH, 0, 1, None),
    errors.NotInEnum(PATH, "sale", ["Sales", "Return"]),
    errors.BadCharacter(PATH, "a\x00", "\x00", 1),
]


@pytest.mark.parametrize("error", EVERY_BODY_ERROR, ids=lambda error: type(error).__name__)
def test_an_error_says_where_and_what(error: BodyError) -> None:
    assert error.path == PATH
    text = str(error)
    assert text.startswith(f"{PATH}: ")
    assert text.endswith(".")


def test_every_error_is_tried_here_and_stands_in_the_tree() -> None:
    kinds = {
        kind
        for kind in vars(errors).values()
        if isinstance(kind, type) and issubclass(kind, BodyError) and not kind.__subclasses__()
    }
    assert {type(error) for error in EVERY_BODY_ERROR} == kinds
    for kind in vars(errors).values():
        if isinstance(kind, type) and issubclass(kind, QbxmlError):
            assert kind.__name__ in (errors.__doc__ or "")


def test_a_path_grows_from_within() -> None:
    error = errors.MissingElement("Price")
    for step in ("[2]", "SalesReceiptItemAdd", "SalesReceiptAdd", "SalesReceiptAddRq"):
        error.beneath(step)
    assert error.path == PATH
    bare = errors.ChoiceConflict("", ["A", "B"])
    bare.beneath("[1]")
    bare.beneath("Line")
    assert bare.path == "Line[1]"


def test_facts_are_shown_in_the_sentence() -> None:
    assert "at least 1 and at most 12" in str(errors.OutOfRange("M", 13, 1, 12))
    assert "at most 12" in str(errors.OutOfRange("M", 13, None, 12))
    assert "Sales, Return" in str(EVERY_BODY_ERROR[8])
    assert "12 " not in shown("x" * 100)
    assert len(shown("x" * 100)) < 50
    assert "qbxml has no message 'X'" in str(errors.UnknownMessage("X", "qbxml"))
    assert "it knows: none" in str(errors.UnknownEdition("X", "qbposxml", []))


def test_an_excerpt_holds_no_values() -> None:
    assert (
        bare_tags('tail of a name</Name><Card no="4111">4111</Card><Next')
        == '</Name><Card no="."></Card><Next'
    )
    assert bare_tags('<R a="cut off in the mid') == '<R a="."'
    assert bare_tags("no markup") == ""
    assert str(MalformedResponse("odd", line=2, column=3, excerpt="<A>")).endswith(
        "odd at line 2, column 3 near <A>."
    )
