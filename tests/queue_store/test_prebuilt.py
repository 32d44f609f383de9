"""A prebuilt statement gives what SQLAlchemy itself would give, from every kind of database."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import bindparam, column, insert, select, table, update
from sqlalchemy.exc import DBAPIError, IntegrityError

from queue_store.database import Database
from queue_store.models import Attempt, LoginAttempt, table_of
from queue_store.prebuilt import Prebuilt

_NOW = datetime(2026, 11, 25, 12, 30, 0, 250_000, tzinfo=UTC)
_ATTEMPT = table_of(Attempt)
_KEEP = Prebuilt(insert(_ATTEMPT))
_SOME = Prebuilt(
    select(_ATTEMPT.c.activity_id, _ATTEMPT.c.predicted_total, _ATTEMPT.c.state)
    .where(_ATTEMPT.c.activity_id.in_(bindparam("ids", expanding=True)), _ATTEMPT.c.state == "sent")
    .order_by(_ATTEMPT.c.activity_id)
    .limit(2)
)
_SETTLE = Prebuilt(
    update(_ATTEMPT)
    .where(_ATTEMPT.c.activity_id.in_(bindparam("_ids", expanding=True)))
    .values(state=bindparam("_state"), txn_id=None)
)
_STANDS = select(_ATTEMPT.c.activity_id.label("id"), _ATTEMPT.c.txn_id.label("txn")).order_by("id")


_SAME = {
    "number": 1,
    "exchange_id": 7,
    "state": "sent",
    "fingerprint": "",
    "predicted_total": None,
    "status_code": None,
    "status_message": "",
    "txn_id": "T",
}


def test_rows_have_the_types_of_their_columns(database: Database) -> None:
    with database.write() as db:
        totals = [Decimal("1.10"), None, None, None]
        _KEEP.run_many(db, _SAME, {"activity_id": [1, 2, 3, 4], "predicted_total": totals})
        found = _SOME.rows(db, {"ids": [4, 2, 1]})
        assert [(row.activity_id, row.predicted_total, row.state) for row in found] == [
            (1, Decimal("1.10"), "sent"),
            (2, None, "sent"),
        ]
        assert _SOME.rows(db, {"ids": []}) == []


def test_a_write_tells_how_many_rows_it_met(database: Database) -> None:
    with database.write() as db:
        assert _KEEP.run_many(db, _SAME, {"activity_id": [1, 2, 3]}) == 3
        assert _SETTLE.run(db, {"_ids": [1, 3, 5], "_state": "lost"}) == 2
        assert _SETTLE.run(db, {"_ids": [], "_state": "lost"}) == 0
        assert [(row.id, row.txn) for row in db.execute(_STANDS)] == [(1, None), (2, "T"), (3, None)]


def test_moments_come_back_in_utc(database: Database) -> None:
    seen = Prebuilt(
        select(LoginAttempt.last_failure_at, LoginAttempt.locked_until).where(
            LoginAttempt.last_failure_at == bindparam("at")
        )
    )
    with database.write() as db:
        db.add(LoginAttempt(username="u", address="a", failures=1, last_failure_at=_NOW))
        db.flush()
        assert seen.rows(db, {"at": _NOW}) == [(_NOW, None)]


def test_an_error_of_the_driver_is_one_of_sqlalchemy(database: Database) -> None:
    gone = Prebuilt(select(table("never_made", column("id"))))
    with pytest.raises(DBAPIError) as refused, database.read() as db:
        gone.rows(db, {})
    assert isinstance(refused.value.orig, database.engine.dialect.loaded_dbapi.Error)


def test_a_row_that_is_there_already_is_refused_as_sqlalchemy_refuses_it(database: Database) -> None:
    with pytest.raises(IntegrityError), database.write() as db:
        _KEEP.run_many(db, _SAME, {"activity_id": [1, 1]})
    with database.write() as db:
        assert _KEEP.run_many(db, _SAME, {"activity_id": [1, 2]}) == 2


def test_what_a_session_has_still_to_write_of_attempts_is_written_first(database: Database) -> None:
    with database.write() as db:
        _KEEP.run_many(db, _SAME, {"activity_id": [1]})
        attempt = db.get_one(Attempt, (1, 1))
        attempt.state = "lost"
        db.add(Attempt(**{**_SAME, "activity_id": 2}))
        assert [row.activity_id for row in _SOME.rows(db, {"ids": [1, 2]})] == [2]
    with database.write() as db:
        # Another transaction, and so perhaps another connection.
        assert [row.activity_id for row in _SOME.rows(db, {"ids": [1, 2]})] == [2]
