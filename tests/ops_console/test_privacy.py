"""`qbwoo privacy` as a person uses it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.flows.test_erasure import EMAIL, OTHER, PLAIN, THEIRS
from tests.harness import House, make_house
from tests.leftovers import places_of
from tests.ops_console.conftest import Qbwoo


@pytest.fixture
def house(console_database: Database, box: SecretBox) -> House:
    house = make_house(console_database, box)
    house.take(PLAIN)
    house.take(OTHER)
    house.run_until_quiet()
    return house


def test_an_export_tells_all_of_the_person_nothing_of_others_and_is_for_one_user_alone(
    qbwoo: Qbwoo, house: House, tmp_path: Path
) -> None:
    file = tmp_path / "hers.json"
    before = os.umask(0)
    try:
        said = qbwoo("privacy", "export", "--email", EMAIL.upper(), "-o", file)
    finally:
        os.umask(before)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    told = json.loads(file.read_text())
    sale = next(one for one in told["documents"] if one["kind"] == "sale")
    assert (sale["payload"]["billing"]["line1"], sale["total"]) == ("77 Vexford Lane", "24.52")
    assert {"documents", "message_sets", "customers_in_quickbooks", "mappings"} <= set(told)
    assert any("Vexford" in part for one in told["message_sets"] for part in one["request"] + one["answer"])
    assert "gina" not in file.read_text().lower()
    assert "yours to erase there: QuickBooks knows this address as customer" in said.err
    # Nothing was changed.
    assert places_of(house.database, THEIRS)


def test_a_dry_run_counts_what_the_erasure_then_does_and_the_second_does_nothing(
    qbwoo: Qbwoo, house: House
) -> None:
    dry = qbwoo("privacy", "erase", "--email", EMAIL, "--dry-run", "--json").data
    assert places_of(house.database, THEIRS)
    done = qbwoo("privacy", "erase", "--email", f" {EMAIL.lower()}", "--yes", "--json").data
    assert (dry["done"], done["done"]) == (False, True)
    assert {name: done["rows"][name] for name in dry["rows"]} == dry["rows"]
    assert places_of(house.database, THEIRS) == set()
    said = qbwoo("privacy", "erase", "--email", EMAIL, "--yes")
    assert "Nothing is held of this address" in said.err
    assert "Nothing is held" in qbwoo("privacy", "export", "--email", EMAIL).err


def test_what_is_open_is_named(qbwoo: Qbwoo, house: House) -> None:
    house.take({**PLAIN, "id": 70, "number": "70"})
    said = qbwoo("privacy", "erase", "--email", EMAIL, "--yes")
    assert "Left for now: Order 70 has still to go to QuickBooks" in said.err
    assert "erased by itself" in said.err


def test_without_an_answer_nothing_is_erased_and_no_address_is_wrong_usage(
    qbwoo: Qbwoo, house: House
) -> None:
    assert "nothing was done" in qbwoo("privacy", "erase", "--email", EMAIL, code=1).err.lower()
    assert places_of(house.database, THEIRS)
    assert "is no e-mail address" in qbwoo("privacy", "erase", "--email", "Zdenka", "--yes", code=2).err


def test_pruning_by_hand_tells_what_it_did(qbwoo: Qbwoo, house: House) -> None:
    assert "Nothing was kept long enough" in qbwoo("privacy", "prune", "--dry-run").err
    with house.database.write() as db:
        from datetime import UTC, datetime, timedelta

        from sqlalchemy import update

        from queue_store.ids import id_at
        from queue_store.models import Exchange

        old = datetime.now(UTC) - timedelta(days=120)
        db.execute(
            update(Exchange).values(sent_at=old, id=Exchange.id - id_at(datetime.now(UTC)) + id_at(old))
        )
        db.execute(update(Exchange).values(sent_at=old))
    assert "message sets emptied" in qbwoo("privacy", "prune", "--dry-run").out
    assert "message sets emptied" in qbwoo("privacy", "prune", "--yes").out
