"""Spyne can be imported on every Python that is supported, quietly, and nothing else notices."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qbwc_service.spyne_compat import parse_header


def run(code: str, *options: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).parents[2])
    # -B: without .pyc files Spyne is compiled anew, which is when its warnings come.
    command = [
        sys.executable,
        "-B",
        "-I",
        *options,
        "-c",
        f"import sys; sys.path.insert(0, {root!r})\n{code}",
    ]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_spyne_is_imported_without_a_warning(tmp_path):
    done = run("import qbwc_service.soap", "-W", "error", "-X", f"pycache_prefix={tmp_path}")
    assert (done.returncode, done.stderr) == (0, "")


def test_the_cgi_that_other_packages_see_is_what_this_python_has():
    done = run(
        "import importlib.util, qbwc_service.soap\n"
        "assert 'cgi' not in sys.modules\n"
        "print(importlib.util.find_spec('cgi') is not None)"
    )
    assert done.stdout.strip() == str(sys.version_info < (3, 13)), done.stderr


def test_a_cgi_that_was_there_before_stays():
    done = run(
        "import types; sys.modules['cgi'] = mine = types.ModuleType('cgi')\n"
        "import qbwc_service.soap\n"
        "assert sys.modules['cgi'] is mine"
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_all_of_spynes_six_can_be_found_later_too():
    done = run(
        "import qbwc_service.soap, spyne.util\n"
        "from spyne.util.six.moves.urllib.parse import quote\n"
        "from spyne.util.six.moves import http_client\n"
        "assert spyne.util.six is sys.modules['spyne.util.six']",
        "-W",
        "error",
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_without_spyne_the_error_says_what_to_install(tmp_path):
    done = run(
        "import importlib.util\n"
        "real = importlib.util.find_spec\n"
        "importlib.util.find_spec = lambda name, *rest: None if name == 'spyne' else real(name, *rest)\n"
        "import qbwc_service.soap"
    )
    assert "SpyneNotFound: Spyne is not installed." in done.stderr


@pytest.mark.parametrize(
    ("line", "value", "options"),
    [
        ("text/xml", "text/xml", {}),
        ("text/xml; charset=utf-8", "text/xml", {"charset": "utf-8"}),
        ('text/xml;CharSet="UTF-8" ; x=1', "text/xml", {"charset": "UTF-8", "x": "1"}),
        (r'a/b; c="d;\"e\\"; f', "a/b", {"c": 'd;"e\\'}),
        ('a/b; c="d', "a/b", {"c": '"d'}),
        ("", "", {}),
    ],
)
def test_header_options_are_read_as_cgi_read_them(line, value, options):
    assert parse_header(line) == (value, options)
