"""Who may import whom: the rules that keep the two sides apart and each library in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
#: Each package, and which of the others it may import.
MAY_IMPORT = {
    "queue_store": set(),
    "qbxml": set(),
    "qbwc_service": {"queue_store", "qbxml", "qwc_templates"},
    "woo_bridge": {"queue_store"},
    "migrations": {"queue_store"},
    "ops_sandbox": {"qbxml"},
    "qwc_templates": set(),
    "ops_console": {"queue_store", "qbxml", "qbwc_service", "woo_bridge", "ops_sandbox", "migrations"},
}
#: Modules of these packages that alone may be imported by that package.
ONLY = {("ops_sandbox", "qbxml"): {"qbxml.grammar"}, ("migrations", "queue_store"): {"queue_store.models"}}
#: Libraries that one place each knows, so that one that ages costs one file.
ONE_PLACE = {
    "spyne": {"qbwc_service/soap.py", "qbwc_service/spyne_compat.py"},
    "woocommerce": {"woo_bridge/client.py"},
    "alembic": {"migrations"},
    "waitress": {"ops_console"},
    "click": {"ops_console/cli"},
    "rich": {"ops_console/cli"},
    "sqlalchemy": {"queue_store", "migrations", "ops_console"},
    "prometheus_client": {"ops_console/metrics.py"},
    "pythonjsonlogger": {"ops_console/logging.py"},
    "argon2": {"queue_store/secrets.py"},
}
#: Types that several layers name without touching what they stand for.
TYPES_OF = {"sqlalchemy.orm", "sqlalchemy"}


@dataclass(frozen=True)
class Import:
    """One import statement's module, and where it stands."""

    path: str
    line: int
    module: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} imports {self.module}"


def modules(package: str) -> Iterator[Path]:
    return (path for path in (ROOT / package).rglob("*.py") if "__pycache__" not in path.parts)


def imports_of(path: Path) -> Iterator[Import]:
    """Everything that a module imports, wherever in it, in absolute names."""
    name = path.relative_to(ROOT)
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield Import(str(name), node.lineno, alias.name)
        elif isinstance(node, ast.ImportFrom):
            parents = list(name.parent.parts)
            base = parents[: len(parents) - node.level + 1] if node.level else []
            module = ".".join([*base, *([node.module] if node.module else [])])
            for alias in node.names:
                # "from qbxml import reader" may name a module.
                is_module = (ROOT / Path(*module.split("."), alias.name)).with_suffix(".py").exists()
                yield Import(str(name), node.lineno, f"{module}.{alias.name}" if is_module else module)


def all_imports(package: str) -> list[Import]:
    return [found for path in modules(package) for found in imports_of(path)]


def is_under(module: str, package: str) -> bool:
    return module == package or module.startswith(f"{package}.")


@pytest.mark.parametrize("package", MAY_IMPORT)
def test_a_package_imports_only_what_the_house_allows(package: str) -> None:
    others = set(MAY_IMPORT) - MAY_IMPORT[package] - {package}
    wrong = [
        str(found) for found in all_imports(package) for other in others if is_under(found.module, other)
    ]
    assert wrong == []


@pytest.mark.parametrize(("package", "other"), ONLY)
def test_some_packages_see_one_module_of_another(package: str, other: str) -> None:
    wrong = [
        str(found)
        for found in all_imports(package)
        if is_under(found.module, other)
        and not any(is_under(found.module, allowed) for allowed in ONLY[package, other])
    ]
    assert wrong == []


def test_the_two_sides_know_each_other_only_by_the_queue() -> None:
    wrong = [
        str(found)
        for package, other in (("qbwc_service", "woo_bridge"), ("woo_bridge", "qbwc_service"))
        for found in all_imports(package)
        if is_under(found.module, other)
    ]
    assert wrong == []


@pytest.mark.parametrize("library", ONE_PLACE)
def test_a_library_is_known_in_one_place(library: str) -> None:
    wrong = [
        str(found)
        for package in MAY_IMPORT
        for found in all_imports(package)
        if is_under(found.module, library)
        and not any(found.path == place or found.path.startswith(f"{place}/") for place in ONE_PLACE[library])
        and not (library == "sqlalchemy" and found.module in TYPES_OF)
    ]
    assert wrong == []


def test_no_package_imports_tests_or_benchmarks() -> None:
    wrong = [
        str(found)
        for package in MAY_IMPORT
        for found in all_imports(package)
        if is_under(found.module, "tests") or is_under(found.module, "bench")
    ]
    assert wrong == []


def test_only_the_settings_read_the_environment() -> None:
    wrong = []
    for package in MAY_IMPORT:
        for path in modules(package):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if (
                    isinstance(node, ast.Attribute)
                    and isinstance(node.value, ast.Name)
                    and node.value.id == "os"
                    and node.attr in ("environ", "environb", "getenv")
                ):
                    wrong.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert [place for place in wrong if not place.startswith("ops_console/settings.py:")] == []


def test_every_package_of_the_checkout_is_in_the_rules() -> None:
    packages = {path.parent.name for path in ROOT.glob("*/__init__.py")} - {"bench", "tests"}
    assert packages == set(MAY_IMPORT)
