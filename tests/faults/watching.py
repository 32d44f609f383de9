"""Every message set that the service hands out is held against what the shop said."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from lxml import etree

from qbwc_service.marks import Mark, read_mark
from tests.faults.books import live_receipts, web_orders
from tests.faults.scene import Scene, Violation
from tests.faults.shop import is_wanted, total_of, wants_web_order


def on_set(scene: Scene, request: str) -> None:
    """Hold each document of a set against what the shop said. Raises Violation."""
    if not any(
        f"<{name}Rq" in request for name in ("SalesReceiptAdd", "SalesOrderAdd", "TxnReverse", "ListDel")
    ):
        return
    requests = etree.fromstring(request.encode())
    for add in requests.iter("SalesReceiptAdd"):
        mark = _mark(add.findtext("Comments"))
        total = sum((Decimal(one.text or "0") for one in add.iter("TenderAmount")), Decimal(0))
        order, _, refund = mark.record_id.partition("-R")
        if refund:
            _check_return(scene, int(order), int(refund), total, add.findtext("SalesReceiptType") or "")
        else:
            _check_sale(scene, mark, total, add)
    for add in requests.iter("SalesOrderAdd"):
        _check_web_order(scene, _mark(add.findtext("SalesOrderNumber")))
    for reversal in requests.iter("TxnReverseRq"):
        if reversal.findtext("TxnID") not in scene.to_undo:
            raise Violation(f"receipt {reversal.findtext('TxnID')} was to be reversed, and nobody undid it")
    for deletion in requests.iter("ListDelRq"):
        _check_deletion(scene, deletion.findtext("ListID") or "")


def _mark(text: str | None) -> Mark:
    mark = read_mark((text or "").split(" ")[0])
    if mark is None:
        raise Violation(f"a document without mark: {text}")
    return mark


def _check_sale(scene: Scene, mark: Mark, total: Decimal, add: Any) -> None:
    order_id = int(mark.record_id)
    known = scene.known.get(order_id, [])
    scene.sent.setdefault(order_id, set()).add(total)
    if total not in [total_of(body) for body in known]:
        totals = [body["total"] for body in known]
        raise Violation(f"order {order_id} was sent with {total}, the shop said {totals}")
    if not any(map(is_wanted, known)):
        statuses = [body["status"] for body in known]
        raise Violation(f"order {order_id} was sent though the shop said {statuses}")
    if not scene.blind and scene.plot.web_orders:
        _check_names_its_order(scene, mark, add.findtext("SalesOrderTxnID"))


def _check_names_its_order(scene: Scene, mark: Mark, named: str | None) -> None:
    order_id = int(mark.record_id)
    there = [one.document.txn_id for one in web_orders(scene.pos).get(order_id, ())]
    if mark.generation == 1 and order_id not in scene.deleted and named not in (there or [None]):
        raise Violation(f"receipt {mark} names sales order {named}, in the books is {there}")
    if mark.generation > 1 and named is not None:
        raise Violation(f"receipt {mark} names sales order {named} again, which the first one filled")


def _check_return(scene: Scene, order_id: int, refund_id: int, total: Decimal, kind: str) -> None:
    name, amount = f"refund {refund_id} of order {order_id}", scene.shop.amounts[refund_id] * scene.sign
    if kind != "Return" or total != amount:
        raise Violation(f"{name} was sent as {kind} of {total}, the shop said {amount}")
    if not live_receipts(scene.pos).get(str(order_id)):
        raise Violation(f"{name} was sent before its sale was in the books")


def _check_deletion(scene: Scene, txn_id: str) -> None:
    if txn_id not in scene.to_undo:
        raise Violation(f"sales order {txn_id} was to be deleted, and nobody undid it")
    for found in live_receipts(scene.pos).values():
        if any(one.document.sales_order_txn_id == txn_id for one in found):
            raise Violation(f"sales order {txn_id} was to be deleted under receipt {found[0].mark}")


def _check_web_order(scene: Scene, mark: Mark) -> None:
    order_id = int(mark.record_id)
    known = scene.known.get(order_id, [])
    scene.sent_orders.setdefault(order_id, set()).update(map(total_of, known))
    if not any(map(wants_web_order, known)):
        statuses = [body["status"] for body in known]
        raise Violation(f"web order {order_id} was sent though the shop said {statuses}")
    if not scene.blind and live_receipts(scene.pos).get(str(order_id)):
        raise Violation(f"web order {order_id} was sent though its receipt is in the books")
