"""What no webhook ever tells: refunds, deletions, accounts, and that webhooks are off."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select

from queue_store.catalogue import bind
from queue_store.companies import get_store
from queue_store.database import Database
from queue_store.models import OrderTaking
from queue_store.secrets import SecretBox
from queue_store.shop_work import settle_shop_work
from queue_store.states import ActivityState as S
from tests.catching_up import Rig, make_rig
from woo_bridge.connect import TOPICS


@pytest.fixture
def rig(sqlite_database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(sqlite_database, box) as rig:
        yield rig


@pytest.fixture
def each(database: Database, box: SecretBox) -> Iterator[Rig]:
    with make_rig(database, box) as rig:
        yield rig


def call(rig: Rig, method: str, path: str, body: Any = None, **query: str) -> None:
    with rig.open_client() as client:
        client.call(method, path, body, query=query)


def erase(rig: Rig, path: str) -> None:
    call(rig, "DELETE", path, force="true")


def written(rig: Rig, record_id: str, kind: str = "sale") -> None:
    """As if QuickBooks had taken it."""
    with rig.database.write() as db:
        for one in rig.activities(kind):
            if one.record_id == record_id:
                found = db.merge(one)
                found.state, found.txn_id, found.txn_number = S.SUCCEEDED, "1", "17"


# Refunds


def test_refunds_that_no_list_of_orders_shows_are_found_and_belong_to_their_order(each: Rig) -> None:
    rig = each
    orders = [rig.order() for _ in range(3)]
    rig.read_again("orders")
    rig.pass_time(seconds=1)
    refunds = [rig.shop.refund(order["id"], amount="1.00") for order in orders]
    said = rig.read_again("refunds")
    assert said == ["3 refunds not known, of 3 orders: read next."]
    expected = {f"{o['id']}-R{r['id']}" for o, r in zip(orders, refunds, strict=True)}
    assert set(rig.states("return")) == expected
    assert rig.read_again("refunds") == ["No refund that was not known."]


def test_refunds_are_listed_page_by_page_until_those_that_are_known(rig: Rig) -> None:
    order = rig.order(quantity=1000)
    rig.read_again("orders")
    for _ in range(230):
        rig.pass_time(seconds=1)
        rig.shop.refund(order["id"], amount="0.01")
    rig.calls.clear()
    rig.read_again("refunds")
    assert rig.calls.count("GET refunds") == 3
    assert len(rig.states("return")) == 230
    rig.shop.refund(order["id"], amount="0.01")
    rig.calls.clear()
    rig.read_again("refunds")
    assert rig.calls.count("GET refunds") == 2
    assert len(rig.states("return")) == 231
    rig.calls.clear()
    rig.read_again("refunds")
    assert rig.calls == ["GET refunds"]


def test_a_refund_from_before_the_stores_orders_go_by_themselves_is_none_of_ours(rig: Rig) -> None:
    order = rig.order()
    rig.shop.refund(order["id"], amount="1.00")
    rig.pass_time(days=1)
    rig.set("orders.since", rig.now.isoformat())
    rig.read_again("refunds")
    assert (rig.states("sale"), rig.states("return")) == ({}, {})


def test_a_refund_deleted_in_the_shop_is_missed_though_nothing_tells_of_it(each: Rig) -> None:
    rig = each
    order = rig.order(quantity=9)
    rig.pass_time(seconds=1)
    kept, deleted = (rig.shop.refund(order["id"], amount="1.00") for _ in range(2))
    rig.read_again("orders")
    assert len(rig.states("return")) == 2
    erase(rig, f"orders/{order['id']}/refunds/{deleted['id']}")
    assert "1 order to be read again" in rig.read_again("deleted")[0]
    states = rig.states("return")
    assert states[f"{order['id']}-R{deleted['id']}"] == S.CANCELLED
    assert states[f"{order['id']}-R{kept['id']}"] != S.CANCELLED
    assert "to be read again" not in rig.read_again("deleted")[0]


def test_a_refund_deleted_after_its_return_was_written_is_for_a_decision(rig: Rig) -> None:
    order = rig.order()
    rig.pass_time(seconds=1)
    refund = rig.shop.refund(order["id"], amount="1.00")
    rig.read_again("orders")
    written(rig, str(order["id"]))
    written(rig, f"{order['id']}-R{refund['id']}", "return")
    erase(rig, f"orders/{order['id']}/refunds/{refund['id']}")
    rig.pass_time(days=29)
    rig.read_again("deleted")
    assert rig.tasks() == ["changed after sent"]


# Deleted orders


def test_an_order_deleted_for_good_is_withdrawn(each: Rig) -> None:
    rig = each
    order, other = rig.order(), rig.order()
    rig.read_again("orders")
    erase(rig, f"orders/{order['id']}")
    assert rig.read_again("deleted") == ["2 orders asked for, 1 order deleted in the shop."]
    assert rig.states() == {str(order["id"]): S.CANCELLED, str(other["id"]): S.PENDING}
    assert rig.read_again("deleted") == ["1 order asked for, none deleted."]


def test_an_order_deleted_after_it_was_written_is_for_a_decision_while_it_is_recent(rig: Rig) -> None:
    recent, old = rig.order(), rig.order()
    rig.read_again("orders")
    for order in (recent, old):
        written(rig, str(order["id"]))
        erase(rig, f"orders/{order['id']}")
    with rig.database.write() as db:
        sale = db.merge(next(one for one in rig.activities() if one.record_id == str(old["id"])))
        sale.modified_at = rig.now - timedelta(days=31)
    rig.read_again("deleted")
    assert rig.tasks() == ["changed after sent"]
    assert [one.unwanted for one in rig.activities()] == [True, False]


def test_an_order_in_the_trash_is_not_taken_for_deleted(rig: Rig) -> None:
    order = rig.order()
    rig.read_again("orders")
    rig.pass_time(seconds=1)
    rig.shop.trash_order(order["id"])
    rig.read_again("deleted")
    (sale,) = rig.activities()
    assert (sale.state, "trash" in sale.sentence) == (S.CANCELLED, True)
    rig.pass_time(seconds=1)
    rig.shop.untrash_order(order["id"])
    rig.read_again("orders")
    assert rig.states() == {str(order["id"]): S.PENDING}


def promised(rig: Rig) -> list[Decimal]:
    """Pieces that orders of the shop hold, by order."""
    with rig.database.read() as db:
        held = select(OrderTaking.quantity).where(~OrderTaking.booked).order_by(OrderTaking.record)
        return list(db.scalars(held))


def test_an_order_deleted_for_good_holds_no_pieces(each: Rig) -> None:
    rig = each
    rig.live("orders", "stock")
    order, _ = rig.order(quantity=2), rig.order(quantity=3)
    rig.read_again("orders")
    assert promised(rig) == [2, 3]
    erase(rig, f"orders/{order['id']}")
    rig.read_again("deleted")
    assert promised(rig) == [3]


def test_an_order_whose_trash_is_emptied_later_holds_no_pieces_from_then_on(each: Rig) -> None:
    rig = each
    rig.live("orders", "stock")
    order = rig.order(quantity=2)
    rig.pass_time(seconds=1)
    rig.read_again("orders")
    rig.shop.trash_order(order["id"])
    rig.read_again("orders", "deleted")
    assert promised(rig) == [2]
    erase(rig, f"orders/{order['id']}")
    rig.read_again("deleted")
    assert promised(rig) == []


def test_an_order_deleted_while_its_receipt_was_out_holds_its_pieces_until_that_is_settled(rig: Rig) -> None:
    rig.live("orders", "stock")
    order = rig.order(quantity=2)
    rig.read_again("orders")
    with rig.database.write() as db:
        db.merge(rig.activities()[0]).state = S.SENT
    erase(rig, f"orders/{order['id']}")
    rig.read_again("deleted")
    assert promised(rig) == [2]
    written(rig, str(order["id"]))
    rig.read_again("deleted")
    assert promised(rig) == []


def test_many_orders_are_asked_for_a_hundred_at_a_time(rig: Rig) -> None:
    placed = [rig.order()["id"] for _ in range(215)]
    rig.read_again("orders")
    for number in (placed[0], placed[150], placed[214]):
        erase(rig, f"orders/{number}")
    rig.calls.clear()
    assert rig.read_again("deleted") == ["215 orders asked for, 3 orders deleted in the shop."]
    assert rig.calls.count("GET orders") == 3
    assert sum(state == S.CANCELLED for state in rig.states().values()) == 3


def test_an_empty_copy_of_the_shop_withdraws_nothing(rig: Rig) -> None:
    placed = [rig.order()["id"] for _ in range(25)]
    rig.read_again("orders")
    for number in placed:
        erase(rig, f"orders/{number}")
    *_, last = rig.scheduler().run_now("deleted", "main")
    assert last.failed
    assert "empty copy" in last.sentence
    assert set(rig.states().values()) == {S.PENDING}
    assert rig.tasks() == ["schedule"]


def test_a_change_that_the_mark_has_passed_is_read_again(rig: Rig) -> None:
    order, later = rig.order(), rig.order()
    rig.read_again("orders")
    rig.pass_time(seconds=1)
    rig.shop.set_status(order["id"], "cancelled")
    rig.pass_time(minutes=20)
    with rig.database.write() as db:
        get_store(db, "main").orders_read_until = rig.now
    rig.read_again("orders")
    assert rig.states()[str(order["id"])] == S.PENDING
    rig.read_again("deleted")
    assert rig.states() == {str(order["id"]): S.CANCELLED, str(later["id"]): S.PENDING}


# Accounts


def customer_in_books(rig: Rig, customer_id: int) -> None:
    with rig.database.write() as db:
        bind(
            db,
            company_id=rig.store().company_id,
            kind="customer",
            key=f"customer:{customer_id}",
            list_id="7",
            source="matched",
        )


def test_only_accounts_in_quickbooks_that_changed_are_sent(each: Rig) -> None:
    rig = each
    known, unknown, old = rig.shop.add_customers(3)
    for number in (known, old):
        customer_in_books(rig, number)
    with rig.shop.site.store.transaction():
        rig.shop.site.table("customers")[old]["date_modified_gmt"] = "2020-01-01T00:00:00"
    rig.pass_time(seconds=1)
    for number in (known, unknown):
        call(rig, "PUT", f"customers/{number}", {"first_name": "Zoe"})
    assert rig.read_again("customers") == ["3 accounts read, 1 changed."]
    assert rig.states("change_customer") == {str(known): S.PENDING}
    assert rig.read_again("customers") == ["3 accounts read, none changed."]


def test_an_account_saved_again_without_a_change_is_nothing(rig: Rig) -> None:
    (known,) = rig.shop.add_customers(1)
    customer_in_books(rig, known)
    rig.read_again("customers")
    with rig.database.write() as db:
        for one in rig.activities("change_customer"):
            settle_shop_work(db, db.merge(one), cause="written")
    rig.pass_time(seconds=1)
    call(rig, "PUT", f"customers/{known}", {})
    assert rig.read_again("customers") == ["1 account read, none changed."]
    call(rig, "PUT", f"customers/{known}", {"first_name": "Zoe"})
    assert rig.read_again("customers") == ["1 account read, 1 changed."]


def test_accounts_are_read_over_all_pages(rig: Rig) -> None:
    numbers = rig.shop.add_customers(205)
    for number in numbers:
        customer_in_books(rig, number)
    rig.read_again("customers")
    assert sorted(map(int, rig.states("change_customer"))) == numbers


def test_no_account_is_read_where_changes_do_not_go_to_quickbooks(rig: Rig) -> None:
    rig.shop.add_customers(1)
    rig.set("customers.update", "false")
    rig.read_again("customers")
    assert rig.calls == []


# Webhooks


def statuses(rig: Rig) -> set[str]:
    with rig.open_client() as client:
        return {one.status for one in client.list_webhooks()}


def test_webhooks_that_were_disabled_for_an_hour_are_turned_on_and_orders_read_from_before_the_gap(
    each: Rig,
) -> None:
    rig = each
    rig.connect()
    scheduler = rig.scheduler()
    rig.run(scheduler)
    rig.set("catch_up.orders_minutes", "1440")
    with rig.open_client() as client:
        for one in client.list_webhooks():
            client.update_webhook(one.id, status="disabled")
    missed = [rig.order(), rig.order()]
    rig.shop.run_queue()
    rig.pass_time(hours=1)
    assert rig.states() == {}
    rig.run(scheduler)
    assert statuses(rig) == {"active"}
    assert list(rig.states()) == [str(one["id"]) for one in missed]
    assert rig.tasks() == []
    assert "order.updated is disabled" in rig.schedule("webhooks").sentence
    later = rig.order()
    rig.shop.run_queue()
    assert str(later["id"]) in rig.states()


@pytest.mark.parametrize("what", ["paused", "deleted", "elsewhere"])
def test_webhooks_that_were_paused_deleted_or_turned_elsewhere_come_back(rig: Rig, what: str) -> None:
    rig.connect()
    with rig.open_client() as client:
        first = client.list_webhooks()[0]
        if what == "paused":
            client.update_webhook(first.id, status="paused")
        elif what == "elsewhere":
            url = first.delivery_url.replace("127.0.0.1", "old.example")
            client.update_webhook(first.id, delivery_url=url)
    if what == "deleted":
        erase(rig, f"webhooks/{first.id}")
    rig.read_again("webhooks")
    with rig.open_client() as client:
        ours = [one for one in client.list_webhooks() if one.delivery_url.startswith(rig.public_url)]
    assert sorted(one.topic for one in ours if one.status == "active") == sorted(TOPICS)
    assert rig.tasks() == []
    assert rig.read_again("webhooks") == ["All webhooks are active."]


def test_webhooks_are_not_turned_on_before_our_endpoint_is_proven(rig: Rig) -> None:
    rig.connect()
    with rig.open_client() as client:
        for one in client.list_webhooks():
            client.update_webhook(one.id, status="disabled")
    # Something answers there, but it is not this service.
    elsewhere = rig.scheduler(public_url=rig.shop.home_url)
    *_, last = elsewhere.run_now("webhooks", "main")
    assert "it does not lead to this qbwoo" in last.sentence
    assert statuses(rig) == {"disabled"}
    assert rig.tasks() == ["webhooks"]
    rig.read_again("webhooks")
    assert (statuses(rig), rig.tasks()) == ({"active"}, [])


def test_without_a_public_url_a_person_is_told_what_to_do(rig: Rig) -> None:
    rig.connect()
    with rig.open_client() as client:
        client.update_webhook(client.list_webhooks()[0].id, status="paused")
    *_, last = rig.scheduler(public_url=None).run_now("webhooks", "main")
    assert "QBWOO_PUBLIC_URL is not set" in last.sentence
    assert "qbwoo store connect main" in last.sentence
    assert rig.tasks() == ["webhooks"]


def test_webhooks_mended_by_hand_close_the_task_and_have_orders_read(rig: Rig) -> None:
    rig.connect()
    scheduler = rig.scheduler(public_url=None)
    rig.run(scheduler)
    with rig.open_client() as client:
        client.update_webhook(client.list_webhooks()[0].id, status="paused")
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.tasks() == ["webhooks"]
    rig.set("catch_up.orders_minutes", "1440")
    order = rig.order()
    rig.connect()
    rig.pass_time(minutes=15)
    rig.run(scheduler)
    assert rig.tasks() == []
    assert list(rig.states()) == [str(order["id"])]


def test_connecting_by_hand_has_orders_read_at_once(rig: Rig) -> None:
    scheduler = rig.scheduler()
    rig.run(scheduler)
    order = rig.order()
    rig.pass_time(minutes=2)
    rig.run(scheduler)
    assert rig.states() == {}
    rig.connect()
    rig.run(scheduler)
    assert list(rig.states()) == [str(order["id"])]


def test_webhooks_with_another_secret_get_ours_again(rig: Rig) -> None:
    rig.connect()
    rig.read_again("webhooks")
    with rig.open_client() as client:
        for one in client.list_webhooks():
            client.update_webhook(one.id, secret="somebody else's")
    rig.order()
    rig.shop.run_queue()
    with rig.database.write() as db:
        # What the endpoint writes after a while.
        get_store(db, "main").refused_webhooks += 2
    assert "wrong signature" in rig.read_again("webhooks")[0]
    order = rig.order()
    rig.shop.run_queue()
    assert str(order["id"]) in rig.states()
    assert rig.read_again("webhooks") == ["All webhooks are active."]


def test_proving_the_endpoint_counts_as_no_refusal(rig: Rig) -> None:
    for _ in range(3):
        rig.connect()
    assert rig.store().refused_webhooks == 0
