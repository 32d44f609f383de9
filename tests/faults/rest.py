"""The REST API of the played shop, as far as the worker asks it, and what goes wrong on that road.

The worker and its client are the real ones; only the wire between client and
shop is played, so that no port is needed and every answer can be chosen.
"""

from __future__ import annotations

import io
import json
import random
import re
from collections.abc import Callable
from typing import Any

import requests
import urllib3
from requests.adapters import HTTPAdapter

from queue_store.models import Store
from queue_store.secrets import SecretBox
from tests.faults.shop import Body, Shop
from woo_bridge.client import ShopClient
from woo_bridge.worker import open_client

_PATH = re.compile(r"/wp-json/wc/v3/orders/(\d+)(/refunds)?(?:\?|$)")
_FAULTS = (
    "shop answered 500",
    "shop answered 429",
    "shop answered nothing",
    "shop answered half",
    "shop answered a page",
)
_JSON = {"Content-Type": "application/json; charset=UTF-8"}


class ShopWire(HTTPAdapter):
    """Carries the client's requests to the played shop."""

    def __init__(self, shop: Shop, happens: Callable[[random.Random, str, float], bool], seed: str) -> None:
        super().__init__()
        self._shop, self._happens, self._rng = shop, happens, random.Random(f"wire {seed}")
        #: Orders that were given out, as they were then.
        self.read: dict[int, Body] = {}

    def open(self, store: Store, box: SecretBox) -> ShopClient:
        """The real client, on this wire. Its pauses take no time."""
        client = open_client(store, box)
        client._sleep = lambda _seconds: None
        client._api.session.mount("https://", self)
        return client

    def send(self, request: Any, *_: Any, **__: Any) -> requests.Response:
        """Answer one request, or fail as networks and shops do."""
        fault = self._rng.choice(_FAULTS)
        # The client tries four times: where nothing ever came of it, the worker has to know what to do.
        if not self._happens(self._rng, fault, 0.3):
            status, body, headers = self._answer(request.url)
            return self._response(request, status, body, headers)
        match fault:
            case "shop answered 500":
                return self._response(request, 500, b"<p>There has been a critical error.</p>", {})
            case "shop answered 429":
                return self._response(request, 429, b"{}", {**_JSON, "Retry-After": "1"})
            case "shop answered nothing":
                raise requests.exceptions.ConnectionError("Remote end closed connection without response")
            case "shop answered half":
                _, body, headers = self._answer(request.url)
                return self._response(request, 200, body[: len(body) // 2], headers)
        return self._response(
            request, 200, b"<!doctype html><p>Back in a minute</p>", {"Content-Type": "text/html"}
        )

    def _answer(self, url: str) -> tuple[int, bytes, dict[str, str]]:
        found = _PATH.search(url)
        if found is None or int(found[1]) not in self._shop.versions:
            return 404, b'{"code":"woocommerce_rest_shop_order_invalid_id","message":"Invalid ID."}', _JSON
        order_id = int(found[1])
        if found[2]:
            return 200, json.dumps(self._shop.refunds.get(order_id, [])).encode(), _JSON
        self.read[order_id] = self._shop.newest(order_id)
        return 200, json.dumps(self.read[order_id]).encode(), _JSON

    def _response(self, request: Any, status: int, body: bytes, headers: dict[str, str]) -> requests.Response:
        raw = urllib3.HTTPResponse(
            body=io.BytesIO(body), headers=headers, status=status, preload_content=False
        )
        answer: requests.Response = self.build_response(request, raw)
        return answer
