"""A played Point of Sale company: opening it, sessions on it, backups and faults of it."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from types import TracebackType
from typing import Any

from lxml import etree

from ops_sandbox.pos import taxes
from ops_sandbox.pos.books import Books
from ops_sandbox.pos.dialect import PosDialect
from ops_sandbox.pos.disk import Disk
from ops_sandbox.pos.errors import NO_COMPANY_NAMED, OTHER_COMPANY, CompanyFileExists
from ops_sandbox.pos.faults import Deed, Failure, Faults, Poison, RefuseWhen
from ops_sandbox.pos.filters import Keys
from ops_sandbox.pos.lists import new_department
from ops_sandbox.pos.moments import Moments
from ops_sandbox.pos.session import PosSession
from ops_sandbox.pos.store import Store
from ops_sandbox.pos.till import Till
from ops_sandbox.pos.writer import Writer
from ops_sandbox.request_processor import RequestProcessorError


def _utc_now() -> datetime:
    return datetime.now(UTC)


class PosCompanyFile(Till):
    """A company with stores, items, customers, receipts. Fulfils `RequestProcessor`.

    May be used from several threads, and its file by several processes.
    """

    def __init__(self, store: Store, books: Books, faults: Faults) -> None:
        super().__init__(store, books)
        self._faults = faults
        self._practice: PosCompanyFile | None = None
        if store.disk is not None:
            self._closer = weakref.finalize(self, store.disk.close)

    # Opening and closing

    @classmethod
    def create(
        cls,
        path: Path | None,
        *,
        company_name: str = "Sandbox Goods",
        dialect: PosDialect | None = None,
        stores: Sequence[int] = (1, 2),
        store_number: int = 1,
        clock: Callable[[], datetime] | None = None,
        utc_offset_hours: float = -5,
        tax_rates: Mapping[tuple[str, str], Decimal] = taxes.DEFAULT_RATES,
    ) -> PosCompanyFile:
        """A new company with the department "System" and no more. Raises `CompanyFileExists`.

        `path` None keeps it in memory. `store_number` is the store of the workstation that
        requests arrive at. `tax_rates` is percent by (tax category, tax code); the first
        category is the company's own.
        """
        if path is not None and path.exists():
            raise CompanyFileExists(path)
        chosen = dialect or PosDialect()
        company = cls._assemble(None if path is None else Disk.create(path), chosen, clock)
        company._store.meta.update(
            company_name=company_name,
            stores=sorted(stores),
            store_number=store_number,
            utc_offset_hours=utc_offset_hours,
            dialect={**asdict(chosen), "unique_fields": sorted(chosen.unique_fields)},
        )
        company._books.moments.utc_offset_hours = utc_offset_hours
        with company.transaction():
            taxes.set_up(company._books, tax_rates)
            new_department(company._books, {"DepartmentCode": "SYS", "DepartmentName": "System"})
        return company

    @classmethod
    def open(
        cls, path: Path, *, dialect: PosDialect | None = None, clock: Callable[[], datetime] | None = None
    ) -> PosCompanyFile:
        """The company at `path`, by default with the dialect it had. Raises `NotACompanyFile`."""
        disk = Disk.open(path)
        if dialect is None:
            kept: dict[str, Any] = Store.peek(disk)["dialect"]
            dialect = PosDialect(**{**kept, "unique_fields": frozenset(kept["unique_fields"])})
        company = cls._assemble(disk, dialect, clock)
        company._store.load()
        company._books.moments.utc_offset_hours = company._store.meta["utc_offset_hours"]
        return company

    @classmethod
    def _assemble(
        cls,
        disk: Disk | None,
        dialect: PosDialect,
        clock: Callable[[], datetime] | None,
        faults: Faults | None = None,
    ) -> PosCompanyFile:
        moments = Moments(clock or _utc_now, 0, dialect)
        keys = Keys(moments, ignores_case=dialect.filter_ignores_case)
        store = Store(disk, keys.of)
        books = Books(store, dialect, moments, keys, Writer(moments, dialect))
        return cls(store, books, faults or Faults())

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        if self._store.disk is not None:
            self._closer()

    def __enter__(self) -> PosCompanyFile:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    # The request processor

    def begin_session(self, company_file: str) -> PosSession:
        """Open the company. Raises `RequestProcessorError`.

        `company_file` is "" or `Computer Name=..;Company Data=<name>;Version=n[;Practice=Yes]`.
        Source: protocol reference 5.1.
        """
        if self._faults.of_session:
            raise self._faults.of_session.popleft().error()
        parts = [part.partition("=") for part in company_file.split(";") if part.strip()]
        asked = {key.strip().casefold(): value.strip() for key, _, value in parts}
        if not asked:
            if self.dialect.empty_company_text == "refused":
                raise RequestProcessorError(
                    NO_COMPANY_NAMED, "QuickBooks is not running and no company file was named."
                )
        elif asked.get("company data", "").casefold() != self.name.casefold():
            raise RequestProcessorError(
                OTHER_COMPANY, "A different QuickBooks company data file is open than the one asked for."
            )
        wants_practice = asked.get("practice", "").casefold() in ("yes", "true", "1")
        target = self.practice if wants_practice and self.dialect.practice_is_apart else self
        return PosSession(target._books, self._faults, target._lock)

    @property
    def practice(self) -> PosCompanyFile:
        """The practice copy of this company, made when first asked for; in memory only."""
        with self._lock:
            if self._practice is None:
                copy = self._assemble(None, self.dialect, self._books.moments.clock, self._faults)
                with self._store.transaction():
                    copy._store.take_from(self._store)
                copy._books.moments.utc_offset_hours = self.utc_offset_hours
                self._practice = copy
            return self._practice

    # Yesterday's file

    def backup(self, path: Path) -> None:
        """Copy the state to a file of its own, replacing one that stands there."""
        with self._lock, self._store.transaction():
            disk = Disk.create(path)
            try:
                copy = Store(disk, self._books.keys.of)
                copy.take_from(self._store)
            finally:
                disk.close()

    def restore(self, path: Path) -> None:
        """Put a backup back. Open sessions see it at once; ids given from now on are new ones."""
        with self._lock:
            disk = Disk.open(path)
            try:
                yesterday = Store(disk, self._books.keys.of)
                yesterday.load()
            finally:
                disk.close()
            restores = int(self._store.meta.get("restores", 0))
            yesterday.meta["restores"] = max(restores, int(yesterday.meta.get("restores", 0))) + 1
            self._store.take_from(yesterday)
            self._books.moments.utc_offset_hours = self._store.meta["utc_offset_hours"]

    # Faults to order

    @property
    def refuse_when(self) -> RefuseWhen | None:
        """Given a request element, the (status code, text) to refuse it with, or None."""
        return self._faults.refuse_when

    @refuse_when.setter
    def refuse_when(self, rule: RefuseWhen | None) -> None:
        self._faults.refuse_when = rule

    @property
    def poison(self) -> Poison | None:
        """Given a request element, whether it makes the whole set unparseable."""
        return self._faults.poison

    @poison.setter
    def poison(self, rule: Poison | None) -> None:
        self._faults.poison = rule

    def before_next(
        self, request: str, action: Callable[[etree._Element], object], *, count: int | None = 1
    ) -> Deed:
        """Call `action` before the next `count` requests of this name are done, None for all of them.

        `request` is such as "InventoryQtyAdjustmentAddRq", "" for any. The action gets the request element
        and can do all that this class offers: let a sale fall between our reading and our writing, also of
        one set. The `times` of the deed that is given back tell how often it was done; `cancel()` ends it.
        """
        deed = Deed(request, True, action, count)
        self._faults.deeds.append(deed)
        return deed

    def after_next(
        self, request: str, action: Callable[[etree._Element], object], *, count: int | None = 1
    ) -> Deed:
        """Call `action` after the next `count` requests of this name were done and their answer is written
        down, before it is given back: the answer shows the company as it was before. See `before_next`."""
        deed = Deed(request, False, action, count)
        self._faults.deeds.append(deed)
        return deed

    @property
    def latency_seconds_per_request(self) -> float:
        """How long Point of Sale takes over each request."""
        return self._faults.latency_seconds_per_request

    @latency_seconds_per_request.setter
    def latency_seconds_per_request(self, seconds: float) -> None:
        self._faults.latency_seconds_per_request = seconds

    @property
    def sleep(self) -> Callable[[float], None]:
        """How the latency is waited for; `time.sleep` unless set."""
        return self._faults.sleep

    @sleep.setter
    def sleep(self, function: Callable[[float], None]) -> None:
        self._faults.sleep = function

    def fail_next(self, hresult: str, message: str, *, after_executing: bool) -> None:
        """Let the next `process` fail, before or after it did its work. Several calls queue up."""
        self._faults.of_process.append(Failure(hresult, message, after_executing))

    def fail_next_session(self, hresult: str, message: str) -> None:
        """Let the next `begin_session` fail. Several calls queue up."""
        self._faults.of_session.append(Failure(hresult, message, after_executing=False))
