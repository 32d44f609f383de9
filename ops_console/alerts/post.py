"""Alerts posted to a URL, as JSON."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests

from ops_console.alerts.message import Message
from ops_console.errors import NotTold
from woo_bridge.errors import StoreNotCalled
from woo_bridge.public_only import PublicOnlyAdapter

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
        where = f"The address for alerts at {urlsplit(url).hostname or ''}"
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
            if not self.allow_private:
                for scheme in ("http://", "https://"):
                    session.mount(scheme, PublicOnlyAdapter())
            try:
                with session.post(
                    url, body, headers=headers, timeout=_SECONDS, allow_redirects=False, stream=True
                ) as answer:
                    status = answer.status_code
            except StoreNotCalled as error:
                raise NotTold(f"{where} is not called. {error.problem}") from error
            except requests.exceptions.RequestException as error:
                raise NotTold(f"{where} cannot be reached ({type(error).__name__}).") from error
        if not 200 <= status < 300:
            raise NotTold(f"{where} answered {status} to a POST; expected 200.")


def sign(secret: str, body: bytes) -> str:
    """The header's value: "sha256=" and the HMAC-SHA256 of the raw body, in hexadecimal."""
    return "sha256=" + hmac.digest(secret.encode(), body, "sha256").hex()
