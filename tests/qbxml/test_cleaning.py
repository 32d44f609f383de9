"""Forbidden characters are taken out before any parser looks."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree

from qbxml.cleaning import clean_references, document_bytes
from qbxml.errors import MalformedResponse


@pytest.mark.parametrize(
    "reference",
    [
        "&#0;", "&#x0;", "&#1;", "&#x1;", "&#x1F;", "&#x1f;", "&#31;", "&#8;", "&#11;", "&#12;", "&#x000B;",
        "&#0000000000000000000001;", "&#xD800;", "&#xdfff;", "&#55296;", "&#xFFFE;", "&#65535;", "&#x110000;",
        "&#1114112;", "&#X1;", f"&#{'9' * 5000};", f"&#x{'F' * 5000};",
    ],
)  # fmt: skip
def test_a_forbidden_reference_is_taken_out(reference: str) -> None:
    assert clean_references(f"<a>x{reference}y</a>".encode()) == b"<a>xy</a>"


@pytest.mark.parametrize(
    "reference",
    ["&#9;", "&#xA;", "&#13;", "&#32;", "&#233;", "&#x20AC;", "&#xFFFD;", "&#x10FFFF;", "&#x00041;"],
)
def test_an_allowed_reference_stays(reference: str) -> None:
    data = f"<a>x{reference}y</a>".encode()
    assert clean_references(data) == data
    assert etree.fromstring(clean_references(data)).text


def test_a_reference_with_a_capital_x_is_made_readable() -> None:
    assert clean_references(b"&#X41;") == b"&#x41;"


def test_an_escaped_reference_is_left_to_the_inner_document() -> None:
    outer = b"<response>&lt;a&gt;x&amp;#x1;y&lt;/a&gt;</response>"
    assert clean_references(outer) == outer
    inner = etree.fromstring(outer).text
    assert inner == "<a>x&#x1;y</a>"
    assert document_bytes(inner) == b"<a>xy</a>"


def test_raw_control_bytes_are_taken_out_and_white_space_stays() -> None:
    assert clean_references(b"<a>\x00x\x0b\t\r\n\x1fy</a>") == b"<a>x\t\r\ny</a>"


def test_a_reference_broken_by_a_control_byte_does_not_escape() -> None:
    assert clean_references(b"&#\x00x1;") == b""


def test_clean_bytes_come_back_as_the_same_object() -> None:
    data = "<a>Größe &amp; more</a>".encode()
    assert clean_references(data) is data


def test_utf_16_is_not_torn_apart() -> None:
    data = "<a>x</a>".encode("utf-16")
    assert clean_references(data) is data
    assert document_bytes(data) == b"<a>x</a>"


@given(st.text())
def test_a_document_with_any_text_can_be_parsed(text: str) -> None:
    escaped = text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    etree.fromstring(document_bytes(f"<a>{escaped}</a>"))


@given(st.lists(st.integers(0, 0x120000)), st.booleans())
def test_a_document_with_any_references_can_be_parsed(codes: list[int], hexadecimal: bool) -> None:
    references = "".join(f"&#x{code:x};" if hexadecimal else f"&#{code};" for code in codes)
    etree.fromstring(document_bytes(f"<a>{references}</a>"))


@pytest.mark.parametrize("encoding", ["windows-1252", "ISO-8859-1", "utf-8", "UTF-8"])
def test_bytes_are_decoded_as_they_declare(encoding: str) -> None:
    data = f'<?xml version="1.0" encoding="{encoding}"?><a>Größe</a>'.encode(encoding)
    assert document_bytes(data) == "<a>Größe</a>".encode()


def test_windows_1252_is_the_last_resort() -> None:
    for declaration in (
        "",
        '<?xml version="1.0" encoding="utf-8"?>',
        '<?xml version="1.0" encoding="x-odd"?>',
    ):
        data = declaration.encode() + "<a>5 € Größe</a>".encode("cp1252")
        assert document_bytes(data) == "<a>5 € Größe</a>".encode()


def test_a_readable_claim_of_utf_16_is_not_believed() -> None:
    assert document_bytes(b'<?xml version="1.0" encoding="utf-16"?><a>x</a>') == b"<a>x</a>"


def test_the_declaration_of_a_text_is_dropped_whatever_it_claims() -> None:
    assert document_bytes('\ufeff<?xml version="1.0" encoding="utf-16" ?>\r\n<a>ß</a>') == "<a>ß</a>".encode()


@pytest.mark.parametrize(
    "prolog",
    [
        "",
        " \n",
        "<!-- c -->",
        '<?qbxml version="13.0"?>',
        "\ufeff",
        "\ufeff\ufeff",
        '<?xml version="1.0"?>\ufeff',
    ],
)
def test_a_doctype_is_refused_wherever_it_hides(prolog: str) -> None:
    for text in (prolog + '<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>', prolog + "<!DOCTYPE a><a/>"):
        with pytest.raises(MalformedResponse, match="DOCTYPE"):
            document_bytes(text)
        with pytest.raises(MalformedResponse, match="DOCTYPE"):
            document_bytes(text.encode())
