"""The demo: it shows the truth, ends by itself or by Ctrl-C, and leaves nothing behind."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from ops_console.demo.verdict import Line, Told, compare
from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.pos.views import Receipt
from ops_sandbox.shop import Shop

ROOT = Path(__file__).parents[2]
#: As a terminal would start it: whoever runs the tests in the background passes on an ignored Ctrl-C.
START = (
    "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
    "from ops_console.cli import main; main()"
)
COMMAND = [sys.executable, "-c", START, "demo"]
SAYS_WHY = {
    70: "waits for its money",
    72: "waits for its money",
    74: "was cancelled",
    76: "its status is checkout-draft",
    88: "is in EUR",
    99: "was cancelled",
    132: "waits for its money",
    323: "its status is on-hold",
}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A machine on which nothing was ever set up."""
    for name in ("home", "temporary"):
        (tmp_path / name).mkdir()
    kept = {name: value for name, value in os.environ.items() if name in ("PATH", "SYSTEMROOT")}
    return {
        **kept,
        "HOME": str(tmp_path / "home"),
        "TMPDIR": str(tmp_path / "temporary"),
        "PYTHONPATH": str(ROOT),
        "PYTHONUTF8": "1",
    }


def test_one_round_brings_every_recorded_order_into_the_books_or_says_why_not(
    environment: dict[str, str], tmp_path: Path
) -> None:
    done = subprocess.run(
        [*COMMAND, "--once"], env=environment, cwd=tmp_path, capture_output=True, text=True, timeout=150
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stderr == ""
    assert "34 orders are in QuickBooks, each exactly once and to the cent" in done.stdout
    assert "6,086.64 USD in the shop, 6,086.64 USD on the receipts" in done.stdout
    assert "9 refunds are there as returns, to the cent too: 685.59 USD." in done.stdout
    assert re.search(r"^ +68  completed +24\.52 +24\.52 +\d+  succeeded", done.stdout, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d webhook order\.updated 68: taken in$", done.stdout, re.MULTILINE)
    assert re.search(r"^\d\d:\d\d:\d\d receipt \d+ written: order 68, 24\.52 USD$", done.stdout, re.MULTILINE)
    assert re.search(r"http://127\.0\.0\.1:\d+/  \(status page", done.stdout)
    _, _, reasons = done.stdout.partition("Not sent, and why")
    for order_id, why in SAYS_WHY.items():
        assert re.search(rf"^  Order {order_id} .*{why}", reasons, re.MULTILINE), reasons
    assert list((tmp_path / "temporary").iterdir()) == []
    assert list((tmp_path / "home").rglob("*")) == []


def test_a_folder_is_kept_and_must_be_empty(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "full"
    folder.mkdir()
    (folder / "something").touch()
    done = subprocess.run(
        [*COMMAND, "--once", "--folder", str(folder)],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr == f"The folder {folder} is not empty. Name a new one.\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C reaches a whole console there")
def test_without_once_it_goes_on_until_ctrl_c_and_leaves_nothing(
    environment: dict[str, str], tmp_path: Path
) -> None:
    with subprocess.Popen(
        COMMAND, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        assert running.stdout is not None
        assert running.stderr is not None
        try:
            for line in running.stdout:
                if re.search(r"order \d+ placed: ", line):
                    running.send_signal(signal.SIGINT)
                    break
            assert running.stdout.read().endswith("\nStopped.\n")
            assert running.wait(timeout=60) == 0
            assert running.stderr.read() == ""
        finally:
            running.kill()
    assert list((tmp_path / "temporary").iterdir()) == []


@pytest.fixture
def receipt() -> Callable[[str], Receipt]:
    """Writes a receipt over 20.00 with these comments at the till."""
    pos = PosCompanyFile.create(None)
    item = pos.add_item("Thing", price1=Decimal("20.00"), tax_code="Non")
    return lambda comments: pos.sell_in_store([(item.list_id, 1)], comments=comments)


def order(**changes: object) -> dict[str, object]:
    shop = Shop.create(seed=False)
    (sku,) = shop.add_products(1)
    placed = shop.place_order([(sku, 1)])
    shop.close()
    return {**placed, "id": 7, "total": "20.00", **changes}


def problems(orders: list[dict[str, object]], *receipts: Receipt, told: Told | None = None) -> list[str]:
    lines, found = compare(orders, receipts, {7: told} if told else {})
    assert all(isinstance(line, Line) for line in lines)
    return found


def test_one_receipt_with_the_exact_total_is_right(receipt: Callable[[str], Receipt]) -> None:
    assert problems([order()], receipt("WMAIN-7/1 Order 7"), receipt("sold at the till")) == []


def test_a_paid_order_without_a_receipt_is_wrong_whatever_the_service_says() -> None:
    assert problems([order()], told=Told("succeeded")) == [
        "Order 7 is not in the company file (state: succeeded)."
    ]


def test_a_second_receipt_for_an_order_is_wrong(receipt: Callable[[str], Receipt]) -> None:
    (problem,) = problems([order()], receipt("WMAIN-7/1"), receipt("WMAIN-7/2"))
    assert problem.startswith("Order 7 is 2 times in the company file")


def test_a_total_off_by_a_cent_is_wrong(receipt: Callable[[str], Receipt]) -> None:
    (problem,) = problems([order(total="20.01")], receipt("WMAIN-7/1"))
    assert problem.startswith("Order 7: its total is 20.01 in the shop, 20.00 on receipt")


REFUNDED = {"refunds": [{"id": 9, "reason": "", "total": "-20.00", "total_tax": "0.00"}]}


def test_a_refund_without_a_return_is_wrong(receipt: Callable[[str], Receipt]) -> None:
    assert problems([order(**REFUNDED)], receipt("WMAIN-7/1")) == [
        "Refund 9 of order 7 is 0 times in the company file."
    ]


def test_a_refund_that_was_written_as_a_sale_is_wrong(receipt: Callable[[str], Receipt]) -> None:
    (problem,) = problems([order(**REFUNDED)], receipt("WMAIN-7/1"), receipt("WMAIN-7-R9/1"))
    assert problem.startswith("Refund 9 of order 7: 20.00 went back in the shop, 20.00 on Sales")


def test_a_return_that_the_shop_does_not_have_is_wrong(receipt: Callable[[str], Receipt]) -> None:
    (problem,) = problems([order()], receipt("WMAIN-7/1"), receipt("WMAIN-7-R9/1"))
    assert problem == "Refund 9 of order 7 is in the company file, and the shop does not have it."


@pytest.mark.parametrize(
    "changes",
    [{"currency": "EUR"}, {"status": "on-hold"}, {"date_paid_gmt": None}, {"status": "cancelled"}],
    ids=lambda changes: next(iter(changes)),
)
def test_what_must_not_go_needs_a_reason_and_no_receipt(
    changes: dict[str, object], receipt: Callable[[str], Receipt]
) -> None:
    reason = Told("waiting", "Order 7 waits.", is_settled=True)
    assert problems([order(**changes)], told=reason) == []
    assert len(problems([order(**changes)], told=Told("waiting"))) == 1
    assert len(problems([order(**changes)], receipt("WMAIN-7/1"), told=reason)) == 1


def test_a_receipt_for_no_order_is_wrong(receipt: Callable[[str], Receipt]) -> None:
    assert problems([], receipt("WMAIN-8/1"))[0].endswith("is for order 8, which the shop does not have.")
