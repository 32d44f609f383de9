"""What an order is, or would be, in QuickBooks: as people read it, beside the shop's amounts, and as exact XML."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import event, text
from sqlalchemy.engine import URL

from ops_console import handwork
from ops_console.shops import preview, preview_beside
from ops_sandbox.pos import PosCompanyFile, PosDialect
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, RunningShop, Shop
from queue_store.catalogue import bind
from queue_store.companies import get_company, get_store
from queue_store.database import Database
from queue_store.models import Base
from queue_store.secrets import SecretBox
from queue_store.settings import set_company_setting
from tests.flows.street import Street, make_street
from tests.harness import House, make_house, numbered, recorded_order, recorded_refunds
from tests.ops_console.conftest import Qbwoo
from woo_bridge.client import ShopClient
from woo_bridge.push import push_orders
from woo_bridge.translate_orders import translate_order


@pytest.fixture
def shop() -> Iterator[Shop]:
    shop = Shop.create()
    yield shop
    shop.close()


@pytest.fixture
def running_shop(shop: Shop) -> Iterator[RunningShop]:
    with shop.serve() as running:
        yield running


@pytest.fixture
def push(qbwoo: Qbwoo, add_store: Callable[..., str], running_shop: RunningShop) -> Callable[..., Any]:
    """A dry run of these orders."""
    add_store(running_shop.url, CONSUMER_KEY, CONSUMER_SECRET)

    def run(*ids: object, more: tuple[str, ...] = (), code: int = 0) -> Any:
        words = ("push", "orders", "--store", "shop", "--ids", ",".join(map(str, ids)), "--dry-run", *more)
        return qbwoo(*words, code=code)

    return run


@pytest.fixture
def house(console_database: Database, data_dir: Any) -> House:
    """The house behind the commands."""
    box = SecretBox("cWJ3b28gdGVzdHMgdXNlIHRoaXMgb25lIGtleSBvbmw=")
    return make_house(console_database, box)


def test_a_dry_run_shows_the_receipt_the_arithmetic_and_the_exact_xml(push: Callable[..., Any]) -> None:
    said = push(92).out
    assert "Order 92: it would go\nSales receipt\n  Comments         WSHOP-92/1 Order 92\n" in said
    assert "    2  [SCR-4D]            Bulk screw    0.03    0.06  Non\n" in said
    assert "  Total                        21.36\n  Paid by CreditCard Web Shop  21.36\n" in said
    assert (
        "             shop  receipt  difference\n"
        "  goods     12.23    12.23        0.00\n"
        "  shipping   7.50     7.50        0.00\n"
        "  fees       0.00     0.00        0.00\n"
        "  tax        1.63     1.63        0.00\n"
        "  rounding   0.00     0.00        0.00\n"
        "  total     21.36    21.36        0.00\n"
    ) in said
    assert "Asked of QuickBooks first: item SCR-4D, item WID-001, item Online Shipping, " in said
    assert "      <ListID>[sku:SCR-4D]</ListID>\n      <Desc1>Bulk screw</Desc1>\n" in said


def test_json_carries_all_three(push: Callable[..., Any]) -> None:
    (row,) = push(92, more=("--json",)).data
    assert row["document"].startswith('<SalesReceiptAddRq requestID="[request]"><SalesReceiptAdd>')
    assert row["predicted_total"] == "21.36"
    assert row["receipt"]["title"] == "Sales receipt"
    assert row["receipt"]["lines"][0] == {
        "item": "SCR-4D",
        "item_known": False,
        "description": "Bulk screw",
        "quantity": "2",
        "price": "0.03",
        "amount": "0.06",
        "tax_code": "Non",
    }
    assert row["receipt"]["tenders"] == [{"name": "CreditCard Web Shop", "amount": "21.36"}]
    assert row["arithmetic"][-1] == {
        "row": "total",
        "shop": "21.36",
        "receipt": "21.36",
        "difference": "0.00",
    }
    assert "customer frac@example.net" in row["unknown"]


def test_an_order_that_would_be_refused_shows_the_sentence_and_the_shop_s_arithmetic(
    push: Callable[..., Any],
) -> None:
    said = push(88, code=1)
    assert "Order 88: it would be refused" in said.out
    assert "Refused: Order 88 is in EUR, the company file is kept in USD" in said.out
    assert "  total     39.85        -           -\n" in said.out
    (row,) = push(88, more=("--json",), code=1).data
    assert (row["outcome"], row["receipt"], row["document"]) == ("refused", None, "")
    assert row["arithmetic"][-1] == {
        "row": "total",
        "shop": "39.85",
        "receipt": None,
        "difference": None,
    }


def test_a_dry_run_shows_the_returns_of_an_order_too(push: Callable[..., Any]) -> None:
    said = push(103).out
    assert "Order 103: it would go\nSales receipt\n" in said
    assert (
        "Refund 110 of order 103: it would go after its order\nReturn receipt\n"
        "  Comments         WSHOP-103-R110/1 Refund 110 of order 103\n"
    ) in said
    assert "  Total                             47.08\n  Paid back by CreditCard Web Shop  47.08\n" in said
    assert "  total     47.08    47.08        0.00\n" in said
    assert "<SalesReceiptType>Return</SalesReceiptType>" in said
    sale, returned = push(103, more=("--json",)).data
    assert (sale["kind"], returned["kind"], returned["total"]) == ("sale", "return", "47.08")
    assert returned["document"].startswith('<SalesReceiptAddRq requestID="[request]">')
    assert {row["difference"] for row in returned["arithmetic"]} == {"0.00"}
    assert "goes after its order" in returned["sentence"]


def test_a_dry_run_shows_a_return_beside_an_order_that_is_refused_as_it_is(
    push: Callable[..., Any], qbwoo: Qbwoo
) -> None:
    qbwoo("company", "set", "Main", "currency", "EUR")
    said = push(103, code=1)
    assert "Order 103: it would be refused" in said.out
    assert "Refund 110 of order 103: it would be refused" in said.out


def test_a_dry_run_shows_the_web_order_where_the_settings_make_one(
    push: Callable[..., Any], qbwoo: Qbwoo
) -> None:
    qbwoo("store", "set", "shop", "orders.documents", "completed=sales order, processing=receipt")
    said = push(92).out
    assert "Order 92: it would go" not in said
    assert "Web order 92: it would go\nSales order\n" in said
    assert "<SalesOrderNumber>WSHOP-92/1</SalesOrderNumber>" in said
    sale, web_order = push(92, more=("--json",)).data
    assert (sale["state"], web_order["state"]) == ("waiting", "pending")
    assert {row["difference"] for row in web_order["arithmetic"]} == {"0.00"}


def test_long_documents_are_cut_for_people_and_whole_for_programs(push: Callable[..., Any]) -> None:
    said = push(89, more=("--limit", "3")).out
    assert said.count("<SalesReceiptItemAdd>") == 3
    assert "59 more SalesReceiptItemAdd, left out here" in said
    assert "... 59 more lines over 2,705.48: --limit 0 shows all" in said
    assert push(89, more=("--limit", "0")).out.count("<SalesReceiptItemAdd>") == 62
    assert len(push(89).out.splitlines()) < 300
    (row,) = push(89, more=("--json", "--limit", "3")).data
    assert len(row["receipt"]["lines"]) == row["document"].count("<SalesReceiptItemAdd>") == 62


def contents(database: Database) -> dict[str, list[str]]:
    """Every row of every table."""
    with database.engine.connect() as connection:
        return {
            table.name: sorted(map(str, connection.execute(table.select())))
            for table in Base.metadata.sorted_tables
        }


@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_a_dry_run_writes_nothing_at_all(kind: str, request: pytest.FixtureRequest, box: SecretBox) -> None:
    """Not with orders that are new, known, refused, waiting, nor with a buyer who is found, or ambiguous."""
    with make_street(request.getfixturevalue(f"{kind}_database"), box) as street:
        house = street.house
        street.house.set_store("orders.notes", "all")
        known = street.shop.place_order([("WID-001", 1)], email="known@example.net")
        street.shop.place_order([("WID-001", 1)], email="twice@example.net", currency="EUR")
        street.settle_down()
        street.shop.place_order([("WID-002", 1)], email="known@example.net")
        forget_mapping(house)
        twins(house)
        changed = street.shop.place_order([("WID-001", 1)], email="twice@example.net")
        before = contents(house.database)
        street.calls.clear()
        rows = dry_run(street, [*(order["id"] for order in street.shop.orders()), 999_999])
        assert {"new", "untranslatable", "refused", "unchanged", "in books", "not in the shop"} >= {
            outcome for outcome, _ in rows
        }
        assert len(rows) > 40
        assert contents(house.database) == before
        assert {call.split()[0] for call in street.calls} == {"GET"}
        documents = [found.document for _, found in rows if found and found.document]
        by_id = {document.split("WMAIN-")[1].split("/")[0] for document in documents}
        assert any("-R" in one for one in by_id)
        assert str(changed["id"]) in by_id
        assert known["id"]


def dry_run(street: Street, ids: list[int]) -> list[tuple[str, Any]]:
    """As the command does it: outcome and preview of each; no statement of a preview writes."""
    written: list[str] = []

    def keep(_c: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.split()[0] in ("INSERT", "UPDATE", "DELETE"):
            written.append(statement)

    rows = []
    with street._client() as client:
        client._once = counted(client, street.calls)  # type: ignore[method-assign]
        for result in push_orders(street.database, client, "main", ids=ids, dry_run=True, read_refunds=True):
            found = None
            if result.order is not None:
                event.listen(street.database.engine, "before_cursor_execute", keep)
                with street.database.read() as db:
                    found = preview(db, "main", result.order)
                    for one in result.beside:
                        rows.append((one.outcome, preview_beside(db, "main", result.order, one)))
                event.remove(street.database.engine, "before_cursor_execute", keep)
            rows.append((result.outcome, found if found and found.document else None))
    assert written == []
    return rows


def counted(client: ShopClient, calls: list[str]) -> Callable[..., Any]:
    once = client._once

    def keep(call: str, *rest: Any) -> Any:
        calls.append(call)
        return once(call, *rest)

    return keep


def forget_mapping(house: House) -> None:
    with house.database.write() as db:
        db.execute(text("DELETE FROM mappings WHERE kind = 'customer'"))


def twins(house: House) -> None:
    """Two customers of one e-mail in the catalogue, whom neither name nor postcode tells apart."""
    with house.database.write() as db:
        company = get_company(db, "books")
        for list_id in ("-1", "-2"):
            db.execute(
                text(
                    "INSERT INTO catalogue_customers (company_id, list_id, email_key, customer_id_key, first_name,"
                    " last_name, postcode, fields, read_at, deleted) VALUES (:c, :l, 'twice@example.net', '', '',"
                    " 'Twin', '', :f, '2026-11-22 00:00:00', :no)"
                ),
                {"c": company.id, "l": list_id, "f": b"{}", "no": False},
            )


def test_ids_that_are_known_stand_in_the_document_and_the_others_are_gaps(house: House) -> None:
    order = translate_order(json.dumps(recorded_order("plain")).encode())
    with house.database.write() as db:
        company = get_company(db, "books")
        bind(db, company_id=company.id, kind="item", key="wid-001", list_id="-77", source="operator")
    with house.database.read() as db:
        found = preview(db, "main", order)
    assert "<ListID>-77</ListID>" in found.document
    assert "<ListID>[sku:WID-002]</ListID>" in found.document
    assert "<CustomerListID>[customer]</CustomerListID>" in found.document
    assert found.paper is not None
    assert [line.item.known for line in found.paper.lines][:2] == [True, False]
    assert "item WID-001" not in found.unknown
    assert "item WID-002" in found.unknown


def test_what_was_sent_is_shown_as_it_was_sent(house: House, qbwoo: Qbwoo) -> None:
    house.take(recorded_order("plain"))
    house.run_until_quiet()
    (sale,) = house.activities()
    shown = qbwoo("activity", "show", sale.id, "--json").data
    attempt = shown["attempt_list"][-1]
    assert shown["preview"]["document"] == attempt["request"]
    assert [line["item"] for line in shown["preview"]["receipt"]["lines"]] == [
        "WID-001",
        "WID-002",
        "Online Shipping",
        "Online Sales Tax",
    ]
    assert {row["difference"] for row in shown["preview"]["arithmetic"]} == {"0.00"}
    said = qbwoo("activity", "show", sale.id).out
    assert "\nAs it was sent\nSales receipt\n" in said
    assert said.count("<SalesReceiptAddRq") == 1
    assert f'<SalesReceiptAddRq requestID="{sale.id}-1.' in said


def test_an_order_that_changed_after_it_was_sent_shows_where_the_two_differ(
    house: House, qbwoo: Qbwoo
) -> None:
    order = recorded_order("plain")
    house.take(order)
    house.run_until_quiet()
    line = {**order["line_items"][0], "total": "1.00"}
    total = Decimal(order["total"]) - Decimal(order["line_items"][0]["total"]) + 1
    house.take(
        {
            **order,
            "line_items": [line, *order["line_items"][1:]],
            "total": str(total),
            "date_modified_gmt": "2026-12-01T00:00:00",
        }
    )
    (sale,) = house.activities()
    rows = {
        row["row"]: row for row in qbwoo("activity", "show", sale.id, "--json").data["preview"]["arithmetic"]
    }
    assert rows["tax"]["difference"] == "0.00"
    assert Decimal(rows["goods"]["difference"]) == Decimal(order["total"]) - total
    assert rows["goods"]["difference"] == rows["total"]["difference"]


def test_every_kind_of_activity_can_be_shown_before_and_after_it_was_sent(house: House, qbwoo: Qbwoo) -> None:
    house.take(recorded_order("plain"))
    house.take(numbered(recorded_order("eur"), 1088))
    (sale, refused) = house.activities()
    assert "As it would be sent now" in qbwoo("activity", "show", sale.id).out
    house.run_until_quiet()
    titles = set()
    for activity in house.activities(None):
        shown = qbwoo("activity", "show", activity.id, "--json").data["preview"]
        qbwoo("activity", "show", activity.id)
        if shown["receipt"] is not None:
            titles.add(shown["receipt"]["title"])
    assert titles == {"Sales receipt", "New customer", "New item", "New department"}
    said = qbwoo("activity", "show", refused.id).out
    assert "It would be refused now" in said
    assert "As it would be sent now" not in said
    with house.database.write() as db:
        set_company_setting(db, get_company(db, "books"), "currency", "EUR", who="test")
        handwork.retry(db, [refused.id], "test")
        assert get_store(db, "main")
    assert "As it would be sent now" in qbwoo("activity", "show", refused.id).out


def arithmetic(qbwoo: Qbwoo, activity_id: int) -> tuple[str, dict[str, dict[str, Decimal]]]:
    """The title of an activity's document, and its rows with amounts."""
    shown = qbwoo("activity", "show", activity_id, "--json").data["preview"]
    qbwoo("activity", "show", activity_id)
    rows = {
        row["row"]: {side: Decimal(row[side]) for side in ("shop", "receipt", "difference")}
        for row in shown["arithmetic"]
    }
    return shown["receipt"]["title"], rows


@pytest.mark.parametrize("signs", ["positive", "negative"])
@pytest.mark.parametrize("name", ["rpart", "rship", "ramount", "rfull", "rfullnr", "rmany", "rpartqty"])
def test_a_return_is_shown_beside_what_the_shop_gave_back(
    house: House, qbwoo: Qbwoo, name: str, signs: str
) -> None:
    house.pos = PosCompanyFile.create(None, dialect=PosDialect(return_signs=signs))
    house.set("returns.signs", signs)
    order = recorded_order(name)
    refunds = recorded_refunds(order["id"])
    house.take(order)
    house.take_refunds(order, refunds)
    given_back = [Decimal(one["amount"]) for one in refunds]
    for state in ("waiting", "succeeded"):
        returns = house.activities("return")
        assert [one.state for one in returns] == [state] * len(refunds)
        for one, amount in zip(returns, given_back, strict=True):
            title, rows = arithmetic(qbwoo, one.id)
            assert title == "Return receipt"
            assert rows["total"] == {"shop": amount, "receipt": amount, "difference": 0}
            assert [row for row in rows.values() if row["difference"]] == []
        house.run_until_quiet()


def test_a_web_order_is_shown_as_the_sales_order_that_it_is(house: House, qbwoo: Qbwoo) -> None:
    house.set_store("orders.documents", "processing=sales order, completed=receipt")
    order = {**recorded_order("plain"), "status": "processing"}
    house.take(order)
    (web_order,) = house.activities("web_order")
    for state in ("pending", "succeeded"):
        assert house.activities("web_order")[0].state == state
        title, rows = arithmetic(qbwoo, web_order.id)
        assert title == "Sales order"
        assert rows["total"]["receipt"] == Decimal(order["total"])
        assert [row for row in rows.values() if row["difference"]] == []
        house.run_until_quiet()


def test_an_order_that_cannot_be_read_is_shown_with_its_sentence(house: House, qbwoo: Qbwoo) -> None:
    from woo_bridge.errors import Untranslatable
    from woo_bridge.untranslated import refuse_order

    with house.database.write() as db:
        body = json.dumps({"id": 5, "currency": "EURO"}).encode()
        refuse_order(db, get_store(db, "main"), "push", body, Untranslatable("Order 5", "currency", "no"))
    (sale,) = house.activities()
    shown = qbwoo("activity", "show", sale.id, "--json").data["preview"]
    assert (shown["receipt"], shown["refusal"]) == (None, sale.sentence)


def test_a_document_with_postgresql_is_the_same(
    postgres_url: Callable[[], URL], qbwoo: Qbwoo, box: SecretBox
) -> None:
    url = postgres_url().render_as_string(hide_password=False)
    database = Database(url)
    house = make_house(database, box)
    house.take(recorded_order("plain"))
    (sale,) = house.activities()
    shown = qbwoo("activity", "show", sale.id, "--json", QBWOO_DATABASE_URL=url).data
    assert shown["preview"]["predicted_total"] == "24.52"
    database.close()
