"""Mappings made by hand."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from queue_store.catalogue import bind, list_mappings
from queue_store.companies import add_company
from queue_store.database import Database
from queue_store.errors import BadSetting, NotFound
from queue_store.mappings import remove_mapping, set_mapping
from queue_store.models import AuditEntry


def test_a_mapping_by_hand_is_folded_kept_against_look_ups_and_audited(database: Database) -> None:
    with database.write() as db:
        company = add_company(db, name="books", flavour="pos", username="connector", password="pw")
        set_mapping(db, company, kind="item", key=" TS-Red ", list_id="-12", who="jo")
        bind(db, company_id=company.id, kind="item", key="ts-red", list_id="99", source="matched")
        (found,) = list_mappings(db, company_id=company.id)
        assert (found.key, found.list_id, found.source) == ("ts-red", "-12", "operator")
        remove_mapping(db, company, kind="item", key="TS-RED", who="jo")
        assert list_mappings(db, company_id=company.id) == []
        audited = db.scalars(select(AuditEntry).order_by(AuditEntry.id)).all()
        assert [(entry.before, entry.after) for entry in audited] == [("", "-12"), ("-12", "")]


def test_what_cannot_be_a_mapping_is_refused(database: Database) -> None:
    with database.write() as db:
        company = add_company(db, name="books", flavour="pos", username="connector", password="pw")
        for kind, key, list_id in (
            ("order", "1", "1"),
            ("item", "  ", "1"),
            ("item", "x", "<a>"),
            ("item", "x", ""),
        ):
            with pytest.raises(BadSetting):
                set_mapping(db, company, kind=kind, key=key, list_id=list_id, who="jo")
        with pytest.raises(NotFound, match="item mapping"):
            remove_mapping(db, company, kind="item", key="none", who="jo")
