"""What every request handler works with: the records, the dialect, the clock."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal
from hashlib import blake2b
from typing import Any

from ops_sandbox.pos.dialect import PosDialect
from ops_sandbox.pos.errors import RequestRefused, invalid_reference, not_found
from ops_sandbox.pos.filters import Keys
from ops_sandbox.pos.indexes import Span
from ops_sandbox.pos.moments import Moments
from ops_sandbox.pos.store import Record, Store
from ops_sandbox.pos.values import Fields
from ops_sandbox.pos.writer import Writer

CENT = Decimal("0.01")


@dataclass(frozen=True, slots=True)
class Answer:
    """What a handler has to say, before the response element is put around it."""

    code: int = 0
    text: str = "Status OK"
    #: Further attributes of the response element.
    extra: dict[str, str] = field(default_factory=dict)
    body: str = ""
    #: The id that a `defMacro` of the request now stands for.
    made: str | None = None


class Books:
    """One company at work. Not for two threads at once; the company file sees to that."""

    def __init__(
        self, store: Store, dialect: PosDialect, moments: Moments, keys: Keys, writer: Writer
    ) -> None:
        self.store = store
        self.dialect = dialect
        self.moments = moments
        self.keys = keys
        self.writer = writer
        #: Who is logged in where Point of Sale requires it; fills an omitted Cashier.
        self.employee: str | None = None

    # The company

    @property
    def name(self) -> str:
        """Company Data name."""
        return str(self.store.meta["company_name"])

    @property
    def stores(self) -> tuple[int, ...]:
        """StoreNumbers, ascending."""
        return tuple(self.store.meta["stores"])

    @property
    def store_number(self) -> int:
        """The store of the workstation that we talk to."""
        return int(self.store.meta["store_number"])

    def store_or_refuse(self, number: int | None) -> int:
        """`number`, or this workstation's store. Raises status 3140."""
        if number is None:
            return self.store_number
        if number not in self.stores:
            raise invalid_reference("StoreNumber", number)
        return number

    # Records

    def new_id(self) -> str:
        """Signed 64 bits, seven in eight of them negative; the same in every run.

        A restored file goes on with other ids than it did the first time.
        """
        seed = f"{self.name}/{self.store.meta.get('restores', 0)}/{self.store.next('ids')}"
        number = int.from_bytes(blake2b(seed.encode(), digest_size=8).digest(), "big") >> 1
        return str(number if number % 8 == 0 else number - 2**63)

    def now(self) -> datetime:
        """This moment, with the local offset."""
        return self.moments.now()

    def add(self, kind: str, fields: Fields, *, id_field: str = "ListID") -> Record:
        """Put in a record with a new id and its times."""
        record_id, now = self.new_id(), self.now()
        stamps = {id_field: record_id, "TimeCreated": now, "TimeModified": now}
        kept = {name: value for name, value in fields.items() if value is not None and value != ""}
        return self.store.add(kind, record_id, {**stamps, **kept})

    def change(self, record: Record, changes: Fields, *, touches: bool = True) -> Record:
        """Put in a changed record; `touches` moves its TimeModified."""
        stamp = {"TimeModified": self.now()} if touches else {}
        changed = record.changed({**changes, **stamp})
        self.store.put(changed)
        return changed

    def find(self, kind: str, record_id: str) -> Record:
        """The record. Raises status 3120."""
        found = self.store.find(kind, record_id)
        if found is None:
            raise not_found(kind, record_id)
        return found

    def lookup(self, kind: str, field: str, value: Any) -> list[Record]:
        """Records whose `field` equals `value`, by the same comparison as a filter's."""
        index = self.store.index(kind, field)
        key = self.keys.of(field, value)
        ids = index.ids(*index.bounds(Span(low=key, high=key)))
        return [record for one in ids if (record := self.store.find(kind, one)) is not None]

    def refuse_double(self, kind: str, fields: Fields, own_id: str = "") -> None:
        """Raise status 3100 where the dialect enforces a field unique."""
        for unique in self.dialect.unique_fields:
            unique_kind, _, name = unique.partition(".")
            if unique_kind != kind or not fields.get(name):
                continue
            if any(record.id != own_id for record in self.lookup(kind, name, fields[name])):
                raise RequestRefused(
                    3100, f'The name "{fields[name]}" of the list element is already in use.'
                )

    # Money

    def cents(self, amount: Decimal) -> Decimal:
        """Tax, rounded as the dialect does."""
        rounding = ROUND_HALF_EVEN if self.dialect.tax_half == "half_even" else ROUND_HALF_UP
        return amount.quantize(CENT, rounding)
