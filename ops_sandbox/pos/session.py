"""An open company file: takes message sets, answers each request.

The document is read as a whole before anything is done; then the requests
are done one by one, each for good. There is no rollback of a set: what came
before a failure stays done. Source: protocol reference 2.5, 5.2.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping

from ops_sandbox.pos import (
    adjustments,
    company_info,
    deletions,
    lists,
    orders,
    receipts,
    taxes,
)
from ops_sandbox.pos.books import Answer, Books
from ops_sandbox.pos.errors import SESSION_LOST, RequestRefused, parse_error
from ops_sandbox.pos.faults import Faults
from ops_sandbox.pos.queries import Iterators, query
from ops_sandbox.pos.reader import Document, MacroUse, Request, read_document
from ops_sandbox.pos.values import Fields
from ops_sandbox.request_processor import RequestProcessorError

HCP_RESPONSE = "HOSTQUERY/COMPANYQUERY/PREFQUERY is currently not supported in QBPOS."

#: What this edition of Point of Sale does; any other request is answered with 3250.
_HANDLERS: Mapping[str, Callable[[Books, Request], Answer]] = {
    "CompanyQueryRq": company_info.query_company,
    "CustomerAddRq": lists.add_customer,
    "CustomerModRq": lists.modify_customer,
    "DepartmentAddRq": lists.add_department,
    "InventoryQtyAdjustmentAddRq": adjustments.add_adjustment,
    "ItemInventoryAddRq": lists.add_item,
    "ItemInventoryModRq": lists.modify_item,
    "ListDelRq": deletions.delete,
    "ListDeletedQueryRq": deletions.query_deleted,
    "SalesOrderAddRq": orders.add_order,
    "SalesOrderModRq": orders.modify_order,
    "SalesReceiptAddRq": receipts.add_receipt,
    "TaxCategoryAddRq": taxes.add_category,
    "TaxCodeAddRq": taxes.add_code,
    "TaxRecordModRq": taxes.modify_record,
    "TxnReverseRq": receipts.reverse,
}

_QUERIES = frozenset(
    {
        "CustomerQueryRq",
        "DepartmentQueryRq",
        "InventoryQtyAdjustmentQueryRq",
        "ItemInventoryQueryRq",
        "SalesOrderQueryRq",
        "SalesReceiptQueryRq",
        "TransferSlipQueryRq",
        "VendorQueryRq",
        "VoucherQueryRq",
    }
)


class PosSession:
    """Fulfils `RequestProcessorSession` for Point of Sale."""

    hcp_response: str = HCP_RESPONSE
    country: str = "US"
    major_version: int = 3
    minor_version: int = 0

    def __init__(self, books: Books, faults: Faults, lock: threading.RLock) -> None:
        self.company_file_name: str = "" if books.dialect.company_file_name == "empty" else books.name
        self._books = books
        self._faults = faults
        self._lock = lock
        self._iterators = Iterators()
        self._ended = False

    def process(self, request: str) -> str:
        """The response document to one message set. Raises `RequestProcessorError`."""
        if self._ended:
            raise RequestProcessorError(SESSION_LOST, "The session ticket is invalid.")
        failure = self._faults.of_process.popleft() if self._faults.of_process else None
        if failure is not None and not failure.after_executing:
            raise failure.error()
        document = read_document(request, self._books.dialect)
        if self._is_poisoned(document):
            raise parse_error()
        if document.broken and self._books.dialect.parse_error_executes == "nothing":
            raise parse_error()
        answers = self._execute(document)
        if document.broken:
            raise parse_error()
        if failure is not None:
            raise failure.error()
        with self._lock:
            return self._books.writer.document(answers)

    def end(self) -> None:
        """Close; a second call does nothing."""
        self._ended = True

    def _is_poisoned(self, document: Document) -> bool:
        poison = self._faults.poison
        return poison is not None and any(poison(request.element) for request in document.requests)

    def _execute(self, document: Document) -> list[str]:
        answers: list[str] = []
        macros: dict[str, str] = {}
        stopped = False
        for request in document.requests:
            if stopped:
                if self._books.dialect.after_stop == "left_out":
                    break
                refused = "The request has not been processed because an earlier request failed."
                answers.append(self._spell(request, Answer(3231, refused)))
                continue
            if self._faults.latency_seconds_per_request:
                # Not under the lock: people go on selling while Point of Sale works.
                self._faults.sleep(self._faults.latency_seconds_per_request)
            self._faults.do(request.element, before=True)
            with self._lock, self._books.store.transaction():
                answer = self._answer(request, macros)
                answers.append(self._spell(request, answer))
            self._faults.do(request.element, before=False)
            stopped = document.stops_on_error and answer.code >= 1000
        return answers

    def _answer(self, request: Request, macros: dict[str, str]) -> Answer:
        refusal = self._faults.refuse_when(request.element) if self._faults.refuse_when else None
        if refusal is not None:
            return Answer(*refusal)
        try:
            with self._books.store.request():
                if request.fault is not None:
                    raise request.fault
                request.values = _resolved(request.values, macros)
                answer = self._handle(request)
        except RequestRefused as refused:
            return Answer(refused.code, refused.text)
        if request.macro is not None and answer.made is not None:
            macros[request.macro] = answer.made
        return answer

    def _handle(self, request: Request) -> Answer:
        if request.name in _QUERIES:
            return query(self._books, request, self._iterators)
        handler = _HANDLERS.get(request.name)
        if handler is None:
            raise RequestRefused(3250, f"{request.name} is not supported in this edition.")
        return handler(self._books, request)

    def _spell(self, request: Request, answer: Answer) -> str:
        name = request.name.removesuffix("Rq") + "Rs"
        request_id = request.attrs.get("requestID")
        return self._books.writer.answer(
            name, request_id, answer.code, answer.text, answer.extra, answer.body
        )


def _resolved(fields: Fields, macros: dict[str, str]) -> Fields:
    """`fields` with the ids that uses of macros stand for. Raises status 3120."""
    resolved: Fields = {}
    for name, value in fields.items():
        if isinstance(value, MacroUse):
            if value.name not in macros:
                raise RequestRefused(3120, f'Nothing in this set has defined the macro "{value.name}".')
            resolved[name] = macros[value.name]
        elif isinstance(value, dict):
            resolved[name] = _resolved(value, macros)
        elif isinstance(value, list):
            resolved[name] = [_resolved(one, macros) if isinstance(one, dict) else one for one in value]
        else:
            resolved[name] = value
    return resolved
