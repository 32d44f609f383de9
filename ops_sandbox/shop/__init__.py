"""A WooCommerce shop, played from what was recorded on a real one.

It answers the REST API, sends signed webhooks over real HTTP, and fails on
order. `Shop.create()` makes one, `shop.serve()` puts it on a port.
"""

from __future__ import annotations

from ops_sandbox.shop.deliveries import Delivery, Outcome
from ops_sandbox.shop.errors import NoSuchRecord, RestError, ShopError
from ops_sandbox.shop.server import RunningShop
from ops_sandbox.shop.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop

__all__ = [
    "CONSUMER_KEY",
    "CONSUMER_SECRET",
    "Delivery",
    "NoSuchRecord",
    "Outcome",
    "RestError",
    "RunningShop",
    "Shop",
    "ShopError",
]
