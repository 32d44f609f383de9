"""Settings are read once for each version, and a version never comes twice."""

from __future__ import annotations

import pytest

from queue_store.companies import add_company
from queue_store.database import Database
from queue_store.errors import BadSetting
from queue_store.models import Company
from queue_store.settings import check_setting, company_settings, set_company_setting


def test_a_changed_setting_is_seen_at_once_and_one_rolled_back_never(database: Database) -> None:
    with database.write() as db:
        company = add_company(db, name="books", flavour="pos", username="connector", password="pw")
        assert company_settings(db, company)["pace.most"] == 50
        set_company_setting(db, company, "pace.most", "20", who="jo")
        assert company_settings(db, company)["pace.most"] == 20
        company_id = company.id
    try:
        with database.write() as db:
            company = db.get_one(Company, company_id)
            set_company_setting(db, company, "pace.most", "7", who="jo")
            assert company_settings(db, company)["pace.most"] == 7
            raise RuntimeError("nothing of this is kept")
    except RuntimeError:
        pass
    with database.write() as db:
        company = db.get_one(Company, company_id)
        assert company_settings(db, company)["pace.most"] == 20
        set_company_setting(db, company, "pace.most", "9", who="jo")
        assert company_settings(db, company)["pace.most"] == 9


def test_a_day_that_utc_does_not_have_is_refused_with_a_sentence() -> None:
    with pytest.raises(BadSetting, match=r"orders\.since"):
        check_setting("store", "orders.since", "0001-01-01T00:00:00+14:00")
