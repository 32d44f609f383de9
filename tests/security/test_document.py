"""`docs/security.md` is true: its threats have tests, and the tests against attacks stand in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from ops_console.cli.paths import PrivateFile
from ops_console.private_files import open_private

ROOT = Path(__file__).parents[2]
#: Written against attacks alone: each of their tests belongs to a threat.
AGAINST_ATTACKS = (
    *("tests/security/test_threats.py", "tests/security/test_sql.py", "tests/woo_bridge/test_public_only.py"),
    *(
        "tests/ops_console/test_listening.py",
        "tests/ops_console/test_http_edges.py",
        "tests/fuzz/test_fuzz.py",
    ),
    *("tests/ops_console/test_terminal.py", "tests/ops_console/test_secrets.py"),
)


def threats() -> dict[str, list[str]]:
    """The tests of each threat of the table."""
    rows = re.findall(
        r"^\| (.+?) \| (.+?) \| (.+?) \|$", (ROOT / "docs" / "security.md").read_text(), re.MULTILINE
    )
    return {threat: re.findall(r"`(tests/[^`]+)`", tests) for threat, _, tests in rows[2:]}


def names_in(file: str) -> set[str]:
    tree = ast.parse((ROOT / file).read_text())
    return {
        f"{file}::{node.name}"
        for node in tree.body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def test_every_threat_names_tests_that_exist() -> None:
    found = threats()
    assert len(found) > 25
    for threat, tests in found.items():
        assert tests, threat
        for test in tests:
            assert test in names_in(test.partition("::")[0]), f"{threat}: {test}"


def test_every_test_against_an_attack_stands_in_the_table() -> None:
    named = {test for tests in threats().values() for test in tests}
    missing = {test for file in AGAINST_ATTACKS for test in names_in(file)} - named
    assert not missing


def test_an_export_is_for_its_user_alone(tmp_path: Path) -> None:
    with open_private(tmp_path / "a.csv", encoding="utf-8-sig") as file:
        file.write("Zoë\n")
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "a.csv").read_bytes() == b"\xef\xbb\xbfZo\xc3\xab\n"
    # One that stands there already keeps the rights that somebody gave it.
    (tmp_path / "a.csv").chmod(0o644)
    with open_private(tmp_path / "a.csv", encoding="utf-8-sig") as file:
        file.write("x")
    assert (tmp_path / "a.csv").stat().st_mode & 0o777 == 0o644
    lazy = PrivateFile().convert(str(tmp_path / "b.csv"), None, None)
    assert not (tmp_path / "b.csv").exists()
    lazy.write("y")
    lazy.close()
    assert (tmp_path / "b.csv").stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "b.csv").read_text() == "y"
