"""A company that was set up for another Point of Sale: the first total that differs stops it, and mended it goes on."""

from __future__ import annotations

from decimal import Decimal

import pytest

from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.secrets import SecretBox
from queue_store.settings import company_settings
from queue_store.tasks import open_tasks
from tests.harness import House, make_house, numbered, recorded_order

ORDERS = 24


@pytest.mark.parametrize("sessions", [1, 4])
def test_after_the_set_with_the_first_wrong_total_no_document_leaves(
    sqlite_database: Database, box: SecretBox, sessions: int
) -> None:
    """Our lines bear a code that QuickBooks taxes, and it takes tenders that do not add up."""
    dialect = PosDialect(unbalanced_tenders="accept")
    house = make_house(sqlite_database, box, PosCompanyFile.create(None, dialect=dialect))
    house.set("lines.tax_code", "Tax")
    for number in range(ORDERS):
        house.take(numbered(recorded_order("plain"), 1000 + number))
    documents: list[int] = []
    for _ in range(sessions):
        house.run(on_set=lambda _number, request: documents.append(request.count("<SalesReceiptAddRq")))
    with_documents = [count for count in documents if count]
    assert len(with_documents) == 1
    assert 0 < with_documents[0] < ORDERS
    assert house.states().count("succeeded") == with_documents[0]
    assert house.states().count("pending") == ORDERS - with_documents[0]
    assert _is_stopped(house)
    with house.database.read() as db:
        assert any("difference" in task.sentence for task in open_tasks(db))

    house.set("lines.tax_code", "Non")
    house.set("documents.stopped", "false")
    house.run_until_quiet()
    assert house.states() == ["succeeded"] * ORDERS
    assert house.totals()[with_documents[0] :] == [Decimal("24.52")] * (ORDERS - with_documents[0])
    assert not _is_stopped(house)


def _is_stopped(house: House) -> bool:
    with house.database.read() as db:
        return bool(company_settings(db, get_company(db, "books"))["documents.stopped"])
