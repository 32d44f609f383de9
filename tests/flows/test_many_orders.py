"""Many orders in a set: adaptive sets, refusals, and the bad request that is halved out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.harness import House, numbered, recorded_order


def many(count: int) -> list[dict[str, Any]]:
    """Recorded orders under ids of their own, of three kinds of shape and a hundred guests."""
    shapes = [recorded_order(name) for name in ("plain", "pct", "frac")]
    orders = []
    for number in range(count):
        order = numbered(shapes[number % 3], 10_000 + number)
        guest = f"guest{number % 100}@example.net"
        orders.append({**order, "billing": {**order["billing"], "email": guest}})
    return orders


def refuse_every(nth: int) -> Any:
    """One receipt in `nth` is refused by QuickBooks, for a reason of its own."""
    seen = 0

    def refuse(request: Any) -> tuple[int, str] | None:
        nonlocal seen
        if request.tag != "SalesReceiptAddRq":
            return None
        seen += 1
        return (3180, "The receipt could not be saved.") if seen % nth == 0 else None

    return refuse


def test_500_orders_go_in_growing_sets_each_once_with_its_total(house: House) -> None:
    orders = many(500)
    for order in orders:
        house.take(order)
    sizes: list[int] = []
    house.run(on_set=lambda number, request: sizes.append(request.count("requestID=")))
    assert house.run_until_quiet() == 0
    assert sorted(house.totals()) == sorted(Decimal(order["total"]) for order in orders)
    assert set(house.states()) == {"succeeded"}
    assert len(house.pos.customers()) == 100
    assert max(sizes) == 50
    assert sizes[0] <= 5


def test_what_quickbooks_refuses_fails_with_its_reason_and_the_rest_goes(house: House) -> None:
    for order in many(100):
        house.take(order)
    house.pos.refuse_when = refuse_every(20)
    house.run()
    assert house.states().count("failed") == 5
    assert house.states().count("succeeded") == 95
    failed = [sale for sale in house.activities() if sale.state == "failed"]
    assert all("could not be saved" in sale.sentence and sale.reference in sale.sentence for sale in failed)


def test_a_poisoned_request_is_halved_out_and_the_others_go_in_the_same_session(house: House) -> None:
    for order in many(60):
        house.take(order)
    house.pos.poison = lambda request: "WMAIN-10037/" in "".join(request.itertext())
    house.run()
    states = {sale.record_id: sale.state for sale in house.activities()}
    assert states.pop("10037") == "failed"
    assert set(states.values()) == {"succeeded"}
    assert len(house.totals()) == 59
    assert house.run_until_quiet() == 0


def test_two_poisoned_requests_are_both_found(house: House) -> None:
    for order in many(40):
        house.take(order)
    house.pos.poison = lambda request: any(
        mark in "".join(request.itertext()) for mark in ("WMAIN-10003/", "WMAIN-10031/")
    )
    house.run()
    house.run_until_quiet()
    failed = {sale.record_id for sale in house.activities() if sale.state == "failed"}
    assert failed == {"10003", "10031"}
    assert len(house.totals()) == 38


def test_the_percentage_never_falls_and_is_100_only_at_the_end(house: House) -> None:
    for order in many(60):
        house.take(order)
    percents = house.run()
    assert percents == sorted(percents)
    assert percents.index(100) == len(percents) - 1
