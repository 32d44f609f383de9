"""Errors of the played Point of Sale.

* RequestProcessorError       (of the seam) the whole set failed; nothing is known of it
* RequestRefused              one request got a status; `process` answers with it, `Counter` raises it
* UnknownRecord               a test or an operator named a record that the file does not hold
* NotACompanyFile             the path does not hold a Point of Sale sandbox
* CompanyFileExists           something stands already where a new one was to be made
"""

from __future__ import annotations

from pathlib import Path

from ops_sandbox.request_processor import RequestProcessorError

PARSE_ERROR = "0x80040400"
SESSION_LOST = "0x8004040D"
OTHER_COMPANY = "0x8004040A"
NO_COMPANY_NAMED = "0x80040416"
VERSION_UNKNOWN = "0x80040423"


def parse_error() -> RequestProcessorError:
    """The refusal of a whole document, in QuickBooks' own words."""
    return RequestProcessorError(
        PARSE_ERROR, "QuickBooks found an error when parsing the provided XML text stream."
    )


class RequestRefused(Exception):
    """A request is answered with a status other than 0, and has changed nothing."""

    def __init__(self, code: int, text: str) -> None:
        super().__init__(f"{code}: {text}")
        self.code = code
        self.text = text


def not_found(what: str, record_id: str) -> RequestRefused:
    """Status 3120: a ListID or TxnID that this company does not know."""
    return RequestRefused(3120, f'Object "{record_id}" specified in the request cannot be found. ({what})')


def invalid_reference(what: str, text: object) -> RequestRefused:
    """Status 3140: a name or number that stands for nothing here."""
    return RequestRefused(3140, f'There is an invalid reference to {what} "{text}".')


def invalid_value(text: str) -> RequestRefused:
    """Status 3210: well formed, but impossible here."""
    return RequestRefused(3210, text)


class UnknownRecord(Exception):
    """The company file holds no such record. Look its id up with items(), customers() or receipts()."""

    def __init__(self, kind: str, record_id: str) -> None:
        super().__init__(f"No {kind} {record_id} in this company file. Look its id up first.")
        self.kind = kind
        self.record_id = record_id


class NotACompanyFile(Exception):
    """The path does not hold a Point of Sale sandbox. Create one there first."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} is not a Point of Sale sandbox. Create one there first.")
        self.path = path


class CompanyFileExists(Exception):
    """Something stands already where a new company file was to be made. Open it, or remove it first."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"{path} exists already. Open it, or remove it before you create a new one.")
        self.path = path


def severity(code: int) -> str:
    """statusSeverity of a statusCode. Source: protocol reference 6.10."""
    if code < 500:
        return "Info"
    return "Warn" if code < 1000 else "Error"
