"""Who calls: keys over https, OAuth 1.0a over plain http, and what a key may do.

Over http, basic auth and keys in the query count for nothing; the request is
then nobody's. OAuth is one-legged, signed over the shop's own home URL.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
from dataclasses import dataclass, field
from urllib.parse import quote, unquote

from ops_sandbox.shop.errors import RestError
from ops_sandbox.shop.site import Site
from ops_sandbox.shop.wire import Doc

#: Seconds that the caller's clock may differ.
TIMESTAMP_WINDOW = 15 * 60

_OAUTH_NEEDED = (
    "oauth_consumer_key",
    "oauth_timestamp",
    "oauth_nonce",
    "oauth_signature",
    "oauth_signature_method",
)
_DIGESTS = {"HMAC-SHA1": "sha1", "HMAC-SHA256": "sha256"}

_NOBODY = {
    "list": ("cannot_view", "Sorry, you cannot list resources."),
    "GET": ("cannot_view", "Sorry, you cannot view this resource."),
    "POST": ("cannot_create", "Sorry, you are not allowed to create resources."),
    "PUT": ("cannot_edit", "Sorry, you are not allowed to edit this resource."),
    "DELETE": ("cannot_delete", "Sorry, you are not allowed to delete this resource."),
    "batch": ("cannot_batch", "Sorry, you are not allowed to batch manipulate this resource."),
}


@dataclass(frozen=True)
class Call:
    """What of a request matters for authentication. `path` is from the root, `query` in its own order."""

    method: str
    path: str
    query: list[tuple[str, str]]
    authorization: str
    is_https: bool


@dataclass
class KeyRing:
    """Checks calls against the site's keys and remembers the nonces that were used."""

    site: Site
    _nonces: dict[tuple[str, str], int] = field(default_factory=dict)

    def permissions(self, call: Call) -> str | None:
        """ "read", "write" or "read_write" of the caller's key; None for nobody. Raises `RestError` 401."""
        key = self._key_over_https(call) if call.is_https else None
        if key is None:
            key = self._key_by_oauth(call)
        if key is None:
            return None
        permissions: str = key["permissions"]
        writes = call.method not in {"GET", "HEAD", "OPTIONS"}
        if writes and "write" not in permissions:
            raise _refused("The API key provided does not have write permissions.")
        if not writes and "read" not in permissions:
            raise _refused("The API key provided does not have read permissions.")
        return permissions

    def _key_over_https(self, call: Call) -> Doc | None:
        query = dict(call.query)
        consumer_key, secret = query.get("consumer_key", ""), query.get("consumer_secret", "")
        if not (consumer_key and secret) and call.authorization.lower().startswith("basic "):
            try:
                text = base64.b64decode(call.authorization[6:]).decode()
            except (binascii.Error, UnicodeDecodeError):
                text = ""
            consumer_key, _, secret = text.partition(":")
        if not (consumer_key and secret):
            return None
        key = self._find(consumer_key)
        if key is None:
            return None  # an unknown key is as good as none (recorded)
        if not hmac.compare_digest(key["consumer_secret"].encode(), secret.encode()):
            raise _refused("Consumer secret is invalid.")
        return key

    def _key_by_oauth(self, call: Call) -> Doc | None:
        parameters = dict(call.query)
        if call.authorization.lower().startswith("oauth "):
            parameters |= _header_parameters(call.authorization[6:])
        given = [name for name in _OAUTH_NEEDED if parameters.get(name)]
        if not given:
            return None
        missing = [name for name in _OAUTH_NEEDED if name not in given]
        if missing:
            text = "s" if len(missing) > 1 else ""
            verb = "are" if len(missing) > 1 else "is"
            raise RestError(
                "woocommerce_rest_authentication_missing_parameter",
                f"Missing OAuth parameter{text} {', '.join(missing)}"
                if len(missing) > 1
                else f"{missing[0]} parameter {verb} missing",
                401,
            )
        key = self._find(parameters["oauth_consumer_key"])
        if key is None:
            raise _refused("Consumer key is invalid.")
        self._check_signature(call, parameters, key["consumer_secret"])
        self._check_nonce(parameters)
        return key

    def _check_signature(self, call: Call, parameters: dict[str, str], secret: str) -> None:
        digest = _DIGESTS.get(parameters["oauth_signature_method"])
        if digest is None:
            raise _refused("Invalid signature - signature method is invalid.")
        base = signature_base(call.method, f"{self.site.home_url}{call.path}", parameters)
        expected = base64.b64encode(
            hmac.new(f"{secret}&".encode(), base.encode(), getattr(hashlib, digest)).digest()
        ).decode()
        given = parameters["oauth_signature"].replace(" ", "+")
        if not hmac.compare_digest(expected.encode(), given.encode()):
            raise _refused("Invalid signature - provided signature does not match.")

    def _check_nonce(self, parameters: dict[str, str]) -> None:
        now = int(self.site.time.now().timestamp())
        try:
            stamp = int(parameters["oauth_timestamp"])
        except ValueError:
            stamp = 0
        if abs(now - stamp) > TIMESTAMP_WINDOW:
            raise _refused("Invalid timestamp.")
        used = (parameters["oauth_consumer_key"], parameters["oauth_nonce"])
        if used in self._nonces:
            raise _refused("Invalid nonce - nonce has already been used.")
        if len(self._nonces) > 10_000:
            self._nonces = {k: t for k, t in self._nonces.items() if now - t <= TIMESTAMP_WINDOW}
        self._nonces[used] = stamp

    def _find(self, consumer_key: str) -> Doc | None:
        keys = self.site.table("keys").values()
        return next((key for key in keys if key["consumer_key"] == consumer_key), None)


def signature_base(method: str, url: str, parameters: dict[str, str]) -> str:
    """OAuth 1.0a's base string: method, URL and sorted parameters, without oauth_signature."""
    pairs = sorted(
        (_encoded(_php_key(name, place)), _encoded(value))
        for place, (name, value) in enumerate(parameters.items())
        if name != "oauth_signature"
    )
    return "&".join((method.upper(), _encoded(url), _encoded("&".join(f"{k}={v}" for k, v in pairs))))


def nobody(action: str) -> RestError:
    """`action`: "list", "batch", or the method on an item."""
    code, message = _NOBODY[action]
    return RestError(f"woocommerce_rest_{code}", message, 401)


def _refused(message: str) -> RestError:
    return RestError("woocommerce_rest_authentication_error", message, 401)


def _encoded(text: str) -> str:
    return quote(text, safe="~")


def _php_key(name: str, place: int) -> str:
    # PHP numbers the entries of `include[]`; callers sign them as include[0].
    return name.replace("[]", f"[{place}]") if name.endswith("[]") else name


def _header_parameters(text: str) -> dict[str, str]:
    return {name: unquote(value) for name, value in re.findall(r'(\w+)="([^"]*)"', text)}
