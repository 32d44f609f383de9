"""Text of strangers on a terminal: what would steer it is shown instead.

A customer's name or a message of QuickBooks may hold escape sequences, which
move the cursor, colour what follows, change the window's title or make links,
and marks that turn the direction of writing, which make a line read otherwise
than it is.
"""

from __future__ import annotations

import re

#: C0 but line feed and tab, DEL, C1, what turns the direction, line and paragraph separators, halves of pairs.
_STEERING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]"
)


def visible(text: str) -> str:
    """`text` with each character that steers a terminal written as Python would write it: "\\x1b"."""
    return text if text.isprintable() else _STEERING.sub(_written, text)


def _written(found: re.Match[str]) -> str:
    code = ord(found[0])
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
