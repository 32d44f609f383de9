"""Calls of a shop that came to nothing: why, in words, and whether the shop may have got them all the same."""

from __future__ import annotations

import requests

from woo_bridge.errors import ShopUnreachable


def lost(call: str, url: str, error: requests.exceptions.RequestException) -> ShopUnreachable:
    """What became of `call` of the shop at `url`, told from the error of the HTTP library."""
    kinds = requests.exceptions
    if isinstance(error, kinds.SSLError):
        return ShopUnreachable(
            call,
            f"no secure connection to {url} ({_reason(error)}). Check the shop's certificate.",
            may_have_arrived=False,
        )
    if isinstance(error, kinds.ConnectTimeout):
        return ShopUnreachable(call, f"{url} did not answer in time", may_have_arrived=False)
    if isinstance(error, kinds.ConnectionError):
        never = _never_sent(error)
        return ShopUnreachable(
            call, f"{url} cannot be reached ({_reason(error)})", may_have_arrived=not never
        )
    if isinstance(error, (kinds.Timeout, kinds.ChunkedEncodingError)):
        return ShopUnreachable(call, f"{url} did not answer in full ({_reason(error)})")
    return ShopUnreachable(call, f"{url}: {_reason(error)}")


def _never_sent(error: requests.exceptions.ConnectionError) -> bool:
    """True if not even a connection came about: refused, no such host."""
    cause = error.args[0] if error.args else None
    reason = getattr(cause, "reason", cause)
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def _reason(error: BaseException) -> str:
    """The innermost reason, without the URL, whose query holds the OAuth signature."""
    cause: BaseException | None = error
    while cause is not None:
        error = cause
        inner = (getattr(cause, "reason", None), *cause.args)
        cause = next((part for part in inner if isinstance(part, BaseException)), None)
    text = str(error)
    return type(error).__name__ if "http" in text or "?" in text else text.rpartition(": ")[2][:200]
