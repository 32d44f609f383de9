"""Errors of the played shop.

* ShopError
  * NoSuchRecord       an order, product or SKU that this shop does not have
  * RestError          what a REST call is answered with; the bodies are WooCommerce's own
"""

from __future__ import annotations

from typing import Any


class ShopError(Exception):
    """The played shop cannot do what was asked."""


class NoSuchRecord(ShopError):
    """The played shop has no such record."""

    def __init__(self, kind: str, key: object) -> None:
        super().__init__(
            f"The played shop has no {kind} {key!r}. Look at what it holds, or create the record first."
        )
        self.kind = kind
        self.key = key


class RestError(ShopError):
    """An error answer: `code`, `message`, HTTP `status`, and `data` as the shop would send it.

    `data` is {"status": status} with `extra` beside it, but for the few errors
    where WooCommerce sends something else (a bare 500 for a refused refund).
    """

    def __init__(
        self,
        code: str,
        message: str,
        status: int,
        *,
        extra: dict[str, Any] | None = None,
        data: object = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message}")
        self.code = code
        self.message = message
        self.status = status
        self.data: object = {"status": status, **(extra or {})} if data is None else data

    def body(self) -> dict[str, Any]:
        """The answer's body: {"code", "message", "data"}."""
        return {"code": self.code, "message": self.message, "data": self.data}


def invalid_id(resource: str, status: int = 404) -> RestError:
    """`resource` as WooCommerce spells it in the code: "shop_order", "product", "product_variation"."""
    return RestError(f"woocommerce_rest_{resource}_invalid_id", "Invalid ID.", status)


def no_route() -> RestError:
    """A path or method that the shop does not know."""
    return RestError("rest_no_route", "No route was found matching the URL and request method.", 404)


def trash_not_supported(what: str) -> RestError:
    """`what` in the plural: "Customers"."""
    return RestError("woocommerce_rest_trash_not_supported", f"{what} do not support trashing.", 501)
