"""What the played shop does in a day, and how the service hears of it."""

from __future__ import annotations

import json
import random

from queue_store.companies import get_store
from queue_store.settings import store_settings
from tests.faults.scene import Scene, Violation
from tests.faults.shop import Body
from tests.faults.stage import BOX
from tests.faults.storage import StorageFailed, choose
from woo_bridge.disposition import order_rules
from woo_bridge.take_orders import take_order
from woo_bridge.translate_orders import translate_order
from woo_bridge.worker import Worker

#: What WooCommerce posts where a record is gone between its change and the delivery.
_ERROR_BODIES = (
    b'{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID.","data":{"status":404}}',
    b'{"code":"rest_forbidden","message":"Sorry, you are not allowed to do that.","data":{"status":403}}',
)


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
    """A webhook leaves the shop: it may be lost or late, or bear an error in place of the order."""
    scene.log(f"   order {body['id']}: {body['status']} {body['total']} at {body['date_modified_gmt']}")
    if scene.world.happens(rng, "webhook delayed", 0.3):
        scene.mail.append(body)
    elif scene.world.happens(rng, "webhook with an error body", 0.03):
        deliver_bytes(scene, rng, rng.choice(_ERROR_BODIES))
    elif not scene.world.happens(rng, "webhook lost", 0.03):
        arrive(scene, body, rng)


def deliver(scene: Scene, rng: random.Random) -> None:
    """A late webhook arrives, perhaps not for the last time."""
    if scene.mail:
        place = rng.randrange(len(scene.mail))
        if any(one["id"] == scene.mail[place]["id"] for one in scene.mail[:place]):
            scene.fired["webhooks of an order out of order"] += 1
        body = (
            scene.mail[place] if scene.world.happens(rng, "webhook doubled", 0.3) else scene.mail.pop(place)
        )
        arrive(scene, body, rng)


def raw(body: Body) -> bytes:
    """A webhook's body, as the shop posts it."""
    return json.dumps(body).encode()


def arrive(scene: Scene, body: Body, rng: random.Random) -> None:
    """The service hears of an order by webhook; if it cannot keep it, nobody sends it again."""
    if deliver_bytes(scene, rng, raw(body)):
        scene.log(f"   told: order {body['id']} {body['status']} {body['total']}")
        told(scene, body, read_now=False)


def deliver_bytes(scene: Scene, rng: random.Random, body: bytes) -> bool:
    """Post a signed body to the real endpoint; True if it was taken. Raises Violation for another answer."""
    kind = choose(scene.world.storage, rng, 0.03) if scene.world.faults else ""
    # The endpoint never raises: it answers that it could not.
    status = scene.world.storage.run(kind, lambda: scene.post_webhook(body))
    if status.startswith("503") and kind:
        scene.fired[kind] += 1
        scene.fired["webhook lost with the database"] += 1
        scene.log(f"   fault: {kind}, the webhook is answered {status}")
        return False
    if not status.startswith("200"):
        raise Violation(f"a webhook was answered {status}")
    return True


def take(scene: Scene, body: Body, *, read_now: bool = False) -> None:
    """The service reads an order from the shop's list, as catch-up does."""
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
    before = dict(scene.known)
    try:
        scene.world.stored(rng, lambda: work_for_the_shop(scene), 0.06)
    except StorageFailed:
        # What it had read may be kept or not.
        for order_id, body in scene.shop_wire.read.items():
            scene.known[order_id] = [*before.get(order_id, []), body]


def work_for_the_shop(scene: Scene) -> None:
    """All that the shop is asked for is read, as far as the shop answers."""
    # A worker of its own each time, as any of several processes may come by.
    worker = Worker(scene.database, BOX, make_client=scene.shop_wire.open)
    scene.shop_wire.read.clear()
    while worker.run_once():
        pass
    for body in scene.shop_wire.read.values():
        scene.fired["order read again"] += 1
        told(scene, body, read_now=True)
