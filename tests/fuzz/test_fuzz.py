"""3,000 mutations each of SOAP bodies, answers of QuickBooks, webhooks and headers.

Whether an answer takes too long is told by this process's own time, so that a busy
machine changes nothing.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.fuzz.case import Case, shrunk
from tests.fuzz.run import fuzz
from tests.fuzz.targets import TARGETS, Target

CASES = 3_000


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.name)
def test_mutated_input_is_no_fault_of_ours_and_loses_and_doubles_nothing(
    kind: type[Target], tmp_path: Path, sqlite_template: Path
) -> None:
    report = fuzz(
        kind,
        tmp_path,
        sqlite_template,
        seed=1,
        cases=CASES,
        most_findings=3,
        deep=150,
        keep=tmp_path / "kept",
    )
    assert not report.findings, "\n".join([str(report), *report.findings])
    assert report.cases == CASES
    # None of it says anything if nothing gets through: some are taken, some are refused.
    assert len(report.statuses) > 1 or report.deep > 5


def test_a_failing_case_is_made_small_and_is_told_again(tmp_path: Path) -> None:
    case = Case("soap", 7, b"a" * 300 + b"BAD" + b"b" * 300, headers={"HTTP_HOST": "x", "HTTP_X": "y"})
    small = shrunk(case, lambda one: b"BAD" in one.data and "HTTP_X" in one.headers)
    assert (small.data, small.headers) == (b"BAD", {"HTTP_X": "y"})
    assert Case.load(small.save(tmp_path)) == small


@pytest.mark.parametrize("kind", TARGETS, ids=lambda kind: kind.name)
def test_a_fault_of_ours_would_be_found(
    kind: type[Target], tmp_path: Path, sqlite_template: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Something that nobody foresaw is put where each target must meet it."""

    def fault(*_: object, **__: object) -> None:
        raise LookupError("planted")

    for place in (
        "qbwc_service.exchange._take_response",
        "qbwc_service.guard.parse_header",
        "woo_bridge.endpoint.read_delivery",
        "ops_console.wsgi.read_overview",
    ):
        monkeypatch.setattr(place, fault)
    if kind.name in ("soap", "answers"):
        # The sessions that are recorded first need what is broken here.
        monkeypatch.undo()
        monkeypatch.setattr("qbwc_service.exchange._take_unusable", fault)
    report = fuzz(
        kind,
        tmp_path,
        sqlite_template,
        seed=1,
        cases=300,
        most_findings=1,
        deep=10**9,
        keep=tmp_path / "kept",
    )
    assert "planted" in report.findings[0] or "LookupError" in report.findings[0]
    assert "--replay" in report.findings[0]
