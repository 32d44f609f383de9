"""People who buy in the played shop, and pay at once or later."""

from __future__ import annotations

import random
from decimal import Decimal
from typing import Any

from ops_sandbox.shop import Shop

_PEOPLE = (
    ("Ada", "Marsh", "12 Mill Lane", "Portland", "OR", "97201"),
    ("Ben", "Okafor", "4 Harbor St", "San Francisco", "CA", "94105"),
    ("Chloé", "Dubois", "77 Elm Ave", "Seattle", "WA", "98101"),
    ("Dan", "O'Neill", "9 Oak Court", "Boise", "ID", "83702"),
    ("Eva", "Søndergaard", "350 Fifth Ave", "New York", "NY", "10118"),
)
#: Most pay at once. Who pays later makes the order wait for its money.
_GATEWAYS = ("stripe", "stripe", "stripe", "paypal", "paypal", "cod", "bacs")
_MOST_STOCK_WANTED = 3


def place_order(shop: Shop, rng: random.Random) -> dict[str, Any]:
    """One shopper buys something; gives the order."""
    first_name, last_name, street, city, state, postcode = rng.choice(_PEOPLE)
    goods = rng.sample(_goods(shop), rng.randint(1, 4))
    return shop.place_order(
        [(sku, rng.randint(1, _MOST_STOCK_WANTED)) for sku in goods],
        f"{first_name.casefold().replace('é', 'e')}@shopper.example",
        payment_method=rng.choice(_GATEWAYS),
        coupon=rng.choice((None, None, None, "tenpct")),
        shipping=rng.choice((None, Decimal("5.90"), Decimal("8.00"))),
        billing={
            "first_name": first_name,
            "last_name": last_name,
            "address_1": street,
            "city": city,
            "state": state,
            "postcode": postcode,
        },
    )


def bring_money(shop: Shop, rng: random.Random, order_ids: list[int]) -> int | None:
    """One of those orders that still waits for its money is paid and delivered; its id, None if none waits."""
    waiting = [
        order["id"]
        for order in shop.orders()
        if order["id"] in order_ids and order["date_paid_gmt"] is None and order["status"] != "completed"
    ]
    if not waiting:
        return None
    order_id: int = rng.choice(waiting)
    shop.set_status(order_id, "completed")
    return order_id


def _goods(shop: Shop) -> list[str]:
    """SKUs of what is on offer, has a price, and is there often enough."""
    return [
        product["sku"]
        for product in shop.products()
        if product["type"] in ("simple", "variation")
        and product["status"] == "publish"
        and product["sku"]
        and Decimal(product["price"] or 0) > 0
        and (product["stock_quantity"] is None or product["stock_quantity"] >= _MOST_STOCK_WANTED)
    ]
