"""Texts shortened on purpose, field by field, with the loss said in the log."""

from __future__ import annotations

from qbxml.transliterate import fit


class Fitting:
    """Fits the texts of one record and collects what was lost."""

    def __init__(self, record: str) -> None:
        self._record = record
        self.remarks: tuple[str, ...] = ()

    def text(self, field: str, text: str, limit: int | None) -> str | None:
        """`text` for `field`, or None where nothing is left to write."""
        if not text:
            return None
        fitted = fit(text, limit)
        if fitted.lost:
            self.say(field, fitted.remark())
        return fitted.text.strip() or None

    def say(self, field: str, what: str) -> None:
        """Keep a remark on a field."""
        self.remarks = (*self.remarks, f"{self._record}: {field}: {what}")
