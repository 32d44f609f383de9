"""Settings of a company or a store, as commands show them."""

from __future__ import annotations

from collections.abc import Mapping

from ops_console.cli.output import print_rows
from queue_store.errors import BadSetting
from queue_store.setting_forms import Setting
from queue_store.settings import Settings


def print_settings(
    table: Mapping[str, Setting], settings: Settings, key: str | None, *, as_json: bool
) -> None:
    """All settings with their values and a word each, or the one called `key`. Raises BadSetting."""
    if key is not None and key not in table:
        raise BadSetting(key, f"is not known. Known are: {', '.join(sorted(table))}.")
    rows = [
        {
            "key": setting.key,
            "value": settings.text(setting.key),
            "default": setting.default,
            "expected": setting.form,
            "explanation": setting.explanation,
        }
        for setting in table.values()
        if key in (None, setting.key)
    ]
    print_rows(rows, ("key", "value", "explanation"), as_json=as_json)
