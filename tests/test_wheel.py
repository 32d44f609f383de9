"""The wheel is complete: installed elsewhere, without the checkout, it migrates, checks and serves."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import sysconfig
import urllib.request
import venv
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, built from the checkout."""
    folder = tmp_path_factory.mktemp("wheel")
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(folder), str(ROOT))
    (built,) = folder.glob("qbwoo-*.whl")
    return built


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty environment with the wheel in it; what the wheel depends on is borrowed from this one."""
    folder = tmp_path_factory.mktemp("elsewhere") / "venv"
    venv.create(folder, symlinks=True)
    python = folder / "bin" / "python"
    run(
        *(sys.executable, "-m", "pip", "--python", str(python), "install", "--quiet"),
        *("--no-deps", "--no-index", "--disable-pip-version-check", str(wheel)),
    )
    # A path named by a .pth file is not searched for .pth files itself, so that an editable
    # installation of the checkout stays out of sight.
    (borrowed,) = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    (site,) = folder.glob("lib/python*/site-packages")
    (site / "borrowed.pth").write_text(borrowed + "\n")
    return folder


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An empty home, and nothing of this process but where programs are."""
    home = tmp_path / "home"
    home.mkdir()
    return {"HOME": str(home), "PATH": os.environ["PATH"], "LANG": "C.UTF-8"}


def test_everything_in_the_packages_is_in_the_wheel(wheel: Path) -> None:
    packages = [
        path.parent for path in ROOT.glob("*/__init__.py") if path.parent.name not in ("tests", "bench")
    ]
    expected = {
        str(path.relative_to(ROOT))
        for package in packages
        for path in package.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
    assert names == expected
    assert {"migrations/env.py", "migrations/script.py.mako"} < names


def test_an_installed_wheel_uses_its_own_files(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    program = "import queue_store, migrations, qbxml, ops_sandbox as s; print(*(m.__file__ for m in (queue_store, migrations, qbxml, s)))"
    found = run(str(installed / "bin/python"), "-c", program, cwd=tmp_path, env=environment)
    assert all(path.startswith(str(installed)) for path in found.split())


def test_an_installed_wheel_migrates_checks_and_serves(
    installed: Path, environment: dict[str, str], tmp_path: Path
) -> None:
    qbwoo = str(installed / "bin/qbwoo")
    upgraded = json.loads(run(qbwoo, "db", "upgrade", "--json", cwd=tmp_path, env=environment))
    assert upgraded["before"] == "empty"
    data = tmp_path / "home/.local/share/qbwoo"
    assert data.stat().st_mode & 0o777 == 0o700
    assert (data / "qbwoo.db").stat().st_mode & 0o777 == 0o600
    findings = json.loads(run(qbwoo, "check", "--json", cwd=tmp_path, env=environment))
    assert "problem" not in {finding["state"] for finding in findings}

    serving = subprocess.Popen(
        [qbwoo, "serve", "--port", "0"], cwd=tmp_path, env=environment, stderr=subprocess.PIPE, text=True
    )
    try:
        assert serving.stderr is not None
        lines = []
        for line in serving.stderr:
            lines.append(line)
            if line.startswith("Serving at "):
                break
        else:
            pytest.fail("it ended: " + "".join(lines))
        url = line.split()[2]
        for path, expected in (
            ("/healthz", "ok"),
            ("/readyz", "ready"),
            ("/", "Activities"),
            ("/metrics", "qbwoo_activities"),
            ("/qbwc", "Web Connector"),
            ("/qbwc?wsdl", "QBWebConnectorSvc"),
            ("/qbwc/support", "Web Connector"),
        ):
            with urllib.request.urlopen(url + path, timeout=10) as answer:
                assert answer.status == 200
                assert expected in answer.read().decode()
        serving.send_signal(signal.SIGTERM)
        _, rest = serving.communicate(timeout=30)
        assert serving.returncode == 0, rest
        assert "Traceback" not in rest
    finally:
        serving.kill()
        serving.communicate()
    assert (data / "secret.key").stat().st_mode & 0o777 == 0o600


def run(*command: str, cwd: Path | None = None, env: dict[str, str] | None = None) -> str:
    """What the command prints; it must end well."""
    done = subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout
