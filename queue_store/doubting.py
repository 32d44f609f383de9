"""After a start of the service, what both sides agreed on is doubted until the shop's products were read anew.

A backup may have been put back: then our own writings of the time since look like
a person's edits, and would become adjustments. So agreements are set aside at each
start, and no edit goes to QuickBooks by one of these. Those of products that were not
changed in the shop meanwhile count again as soon as that is known; the others are
compared by the worker, and what differs is told to a person.
"""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

from sqlalchemy import or_, select, update
from sqlalchemy.orm import Session

from queue_store.allocation import gross_takings
from queue_store.companies import live_kinds
from queue_store.models import ShopProduct, Store
from queue_store.product_payloads import decode_shop_item
from queue_store.product_sync import ask_store_products
from queue_store.schedules import hurry
from queue_store.settings import store_settings
from queue_store.shop_products import AT_ONCE
from queue_store.tasks import raise_task

#: Kind of the task about a quantity that may have been a person's edit.
EDIT_DOUBTED = "edit doubted"
_CATCH_UP = "products"


def doubt_agreements(db: Session) -> None:
    """A service starts: to be called before it does anything."""
    now = datetime.now(UTC)
    for store in db.scalars(select(Store).order_by(Store.id)):
        if "stock" not in live_kinds(store) or store_settings(db, store)["stock.edits"] != "adjust":
            continue
        # One that was set aside before and not compared yet stays as it is.
        db.execute(
            update(ShopProduct)
            .where(ShopProduct.store_id == store.id, ShopProduct.agreed_gross.is_not(None))
            .values(doubted_gross=ShopProduct.agreed_gross, agreed_gross=None)
            .execution_options(synchronize_session=False)
        )
        store.agreements_doubted_at = now
        hurry(db, store.id, [_CATCH_UP], now)
    db.expire_all()


def trust_agreements(db: Session, store: Store, read_since: datetime) -> int:
    """All products that changed in the shop have been read, by a reading that began at `read_since`.

    Gives how many products are still to be compared; the worker is asked for them.
    """
    if store.agreements_doubted_at is None or store.agreements_doubted_at > read_since:
        return 0
    store.agreements_doubted_at = None
    # Not read: not changed.
    db.execute(
        update(ShopProduct)
        .where(
            ShopProduct.store_id == store.id,
            ShopProduct.doubted_gross.is_not(None),
            or_(ShopProduct.read_at < read_since, ShopProduct.gone),
        )
        .values(agreed_gross=ShopProduct.doubted_gross, doubted_gross=None)
        .execution_options(synchronize_session=False)
    )
    db.expire_all()
    asked = after_id = 0
    while rows := _doubted(db, store, after_id):
        after_id = rows[-1].product_id
        taken = gross_takings(db, store.id, [row.product_id for row in rows])
        differing = []
        for row in rows:
            if row.quantity is not None and row.quantity + taken[row.product_id] == row.doubted_gross:
                row.agreed_gross, row.doubted_gross = row.doubted_gross, None
            else:
                differing.append(row.product_id)
        db.flush()
        asked += ask_store_products(
            db, store, differing, cause="compared anew after the service started", always=True
        )
    return asked


def _doubted(db: Session, store: Store, after_id: int) -> list[ShopProduct]:
    rows = select(ShopProduct).where(
        ShopProduct.store_id == store.id,
        ShopProduct.product_id > after_id,
        ShopProduct.doubted_gross.is_not(None),
    )
    return list(db.scalars(rows.order_by(ShopProduct.product_id).limit(AT_ONCE)))


def tell_doubted_edit(
    db: Session, store: Store, row: ShopProduct, difference: Decimal, shows: int | None
) -> None:
    """The shop's quantity of a product was moved by `difference`, by a person or by what this database knows no more.

    `shows` is what takes its place. Nothing is told where that is the same.
    """
    there, row.doubted_gross = row.quantity, None
    db.flush()
    if there is None or shows is None or there == shows:
        return
    raise_task(
        db,
        company_id=store.company_id,
        kind=EDIT_DOUBTED,
        subject=f"{store.id}:{row.product_id}",
        sentence=(
            f"{_capital(decode_shop_item(row.content).called)} of store {store.name} had a quantity of {_plain(there)} "
            f"when the service started, which is {_plain(abs(difference))} {'more' if difference > 0 else 'fewer'} than "
            "is known here: a person changed it just then, or a backup was put back that lacks a writing of ours. It "
            f"was not sent to QuickBooks, whose {shows} took its place. If a person changed it, count the item "
            "and change it again."
        ),
    )


def _plain(pieces: Decimal) -> str:
    return f"{pieces.normalize():f}"


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
