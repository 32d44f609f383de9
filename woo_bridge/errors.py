"""Errors of the shop's side.

* BridgeError
  * Untranslatable          a record of the shop has a shape that this version cannot read
  * BadStoreUrl             an address that must not be called
  * ShopError
    * ShopUnreachable       no answer, or a server error (retriable)
    * TooManyRequests       the shop asks for patience (retriable)
    * NotAShop              something answered, but not WooCommerce's REST API
    * ShopRefused           WooCommerce answered with an error
      - BadKey              it does not know the key, or the secret is wrong
      - NoPermission        the key may not do this
      - NoSuchRecord        there is no such order, customer ... (any more)
"""

from __future__ import annotations


class BridgeError(Exception):
    """Something on the shop's side is not as it must be."""

    #: Whether the same call may work later, without anybody doing anything.
    retriable = False


class Untranslatable(BridgeError):
    """A record of the shop has a shape that this version cannot read.

    `record` names it for people ("Order 71"), `path` the place in its JSON.
    """

    def __init__(self, record: str, path: str, problem: str) -> None:
        place = f"{path}: " if path else ""
        super().__init__(f"{record} cannot be read: {place}{problem}.")
        self.record, self.path, self.problem = record, path, problem


class BadStoreUrl(BridgeError):
    """An address that must not be called as a shop."""

    def __init__(self, url: str, problem: str) -> None:
        super().__init__(f"The store's URL {url} {problem}")
        self.url, self.problem = url, problem


class UnknownHost(BadStoreUrl):
    """The host of a store's URL is not known now; it may be when the network is there again."""


class ShopError(BridgeError):
    """A call of the shop's REST API came to nothing. `call` is like "GET orders/71"."""

    def __init__(self, call: str, problem: str) -> None:
        super().__init__(f"{call}: {problem}")
        self.call, self.problem = call, problem


class ShopUnreachable(ShopError):
    """No answer from the shop, or a server error; trying later may help.

    `may_have_arrived`: the shop may have done what was asked although no clear answer came.
    """

    retriable = True

    def __init__(
        self, call: str, problem: str, *, status: int | None = None, may_have_arrived: bool = True
    ) -> None:
        super().__init__(call, problem)
        self.status, self.may_have_arrived = status, may_have_arrived


class StoreNotCalled(ShopError):
    """The store's URL leads where no shop may be called; `reason` is a whole sentence."""

    def __init__(self, reason: str) -> None:
        super().__init__("the shop was not called", reason)


class TooManyRequests(ShopError):
    """The shop asks for patience; `retry_after` in seconds, if it said so."""

    retriable = True

    def __init__(self, call: str, retry_after: float | None) -> None:
        wait = f" It asks to wait {retry_after:g} s." if retry_after is not None else ""
        super().__init__(call, f"the shop answered 429, too many requests.{wait}")
        self.retry_after = retry_after


class NotAShop(ShopError):
    """Something answered that is not WooCommerce's REST API."""

    def __init__(self, call: str, status: int, content_type: str, beginning: str) -> None:
        super().__init__(
            call,
            f"the answer (status {status}, {content_type or 'no content type'}) is not WooCommerce's JSON but "
            f"begins with {beginning!r}. Check the store's URL, that WooCommerce is active, that permalinks "
            "are not 'plain', and that no security plugin or maintenance page stands before /wp-json/.",
        )
        self.status, self.content_type, self.beginning = status, content_type, beginning


class ShopRefused(ShopError):
    """WooCommerce answered with an error; `code` and `message` are its own words.

    `resource_id` is the record that stands in the way, where it names one.
    """

    def __init__(
        self,
        call: str,
        status: int,
        code: str,
        message: str,
        hint: str = "",
        *,
        resource_id: int | None = None,
    ) -> None:
        super().__init__(
            call, f"the shop refused ({status} {code}): {message.rstrip('.')}.{' ' + hint if hint else ''}"
        )
        self.status, self.code, self.message = status, code, message
        self.resource_id = resource_id


class BadKey(ShopRefused):
    """The shop does not know the consumer key, or the consumer secret is wrong."""


class NoPermission(ShopRefused):
    """The key is right but may not do this."""


class NoSuchRecord(ShopRefused):
    """There is no such record in the shop, or no longer."""
