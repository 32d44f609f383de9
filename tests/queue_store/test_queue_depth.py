"""The queue's depth comes from an index, however long the queue is, and never from what is finished."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.dialects import postgresql, sqlite

from queue_store.activities import QUICKBOOKS, SHOP, add_activity, move
from queue_store.companies import add_company
from queue_store.database import Database
from queue_store.ids import id_at, made_at, new_id
from queue_store.models import Activity, ActivityEvent
from queue_store.queue_depth import DEPTH, FIRST_OLD, UNFINISHED, at_work_since, in_doubt_since, queue_depth
from queue_store.states import ActivityState as S
from tests.queue_store.test_claim_plan import fill

NOW = datetime.now(UTC)


def plan(database: Database, query: Any, **values: Any) -> str:
    dialect: Any = sqlite.dialect() if database.is_sqlite else postgresql.dialect()
    compiled = query.params(**values).compile(dialect=dialect, compile_kwargs={"literal_binds": True})
    explain = "EXPLAIN QUERY PLAN " if database.is_sqlite else "EXPLAIN "
    with database.engine.connect() as connection:
        if not database.is_sqlite:
            # Rows are as wide as they are in life, and index-only scans want to know which pages all can see.
            connection.execution_options(isolation_level="AUTOCOMMIT")
            connection.execute(text("UPDATE activities SET sentence = repeat('x', 1000)"))
            connection.execute(text("VACUUM ANALYZE activities"))
        return "\n".join(str(row) for row in connection.execute(text(f"{explain}{compiled}")))


@pytest.mark.parametrize(("waiting", "state"), [(20_000, "pending"), (20_000, "failed"), (50, "pending")])
def test_counting_reads_the_index_of_the_claim_alone(database: Database, waiting: int, state: str) -> None:
    company_id = fill(database, waiting)
    found = plan(database, DEPTH, company_id=company_id, target=QUICKBOOKS, state=state)
    assert "ix_activities_claim" in found
    assert ("COVERING INDEX" if database.is_sqlite else "Index Only Scan") in found
    for slow in ("SCAN", "Seq Scan", "TEMP B-TREE", "Sort"):
        assert slow not in found, found


def test_the_first_in_line_come_without_sort_or_scan(database: Database) -> None:
    company_id = fill(database, 20_000)
    values = {"company_id": company_id, "target": QUICKBOOKS, "state": "pending"}
    found = plan(database, FIRST_OLD, **values, before=new_id(), limit=200)
    assert "ix_activities_claim" in found
    for slow in ("SCAN", "Seq Scan", "TEMP B-TREE", "Sort"):
        assert slow not in found, found


def test_every_unfinished_state_is_counted_for_each_target_with_its_oldest(database: Database) -> None:
    company_id = fill(database, 30)
    depth = {(one.target, one.state): one for one in queue_depth(database_session(database), company_id)}
    assert set(depth) == {(target, state) for target in (QUICKBOOKS, SHOP) for state in UNFINISHED}
    assert depth[QUICKBOOKS, S.PENDING].number == 30
    oldest = depth[QUICKBOOKS, S.PENDING].oldest_at
    assert oldest is not None
    assert abs(oldest - datetime.now(UTC)) < timedelta(minutes=5)
    assert depth[QUICKBOOKS, S.FAILED] == (QUICKBOOKS, S.FAILED, 0, None)


def database_session(database: Database) -> Any:
    with database.read() as db:
        return db


def test_an_id_tells_when_it_was_made() -> None:
    before = datetime.now(UTC) - timedelta(milliseconds=2)
    made = new_id()
    assert before <= made_at(made) <= datetime.now(UTC)
    assert id_at(before) <= made < id_at(datetime.now(UTC) + timedelta(milliseconds=2))
    assert id_at(datetime(1999, 1, 1, tzinfo=UTC)) == 0


def work(database: Database, *steps: tuple[S, float], state: S = S.PENDING, hours_ago: float = 10) -> int:
    """An activity that came so long ago, and went through these states so many hours ago."""
    came = NOW - timedelta(hours=hours_ago)
    with database.write() as db:
        company = db.query(Activity.company_id).limit(1).scalar() or (
            add_company(db, name="Main", flavour="pos", username="u", password="p").id
        )
        activity = Activity(
            id=id_at(came) + new_id() % 1000,
            company_id=company,
            kind="sale",
            record_id=str(new_id()),
            state=state,
            payload=b"{}",
        )
        add_activity(db, activity, cause="came")
        db.flush()
        db.query(ActivityEvent).filter_by(activity_id=activity.id).update({"at": came})
        for to, hours in steps:
            move(db, activity, to, cause="test")
            db.flush()
            newest = db.query(ActivityEvent).filter_by(activity_id=activity.id, to_state=to)
            newest.order_by(ActivityEvent.id.desc()).first().at = NOW - timedelta(hours=hours)  # type: ignore[union-attr]
        return activity.company_id


def test_an_activity_is_at_work_since_it_came_or_left_a_state_of_rest(database: Database) -> None:
    # At work for ten hours, tried again and again.
    company_id = work(database, (S.SENT, 9), (S.DELAYED, 9), (S.PENDING, 1))
    # Held for long, and let go an hour ago.
    work(database, (S.HELD, 9), (S.PENDING, 1))
    # Came an hour ago; done; failed: none of them waits.
    work(database, hours_ago=1)
    work(database, (S.SENT, 9), (S.SUCCEEDED, 8))
    work(database, (S.FAILED, 9))
    with database.read() as db:
        late = at_work_since(db, company_id, QUICKBOOKS, NOW - timedelta(hours=4))
        assert [round((NOW - one.since) / timedelta(hours=1)) for one in late] == [10]
        assert at_work_since(db, company_id, SHOP, NOW - timedelta(hours=4)) == []


def test_doubt_begins_when_the_answer_was_lost_and_not_when_the_order_came(database: Database) -> None:
    company_id = work(database, (S.SENT, 3), (S.IN_DOUBT, 3))
    work(database, (S.SENT, 3), (S.IN_DOUBT, 3), (S.PENDING, 2), (S.SENT, 0.2), (S.IN_DOUBT, 0.1))
    with database.read() as db:
        late = in_doubt_since(db, company_id, NOW - timedelta(hours=1))
    assert [round((NOW - one.since) / timedelta(hours=1)) for one in late] == [3]
