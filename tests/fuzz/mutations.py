"""Seeded mutations: of bytes, of marked-up text, of JSON, of the headers of a request.

Each mutation is a function of a random.Random and of what it changes, so that a
case is told again by its seed and number alone.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from copy import deepcopy
from typing import Any

#: What parsers trip over.
SPLINTERS = (
    *(
        b"\x00",
        b"\x0b",
        b"\x1b[31m",
        b"\xff\xfe",
        b"\xef\xbb\xbf",
        b"\xed\xa0\x80",
        b"\xc3",
        b"\xf4\x90\x80\x80",
    ),
    *(
        b"&#0;",
        b"&#x1F;",
        b"&#xD800;",
        b"&amp;#x1;",
        b"&lol;",
        b"&",
        b"<",
        b">",
        b"]]>",
        b"<![CDATA[",
        b"<!--",
    ),
    *(b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", b"<?xml version='1.1'?>", b"</", b"/>"),
    *(
        b'"',
        b"'",
        b"\\",
        b"{",
        b"[",
        b"}",
        b",",
        b":",
        b"null",
        b"true",
        b"NaN",
        b"1e400",
        b"\\ud800",
        b"\\u0000",
    ),
    *(b"\r\n\r\n", b"%00", b"%n%s", b"../../", b"=cmd|' /C calc'!A0", b"'; DROP TABLE activities; --"),
    *(b"[red]", b"{0.__class__}", "\u202e".encode(), "\u2028".encode(), b"A" * 5000, b"9" * 400),
)
NUMBERS = (
    *("0", "-0", "-1", "1", "2147483647", "2147483648", "-2147483649", "9007199254740993", "1e308", "1e-400"),
    *(
        "18446744073709551616",
        "0.000000001",
        "9" * 30,
        "9" * 5000,
        "-9999999999.99",
        "NaN",
        "Infinity",
        "0x10",
    ),
    *("1_000", "٣", "", " ", "1.2.3", "--1", "+5"),
)
TEXTS = (
    *(
        "",
        " ",
        "\x00",
        "\ud800",
        "\x1b]8;;http://x\x07",
        "[bold red]x[/]",
        "<script>alert(1)</script>",
        "=1+1",
        "a" * 5000,
    ),
    *(
        "../../../etc/passwd",
        "\u202eabc",
        "é" * 300,
        "\U0001f600" * 50,
        "null",
        "0000-00-00T00:00:00",
        "9999-12-31T23:59:59",
    ),
    *(
        "2026-02-30T00:00:00",
        "0001-01-01T00:00:00",
        "2026-11-22T00:26:22Z",
        "1' OR '1'='1",
        "%s%s%n",
        "{}",
        "\r\nX: y",
    ),
)
_TAG = re.compile(rb"</?([A-Za-z][A-Za-z0-9:]*)[^<>]*>")
_VALUE = re.compile(rb">([^<>]{1,200})<")
_ATTRIBUTE = re.compile(rb'([A-Za-z]+)="([^"]*)"')
Mutation = Callable[[random.Random, bytes], bytes]


def flip_bits(rng: random.Random, data: bytes) -> bytes:
    changed = bytearray(data)
    for _ in range(rng.choice((1, 1, 2, 8))):
        if changed:
            changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def cut(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:start] + data[end:]


def cut_end(rng: random.Random, data: bytes) -> bytes:
    return data[: rng.randrange(len(data) + 1)]


def double(rng: random.Random, data: bytes) -> bytes:
    start, end = _span(rng, data)
    return data[:end] + data[start:end] * rng.choice((1, 1, 2, 20)) + data[end:]


def insert(rng: random.Random, data: bytes) -> bytes:
    at = rng.randrange(len(data) + 1)
    return data[:at] + rng.choice(SPLINTERS) + data[at:]


def swap(rng: random.Random, data: bytes) -> bytes:
    a, b = _span(rng, data)
    return data[:a] + data[b:] + data[a:b]


def cross(other: bytes) -> Mutation:
    """Half of this, half of `other`."""

    def crossed(rng: random.Random, data: bytes) -> bytes:
        return data[: rng.randrange(len(data) + 1)] + other[rng.randrange(len(other) + 1) :]

    return crossed


def encode_anew(rng: random.Random, data: bytes) -> bytes:
    text = data.decode("utf-8", "replace")
    name = rng.choice(
        ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252", "latin-1", "utf-7", "utf-8-sig", "cp037")
    )
    return text.encode(name, "replace")


def swap_tags(rng: random.Random, data: bytes) -> bytes:
    """One tag in the place of another, or twice, or gone, or its element gone."""
    tags = list(_TAG.finditer(data))
    if len(tags) < 2:
        return insert(rng, data)
    one, other = rng.choice(tags), rng.choice(tags)
    what = rng.randrange(4)
    if what == 0:
        return data[: one.start()] + other[0] + data[one.end() :]
    if what == 1:
        return data[: one.end()] + other[0] * rng.choice((1, 70, 400)) + data[one.end() :]
    if what == 2:
        return data[: one.start()] + data[one.end() :]
    end = data.find(b"</" + one[1] + b">", one.end())
    return data[: one.start()] + data[end + len(one[1]) + 3 :] if end > 0 else data


def swap_element(rng: random.Random, data: bytes) -> bytes:
    """An element that comes once more, or elsewhere."""
    one = rng.choice(list(_TAG.finditer(data)) or [None])
    if one is None or one[0].startswith(b"</"):
        return double(rng, data)
    end = data.find(b"</" + one[1] + b">", one.end())
    if end < 0:
        return data
    element = data[one.start() : end + len(one[1]) + 3]
    places = [found.end() for found in _TAG.finditer(data)]
    at = rng.choice(places)
    return data[:at] + element + data[at:]


def swap_value(rng: random.Random, data: bytes) -> bytes:
    """A text between two tags, or an attribute's, becomes an extreme one."""
    pattern = rng.choice((_VALUE, _VALUE, _ATTRIBUTE))
    found = list(pattern.finditer(data))
    if not found:
        return insert(rng, data)
    one = rng.choice(found)
    group = one.re.groups
    value = rng.choice((rng.choice(NUMBERS), rng.choice(TEXTS))).encode("utf-8", "surrogatepass")
    value = value.replace(b"&", b"&amp;").replace(b"<", b"&lt;").replace(b'"', b"&quot;")
    return data[: one.start(group)] + value + data[one.end(group) :]


BYTES: tuple[Mutation, ...] = (flip_bits, cut, cut_end, double, insert, swap, encode_anew)
MARKUP: tuple[Mutation, ...] = (
    *BYTES,
    swap_tags,
    swap_tags,
    swap_element,
    swap_value,
    swap_value,
    swap_value,
)


def mutated(rng: random.Random, data: bytes, ways: Sequence[Mutation], others: Sequence[bytes] = ()) -> bytes:
    """`data` after one to four mutations; never longer than 400 KB."""
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        way = rng.choice(ways)
        if others and rng.random() < 0.08:
            way = cross(rng.choice(others))
        data = way(rng, data)[:400_000]
    return data


def mutated_json(rng: random.Random, value: Any) -> Any:
    """A copy with one to four of its places changed: types, extremes, fields gone, doubled or moved."""
    value = deepcopy(value)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        places = list(_places(value))
        if not places:
            return rng.choice((None, [], {}, 0, "", value))
        holder, key = rng.choice(places)
        what = rng.randrange(8)
        if what == 0:
            del holder[key]
        elif what == 1 and isinstance(holder, dict):
            holder[rng.choice(TEXTS) or "x"] = holder[key]
        elif what == 1:
            holder.extend([holder[key]] * rng.choice((1, 3, 300)))
        elif what == 2:
            other_holder, other_key = rng.choice(places)
            holder[key] = deepcopy(other_holder[other_key])
        elif what == 3:
            deep: Any = holder[key]
            for _ in range(rng.choice((1, 3, 200))):
                deep = [deep] if rng.random() < 0.5 else {"a": deep}
            holder[key] = deep
        elif what == 4:
            holder[key] = _other_type(holder[key])
        else:
            holder[key] = rng.choice(
                (
                    None,
                    True,
                    [],
                    {},
                    rng.choice(TEXTS),
                    rng.choice(NUMBERS),
                    -1,
                    0,
                    2**53,
                    2**63,
                    2**70,
                    1e308,
                    0.1,
                )
            )
    return value


def json_bytes(rng: random.Random, value: Any) -> bytes:
    """As PHP writes it, or nearly; now and then with a doubled key or a bare extreme number."""
    text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
    if rng.random() < 0.05 and (at := text.find('"', rng.randrange(len(text)))) > 0:
        text = text[:at] + f'"id":{rng.choice(NUMBERS)},' + text[at:]
    return text.encode("utf-8", "surrogatepass")


def _places(value: Any) -> Any:
    """Every (holder, key) below `value`."""
    stack = [value]
    while stack:
        one = stack.pop()
        keys = one if isinstance(one, dict) else range(len(one)) if isinstance(one, list) else ()
        for key in list(keys):
            yield one, key
            if isinstance(one[key], dict | list):
                stack.append(one[key])


def _other_type(value: Any) -> Any:
    match value:
        case bool() | None:
            return str(value)
        case int() | float():
            return str(value)
        case str():
            try:
                return int(value)
            except ValueError:
                return [value]
        case list():
            return {str(number): one for number, one in enumerate(value)}
    return list(value.values())


def _span(rng: random.Random, data: bytes) -> tuple[int, int]:
    start = rng.randrange(len(data) + 1)
    return start, min(len(data), start + int(rng.paretovariate(0.7)))
