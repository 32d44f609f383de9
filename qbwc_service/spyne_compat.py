"""Makes Spyne 2.14.0 importable on Python 3.12 and 3.13, and quiet on every version.

Two things stand in its way: the six that it bundles offers no `find_spec`,
which the import system has required since 3.12, and it imports `cgi`, which
3.13 no longer has, for one function. Both are cured around the import only;
nothing that other packages see stays changed.
"""

from __future__ import annotations

import importlib.util
import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Any

_SIX = "spyne.util.six"


class SpyneNotFound(ImportError):
    """Spyne is not installed. Install qbwoo with its dependencies: pip install qbwoo."""

    def __init__(self) -> None:
        super().__init__(str(self.__doc__))


@contextmanager
def importable_spyne() -> Iterator[None]:
    """Within this block Spyne can be imported.

    Raises SpyneNotFound when it is not installed.
    """
    with warnings.catch_warnings():
        # Old string escapes (a DeprecationWarning, from 3.12 a SyntaxWarning) and the old importer.
        for category in (DeprecationWarning, PendingDeprecationWarning, SyntaxWarning, ImportWarning):
            warnings.simplefilter("ignore", category)
        if _SIX not in sys.modules:
            _load_six()
        own_cgi = sys.modules.get("cgi")
        sys.modules["cgi"] = _cgi()
        try:
            yield
        finally:
            # Spyne keeps its reference. For everybody else `cgi` is again what this Python has or lacks.
            if own_cgi is None:
                del sys.modules["cgi"]
            else:
                sys.modules["cgi"] = own_cgi


def _load_six() -> None:
    """Put Spyne's six into place before Spyne asks for it, with an importer that today's Python understands."""
    package = importlib.util.find_spec("spyne")
    if package is None or package.origin is None:
        raise SpyneNotFound
    path = Path(package.origin).parent / "util" / "six.py"
    spec = importlib.util.spec_from_file_location(_SIX, path)
    if spec is None or spec.loader is None:
        raise SpyneNotFound
    module = importlib.util.module_from_spec(spec)
    sys.modules[_SIX] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[_SIX]
        raise
    importer = module._importer
    # six puts itself on sys.meta_path; what stands there from now on speaks the protocol of PEP 451.
    sys.meta_path[sys.meta_path.index(importer)] = _MovesFinder(importer)


class _MovesFinder:
    """Finds and loads `spyne.util.six.moves` and what lies below it."""

    def __init__(self, importer: Any) -> None:
        self._importer = importer

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> ModuleSpec | None:
        if fullname not in self._importer.known_modules:
            return None
        return importlib.util.spec_from_loader(fullname, self)  # type: ignore[arg-type]  # loads, is no Loader

    def is_package(self, fullname: str) -> bool:
        return bool(self._importer.is_package(fullname))

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module: ModuleType = self._importer.load_module(spec.name)
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run: six made the module with all that is in it."""


def _cgi() -> ModuleType:
    """A stand-in for `cgi` with the one function that Spyne calls."""
    module = ModuleType("cgi")
    module.__dict__["parse_header"] = parse_header
    return module


def parse_header(line: str) -> tuple[str, dict[str, str]]:
    """`text/xml; charset="utf-8"` as `("text/xml", {"charset": "utf-8"})`, as `cgi.parse_header` gave it."""
    value, *rest = _split_outside_quotes(line)
    options: dict[str, str] = {}
    for part in rest:
        name, equals, option = part.partition("=")
        if not equals:
            continue
        option = option.strip()
        if len(option) >= 2 and option[0] == option[-1] == '"':
            option = option[1:-1].replace("\\\\", "\\").replace('\\"', '"')
        options[name.strip().lower()] = option
    return value.strip(), options


def _split_outside_quotes(line: str) -> list[str]:
    if '"' not in line:
        return line.split(";")
    parts = [""]
    quoted = escaped = False
    for character in line:
        if character == ";" and not quoted:
            parts.append("")
            continue
        parts[-1] += character
        if character == '"' and not escaped:
            quoted = not quoted
        escaped = character == "\\" and not escaped
    return parts
