"""Text made safe to stand in a document: the one place where anything is escaped.

Whatever is not plain ASCII is written as a decimal character reference, so
that a document is the same bytes in every encoding a transport may claim.
Company files hold Windows-1252; a character outside of it becomes "?" there or
fails the parse, so it is refused here, where the loss is still visible.
"""

from __future__ import annotations

import re

from .errors import BadCharacter

#: Characters that may stand in text and in a quoted attribute as they are.
_NOT_PLAIN = re.compile(r"[^ !#-%'-;=?-~]")
#: What no document may hold; also C1 controls, which nobody means to send.
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")
_REFERENCES = str.maketrans(
    # A parser reads a bare CR as LF, and a bare line break in an attribute as a blank.
    {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "\r": "&#13;", "\n": "&#10;", "\t": "&#9;"}
)


def escaped(text: str, windows_1252: bool = True) -> str:
    """`text` as it stands between tags or between double quotes.

    Raises BadCharacter, with an empty path, for a control character (tab and
    line breaks pass), a lone surrogate, and, with `windows_1252`, for any
    character that Windows-1252 does not hold.
    """
    if not _NOT_PLAIN.search(text):
        return text
    bad = _FORBIDDEN.search(text)
    if bad:
        raise BadCharacter("", text, bad[0], bad.start())
    if windows_1252:
        try:
            text.encode("cp1252")
        except UnicodeEncodeError as error:
            raise BadCharacter("", text, text[error.start], error.start) from None
    return text.translate(_REFERENCES).encode("ascii", "xmlcharrefreplace").decode("ascii")
