"""The webhook endpoint, over real HTTP."""

from __future__ import annotations

import base64
import io
import json
import logging
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from queue_store.models import Activity, KeptBody
from queue_store.states import ActivityState as S
from woo_bridge.endpoint import WebhookEndpoint

PATH = "/webhooks/woocommerce/main"
SECRET = "s3cret"


@pytest.fixture
def served(bridge, serve):
    return serve(bridge.database)


def test_a_signed_order_is_committed_before_the_200(served, bridge, order):
    assert served.deliver("order.updated", order(id=71)) == 200
    assert bridge.sale(71).state == S.PENDING
    with bridge.database.read() as db:
        assert bridge.store(db).last_webhook_at is not None


def test_every_recorded_webhook_is_answered_200(served, deliveries):
    for name in ("06_order_create_paid_registered", "36_order_trash", "44_coupon_create", "23_product_trash"):
        for topic, body in deliveries(name):
            assert served.deliver(topic, body) == 200


def test_a_ping_is_answered_with_exactly_200_without_a_sign(served):
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    assert served.request("POST", PATH, b"webhook_id=41", form)[0] == 200
    assert served.request("POST", PATH, b"webhook_id=41&x=1", form)[0] == 401


@pytest.mark.parametrize(
    "signed", ["", "x", base64.b64encode(bytes(32)).decode(), "\u00e9" * 44, "=" * 5000], ids=range(5)
)
def test_what_is_not_rightly_signed_is_401_and_touches_nothing(served, bridge, order, signed):
    assert served.deliver("order.updated", order(id=71), signed=signed) == 401
    assert bridge.count() == 0


def test_a_changed_body_under_a_right_signature_of_another_is_401(served, order, sign):
    assert (
        served.deliver("order.updated", order(id=72), signed=sign(json.dumps(order(id=71)).encode())) == 401
    )


def test_refusals_are_counted_on_the_store_with_the_next_flush(served, bridge):
    for _ in range(3):
        served.deliver("order.updated", {}, signed="wrong")
    with bridge.database.read() as db:
        assert bridge.store(db).refused_webhooks == 0
    served.endpoint.flush()
    with bridge.database.read() as db:
        assert bridge.store(db).refused_webhooks == 3


def test_refusals_are_written_with_the_next_good_delivery(served, bridge, order):
    served.deliver("order.updated", {}, signed="wrong")
    served.deliver("order.updated", order(id=71))
    with bridge.database.read() as db:
        assert bridge.store(db).refused_webhooks == 1


def test_an_unknown_store_is_404(served):
    assert served.deliver("order.updated", {}, path="/webhooks/woocommerce/other") == 404
    assert served.deliver("order.updated", {}, path="/webhooks/woocommerce/../../etc") == 404
    assert served.request("GET", "/webhooks/woocommerce/other")[0] == 404


def test_a_browser_is_told_what_this_is_and_no_secret(served):
    status, text = served.request("GET", PATH)
    assert (status, SECRET in text) == (200, False)
    assert served.request("HEAD", PATH)[0] == 200


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "OPTIONS"])
def test_other_methods_are_405(served, method):
    assert served.request(method, PATH)[0] == 405


@pytest.mark.parametrize("encoding", ["gzip", "identity", ""])
def test_a_delivery_that_names_any_content_encoding_is_415(served, bridge, order, encoding):
    assert served.deliver("order.updated", order(), Content_Encoding=encoding) == 415
    assert bridge.count() == 0


@pytest.mark.parametrize(
    ("length", "status"), [(None, "411"), ("", "411"), ("-1", "400"), ("abc", "400"), ("9" * 30, "413")]
)
def test_a_length_that_is_missing_wrong_or_too_large_is_refused_unread(bridge, box, length, status):
    class Unreadable(io.BytesIO):
        def read(self, *_: Any) -> bytes:
            raise AssertionError("read")

    environ = {"REQUEST_METHOD": "POST", "PATH_INFO": PATH, "wsgi.input": Unreadable()}
    if length is not None:
        environ["CONTENT_LENGTH"] = length
    assert WebhookEndpoint(bridge.database, box).answer(environ).status.startswith(status)


def test_a_body_that_ends_early_is_400(bridge, box):
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": PATH,
        "CONTENT_LENGTH": "10",
        "wsgi.input": io.BytesIO(b"12345"),
    }
    assert WebhookEndpoint(bridge.database, box).answer(environ).status.startswith("400")


def test_too_large_a_body_is_413(bridge, serve):
    assert serve(bridge.database, most_body_bytes=1000).deliver("order.updated", b"x" * 1001) == 413


@pytest.mark.parametrize("body", [b"{", b"\xff\xfe", b"[" * 200_000, b"", b'{"a": 1} x'])
def test_signed_rubbish_is_400_and_kept_once(served, bridge, body):
    assert served.deliver("order.updated", body) == 400
    assert served.deliver("order.updated", body) == 400
    with bridge.database.read() as db:
        assert [(kept.body, kept.times) for kept in db.query(KeptBody)] == [(body, 2)]


def test_a_huge_number_is_no_fault_of_ours(served, bridge):
    assert served.deliver("order.updated", b'{"id": 1' + b"0" * 100_000 + b"}") == 200
    with bridge.database.read() as db:
        assert db.query(KeptBody).count() == 1


def test_an_order_that_cannot_be_read_is_200_since_refusing_would_switch_the_webhook_off(
    served, bridge, order
):
    assert served.deliver("order.updated", order(id=71, total="many")) == 200
    assert bridge.sale(71).state == S.FAILED


def test_a_secret_changed_by_another_process_holds_at_once(served, bridge, box, order, sign):
    assert served.deliver("order.updated", order(id=71)) == 200
    with bridge.database.write() as db:
        bridge.store(db).webhook_secret = box.seal("new")
    assert served.deliver("order.updated", order(id=72)) == 401
    raw = json.dumps(order(id=73)).encode()
    assert served.deliver("order.updated", raw, signed=sign(raw, "new")) == 200


def test_a_changed_setting_holds_with_the_next_webhook(served, bridge, order):
    served.deliver("order.updated", order(id=71, status="shipped"))
    bridge.set("orders.statuses", "shipped")
    served.deliver("order.updated", order(id=72, status="shipped"))
    assert [bridge.sale(71).state, bridge.sale(72).state] == [S.WAITING, S.PENDING]


def test_without_its_database_it_answers_503(served, bridge, order):
    served.deliver("order.updated", order(id=71))
    with bridge.database.write() as db:
        db.connection().exec_driver_sql("ALTER TABLE stores RENAME TO gone")
    assert served.deliver("order.updated", order(id=72)) == 503


def test_a_fault_of_ours_keeps_the_body_and_is_200(served, bridge, order, caplog):
    served.deliver("order.updated", order(id=71))
    with bridge.database.write() as db:
        # A payload that no version of ours could have written.
        db.get(Activity, bridge.sale(71).id).state = "no such state"
    with caplog.at_level(logging.ERROR):
        assert served.deliver("order.updated", order(id=71, total="5.00")) == 200
    assert "its body is kept" in caplog.text
    with bridge.database.read() as db:
        assert [kept.reason[:10] for kept in db.query(KeptBody)] == ["ValueError"]


def test_a_burst_of_many_connections_loses_and_doubles_nothing(database, bridge_on, serve, order):
    bridge = bridge_on(database, "http://127.0.0.1:1")
    served = serve(database)

    def post(number: int) -> int:
        # Each order comes twice, as created and as updated.
        return served.deliver("order.updated", order(id=1000 + number // 2))

    with ThreadPoolExecutor(12) as threads:
        assert set(threads.map(post, range(200))) == {200}
    with database.read() as db:
        rows = db.query(Activity).all()
        assert sorted(row.record_id for row in rows) == [str(1000 + n) for n in range(100)]
        assert {row.state for row in rows} == {"pending"}
    assert bridge.count() == 100


def test_one_bad_piece_in_a_burst_spoils_nobody_elses(served, bridge, order, caplog):
    served.deliver("order.updated", order(id=71))
    with bridge.database.write() as db:
        db.get(Activity, bridge.sale(71).id).state = "no such state"

    def post(number: int) -> int:
        return served.deliver("order.updated", order(id=70 + number % 3, total=f"{number}.00"))

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(post, range(30))) == {200}
    assert {
        bridge.sale(70).state in (S.PENDING, S.WAITING),
        bridge.sale(72).state in (S.PENDING, S.WAITING),
    } == {True}
