"""Erasing a person: nothing tells who it was, and nothing is doubled, lost or stuck for it."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from ops_console import undoing
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.erasing import erase, finish_erasures, look_for
from queue_store.models import CatalogueCustomer, Erasure, ErasureRest, Mapping
from queue_store.operations import audit, cancel
from queue_store.secrets import SecretBox
from queue_store.settings import store_settings
from queue_store.tasks import open_tasks, raise_task
from queue_store.webhook_log import keep_body
from tests.flows.test_reconcile import reconciled
from tests.harness import AnswerLost, House, make_house, numbered, recorded_order, recorded_refunds
from tests.leftovers import places_of
from woo_bridge.receive import receive_webhook

EMAIL = "Zdenka.Quell@Example.org"
#: All that tells the person; none of it stands anywhere in our own texts.
THEIRS = (
    "zdenka",
    "quell",
    "vexford lane",
    "flat 9q",
    "wobbleton",
    "+1 212 555 0199",
    "zz9 7qx",
    "ring twice",
)
ADDRESS = {
    "first_name": "Zdenka",
    "last_name": "Quell",
    "company": "",
    "address_1": "77 Vexford Lane",
    "address_2": "Flat 9Q",
    "city": "Wobbleton",
    "state": "CA",
    "postcode": "ZZ9 7QX",
    "country": "US",
    "phone": "+1 212 555 0199",
}
TOTAL = Decimal("24.52")
OTHER_TOTAL = TOTAL


def hers(order: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """An order as this person placed it."""
    return {
        **order,
        "billing": {**ADDRESS, "email": EMAIL},
        "shipping": ADDRESS,
        "customer_note": "Please ring twice",
        "transaction_id": "ch_3Quell",
        **changes,
    }


PLAIN = hers(recorded_order("plain"))
#: Of somebody else, in the same message set.
OTHER = numbered(recorded_order("plain"), 901)
LATER = {"date_modified_gmt": "2026-11-23T01:00:00"}


@pytest.fixture
def house(database: Database, box: SecretBox) -> House:
    """A company with a live store; once with each database."""
    return make_house(database, box)


def erased(house: House, email: str = f"  {EMAIL.upper()} ") -> list[str]:
    """Erase; gives the sentences of what was left."""
    done = erase(house.database, email, who="test", now=datetime.now(UTC))
    return [one.sentence for one in done.left]


def sold(house: House) -> None:
    house.take(PLAIN)
    house.take(OTHER)
    house.run_until_quiet()
    assert house.states() == ["succeeded", "succeeded"]


def identities(house: House) -> list[tuple[Any, ...]]:
    return [
        (one.id, one.kind, one.record_id, one.generation, one.state, one.txn_id, one.total, one.fingerprint)
        for one in house.activities(None)
    ]


def test_nothing_in_the_database_tells_the_person_and_what_the_books_need_stays(house: House) -> None:
    sold(house)
    with house.database.write() as db:
        company, store = get_company(db, "books"), get_store(db, "main")
        raise_task(
            db, company_id=company.id, kind="x", subject="1", sentence=f"Zdenka Quell ({EMAIL}) wrote."
        )
        audit(db, company.id, "test", f"mapping set customer {EMAIL}", "", "Quell, Zdenka")
        keep_body(db, store_id=store.id, topic="customer.updated", reason=f"{EMAIL}: odd", body=b'{"id": 5, "email": "%s", "billing": {"first_name": "Zdenka"}}' % EMAIL.encode())  # fmt: skip
    before = identities(house)
    assert places_of(house.database, THEIRS)
    assert erased(house) == []
    assert places_of(house.database, THEIRS) == set()
    assert identities(house) == before
    with house.database.read() as db:
        # Somebody else's, in the same sets and tables, is whole.
        assert db.scalars(select(Mapping).where(Mapping.key == "email:plain@example.net")).first()
        assert db.scalars(
            select(CatalogueCustomer.first_name).where(CatalogueCustomer.first_name == "Gina")
        ).first()
    assert places_of(house.database, ["gina"]) >= {
        *("activities.payload: gina", "exchanges.request: gina", "exchanges.response: gina"),
        *("catalogue_customers.first_name: gina", "mappings.label: gina"),
    }
    # Again, nothing is left to do.
    assert look_for(house.database, EMAIL)[1].rows == {}
    assert sum(erase(house.database, EMAIL, who="test", now=datetime.now(UTC)).rows.values()) == 0


@pytest.mark.parametrize(
    "changes", [{}, LATER, {**LATER, "status": "processing"}], ids=["same", "later", "other"]
)
def test_an_erased_order_that_is_read_again_is_nothing_new_and_does_not_bring_the_person_back(
    house: House, changes: dict[str, Any]
) -> None:
    sold(house)
    erased(house)
    house.take({**PLAIN, **changes})
    house.run_until_quiet()
    assert house.totals() == [TOTAL, OTHER_TOTAL]
    assert house.states() == ["succeeded", "succeeded"]
    assert places_of(house.database, THEIRS) == set()


def test_an_order_of_an_erased_person_never_seen_before_goes_once_and_without_them(house: House) -> None:
    house.take(OTHER)
    erased(house)
    house.take(PLAIN)
    house.run_until_quiet()
    assert house.totals() == [OTHER_TOTAL, TOTAL]
    assert places_of(house.database, THEIRS) == set()


def test_a_webhook_that_cannot_be_read_is_kept_without_an_erased_person(house: House) -> None:
    erased(house)
    body = b'{"id": 77, "total": "what", "billing": {"first_name": "Zdenka", "email": "%s"}}' % EMAIL.encode()
    with house.database.write() as db:
        store = get_store(db, "main")
        receive_webhook(db, store, store_settings(db, store), "order.updated", body)
    assert house.states() == ["failed"]
    assert places_of(house.database, THEIRS) == set()


def test_an_order_placed_after_the_erasure_is_a_new_matter(house: House) -> None:
    sold(house)
    erased(house)
    soon = f"{datetime.now(UTC) + timedelta(hours=1):%Y-%m-%dT%H:%M:%S}"
    order = numbered(PLAIN, 950, date_created_gmt=soon, date_modified_gmt=soon, date_paid_gmt=soon)
    house.take(order)
    house.run_until_quiet()
    assert house.states() == ["succeeded"] * 3
    assert "quell" in house.activities()[-1].payload.decode().lower()
    assert len([one for one in house.pos.customers() if one.email.casefold() == EMAIL.casefold()]) == 1


def test_what_is_open_is_left_and_named_and_erased_by_itself_once_it_is_over(house: House) -> None:
    house.take(PLAIN)
    house.take(OTHER)
    left = erased(house)
    assert left == [f"Order 68 has still to go to QuickBooks; to end it instead: qbwoo activity cancel {house.activities()[0].id}"]  # fmt: skip
    # Meanwhile a webhook tells of it again: it still goes with its buyer.
    house.take({**PLAIN, **LATER})
    house.run_until_quiet()
    assert house.totals() == [TOTAL, OTHER_TOTAL]
    assert [one.email for one in house.pos.customers() if one.first_name == "Zdenka"] == [EMAIL.lower()]
    assert finish_erasures(house.database, datetime.now(UTC)) == (1, 0)
    assert places_of(house.database, THEIRS) == set()
    with house.database.read() as db:
        assert db.scalars(select(ErasureRest)).all() == []
        assert db.scalars(select(Erasure)).one().finished_at is not None
    house.take({**PLAIN, **LATER, "status": "completed"})
    assert house.run() == []
    assert places_of(house.database, THEIRS) == set()


def test_what_is_sent_and_not_answered_is_left_whole(house: House) -> None:
    house.take(PLAIN)

    def lost(number: int, ticket: str, request: str, response: str) -> None:
        if "<SalesReceiptAddRq" in request:
            raise AnswerLost

    house.run(on_answer=lost)
    assert house.states() == ["sent"]
    before = house.activities()[0].payload
    assert "is not answered yet" in erased(house)[0]
    assert house.activities()[0].payload == before
    assert finish_erasures(house.database, datetime.now(UTC)) == (0, 1)
    house.run_until_quiet()
    assert house.totals() == [TOTAL]
    finish_erasures(house.database, datetime.now(UTC))
    assert places_of(house.database, THEIRS) == set()


def test_an_order_that_is_cancelled_by_hand_is_erased(house: House) -> None:
    house.take({**PLAIN, "status": "on-hold", "date_paid_gmt": None, "date_completed_gmt": None})
    assert erased(house)
    with house.database.write() as db:
        cancel(db, db.merge(house.activities()[0]), "test")
    finish_erasures(house.database, datetime.now(UTC))
    assert places_of(house.database, THEIRS) == set()


def test_an_erased_order_is_undone_and_goes_again_without_the_person(house: House) -> None:
    sold(house)
    erased(house)
    with house.database.write() as db:
        undoing.undo(db, house.activities()[0].id, "test", again=True, done=False)
    house.run_until_quiet()
    assert sorted(house.totals()) == [TOTAL, OTHER_TOTAL]
    assert house.states() == ["superseded", "succeeded", "succeeded"]
    assert places_of(house.database, THEIRS) == set()


def test_a_refund_of_an_erased_order_becomes_one_return(house: House) -> None:
    order = hers(recorded_order("rpart"))
    refunds = [{**one, "reason": "Zdenka sent it back"} for one in recorded_refunds(103)]
    house.take({**order, "refunds": []})
    house.run_until_quiet()
    erased(house)
    house.take(order)
    house.take_refunds(order, refunds)
    house.run_until_quiet()
    assert house.states("return") == ["succeeded"]
    assert sorted(one.type for one in house.our_receipts()) == ["Return", "Sales"]
    assert places_of(house.database, THEIRS) == set()
    # And read once more, it is known.
    house.take(order)
    house.take_refunds(order, refunds)
    assert house.run() == []


def test_an_erased_order_and_its_receipt_still_agree_in_a_reconciliation(house: House) -> None:
    sold(house)
    erased(house)
    day = date.fromisoformat(PLAIN["date_created"][:10])
    report = reconciled(house, since=day, until=day)
    assert {row.reference: row.verdict for row in report.rows} == {"68": "equal", "901": "equal"}
    assert places_of(house.database, THEIRS) == set()


def test_a_customer_that_quickbooks_tells_of_again_is_kept_as_which_one_it_is_only(house: House) -> None:
    sold(house)
    erased(house)
    house.set("pull.customers_minutes", "1")
    house.run_until_quiet()
    with house.database.read() as db:
        rows = db.scalars(select(CatalogueCustomer)).all()
        assert all("Zdenka" not in str((one.first_name, one.email_key, one.fields)) for one in rows)
        assert any(one.first_name == "Gina" for one in rows)


def test_a_namesake_with_the_same_telephone_keeps_everything(house: House) -> None:
    house.take(PLAIN)
    namesake = {**ADDRESS, "address_1": "1 Other Row"}
    house.take(numbered(PLAIN, 905, billing={**namesake, "email": "zq@example.com"}, shipping=namesake))
    house.run_until_quiet()
    erased(house)
    assert places_of(house.database, [EMAIL.lower(), "vexford"]) == set()
    kept = places_of(house.database, ["zdenka", "1 other row", "zq@example.com"])
    assert kept >= {
        *("activities.payload: 1 other row", "exchanges.request: 1 other row", "exchanges.request: zdenka"),
        *("catalogue_customers.first_name: zdenka", "mappings.label: zdenka", "mappings.key: zq@example.com"),
    }


def test_an_address_that_only_ends_alike_is_another_persons(house: House) -> None:
    sold(house)
    assert erased(house, "quell@example.org") == []
    assert look_for(house.database, EMAIL)[1].rows
    with house.database.read() as db:
        assert open_tasks(db) == []
