"""Alerts posted to a URL, as JSON."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from ops_console.alerts.message import Message
from ops_console.errors import NotTold
from woo_bridge.store_urls import private_address

#: For connecting and for each wait for bytes, in seconds.
_SECONDS = (5.0, 10.0)
SIGNATURE = "X-Qbwoo-Signature"
DELIVERY = "X-Qbwoo-Delivery"


@dataclass(frozen=True, slots=True)
class Poster:
    """How alerts are posted."""

    #: Signs the body; None: it is not signed.
    secret: str | None = field(default=None, repr=False)
    allow_private: bool = False

    def send(self, message: Message, url: str) -> None:
        """POST it; any answer from 200 to 299 will do. Raises NotTold.

        The URL itself is in no sentence: with many services it is the secret.
        """
        where = _checked(url, self.allow_private)
        body = message.as_json()
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "qbwoo",
            DELIVERY: str(message.id),
        }
        if self.secret:
            headers[SIGNATURE] = sign(self.secret, body)
        with requests.Session() as session:
            # Neither a proxy of the environment nor .netrc: it goes where it was said to go.
            session.trust_env = False
            try:
                with session.post(
                    url, body, headers=headers, timeout=_SECONDS, allow_redirects=False, stream=True
                ) as answer:
                    status = answer.status_code
            except requests.exceptions.RequestException as error:
                raise NotTold(f"{where} cannot be reached ({type(error).__name__}).") from error
        if not 200 <= status < 300:
            raise NotTold(f"{where} answered {status} to a POST; expected 200.")


def sign(secret: str, body: bytes) -> str:
    """The header's value: "sha256=" and the HMAC-SHA256 of the raw body, in hexadecimal."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()


def _checked(url: str, allow_private: bool) -> str:
    """Scheme and host of the URL, if it may be called. Raises NotTold."""
    parts = urlsplit(url)
    host, port = parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
    where = f"The address for alerts at {host}"
    try:
        inner = private_address(host, port)
    except (OSError, UnicodeError) as error:
        raise NotTold(f"{where} is not known now. Check its spelling, and the network.") from error
    if inner and not allow_private:
        raise NotTold(
            f"{where} leads to {inner}, an address of a private network. Set QBWOO_ALLOW_PRIVATE_STORES=true if it really "
            "is there."
        )
    return where
