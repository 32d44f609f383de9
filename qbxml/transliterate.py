"""Text from the shop made to fit QuickBooks: its characters and its lengths.

Company files hold Windows-1252. What that holds is kept ("é", "€", curly
quotes); anything else is spelt in ASCII ("Ł" as "L", "北京" as "BeiJing");
control characters are dropped. Shortening happens on purpose, here, and what
was lost is said, so that the caller can log it with the record's id.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from anyascii import anyascii

#: Everything that ends a line somewhere, the pair first.
_LINE_BREAK = re.compile("\r\n|[\n\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029]")
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef\ufffe\uffff]")


@dataclass(frozen=True, slots=True)
class Fitted:
    """A text that fits, and what it cost."""

    text: str
    #: Characters that were spelt in ASCII or could not be spelt, each once, in order.
    transliterated: str = ""
    #: How many control characters and halves of characters were dropped.
    dropped: int = 0
    #: What was cut off the end.
    cut: str = ""
    #: True: there was a text, and nothing is left of it.
    emptied: bool = False

    @property
    def lost(self) -> bool:
        """True: the text does not say all that it said."""
        return bool(self.transliterated or self.dropped or self.cut or self.emptied)

    def remark(self) -> str:
        """What was lost, for the log; empty when nothing was. Holds no whole text."""
        parts = []
        if self.transliterated:
            parts.append(f"{len(self.transliterated)} kinds of character spelt in ASCII")
        if self.dropped:
            parts.append(f"{self.dropped} control characters dropped")
        if self.cut:
            parts.append(f"{len(self.cut)} characters cut off")
        if self.emptied:
            parts.append("nothing left")
        return ", ".join(parts)


def fit(text: str, limit: int | None = None, *, multiline: bool = False) -> Fitted:
    """`text` in Windows-1252 and `limit` characters at most (None: no limit).

    With `multiline`, line breaks become "\\n" and tabs stay; without, each
    becomes one blank, which is not counted as a loss. Combining marks are
    joined with their letter before anything is cut, so a letter never loses
    its accent to the limit.
    """
    if text.isascii() and text.isprintable() and (limit is None or len(text) <= limit):
        return Fitted(text)
    spelt, transliterated, dropped = _spelt(text, multiline)
    cut = ""
    if limit is not None and len(spelt) > limit:
        kept = spelt[:limit].rstrip()
        spelt, cut = kept, spelt[len(kept) :].strip()
    return Fitted(spelt, transliterated, dropped, cut, emptied=bool(text) and not spelt.strip())


def _spelt(text: str, multiline: bool) -> tuple[str, str, int]:
    """`text` in Windows-1252, the characters that were replaced, the number dropped."""
    text = _LINE_BREAK.sub("\n" if multiline else " ", text)
    if not multiline:
        text = text.replace("\t", " ")
    text, dropped = _CONTROL.subn("", text)
    try:
        text.encode("cp1252")
    except UnicodeEncodeError:
        # Joins "e" and its accent into "é", which Windows-1252 holds: no loss.
        text = unicodedata.normalize("NFC", text)
        foreign = {character: anyascii(character) for character in text if not is_kept(character)}
        return "".join([foreign.get(c, c) for c in text]), "".join(foreign), dropped
    return text, "", dropped


def is_kept(character: str) -> bool:
    """Whether Windows-1252 holds `character`."""
    try:
        character.encode("cp1252")
    except UnicodeEncodeError:
        return False
    return True
