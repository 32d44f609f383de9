"""Mappings made by hand."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import pytest
from sqlalchemy import select

from queue_store.catalogue import bind, list_mappings
from queue_store.companies import add_company
from queue_store.database import Database
from queue_store.errors import BadSetting, NotFound
from queue_store.mappings import remove_mapping, set_mapping
from queue_store.models import AuditEntry
from queue_store.tax_rates import chosen_taxes, store_tax_rates


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


def test_a_tax_mapping_names_rates_or_a_class_and_a_pair_that_quickbooks_has(database: Database) -> None:
    with database.write() as db:
        company = add_company(db, name="books", flavour="pos", username="connector", password="pw")
        versions = [company.settings_version]
        made = set_mapping(
            db, company, kind="tax", key="Rates:4+3+4", list_id="Local Sales Tax/Tax", who="jo"
        )
        versions.append(company.settings_version)
        assert (made.key, made.list_id) == ("rates:3+4", "Local Sales Tax/Tax")
        set_mapping(db, company, kind="tax", key="rates:3+4", list_id="Shop/Low", store_id=5, who="jo")
        versions.append(company.settings_version)
        set_mapping(db, company, kind="tax", key="class:Reduced-Rate", list_id="A/B/Low", who="jo")
        assert chosen_taxes(db, company.id, 5) == {
            "rates:3+4": ("Shop", "Low"),
            "class:reduced-rate": ("A/B", "Low"),
        }
        assert chosen_taxes(db, company.id, 6)["rates:3+4"] == ("Local Sales Tax", "Tax")
        remove_mapping(db, company, kind="tax", key="rates:4+3", store_id=5, who="jo")
        versions.append(company.settings_version)
        assert len(set(versions)) == 4


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("rates:", "Local Sales Tax/Tax", "'rates:' does not fit"),
        ("rates:a", "Local Sales Tax/Tax", "does not fit; expected tax rates of the shop by id"),
        ("3+4", "Local Sales Tax/Tax", "'3+4' does not fit"),
        ("rates:3", "Local Sales Tax", "expected CATEGORY/CODE"),
        ("rates:3", "Local Sales Tax/Taxable", "expected CATEGORY/CODE"),
        ("rates:3", "Local/Tax", "is not in QuickBooks. It has: Local Sales Tax/Tax."),
    ],
)
def test_a_tax_mapping_that_cannot_be_says_why(database: Database, key: str, value: str, why: str) -> None:
    with database.write() as db:
        company = add_company(db, name="books", flavour="pos", username="connector", password="pw")
        store_tax_rates(db, company, {("Local Sales Tax", "Tax"): Decimal("8.25")}, datetime.now(UTC))
        with pytest.raises(BadSetting) as caught:
            set_mapping(db, company, kind="tax", key=key, list_id=value, who="jo")
        assert why in str(caught.value)
