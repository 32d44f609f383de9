"""`qbwoo company calibrate` as a person uses it."""

from __future__ import annotations

from pathlib import Path

from ops_console.service import Service
from ops_console.settings import read_settings
from tests.ops_console.conftest import Qbwoo

PRACTICE = "Company Data=Sandbox Goods;Practice=Yes"


def test_a_company_that_is_not_in_practice_mode_is_refused(qbwoo: Qbwoo, company: str) -> None:
    said = qbwoo("company", "calibrate", company, "--yes", code=1)
    assert "is not in practice mode" in said.err
    assert "was never calibrated" in qbwoo("company", "calibrate", company, "--report", code=1).err


def test_a_calibration_asks_runs_and_reports(qbwoo: Qbwoo, data_dir: Path, tmp_path: Path) -> None:
    (tmp_path / "password").write_text("a long password\n")
    qbwoo(
        *("company", "add", "Trial", "--username", "trial", "--password-file", tmp_path / "password"),
        *("--company-file", PRACTICE),
    )
    assert "Nothing was done" in qbwoo("company", "calibrate", "Trial", code=1, given="n\n").err
    qbwoo("company", "calibrate", "Trial", "--yes")
    assert "waits for the Web Connector" in qbwoo("company", "calibrate", "Trial", "--report", code=1).err
    settings = read_settings({"QBWOO_DATA_DIR": str(data_dir)})
    pos = tmp_path / "company.pos"
    with Service(settings, worker=False) as service:
        qbwoo("sandbox", "pos", pos)
        qbwoo("qwc", "write", "Trial", "--url", service.url, "-o", "trial.qwc", "--rehearsal")
        qbwoo(
            *("sandbox", "web-connector", "trial.qwc", "--password-file", tmp_path / "password"),
            *("--pos", pos, "--once", "--rehearsal"),
        )
    report = qbwoo("company", "calibrate", "Trial", "--report", "--json").data
    found = {one["question"]: one["answer"] for one in report["findings"]}
    assert (found["lines.negative"], found["tax.rounding"]) == ("price", "line")
    assert report["left"] == []
    said = qbwoo("company", "calibrate", "Trial", "--report")
    assert "reversals.shown" in said.out
    assert "all reversed" in said.err
    assert "status" in qbwoo("company", "set", "Trial", "reversals.shown").out
