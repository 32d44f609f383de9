"""What goes wrong around the service in a day: clocks, backups, restarts, and QuickBooks itself."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from qbwc_service.exchange import WebConnectorConversation
from tests.faults.scene import Scene
from tests.faults.snapshots import Snapshot, let_time_pass


def late_answer(scene: Scene, rng: random.Random) -> None:
    """An answer arrives once more, or long after its session."""
    if scene.world.answers:
        ticket, response = rng.choice(scene.world.answers)
        scene.fired["late or repeated answer"] += 1
        scene.log(f"   late, under {ticket[1:6]}: {scene.world.receive(ticket, response)}")


def out_of_order(scene: Scene, rng: random.Random) -> None:
    """A call that nobody should make now."""
    world = scene.world
    if not world.tickets:
        return
    ticket = rng.choice((world.tickets[-1], rng.choice(world.tickets)))
    what = rng.choice(("send", "close", "connection error", "last error", "empty"))
    scene.fired[f"out of order: {what}"] += 1
    scene.log(f"   {what} under {ticket[1:6]}")
    match what:
        case "send":
            world.send(ticket)
        case "close":
            world.conversation.close_connection(ticket)
        case "connection error":
            world.conversation.connection_error(ticket, "0x80040408", "no")
        case "last error":
            world.conversation.get_last_error(ticket)
        case "empty":
            world.receive(ticket, "", rng.choice(("", "0x80040402")), "")


def time_passes(scene: Scene, rng: random.Random) -> None:
    """Minutes or hours without a call."""
    scene.fired["time passes"] += 1
    let_time_pass(scene.database, rng.choice((2, 20, 70)))


def clock_back(scene: Scene, rng: random.Random) -> None:
    """The clock of the service is put back by an hour: all that it remembers lies ahead."""
    scene.fired["clock of the service put back"] += 1
    let_time_pass(scene.database, -60)


def restart(scene: Scene, rng: random.Random) -> None:
    """The service ends and begins anew."""
    scene.fired["service restarted"] += 1
    start(scene)


def start(scene: Scene) -> None:
    """Begin the service on the database as it is."""
    conversation = WebConnectorConversation(scene.database)
    conversation.start()
    scene.world.conversation = scene.serve(conversation)


def backup(scene: Scene, rng: random.Random) -> None:
    """A copy of the database is kept."""
    scene.backups.append((Snapshot(scene.database), dict(scene.known)))


def restore(scene: Scene, rng: random.Random) -> None:
    """The database becomes what it was at a backup."""
    if scene.backups and not scene.blind:
        scene.fired["database restored"] += 1
        snapshot, known = rng.choice(scene.backups)
        snapshot.restore(scene.database)
        if rng.random() < 0.5:
            scene.fired["database restored within the minute"] += 1
            start(scene)
        else:
            let_time_pass(scene.database, rng.choice((2, 30, 600)))
        scene.known = dict(known)
        scene.restored = True
        # A deletion leaves no trace in QuickBooks, so that nothing tells of one that the backup forgot.
        there = {order.txn_id for order in scene.pos.sales_orders()}
        scene.deleted |= {order for txn_id, order in scene.undone_orders.items() if txn_id not in there}


def till_sale(scene: Scene, rng: random.Random) -> None:
    """Receipts that are not ours."""
    scene.sell_at_the_till(rng)


def clock_of_pos(scene: Scene, rng: random.Random) -> None:
    """QuickBooks' clock jumps, or its zone changes."""
    scene.fired["clock of QuickBooks moved"] += 1
    if rng.random() < 0.5:
        scene.pos.utc_offset_hours = rng.choice((-5, -4))
    else:
        hours = rng.choice((1, 30, 9000, -1, -20, -48, -48, -9000))
        scene.pos_ahead += timedelta(hours=hours)
        if scene.pos_ahead < min(scene.pos_most_ahead, timedelta(0)) - timedelta(hours=23):
            scene.fired["clock of QuickBooks put back by days"] += 1
            scene.blind = True
        scene.pos_most_ahead = max(scene.pos_most_ahead, scene.pos_ahead)


def poison(scene: Scene, rng: random.Random) -> None:
    """QuickBooks cannot read one document any more, or can again."""
    if scene.pos.poison is not None or not scene.shop.ids():
        scene.pos.poison = None
        return
    mark = f"WMAIN-{rng.choice(scene.shop.ids())}{rng.choice(('/', '/', '-R'))}"
    scene.fired["a request that QuickBooks cannot read"] += 1
    scene.pos.poison = lambda element: mark in "".join(element.itertext())


@contextmanager
def refusals(scene: Scene) -> Iterator[None]:
    """Some requests are refused, in a day of such."""
    rng = random.Random(f"refusals {scene.seed}")

    def refuse(element: Any) -> tuple[int, str] | None:
        if not str(element.tag).endswith(("AddRq", "ModRq", "TxnReverseRq")) or rng.random() > 0.08:
            return None
        scene.fired["request refused"] += 1
        return rng.choice(
            (
                (3180, "The record could not be saved."),
                (3175, "In use."),
                (3120, "Not found."),
                (1000, "Internal."),
            )
        )

    scene.pos.refuse_when = refuse if scene.refusing else None
    yield
    scene.pos.refuse_when = None
