"""What the command line allows and says once a Web Connector has worked for a company."""

from __future__ import annotations

import pytest

from queue_store.companies import get_company
from queue_store.database import Database
from queue_store.models import Exchange, QbwcSession
from queue_store.states import ExchangeState, SessionState
from tests.ops_console.conftest import Qbwoo


@pytest.fixture
def written(console_database: Database, company: str) -> None:
    """A session has handed out a set of documents, and nothing was ever looked back to."""
    with console_database.write() as db:
        company_id = get_company(db, company).id
        session = QbwcSession(
            company_id=company_id, ticket_hash="0" * 64, state=SessionState.CLOSED, address="127.0.0.1"
        )
        db.add(session)
        db.flush()
        db.add(
            Exchange(
                company_id=company_id,
                session_id=session.id,
                purpose="write",
                state=ExchangeState.ANSWERED,
                requests=1,
                request=b"<QBPOSXML/>",
            )
        )


@pytest.mark.usefixtures("written")
def test_check_knows_that_the_web_connector_has_worked(qbwoo: Qbwoo, add_store: object) -> None:
    add_store()  # type: ignore[operator]
    assert "has not worked" not in qbwoo("check").out


@pytest.mark.usefixtures("written")
def test_the_prefix_of_marks_stays_once_something_was_sent(qbwoo: Qbwoo, company: str) -> None:
    said = qbwoo("company", "set", company, "documents.prefix", "Y", code=2)
    assert "documents.prefix" in said.err
    qbwoo("company", "set", company, "documents.prefix", "W")


def test_the_prefix_of_marks_may_change_before_anything_was_sent(qbwoo: Qbwoo, company: str) -> None:
    qbwoo("company", "set", company, "documents.prefix", "Y")
