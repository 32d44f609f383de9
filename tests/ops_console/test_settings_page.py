"""Every setting stands in the documentation, as the code has it."""

from __future__ import annotations

import pytest

from ops_console.settings_page import PAGE, settings_page
from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.setting_forms import Setting, by_key, text
from queue_store.store_setting_list import STORE_SETTINGS


def test_the_page_is_what_the_code_says() -> None:
    found = PAGE.read_text(encoding="utf-8")
    assert found == settings_page(), "make it anew: python -m ops_console.settings_page"
    for key in (*COMPANY_SETTINGS, *STORE_SETTINGS):
        assert found.count(f"| `{key}` |") == 1, key


def test_a_setting_is_listed_once() -> None:
    with pytest.raises(ValueError, match=r"stock\.reason"):
        by_key(Setting("stock.reason", "", text(8), "One."), Setting("stock.reason", "", text(8), "Two."))
