"""Every webhook that a real shop sent, replayed in its order."""

from __future__ import annotations

from pathlib import Path

import pytest

from queue_store.models import Activity, KeptBody

WEBHOOKS = Path(__file__).parent.parent / "data" / "woocommerce" / "webhooks"
NAMES = sorted(path.stem for path in WEBHOOKS.glob("[0-9]*.json") if path.stem != "00_ping")


@pytest.mark.parametrize("name", NAMES)
def test_each_recorded_change_leaves_the_last_state_of_each_order_and_nothing_else(bridge, deliveries, name):
    for topic, body in deliveries(name):
        bridge.receive(topic, body)
    with bridge.database.read() as db:
        assert {activity.kind for activity in db.query(Activity)} <= {"sale", "reread_order", "read_refunds"}
        assert db.query(KeptBody).count() == 0


def test_the_whole_recording_in_one_go_ends_with_one_sale_per_order(bridge, deliveries):
    for name in NAMES:
        for topic, body in deliveries(name):
            bridge.receive(topic, body)
    with bridge.database.read() as db:
        sales = [a.record_id for a in db.query(Activity) if a.kind == "sale"]
        assert len(sales) == len(set(sales)) > 10
        # The order that was trashed and restored more than once.
        assert bridge.sale(126).state in ("waiting", "pending", "cancelled")
        assert bridge.sale(318).state == "cancelled"
