"""A person cut out of message sets, which hold the documents of many.

By text and not by tree: an answer that was cut, or is no XML, is kept as it
came, and must be freed of the person all the same. What stays: requestIDs,
marks (the first word of Comments and Instructions), ids, numbers, items,
amounts.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from queue_store.anonymous import ERASED
from queue_store.person import Person, Whose

#: Elements that are a person's in both of QuickBooks' languages, with "Filter" behind them in queries.
_ELEMENTS = (
    *(
        "FirstName",
        "MiddleName",
        "LastName",
        "FullName",
        "Name",
        "CompanyName",
        "Salutation",
        "Contact",
        "AltContact",
    ),
    *("EMail", "Email", "Cc", "Phone", "Phone2", "Phone3", "Phone4", "AltPhone", "Fax", "Mobile"),
    *(
        "Street",
        "Street2",
        "Addr1",
        "Addr2",
        "Addr3",
        "Addr4",
        "Addr5",
        "City",
        "State",
        "PostalCode",
        "AddressName",
    ),
    *("Notes", "Note", "Memo", "NameOnCard", "CreditCardAddress", "CreditCardPostalCode"),
)
_PERSONAL = re.compile(rf"<((?:From|To)?(?:{'|'.join(_ELEMENTS)}))>([^<]*)</\1>")
_MARKED = re.compile(r"<(Comments|Instructions)>([^<]*)</\1>")
#: One request or answer whole; the set itself ends in MsgsRq, MsgsRs.
_CALLS = re.compile(r"<(\w+(?<!Msgs)R[qs])\b([^>]*?)(?:/>|>.*?</\1>)", re.DOTALL)
#: One record of an answer; what lies in it has other names.
_RECORDS = re.compile(r"<(\w+Ret)\b[^>]*>.*?</\1>", re.DOTALL)
_REQUEST_ID = re.compile(r'requestID="(\d+)-')
_CUSTOMER = re.compile(r"<CustomerListID>([^<]*)</CustomerListID>")
#: Marks without refund and generation, at the beginning of whatever element they stand in.
_MARKS = re.compile(r">(\w{2,11}-\d+)(?:-R\d+)?/\d+")
_END = ("</QBPOSXML>", "</QBXML>")
_OWN_ID = re.compile(r"<CustomerRet\b[^>]*>.*?<ListID>([^<]*)</ListID>", re.DOTALL)


def without_person(
    text: str,
    person: Person,
    activity_ids: Collection[int],
    list_ids: Collection[str],
    open_ids: Collection[int],
) -> str:
    """A request or an answer without the person.

    `activity_ids`: whose requests are the person's; `list_ids`: the person's
    customers in QuickBooks; `open_ids`: requests that are left as they are.
    """

    def is_theirs(part: str) -> bool:
        return _is_theirs(part, person, list_ids)

    def call(found: re.Match[str]) -> str:
        whole, named = found[0], _REQUEST_ID.search(found[2])
        number = int(named[1]) if named else 0
        if number in open_ids:
            return whole
        if number in activity_ids:
            return _blank(whole, person)
        if found[1].endswith("Rq"):
            return _blank(whole, person) if is_theirs(whole) else whole
        return _RECORDS.sub(lambda one: _blank(one[0], person) if is_theirs(one[0]) else one[0], whole)

    cut = _CALLS.sub(call, text)
    if open_ids:
        return cut
    # What is no whole request or record, as in an answer that was cut short, is taken for nobody's.
    is_whole = cut.rstrip().endswith(_END)
    return _scrub(cut, person, Whose.OTHERS if is_whole else Whose.NOBODYS)


def parts_of_person(
    text: str, person: Person, activity_ids: Collection[int], list_ids: Collection[str]
) -> list[str]:
    """The requests, or records of an answer, that are the person's."""
    parts: list[str] = []
    for found in _CALLS.finditer(text):
        whole, named = found[0], _REQUEST_ID.search(found[2])
        if named and int(named[1]) in activity_ids:
            parts.append(whole)
        elif found[1].endswith("Rq"):
            parts += [whole] if _is_theirs(whole, person, list_ids) else []
        else:
            parts += [one[0] for one in _RECORDS.finditer(whole) if _is_theirs(one[0], person, list_ids)]
    return parts


def _is_theirs(part: str, person: Person, list_ids: Collection[str]) -> bool:
    customers = {*_CUSTOMER.findall(part), *_OWN_ID.findall(part)}
    if person.has_address(part) or person.in_xml.has_address(part) or not customers.isdisjoint(list_ids):
        return True
    # Before the store's code stands the company's prefix, of one to three characters.
    return any(mark[prefix:] in person.marks for mark in _MARKS.findall(part) for prefix in (1, 2, 3))


def without_anybody(text: str) -> str:
    """A request or an answer without what is any person's; items, which have names too, lose them with it."""
    text = _PERSONAL.sub(lambda one: f"<{one[1]}>{ERASED if one[2] else ''}</{one[1]}>", text)
    return _MARKED.sub(lambda one: f"<{one[1]}>{one[2].split(' ')[0]}</{one[1]}>", text)


def _blank(part: str, person: Person) -> str:
    return _scrub(without_anybody(part), person, Whose.THEIRS)


def _scrub(part: str, person: Person, whose: Whose) -> str:
    return person.in_xml.scrub(person.scrub(part, whose), whose)
