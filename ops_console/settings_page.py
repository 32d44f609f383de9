"""Writes docs/settings.md, every setting as the code has it: `python -m ops_console.settings_page`."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from queue_store.company_setting_list import COMPANY_SETTINGS
from queue_store.setting_forms import Setting
from queue_store.store_setting_list import STORE_SETTINGS

PAGE = Path(__file__).parent.parent / "docs" / "settings.md"
_HEAD = """# Settings

Made by `python -m ops_console.settings_page` from the code: change a setting there, then make this page anew.
"""


def settings_page() -> str:
    """The whole page, as Markdown."""
    return "\n".join(
        [
            _HEAD,
            "## Of a company\n",
            "    qbwoo company set NAME                # all of them, with what they are\n"
            "    qbwoo company set NAME KEY VALUE\n",
            *_table(COMPANY_SETTINGS.values()),
            "\n## Of a store\n",
            "    qbwoo store set NAME KEY VALUE\n",
            *_table(STORE_SETTINGS.values()),
            "",
        ]
    )


def _table(settings: Iterable[Setting]) -> list[str]:
    rows = ["| setting | default | what it does | values |", "| --- | --- | --- | --- |"]
    for one in settings:
        default = f"`{one.default}`" if one.default else ""
        cells = (f"`{one.key}`", default, one.explanation, one.form)
        rows.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return rows


if __name__ == "__main__":
    PAGE.write_text(settings_page(), encoding="utf-8")
