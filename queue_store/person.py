"""One person, as the database knows them: by e-mail address, and by what stands beside it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from functools import cached_property
from typing import Any
from xml.sax.saxutils import escape

import msgspec
from sqlalchemy import select

from queue_store.anonymous import ERASED, is_personal
from queue_store.database import Database
from queue_store.erasures import fold_email
from queue_store.models import Activity, CatalogueCustomer, Mapping, Store

#: Rows that one query reads.
AT_ONCE = 500
#: Characters that are part of an address: one that only ends alike is another's.
_BEFORE, _AFTER = r"(?<![\w.!#$%&'*+/=?^`{|}~-])", r"(?![\w-]|\.\w)"
#: Below so many characters a word is found in too much that is nobody's.
_LEAST_PHONE, _LEAST_WORD, _LEAST_NUMBER = 7, 2, 5
_PHONES, _NAMES = ("phone",), ("first_name", "last_name")
_WORDS = (*_NAMES, "company", "line1", "line2", "address_1", "address_2", "city", "postcode", "customer_note")


class Whose(Enum):
    """Whose row a text stands in."""

    #: Somebody else's, who may have the same name and telephone: only the address is taken out.
    OTHERS = 0
    #: Nobody's in particular, as a note in the audit: names and telephone are taken out too.
    NOBODYS = 1
    #: The person's own: single names, streets and towns too.
    THEIRS = 2


@dataclass
class Person:
    """Who is looked for. Words are gathered first; then texts are compared with them."""

    email: str
    #: Phone numbers and whole names: others may bear them too, so they count where a row is nobody else's.
    telling: set[str] = field(default_factory=set)
    #: Single names, streets: the person's only where a row is known to be theirs.
    words: set[str] = field(default_factory=set)
    #: By company.
    activities: dict[int, set[int]] = field(default_factory=dict)
    #: QuickBooks' customers with the address: (company, ListID).
    customers: set[tuple[int, str]] = field(default_factory=set)
    #: What the marks of the person's documents have in common: "MAIN-1207".
    marks: set[str] = field(default_factory=set)
    #: The last activity that was looked at.
    seen: int = 0

    def __post_init__(self) -> None:
        self.email = fold_email(self.email)
        self._address = re.compile(_BEFORE + re.escape(self.email) + _AFTER, re.IGNORECASE)

    @property
    def activity_ids(self) -> set[int]:
        return set().union(*self.activities.values()) if self.activities else set()

    def has_address(self, text: str) -> bool:
        """True if the e-mail address stands in it."""
        # Looked for plainly first: most texts have no such thing at all.
        return "@" in text and self._address.search(text) is not None

    def scrub(self, text: str, whose: Whose) -> str:
        """The text without the person, as far as `whose` row it is in lets tell."""
        text = self._address.sub(ERASED, text) if "@" in text else text
        if whose is not Whose.OTHERS and self._telling is not None:
            text = self._telling.sub(ERASED, text)
        if whose is Whose.THEIRS and self._words is not None:
            text = self._words.sub(ERASED, text)
        return text

    @cached_property
    def in_xml(self) -> Person:
        """The same person as their texts stand in XML."""
        return Person(escape(self.email), set(map(escape, self.telling)), set(map(escape, self.words)))

    @cached_property
    def _telling(self) -> re.Pattern[str] | None:
        return _whole(self.telling)

    @cached_property
    def _words(self) -> re.Pattern[str] | None:
        return _whole(self.words)

    def learn(self, content: Any) -> None:
        """Take in what stands beside the address in one record: a customer, an address, a whole order."""
        if isinstance(content, list):
            for one in content:
                self.learn(one)
        if not isinstance(content, dict):
            return
        texts = {
            key: value.strip() for key, value in content.items() if isinstance(value, str) and value.strip()
        }
        for key in _PHONES:
            if len(texts.get(key, "")) >= _LEAST_PHONE:
                self.telling.add(texts[key])
        names = [texts[key] for key in _NAMES if key in texts]
        if len(names) == len(_NAMES):
            self.telling |= {" ".join(names), ", ".join(reversed(names)), " ".join(reversed(names))}
        self.words |= {texts[key] for key in _WORDS if _is_word(texts.get(key, ""))}
        for key in ("order", "billing", "shipping"):
            self.learn(content.get(key))
        for name in ("_telling", "_words", "in_xml"):
            self.__dict__.pop(name, None)


def find_person(database: Database, email: str) -> Person:
    """Read everything once and gather what is the person's. Writes nothing; holds a piece at a time in memory."""
    person = Person(email)
    for row in _customers(database):
        if row.email_key == person.email or person.has_address(row.email_key):
            person.customers.add((row.company_id, row.list_id))
            person.learn({"first_name": row.first_name, "last_name": row.last_name, "postcode": row.postcode})
            person.learn(_from_books(_decoded(row.fields)))
    find_activities(database, person)
    return person


def find_activities(database: Database, person: Person) -> None:
    """Gather the person's activities beyond what was looked at before."""
    with database.read() as db:
        codes = {store.id: store.code for store in db.execute(select(Store.id, Store.code))}
    for row in _activities(database, person.seen):
        person.seen = row.id
        contents = [one for one in (row.payload, row.newer_payload) if one is not None]
        texts = [one.decode("utf-8", "replace") for one in contents]
        if not any(map(person.has_address, (*texts, row.reference))):
            continue
        if is_personal(row.kind):
            person.activities.setdefault(row.company_id, set()).add(row.id)
            if row.order_id and row.store_id in codes:
                person.marks.add(f"{codes[row.store_id]}-{row.order_id}")
            for one in contents:
                content = _decoded(one)
                if _is_of(person, content):
                    person.learn(content)
        if row.kind == "add_customer" and row.txn_id:
            person.customers.add((row.company_id, row.txn_id))
    with database.read() as db:
        for company_id, list_id in db.execute(
            select(Mapping.company_id, Mapping.list_id).where(
                Mapping.kind == "customer", Mapping.key == f"email:{person.email}"
            )
        ):
            person.customers.add((company_id, list_id))


def _activities(database: Database, after: int) -> Iterator[Any]:
    columns = (
        *(Activity.id, Activity.company_id, Activity.kind, Activity.txn_id, Activity.reference),
        *(Activity.payload, Activity.newer_payload, Activity.store_id, Activity.order_id),
    )
    while True:
        with database.read() as db:
            rows = db.execute(
                select(*columns).where(Activity.id > after).order_by(Activity.id).limit(AT_ONCE)
            ).all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].id


def _customers(database: Database) -> Iterator[Any]:
    one = CatalogueCustomer
    columns = (
        *(one.company_id, one.list_id, one.email_key, one.first_name, one.last_name),
        *(one.postcode, one.fields),
    )
    last: tuple[int, str] = (0, "")
    while True:
        with database.read() as db:
            rows = db.execute(
                select(*columns)
                .where((one.company_id > last[0]) | ((one.company_id == last[0]) & (one.list_id > last[1])))
                .order_by(one.company_id, one.list_id)
                .limit(AT_ONCE)
            ).all()
        yield from rows
        if len(rows) < AT_ONCE:
            return
        last = (rows[-1].company_id, rows[-1].list_id)


def _is_of(person: Person, content: Any) -> bool:
    """True if a record's own address is the person's: not one that only names it in a note, say."""
    if not isinstance(content, dict):
        return False
    if person.email == fold_email(str(content.get("email") or "")):
        return True
    return any(
        person.email == fold_email(str(part.get("email") or "")) or (key == "order" and _is_of(person, part))
        for key in ("billing", "shipping", "order")
        if isinstance(part := content.get(key), dict)
    )


def _from_books(fields: Any) -> dict[str, str]:
    """QuickBooks' fields of a customer under the names that the shop's have."""
    if not isinstance(fields, dict):
        return {}
    flat: dict[str, str] = {}
    for key, value in fields.items():
        name = str(key).rpartition(".")[2].rpartition("/")[2]
        if isinstance(value, str):
            flat[name] = value
    as_shop = {
        "Phone": "phone",
        "FirstName": "first_name",
        "LastName": "last_name",
        "CompanyName": "company",
        "Street": "line1",
        "Street2": "line2",
        "City": "city",
        "PostalCode": "postcode",
    }
    return {ours: flat[theirs] for theirs, ours in as_shop.items() if theirs in flat}


def _decoded(content: bytes) -> Any:
    try:
        return msgspec.json.decode(content)
    except msgspec.DecodeError:
        return None


def _is_word(text: str) -> bool:
    """True if it tells something: a short number is a quantity or an amount as well as a house's."""
    return len(text) >= (_LEAST_WORD if any(map(str.isalpha, text)) else _LEAST_NUMBER)


def _whole(texts: Iterable[str]) -> re.Pattern[str] | None:
    """Any of these as whole words, the longest first, whatever their case; none in the middle of an amount."""
    ordered = sorted(texts, key=len, reverse=True)
    if not ordered:
        return None
    return re.compile(
        r"(?<!\w)(?<!\d\.)(?:" + "|".join(map(re.escape, ordered)) + r")(?!\w|\.\d)", re.IGNORECASE
    )
