"""Customers."""

from __future__ import annotations


def test_a_new_customer_has_a_name_to_log_in_with(rest):
    made = rest.post("/customers", {"email": "New.One@example.com", "billing": {"city": "Łódź"}})
    assert (made["username"], made["billing"]["city"], made["role"]) == ("New.One", "Łódź", "customer")


def test_a_put_keeps_what_it_does_not_name(rest, clock):
    clock.forward(seconds=4)
    changed = rest.put("/customers/2", {"billing": {"phone": "1"}})
    assert changed["billing"]["phone"] == "1"
    assert changed["billing"]["last_name"] == "Lee"
    assert changed["date_modified_gmt"] == "2026-11-22T02:00:04"


def test_another_customers_email_is_refused(rest):
    assert rest("PUT", "/customers/3", {"email": "ann@example.com"}).status_code == 400


def test_the_orders_of_a_deleted_customer_are_a_guests(rest):
    rest.delete("/customers/7", force="true")
    assert rest.get("/orders/84")["customer_id"] == 0
    assert rest("GET", "/customers/7").status_code == 404


def test_paying_makes_a_paying_customer_but_moves_no_date(shop, rest):
    customer = rest.post("/customers", {"email": "pays@example.com"})
    shop.place_order([("WID-002", 1)], "pays@example.com", customer_id=customer["id"])
    after = rest.get(f"/customers/{customer['id']}")
    assert after["is_paying_customer"] is True
    assert after["date_modified_gmt"] == customer["date_modified_gmt"]


def test_customers_can_be_handled_in_a_batch(rest):
    answer = rest.post(
        "/customers/batch",
        {
            "create": [{"email": "b@example.com"}, {"email": "ann@example.com"}],
            "update": [{"id": 3, "first_name": "B"}],
            "delete": [4],
        },
    )
    assert answer["create"][1]["error"]["code"] == "registration-error-email-exists"
    assert answer["update"][0]["first_name"] == "B"
    assert answer["delete"][0]["id"] == 4
