"""Products of ours whose item is gone: they become drafts again, once; a variation becomes private.

A person who publishes one afterwards keeps it so.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from queue_store.companies import live_kinds
from queue_store.drafts import RETIRE_PRODUCT as NAME
from queue_store.models import Store
from queue_store.settings import store_settings
from queue_store.shop_products import keep_products, mark_gone, products_of
from woo_bridge.errors import Untranslatable
from woo_bridge.kinds.kind import Claimed, Done, Dropped, Ended, ManyKind, Refused, Tools
from woo_bridge.paging import PER_PAGE
from woo_bridge.product_calls import ItemRefused, read_products, write_products
from woo_bridge.translate_products import translate_product

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def _run(tools: Tools, works: Sequence[Claimed]) -> Mapping[int, Ended]:
    ended: dict[int, Ended] = {}
    by_product = {int(work.record_id): work.activity_id for work in works}
    with tools.database.read() as db:
        store = db.get_one(Store, tools.store_id)
        is_wanted = (
            "products" in live_kinds(store) and store_settings(db, store)["products.when_gone"] == "draft"
        )
        rows = products_of(db, store.id, by_product)
        parents = {
            number: row.parent_id
            for number, row in rows.items()
            if is_wanted and row.retired and not row.gone
        }
    for number, activity_id in by_product.items():
        if number not in parents:
            ended[activity_id] = Dropped(
                "Its item is back, the product is gone, or the store wants it no more."
            )
    bodies: dict[int, dict[int, dict[str, str]]] = defaultdict(dict)
    for number, body in read_products(tools.client, parents):
        if body is None:
            ended[by_product[number]] = Done("the shop has no such product any more")
            continue
        try:
            item = translate_product(body)
        except Untranslatable as problem:
            ended[by_product[number]] = Refused(f"{problem} Mend it in the shop, and save it there.")
            continue
        if item.status != "publish":
            ended[by_product[number]] = Done(f"it is not for sale: its status is {item.status}")
        else:
            parent_id = parents[number]
            bodies[parent_id][number] = {"status": "private" if parent_id else "draft"}
    for parent_id, some in bodies.items():
        _write(tools, parent_id, some, by_product, ended)
    return ended


def _write(
    tools: Tools,
    parent_id: int,
    bodies: Mapping[int, Mapping[str, str]],
    by_product: Mapping[int, int],
    ended: dict[int, Ended],
) -> None:
    answers = write_products(tools.client, parent_id, bodies)
    items, gone = [], []
    for number in bodies:
        answer = answers.get(number)
        if isinstance(answer, ItemRefused):
            if answer.is_gone:
                gone.append(number)
                ended[by_product[number]] = Done("the shop has no such product any more")
            else:
                words = f"{answer.message.rstrip('.')} ({answer.code})"
                ended[by_product[number]] = Refused(
                    f"The shop does not make product {number} a draft: {words}."
                )
        elif answer is None:
            ended[by_product[number]] = Refused(f"The shop did not say what became of product {number}.")
        else:
            ended[by_product[number]] = Done("no longer for sale")
            try:
                items.append(translate_product(answer))
            except Untranslatable as problem:
                ended[by_product[number]] = Refused(f"{problem} It was written; look at it in the shop.")

    def keep(db: Session) -> None:
        store = db.get_one(Store, tools.store_id)
        mark_gone(db, store, gone)
        keep_products(db, store, items, read_now=True)

    tools.database.write_again(keep)


RETIRE_PRODUCT = ManyKind(name=NAME, at_once=PER_PAGE, run=_run)
