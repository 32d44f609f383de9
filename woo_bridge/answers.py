"""What an answer of the shop's REST API means, when it is not simply what was asked for.

Source: WooCommerce 11's errors as recorded: one JSON object with code and message.
"""

from __future__ import annotations

import email.utils
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from woo_bridge.errors import (
    BadKey,
    NoPermission,
    NoSuchRecord,
    NotAShop,
    ShopError,
    ShopRefused,
    ShopUnreachable,
    TooManyRequests,
)

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers and the whole (bounded) body."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class _Error(msgspec.Struct):
    code: str | int = ""
    message: str = ""
    #: An object, or a number (recorded with 500).
    data: object = None


_error = msgspec.json.Decoder(_Error)
_whole = msgspec.json.Decoder(msgspec.Raw)


def problem_of(call: str, answer: Answer) -> ShopError | None:
    """The error that an answer stands for; None if it is a good one."""
    if 200 <= answer.status < 300:
        # A PHP notice before the JSON, a maintenance page, a login form: all of them come with 200.
        if answer.body.lstrip()[:1] not in (b"{", b"["):
            return _not_a_shop(call, answer)
        if "json" in answer.headers.get("Content-Type", "") and _ends_early(answer.body):
            # PHP died over it, or something on the way let go: whole next time, most likely.
            return ShopUnreachable(call, "the answer ended before its end", status=answer.status)
        return None
    if answer.status == 429:
        return TooManyRequests(call, retry_after(answer.headers.get("Retry-After")))
    if 300 <= answer.status < 400:
        return ShopRefused(
            call,
            answer.status,
            "redirect",
            f"it sends us to {answer.headers.get('Location', '')[:200]}",
            "Enter the store's URL as the shop itself writes it (http or https, with or without www).",
        )
    return _refusal(call, answer)


def _ends_early(body: bytes) -> bool:
    """True for JSON that was cut; other faults of it are told where it is read."""
    try:
        _whole.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        return "truncated" in str(error)
    return False


def retry_after(value: str | None) -> float | None:
    """Seconds, from a number or an HTTP date; None where there is neither."""
    if not value:
        return None
    if value.strip().isdigit():
        return float(value.strip()[:9])
    try:
        at = email.utils.parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - datetime.now(UTC)).total_seconds())


def decoded(call: str, body: bytes, decoder: msgspec.json.Decoder[T]) -> T:
    """What a good answer says. Raises NotAShop for another shape than the shop's."""
    try:
        return decoder.decode(body)
    except (msgspec.DecodeError, RecursionError) as error:
        raise NotAShop(call, 200, "application/json", f"{_beginning(body)} ({error})") from error


def _beginning(body: bytes) -> str:
    """The first characters of what came, for a sentence."""
    return body[:80].decode("utf-8", "replace")


def _refusal(call: str, answer: Answer) -> ShopError:
    try:
        found = _error.decode(answer.body)
    except (msgspec.DecodeError, RecursionError):
        found = _Error()
    status, code, message = answer.status, str(found.code)[:100], found.message[:500]
    if status >= 500 and status != 501:
        # Code and message are WordPress' own here: "There has been a critical error on this website."
        said = f" {code}: {message}" if code else ""
        return ShopUnreachable(call, f"the shop answered with a server error, {status}{said}", status=status)
    if not code or code == "rest_no_route":
        return _not_a_shop(call, answer)
    if status in (401, 403):
        return _not_allowed(call, status, code, message)
    refusal = NoSuchRecord if status == 404 else ShopRefused
    return refusal(call, status, code, message, resource_id=resource_of(found.data))


def resource_of(data: object) -> int | None:
    """The record that an error names as standing in the way, such as the owner of a SKU."""
    number = data.get("resource_id") if isinstance(data, dict) else None
    return number if isinstance(number, int) and not isinstance(number, bool) and number > 0 else None


def _not_allowed(call: str, status: int, code: str, message: str) -> ShopRefused:
    """WooCommerce has two codes for all of it; the rest is in the message."""
    if "permission" in message.lower():
        hint = "Make a key with Read/Write permission (WooCommerce, Settings, Advanced, REST API)."
        return NoPermission(call, status, code, message, hint)
    if status == 401:
        hint = (
            "Check consumer key and secret, and that the key's user is an administrator or shop manager; over "
            "http the store's URL must be the shop's own home URL, and its clock within 15 minutes of ours."
        )
        return BadKey(call, status, code, message, hint)
    return NoPermission(call, status, code, message)


def _not_a_shop(call: str, answer: Answer) -> NotAShop:
    content_type = answer.headers.get("Content-Type", "")[:100]
    return NotAShop(call, answer.status, content_type, _beginning(answer.body))
