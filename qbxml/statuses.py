"""The statusCode of a response: what it means and what is to be done.

Desktop's codes, from the SDK's documentation. Point of Sale is assumed to use
the same numbers; of its own only 20004 is known, from vendors' help pages.
Ranges: 0-499 information, 500-999 warning, from 1000 error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

from .outcomes import Outcome

__all__ = ["STATUSES", "Outcome", "StatusRule", "classify_status"]

#: Texts behind 3170 and 3180 that pass by themselves.
_BUSY_TEXTS = (
    "modified by another user",
    "could not be locked",
    "failed to acquire the lock",
    "element in use",
    # As QuickBooks words the same thing in other places.
    "element is in use",
)


@dataclass(frozen=True, slots=True)
class StatusRule:
    """One status code, classified."""

    code: int
    outcome: Outcome
    #: What QuickBooks means by it.
    meaning: str
    #: What the operator does, one sentence; of RETRY: when it does not pass by itself.
    advice: str
    #: RETRY: tell the operator when it comes this many times in a row; None: the queue's own limit.
    tell_after: int | None = None


#: Point of Sale computed another total than the tenders come to.
NOT_BALANCED = 20004

_BUG = "Report this with the request and the answer: qbwoo wrote a request that QuickBooks cannot take."
_NOTHING = "Nothing to do."
_LATER = "Nothing to do; it is sent again. If it lasts, look who has the record open in QuickBooks."
_LOOK_UP = "Look in QuickBooks whether the document is there before sending it again."


def _rules(*rules: StatusRule) -> Mapping[int, StatusRule]:
    return MappingProxyType({rule.code: rule for rule in rules})


STATUSES: Mapping[int, StatusRule] = _rules(
    StatusRule(0, Outcome.DONE, "Status OK", _NOTHING),
    StatusRule(1, Outcome.EMPTY, "no record matches", _NOTHING),
    StatusRule(500, Outcome.EMPTY, "some or all of the requested records were not found", _NOTHING),
    StatusRule(501, Outcome.DONE, "some data cannot be shown in this version", _NOTHING),
    StatusRule(510, Outcome.DONE, "the record was saved or found but cannot be returned", _NOTHING),
    StatusRule(
        530,
        Outcome.OUR_BUG,
        "a field is not supported by this edition",
        "Look whether the record was saved without the field. " + _BUG,
    ),
    StatusRule(
        531,
        Outcome.OUR_BUG,
        "a value is not supported by this edition",
        "Look whether the record was saved without the value. " + _BUG,
    ),
    StatusRule(
        550,
        Outcome.DONE,
        "the record was saved, its notes were not",
        "Put the note in by hand if it matters.",
    ),
    StatusRule(
        600,
        Outcome.OPERATOR,
        "the message set to be forgotten is unknown",
        "Check that the right company file is open.",
    ),
    StatusRule(
        1000,
        Outcome.RETRY,
        "internal error of QuickBooks",
        "Restart QuickBooks, then retry the activity.",
        tell_after=2,
    ),
    StatusRule(3000, Outcome.OUR_BUG, "an identity is malformed", _BUG),
    StatusRule(3070, Outcome.OUR_BUG, "a text is too long", _BUG),
    StatusRule(
        3100,
        Outcome.DUPLICATE,
        "the name is already in use",
        "Rename the record in QuickBooks or in the shop, or bind the two, then retry.",
    ),
    StatusRule(
        3120,
        Outcome.STALE,
        "the record does not exist any more",
        "If it does not settle by itself, bind the record anew: it was deleted or merged in QuickBooks.",
    ),
    StatusRule(
        3130,
        Outcome.OPERATOR,
        "the parent is not valid",
        "Set up the parent that the message names in QuickBooks, then retry.",
    ),
    StatusRule(
        3140,
        Outcome.OPERATOR,
        "something that is referred to is unknown, inactive or of the wrong type",
        "Set up the item, account, tax code or customer that the message names, then retry.",
    ),
    StatusRule(3150, Outcome.OUR_BUG, "a required element is missing", _BUG),
    StatusRule(
        3170,
        Outcome.OPERATOR,
        "the record could not be modified",
        "Do what the message says, then retry the activity.",
    ),
    StatusRule(
        3171,
        Outcome.OPERATOR,
        "the books are closed for that date",
        "Move the closing date in QuickBooks, or give the document a later date, then retry.",
    ),
    StatusRule(3175, Outcome.RETRY, "the record is in use", _LATER),
    StatusRule(3176, Outcome.RETRY, "the list is in use", _LATER),
    StatusRule(
        3180,
        Outcome.OPERATOR,
        "the record could not be saved",
        "Do what the message says, then retry the activity.",
    ),
    StatusRule(
        3200,
        Outcome.STALE,
        "the record was changed since it was read",
        "Nothing to do; it is read again and sent anew.",
    ),
    StatusRule(
        3210,
        Outcome.OPERATOR,
        "a value is not valid in its context",
        "Check what the message names, such as an overpayment or a date, correct it, then retry.",
    ),
    StatusRule(
        3231,
        Outcome.RETRY,
        "not processed, because an earlier request of the set failed",
        "Nothing to do; it is sent again once the earlier one is settled.",
    ),
    StatusRule(
        3250,
        Outcome.OPERATOR,
        "the feature is off, or not in this edition",
        "Turn the feature on in the preferences of QuickBooks, then retry.",
    ),
    StatusRule(
        3260,
        Outcome.OPERATOR,
        "the user has no permission",
        "Let an administrator of QuickBooks permit this to the Web Connector's user, then retry.",
    ),
    StatusRule(
        3261,
        Outcome.OPERATOR,
        "the application has no access to personal data",
        "Let the QuickBooks administrator allow access to personal data for this application, then retry.",
    ),
    StatusRule(
        3263,
        Outcome.OPERATOR,
        "the access is read-only",
        "Add the application to the Web Connector again from a file that does not ask for read-only.",
    ),
    StatusRule(
        3270,
        Outcome.OPERATOR,
        "an account that is needed for posting is missing",
        "Set up the account that the message names, then retry.",
    ),
    StatusRule(3290, Outcome.OUR_BUG, "elements or lines are in the wrong order", _BUG),
    StatusRule(9001, Outcome.IN_DOUBT, "the message set's id was used for another content", _LOOK_UP),
    StatusRule(9002, Outcome.IN_DOUBT, "no stored answer was found for the message set", _LOOK_UP),
    StatusRule(9003, Outcome.IN_DOUBT, "message set recovery: reserved", _LOOK_UP),
    StatusRule(9004, Outcome.OUR_BUG, "the message set's id is too long", _BUG),
    StatusRule(9005, Outcome.IN_DOUBT, "the answer to the message set could not be stored", _LOOK_UP),
    StatusRule(
        NOT_BALANCED,
        Outcome.OUR_BUG,
        "Point of Sale: the receipt is not balanced",
        "Compare the tenders with the total that Point of Sale computes, and check the calibrated settings"
        " for tax and shipping. " + _BUG,
    ),
)


def classify_status(code: int, severity: str = "", message: str = "") -> StatusRule:
    """The rule for one response; of an unknown code the text of QuickBooks is its meaning.

    3170 and 3180 are RETRY when their text says that somebody has the record
    open, else OPERATOR. Unknown codes: below 1000 DONE unless the severity is
    "Error"; all others OPERATOR. A 0 with severity "Error" contradicts itself
    and is IN_DOUBT.
    """
    is_error = severity.strip().lower() == "error"
    rule = STATUSES.get(code)
    if rule is None:
        if 0 <= code < 1000 and not is_error:
            return StatusRule(code, Outcome.DONE, message or "information", _NOTHING)
        return StatusRule(
            code,
            Outcome.OPERATOR,
            message or "an error that QuickBooks does not explain",
            "Do what the message says, then retry the activity.",
        )
    if code == 0 and is_error:
        return replace(rule, outcome=Outcome.IN_DOUBT, meaning="an error without a code", advice=_LOOK_UP)
    if code in (3170, 3180):
        lowered = message.lower()
        if any(text in lowered for text in _BUSY_TEXTS):
            return replace(rule, outcome=Outcome.RETRY, advice=_LATER)
    return rule
