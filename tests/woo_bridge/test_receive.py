"""What each webhook does to the queue."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import msgspec
import pytest

from queue_store.activities import move
from queue_store.models import Activity, KeptBody, Mapping, OperatorTask
from queue_store.payloads import Order
from queue_store.settings import store_settings
from queue_store.states import ActivityState as S
from woo_bridge.errors import Untranslatable
from woo_bridge.take_orders import redecide_orders
from woo_bridge.untranslated import retranslate


def at(second: int) -> str:
    return f"2026-11-22T03:00:{second:02}"


def send(bridge, record_id, kind="sale"):
    """Play the other side: hand the activity out."""
    with bridge.database.write() as db:
        move(db, db.get(Activity, bridge.activity(str(record_id), kind).id), S.SENT, cause="test")


def succeed(bridge, record_id, kind="sale"):
    send(bridge, record_id, kind)
    with bridge.database.write() as db:
        move(db, db.get(Activity, bridge.activity(str(record_id), kind).id), S.SUCCEEDED, cause="test")


def tasks(bridge):
    with bridge.database.read() as db:
        return [(task.kind, task.sentence) for task in db.query(OperatorTask)]


def kept(bridge):
    with bridge.database.read() as db:
        return [(body.topic, body.times, body.body) for body in db.query(KeptBody).order_by(KeptBody.id)]


def test_a_paid_order_is_one_pending_sale(bridge, deliveries):
    for topic, body in deliveries("06_order_create_paid_registered"):
        bridge.receive(topic, body)
    sale = bridge.sale(122)
    assert (sale.state, sale.kind, sale.target, sale.reference) == (S.PENDING, "sale", "quickbooks", "122")
    assert msgspec.json.decode(sale.payload, type=Order).order_id == 122
    assert sale.fingerprint
    assert bridge.count() == 1


def test_the_newest_date_wins_whatever_the_order_of_arrival(bridge, order):
    new = order(id=71, total="20.00", date_modified_gmt=at(30))
    old = order(id=71, total="10.00", date_modified_gmt=at(10))
    assert bridge.receive("order.updated", new).word == "new"
    assert bridge.receive("order.created", old).word == "older"
    assert msgspec.json.decode(bridge.sale(71).payload, type=Order).total == 20


def test_content_equal_to_what_is_there_is_nothing(bridge, order):
    bridge.receive("order.created", order(id=71))
    assert bridge.receive("order.updated", order(id=71)).word == "unchanged"


def test_several_changes_before_a_run_are_one_activity_with_the_newest_payload(bridge, order):
    for second in range(5):
        bridge.receive("order.updated", order(id=71, total=f"{second}.50", date_modified_gmt=at(second)))
    assert bridge.count() == 1
    assert msgspec.json.decode(bridge.sale(71).payload, type=Order).total == Decimal("4.50")


def test_an_order_that_becomes_paid_goes(bridge, order):
    bridge.receive("order.created", order(status="on-hold", id=71, date_modified_gmt=at(1)))
    assert (bridge.sale(71).state, bridge.sale(71).reason) == (S.WAITING, "status")
    bridge.receive("order.updated", order(id=71, date_modified_gmt=at(2)))
    assert (bridge.sale(71).state, bridge.sale(71).sentence) == (S.PENDING, "")


def test_same_second_and_different_content_is_read_again_before_it_is_sent(bridge, order):
    bridge.receive("order.created", order(id=71, total="1.00", date_modified_gmt=at(1)))
    assert (
        bridge.receive("order.updated", order(id=71, total="2.00", date_modified_gmt=at(1))).word
        == "same second"
    )
    sale, reread = bridge.sale(71), bridge.activity("71", "reread_order")
    assert (sale.state, sale.reason) == (S.WAITING, "re-read")
    assert (reread.state, reread.target, reread.order_id) == (S.PENDING, "shop", "71")


def test_a_newer_content_ends_the_wait_for_reading_again(bridge, order):
    bridge.receive("order.created", order(id=71, total="1.00", date_modified_gmt=at(1)))
    bridge.receive("order.updated", order(id=71, total="2.00", date_modified_gmt=at(1)))
    bridge.receive("order.updated", order(id=71, total="3.00", date_modified_gmt=at(2)))
    assert bridge.sale(71).state == S.PENDING


def test_a_trashed_order_is_cancelled_and_a_restored_one_revived(bridge, order, deliveries):
    bridge.receive("order.created", order(id=126, date_modified_gmt=at(1)))
    [(topic, body)] = [d for d in deliveries("36_order_trash") if d[0] == "order.deleted"]
    assert bridge.receive(topic, body).word == "cancelled"
    assert (bridge.sale(126).state, bridge.sale(126).unwanted) == (S.CANCELLED, True)
    assert bridge.receive(topic, body).word == "already"
    bridge.receive("order.restored", order(id=126, date_modified_gmt=at(2)))
    assert (bridge.sale(126).state, bridge.sale(126).unwanted) == (S.PENDING, False)


def test_a_deleted_order_that_is_sent_is_marked_as_unwanted(bridge, order):
    bridge.receive("order.created", order(id=71))
    send(bridge, 71)
    assert bridge.receive("order.deleted", {"id": 71}).word == "unwanted"
    assert (bridge.sale(71).state, bridge.sale(71).unwanted) == (S.SENT, True)


def test_a_deleted_order_that_is_in_the_books_is_for_the_operator(bridge, order):
    bridge.receive("order.created", order(id=71))
    succeed(bridge, 71)
    assert bridge.receive("order.deleted", {"id": 71}).word == "changed after sent"
    assert bridge.sale(71).state == S.SUCCEEDED
    assert [kind for kind, _ in tasks(bridge)] == ["changed after sent"]


def test_a_deleted_order_that_was_never_seen_is_nothing(bridge):
    assert bridge.receive("order.deleted", {"id": 71}).word == "unknown"
    assert bridge.count() == 0


def test_what_the_operator_holds_stays_held_when_the_order_is_deleted(bridge, order):
    bridge.receive("order.created", order(id=71))
    with bridge.database.write() as db:
        move(db, db.get(Activity, bridge.sale(71).id), S.HELD, cause="by hand", reason="operator")
    bridge.receive("order.deleted", {"id": 71})
    assert (bridge.sale(71).state, bridge.sale(71).unwanted) == (S.HELD, True)


def test_error_objects_of_deleted_records_are_nothing(bridge, deliveries):
    for topic, body in deliveries("50_order_created_then_force_deleted_before_delivery"):
        assert bridge.receive(topic, body).word.startswith("error object woocommerce_rest_")
    assert (bridge.count(), kept(bridge)) == (0, [])


@pytest.mark.parametrize("name", ["08_product_create", "44_coupon_create", "07_customer_delete"])
def test_topics_that_are_not_used_are_nothing(bridge, deliveries, name):
    for topic, body in deliveries(name):
        bridge.receive(topic, body)
    assert (bridge.count(), kept(bridge)) == (0, [])


def test_an_order_that_cannot_be_read_fails_with_its_body_kept(bridge, order):
    body = json.dumps(order(id=71, number="A-71", total="many")).encode()
    bridge.receive("order.updated", body)
    sale = bridge.sale(71)
    assert (sale.state, sale.reason, sale.payload, sale.reference) == (
        S.FAILED,
        "untranslatable",
        body,
        "A-71",
    )
    assert "Order A-71 cannot be read: total: 'many' is not an amount." in sale.sentence
    bridge.receive("order.created", body)
    assert kept(bridge) == [("order.updated", 2, body)]
    assert bridge.count() == 1


def test_an_order_that_is_mended_in_the_shop_goes(bridge, order):
    bridge.receive("order.updated", order(id=71, total="many", date_modified_gmt=at(1)))
    bridge.receive("order.updated", order(id=71, date_modified_gmt=at(2)))
    assert (bridge.sale(71).state, bridge.sale(71).sentence) == (S.PENDING, "")


def test_an_unreadable_state_takes_the_place_of_a_readable_older_one(bridge, order):
    bridge.receive("order.updated", order(id=71, date_modified_gmt=at(1)))
    bridge.receive("order.updated", order(id=71, total="many", date_modified_gmt=at(2)))
    assert (bridge.sale(71).state, bridge.sale(71).reason) == (S.FAILED, "untranslatable")


def test_an_unreadable_state_that_is_older_changes_nothing(bridge, order):
    bridge.receive("order.updated", order(id=71, date_modified_gmt=at(2)))
    bridge.receive("order.updated", order(id=71, total="many", date_modified_gmt=at(1)))
    assert bridge.sale(71).state == S.PENDING


def test_an_unreadable_state_of_a_sent_order_is_a_task(bridge, order):
    bridge.receive("order.updated", order(id=71, date_modified_gmt=at(1)))
    send(bridge, 71)
    bridge.receive("order.updated", order(id=71, total="many", date_modified_gmt=at(2)))
    assert bridge.sale(71).state == S.SENT
    assert [kind for kind, _ in tasks(bridge)] == ["unreadable webhook"]


def test_a_cancelled_order_whose_new_state_is_unreadable_fails(bridge, order):
    bridge.receive("order.updated", order("cancelled", id=71, date_modified_gmt=at(1)))
    bridge.receive("order.updated", order(id=71, total="many", date_modified_gmt=at(2)))
    assert bridge.sale(71).state == S.FAILED


def test_a_body_without_id_is_kept_and_is_a_task(bridge):
    bridge.receive("order.updated", {"hello": 1})
    assert len(kept(bridge)) == 1
    assert [kind for kind, _ in tasks(bridge)] == ["unreadable webhook"]


def test_a_kept_body_is_translated_by_a_retry(bridge, order):
    body = json.dumps(order(id=71)).encode()
    bridge.receive("order.updated", order(id=71, total="many"))
    with bridge.database.write() as db:
        activity = db.get(Activity, bridge.sale(71).id)
        store = bridge.store(db)
        with pytest.raises(Untranslatable):
            retranslate(db, store, store_settings(db, store), activity)
        activity.payload = body
        retranslate(db, store, store_settings(db, store), activity)
    sale = bridge.sale(71)
    assert (sale.state, sale.reason) == (S.PENDING, "")
    assert msgspec.json.decode(sale.payload, type=Order).order_id == 71


def test_newer_content_does_not_take_back_what_was_pushed(bridge, order):
    bridge.set("orders.since", "2027-01-01")
    bridge.receive("order.created", order(id=71, date_modified_gmt=at(1)))
    assert bridge.sale(71).reason == "before since"
    with bridge.database.write() as db:
        move(db, db.get(Activity, bridge.sale(71).id), S.PENDING, cause="pushed")
    bridge.receive("order.updated", order(id=71, total="9.00", date_modified_gmt=at(2)))
    assert bridge.sale(71).state == S.PENDING


def test_what_a_change_of_settings_lifts_is_decided_anew(bridge, order):
    bridge.live()
    for order_id in range(71, 76):
        bridge.receive("order.created", order(id=order_id))
    bridge.receive("order.created", order(status="on-hold", id=80))
    assert {bridge.sale(i).reason for i in range(71, 76)} == {"not live"}
    bridge.live("orders")
    moved, after = 0, 0
    with bridge.database.write() as db:
        store = bridge.store(db)
        while after is not None:
            some, after = redecide_orders(db, store, store_settings(db, store), after_id=after, limit=2)
            moved += some
    assert moved == 5
    assert {bridge.sale(i).state for i in range(71, 76)} == {S.PENDING}
    assert bridge.sale(80).state == S.WAITING


def map_customer(bridge, customer_id):
    with bridge.database.write() as db:
        db.add(
            Mapping(
                company_id=bridge.store(db).company_id,
                store_id=bridge.store_id,
                kind="customer",
                key=f"customer:{customer_id}",
                list_id="1",
                source="added",
            )
        )


def test_a_customer_that_is_not_in_quickbooks_is_nothing(bridge, recorded):
    assert bridge.receive("customer.updated", recorded("customer_ann")).word == "customer not in QuickBooks"
    assert bridge.count() == 0


def test_a_change_of_a_mapped_customer_is_an_activity_each_time(bridge, recorded):
    ann = recorded("customer_ann")
    map_customer(bridge, ann["id"])
    assert bridge.receive("customer.updated", ann).word == "new"
    succeed(bridge, ann["id"], "change_customer")
    assert bridge.receive("customer.updated", ann | {"date_modified_gmt": at(1)}).word == "in books"
    changed = ann | {"email": "New@Example.com", "date_modified_gmt": at(2)}
    assert bridge.receive("customer.updated", changed).word == "new"
    change = bridge.activity(str(ann["id"]), "change_customer")
    assert (change.generation, change.state, change.reference) == (2, S.PENDING, "new@example.com")
    assert change.modified_at == datetime(2026, 11, 22, 3, 0, 2, tzinfo=UTC)


@pytest.mark.parametrize(
    ("live", "update", "word"),
    [(("orders",), "true", "not live for customers"), (("customers",), "false", "customers.update is off")],
)
def test_customers_stay_out_where_they_are_switched_off(bridge, recorded, live, update, word):
    ann = recorded("customer_ann")
    map_customer(bridge, ann["id"])
    bridge.live(*live)
    bridge.set("customers.update", update)
    assert bridge.receive("customer.updated", ann).word == word
    assert bridge.count() == 0


def test_an_order_saved_again_without_a_change_moves_nothing_but_its_date(bridge, order):
    """So our own writing on a refused order does not send it again; a change of its content does."""
    bridge.receive("order.created", order(id=127, date_modified_gmt=at(1)))
    with bridge.database.write() as db:
        move(db, db.get(Activity, bridge.sale(127).id), S.FAILED, cause="refused", sentence="Refused.")
    saved = order(id=127, date_modified_gmt=at(3), meta_data=[{"id": 1, "key": "_qbwoo_state", "value": "x"}])
    assert bridge.receive("order.updated", saved).word == "unchanged"
    assert (bridge.sale(127).state, bridge.sale(127).sentence) == (S.FAILED, "Refused.")
    assert bridge.receive("order.updated", order(id=127, date_modified_gmt=at(2))).word == "older"
    assert (
        bridge.receive("order.updated", order(id=127, date_modified_gmt=at(4), total="1.00")).word
        == "replaced"
    )
    assert bridge.sale(127).state == S.PENDING


def test_an_order_saved_again_while_it_is_sent_puts_nothing_beside_it(bridge, order):
    bridge.receive("order.created", order(id=128, date_modified_gmt=at(1)))
    with bridge.database.write() as db:
        move(db, db.get(Activity, bridge.sale(128).id), S.SENT, cause="sent")
    assert bridge.receive("order.updated", order(id=128, date_modified_gmt=at(2))).word == "unchanged"
    assert bridge.sale(128).newer_payload is None
    changed = order(id=128, date_modified_gmt=at(3), total="1.00")
    assert bridge.receive("order.updated", changed).word == "beside"
    beside = bridge.sale(128).newer_payload
    assert bridge.receive("order.updated", changed | {"date_modified_gmt": at(4)}).word == "unchanged"
    assert bridge.sale(128).newer_payload == beside


def test_a_webhook_makes_a_web_order_where_the_store_sends_them(bridge, order):
    bridge.set("orders.documents", "on-hold=sales order, completed=receipt")
    placed = order(status="on-hold", date_paid_gmt=None)
    bridge.receive("order.created", placed)
    web_order = bridge.activity(str(placed["id"]), "web_order")
    assert (web_order.state, web_order.reference) == (S.PENDING, placed["number"])
    assert bridge.sale(placed["id"]).state == S.WAITING
    bridge.receive("order.deleted", {"id": placed["id"]})
    assert bridge.activity(str(placed["id"]), "web_order").state == S.CANCELLED
