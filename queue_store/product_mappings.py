"""Which item a product is, because a person says so; and what a mapping by SKU asks of the products that bear it."""

from __future__ import annotations

from collections.abc import Collection

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from queue_store.catalogue import fold, items_by_id
from queue_store.companies import list_stores
from queue_store.errors import BadSetting, NotFound
from queue_store.matching import bind_product, match_products
from queue_store.models import ShopProduct, Store
from queue_store.operations import audit
from queue_store.product_sync import ask_store_products
from queue_store.shop_products import pieces, products_of
from queue_store.showing import LOCATION

PRODUCT = "product"
OPERATOR = "operator"
#: Kinds whose key is a SKU, so that a change of one is a change for the products that bear it.
BY_SKU_KINDS = frozenset(("item", LOCATION))


def known_product(db: Session, store: Store, key: str) -> ShopProduct:
    """The product of a store by its id. Raises BadSetting, NotFound."""
    if not (key.isascii() and key.isdigit() and len(key) < 19):
        raise BadSetting("key", f"{key!r} is no id of a product. It stands in the address of its admin page.")
    row = products_of(db, store.id, [int(key)]).get(int(key))
    if row is None or row.gone:
        raise NotFound(
            "product",
            key,
            f"Store {store.name} has none as last read. Run: qbwoo mapping match --store {store.name}",
        )
    return row


def set_product(db: Session, store: Store, row: ShopProduct, list_id: str, who: str) -> bool:
    """From now on the product is this item, whatever its SKU says; False: it was before. Raises BadSetting."""
    if list_id not in items_by_id(db, store.company_id, [list_id]):
        raise BadSetting(
            "list id", f"{list_id!r} is no item of QuickBooks as last read. See: qbwoo mapping match"
        )
    if row.list_id == list_id and row.matched_by == OPERATOR:
        return False
    was = row.list_id or ""
    bind_product(db, row, list_id, OPERATOR)
    if was != list_id:
        # The two sides never agreed about this item.
        row.agreed_gross = row.doubted_gross = None
    audit(db, store.company_id, who, f"mapping product {row.product_id} of store {store.name}", was, list_id)
    ask_store_products(db, store, [row.product_id], cause=f"it is another item of QuickBooks, says {who}")
    return True


def remove_product(db: Session, store: Store, row: ShopProduct, who: str) -> None:
    """Forget which item the product is. It is matched again by its SKU, if that tells. Raises NotFound."""
    if row.list_id is None:
        raise NotFound("product mapping", str(row.product_id), "See: qbwoo mapping list --kind product")
    audit(
        db, store.company_id, who, f"mapping product {row.product_id} of store {store.name}", row.list_id, ""
    )
    row.list_id, row.matched_by, row.matched_sku = None, "", ""
    row.agreed_gross, row.doubted_gross, row.differs_since = None, None, None
    db.flush()


def skus_mapped_anew(db: Session, company_id: int, kind: str, keys: Collection[str]) -> int:
    """A person said something of these SKUs: match the products that bear one, and ask for what differs; how many."""
    bears, bore = ShopProduct.sku_key, func.lower(ShopProduct.matched_sku)
    asked = 0
    for store in list_stores(db, company_id):
        for some in pieces(sorted({fold(key) for key in keys})):
            bearers = db.scalars(
                select(ShopProduct.product_id).where(
                    ShopProduct.store_id == store.id,
                    # Where the stock counts goes by the SKU of the match, which no index knows.
                    bears.in_(some) | bore.in_(some) if kind == LOCATION else bears.in_(some),
                    ~ShopProduct.gone,
                )
            ).all()
            match_products(db, store, bearers)
            asked += ask_store_products(db, store, bearers, cause="its mapping was changed by hand")
    return asked
