"""WooCommerce's own JSON shapes of products and variations, as far as they are wanted.

As lenient as `woo_bridge.raw`: amounts as strings or numbers, lists with holes
as objects. Every field may be missing, since a list can be asked for some
fields only. Source: REST API v3 as recorded from WooCommerce 11.
"""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import UNSET, UnsetType

from woo_bridge.raw import Many, RawAmount, RecordId

Text = str | int | None


class RawAttribute(msgspec.Struct):
    id: RecordId | None = 0
    name: Text = None
    #: Values on a product.
    options: Many[Text] = []
    #: The value of a variation; "" stands for any.
    option: Text = None
    variation: bool = False


class RawCategory(msgspec.Struct):
    id: RecordId = 0
    name: Text = None


class RawProduct(msgspec.Struct):
    """A product, or a variation in its own shape or in that of a product."""

    id: Annotated[int, msgspec.Meta(ge=1, le=2**53)]
    parent_id: RecordId | UnsetType | None = UNSET
    type: str | UnsetType = UNSET
    status: str | UnsetType = UNSET
    name: Text | UnsetType = UNSET
    sku: Text | UnsetType = UNSET
    #: A boolean, or the word "parent".
    manage_stock: bool | str | UnsetType | None = UNSET
    stock_quantity: RawAmount | UnsetType | None = UNSET
    stock_status: Text | UnsetType = UNSET
    backorders: Text | UnsetType = UNSET
    #: Strings; "" where there is none.
    regular_price: RawAmount | UnsetType | None = UNSET
    sale_price: RawAmount | UnsetType | None = UNSET
    date_on_sale_from_gmt: Text | UnsetType = UNSET
    date_on_sale_to_gmt: Text | UnsetType = UNSET
    weight: Text | float | UnsetType = UNSET
    tax_class: Text | UnsetType = UNSET
    description: Text | UnsetType = UNSET
    short_description: Text | UnsetType = UNSET
    global_unique_id: Text | UnsetType = UNSET
    virtual: bool | UnsetType = UNSET
    categories: Many[RawCategory] | UnsetType = UNSET
    attributes: Many[RawAttribute] | UnsetType = UNSET
    #: Ids; plugins list whole objects here, of which nothing is wanted.
    variations: Many[object] | UnsetType = UNSET
    meta_data: Many[RawMeta] | UnsetType = UNSET
    date_modified_gmt: str | UnsetType | None = UNSET


class RawMeta(msgspec.Struct):
    #: Anything at all, and so is the value.
    key: object = None
    value: object = None


class RawSettled(msgspec.Struct):
    """What a batch answers for one item: the whole record, or an error."""

    id: RecordId | None = None
    error: RawError | None = None


class RawError(msgspec.Struct):
    code: str | int = ""
    message: str = ""
    #: An object, or a number.
    data: object = None


class RawBatch(msgspec.Struct):
    """The answer of a batch, in the order of what was asked for."""

    create: Many[msgspec.Raw] = []
    update: Many[msgspec.Raw] = []
