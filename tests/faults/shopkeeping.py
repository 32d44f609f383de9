"""What the played shop does in a day, and how the service hears of it."""

from __future__ import annotations

import json
import random
from datetime import UTC, datetime

from queue_store.companies import get_store
from queue_store.settings import store_settings
from queue_store.shop_claim import claim_shop_work
from queue_store.shop_work import settle_shop_work
from tests.faults.scene import Scene
from tests.faults.shop import Body
from woo_bridge.disposition import order_rules
from woo_bridge.kinds.read_refunds import READ_REFUNDS, OrderAndRefunds
from woo_bridge.kinds.reread_order import REREAD_ORDER
from woo_bridge.take_orders import take_order
from woo_bridge.translate_orders import translate_order


def place(scene: Scene, rng: random.Random) -> None:
    """Orders are placed."""
    for _ in range(rng.choice((1, 1, 2, 4))):
        post(scene, scene.shop.place(rng), rng)


def change(scene: Scene, rng: random.Random) -> None:
    """An order changes."""
    if scene.shop.ids():
        post(scene, scene.shop.change(rng.choice(scene.shop.ids()), rng), rng)


def refund(scene: Scene, rng: random.Random) -> None:
    """Money goes back."""
    if scene.shop.ids():
        body = scene.shop.refund(rng.choice(scene.shop.ids()), rng)
        if body is not None:
            scene.fired["refund made"] += 1
            scene.log(f"   refund {body['refunds'][-1]}")
            post(scene, body, rng)


def delete_refund(scene: Scene, rng: random.Random) -> None:
    """A refund is deleted: nobody is told."""
    if scene.shop.refunds:
        refund_id = scene.shop.delete_refund(rng.choice(list(scene.shop.refunds)), rng)
        if refund_id is not None:
            scene.fired["refund deleted"] += 1
            scene.log(f"   refund {refund_id} deleted")


def post(scene: Scene, body: Body, rng: random.Random) -> None:
    """A webhook leaves the shop: it may be lost or late."""
    scene.log(f"   order {body['id']}: {body['status']} {body['total']} at {body['date_modified_gmt']}")
    if scene.world.happens(rng, "webhook delayed", 0.3):
        scene.mail.append(body)
    elif not scene.world.happens(rng, "webhook lost", 0.03):
        take(scene, body)


def deliver(scene: Scene, rng: random.Random) -> None:
    """A late webhook arrives, perhaps not for the last time."""
    if scene.mail:
        place = rng.randrange(len(scene.mail))
        body = (
            scene.mail[place] if scene.world.happens(rng, "webhook doubled", 0.3) else scene.mail.pop(place)
        )
        take(scene, body)


def take(scene: Scene, body: Body, *, read_now: bool = False) -> None:
    """The service hears of an order."""
    scene.log(f"   told: order {body['id']} {body['status']} {body['total']}")
    with scene.database.write() as db:
        store = get_store(db, "main")
        rules = order_rules(store, store_settings(db, store))
        take_order(db, store, rules, translate_order(json.dumps(body).encode()), read_now=read_now)
    told(scene, body, read_now=read_now)


def told(scene: Scene, body: Body, *, read_now: bool) -> None:
    """What the service may send of it from now on."""
    before = scene.known.get(body["id"], [])
    stamp = before[0]["date_modified_gmt"] if before else ""
    if body["date_modified_gmt"] > stamp or (read_now and body["date_modified_gmt"] == stamp):
        scene.known[body["id"]] = [body]
    elif body["date_modified_gmt"] == stamp:
        scene.known[body["id"]] = [*before, body]


def read_again(scene: Scene, rng: random.Random) -> None:
    """The worker reads what it was asked to."""
    work_for_the_shop(scene)


def work_for_the_shop(scene: Scene) -> None:
    """All that the shop is asked for is read."""
    with scene.database.write() as db:
        store = get_store(db, "main")
        for activity in claim_shop_work(db, store.company_id, datetime.now(UTC), 50):
            order_id = int(activity.record_id)
            body = scene.shop.newest(order_id)
            raw, settings = json.dumps(body).encode(), store_settings(db, store)
            if activity.kind == READ_REFUNDS.name:
                refunds = [json.dumps(one).encode() for one in scene.shop.refunds.get(order_id, ())]
                READ_REFUNDS.settle(db, store, settings, activity, OrderAndRefunds(raw, refunds))
            else:
                scene.fired["order read again"] += 1
                REREAD_ORDER.settle(db, store, settings, activity, raw)
            settle_shop_work(db, activity, cause="done")
            told(scene, body, read_now=True)
