"""The HRESULT that the Web Connector hands over when QuickBooks did not answer.

In connectionError the company file could not be opened, so nothing was sent.
In receiveResponseXML **every** HRESULT leaves the outcome of the whole set in
doubt, whatever its rule says about repeating: the rule tells who acts next,
not what was executed. The parse refusal (0x80040400) is held to have executed
nothing, since the document is refused as a whole; that is not documented.

0x80040400-402 and 0x80040416 are Intuit's; the others come from lists in public
implementations. For Point of Sale no list is known.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from .outcomes import Outcome

__all__ = ["HRESULTS", "HresultRule", "Outcome", "classify_hresult"]

_PREFIXED = re.compile(r"0[xX]([0-9A-Fa-f]+)(?![0-9A-Za-z])")
_BARE_HEX = re.compile(r"0*([0-9A-Fa-f]{8})(?![0-9A-Za-z])")
_DECIMAL = re.compile(r"(-[0-9]{1,10}|[0-9]{10})(?![0-9A-Za-z])")
_UNKNOWN_TELL_AFTER = 3


@dataclass(frozen=True, slots=True)
class HresultRule:
    """One HRESULT, classified. `outcome` is RETRY, OPERATOR or OUR_BUG: who acts next."""

    #: As "0x80040400"; the text itself where it is no HRESULT.
    code: str
    outcome: Outcome
    meaning: str
    #: What the operator does, one sentence.
    advice: str
    #: Tell the operator when it comes this many times in a row; None: at once unless RETRY.
    tell_after: int | None = None

    @property
    def is_parse_refusal(self) -> bool:
        """True: the document was refused as a whole; park the request, do not resend it unchanged."""
        return self.code == "0x80040400"

    @property
    def is_known(self) -> bool:
        """False: no list names this code."""
        return self.code in HRESULTS


_BUG = "Report this with the request: qbwoo wrote a message set that QuickBooks cannot read."
_WAIT = "Nothing to do at first; it is tried again. If it lasts, "
_REAUTHORISE = (
    "Log in to QuickBooks as its administrator and allow the application to access the company file."
)


def _rules(*rules: HresultRule) -> Mapping[str, HresultRule]:
    return MappingProxyType({rule.code: rule for rule in rules})


HRESULTS: Mapping[str, HresultRule] = _rules(
    HresultRule("0x80040400", Outcome.OUR_BUG, "QuickBooks could not parse the message set", _BUG),
    HresultRule(
        "0x80040401",
        Outcome.RETRY,
        "QuickBooks could not be accessed",
        _WAIT + "restart QuickBooks and the Web Connector.",
        tell_after=3,
    ),
    HresultRule(
        "0x80040402",
        Outcome.RETRY,
        "unexpected error of QuickBooks",
        _WAIT + "read qbsdklog.txt on the QuickBooks computer.",
        tell_after=3,
    ),
    HresultRule(
        "0x80040408",
        Outcome.RETRY,
        "QuickBooks could not be started",
        _WAIT + "start QuickBooks by hand.",
        tell_after=3,
    ),
    HresultRule(
        "0x8004040A",
        Outcome.OPERATOR,
        "another company file is open than the one asked for",
        "Close the other company file in QuickBooks, or correct the company file in the settings.",
    ),
    HresultRule(
        "0x8004040D",
        Outcome.RETRY,
        "the session with QuickBooks was lost",
        _WAIT + "restart QuickBooks and the Web Connector.",
        tell_after=3,
    ),
    HresultRule(
        "0x80040410",
        Outcome.RETRY,
        "the company file is open in another mode than asked for",
        _WAIT + "switch QuickBooks to multi-user mode.",
        tell_after=3,
    ),
    HresultRule(
        "0x80040414",
        Outcome.RETRY,
        "a dialog is open in QuickBooks",
        "Close the dialog that is open in QuickBooks; it is tried again by itself.",
        tell_after=1,
    ),
    HresultRule(
        "0x80040416",
        Outcome.OPERATOR,
        "QuickBooks is not running and no company file is named",
        "Name the company file in the settings, or open it in QuickBooks.",
    ),
    HresultRule(
        "0x80040417",
        Outcome.OPERATOR,
        "QuickBooks is running without an open company file",
        "Name the company file in the settings, or open it in QuickBooks.",
    ),
    HresultRule(
        "0x80040418",
        Outcome.OPERATOR,
        "the application was never authorised for this company file",
        _REAUTHORISE,
    ),
    HresultRule("0x8004041A", Outcome.OPERATOR, "the application has no permission", _REAUTHORISE),
    HresultRule(
        "0x8004041B",
        Outcome.RETRY,
        "needed information could not be locked",
        _WAIT + "look who works in QuickBooks at the same time.",
        tell_after=3,
    ),
    HresultRule(
        "0x8004041C",
        Outcome.RETRY,
        "internal error while opening the company file",
        _WAIT + "open the company file by hand and verify its data.",
        tell_after=2,
    ),
    HresultRule(
        "0x8004041D",
        Outcome.OPERATOR,
        "the application may not log in by itself",
        "Allow access when QuickBooks is not running, in the preferences for integrated applications.",
    ),
    HresultRule("0x8004041E", Outcome.OPERATOR, "the application's certificate has expired", _REAUTHORISE),
    HresultRule(
        "0x8004041F",
        Outcome.OPERATOR,
        "this edition of QuickBooks cannot be reached by applications",
        "Use an edition of QuickBooks that supports integrated applications.",
    ),
    HresultRule("0x80040420", Outcome.OPERATOR, "a user of QuickBooks denied the access", _REAUTHORISE),
    HresultRule(
        "0x80040422",
        Outcome.RETRY,
        "QuickBooks is in single-user mode and another application is connected",
        _WAIT + "close the other application or switch to multi-user mode.",
        tell_after=3,
    ),
    HresultRule(
        "0x80040423",
        Outcome.OPERATOR,
        "this QuickBooks does not support the version of our messages",
        "Lower the message version in the settings, or update QuickBooks.",
    ),
    HresultRule(
        "0x80040424",
        Outcome.RETRY,
        "QuickBooks has not finished starting",
        _WAIT + "look whether QuickBooks waits for somebody.",
        tell_after=3,
    ),
    HresultRule(
        "0x80040427",
        Outcome.OPERATOR,
        "QuickBooks is not registered",
        "Register QuickBooks on that computer.",
    ),
    HresultRule("0x8004042A", Outcome.OPERATOR, "remote access is not allowed", _REAUTHORISE),
    HresultRule("0x8004042C", Outcome.OPERATOR, "the application's certificate was revoked", _REAUTHORISE),
    HresultRule(
        "0x80042584",
        Outcome.OPERATOR,
        "internal error while opening the company file",
        "Open the company file by hand and verify its data.",
    ),
    HresultRule(
        "0x80040154",
        Outcome.OPERATOR,
        "Windows does not find QuickBooks' interface",
        "Reinstall QuickBooks or the Web Connector on that computer.",
    ),
    HresultRule(
        "0x80010105",
        Outcome.RETRY,
        "QuickBooks failed while it worked",
        _WAIT + "restart QuickBooks.",
        tell_after=3,
    ),
    HresultRule(
        "0x800706BA",
        Outcome.RETRY,
        "QuickBooks went away while it worked",
        _WAIT + "restart QuickBooks.",
        tell_after=3,
    ),
)


def classify_hresult(text: str) -> HresultRule:
    """The rule for an HRESULT as the Web Connector writes it.

    Takes "0x80040400" in any case, without its prefix, with zeros before it,
    as a signed or unsigned decimal, and with text behind it. An unknown one is
    tried again; the operator is told after three in a row.
    """
    code = normal_hresult(text)
    return HRESULTS.get(code) or HresultRule(
        code,
        Outcome.RETRY,
        "an error that is in no list",
        _WAIT + "read the message and the Web Connector's log on the QuickBooks computer.",
        tell_after=_UNKNOWN_TELL_AFTER,
    )


def normal_hresult(text: str) -> str:
    """`text` as "0x80040400"; the text itself, without blanks around it, where it is no number."""
    stripped = text.strip()
    if found := _PREFIXED.match(stripped):
        number = int(found[1][-8:], 16)
    elif found := _BARE_HEX.match(stripped):
        number = int(found[1], 16)
    elif found := _DECIMAL.match(stripped):
        number = int(found[1]) & 0xFFFFFFFF
    else:
        return stripped
    return f"0x{number:08X}"
