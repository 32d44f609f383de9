"""The shop's REST API (wc/v3): the only module that knows the `woocommerce` package.

The package spells URLs and signs (basic auth over https, OAuth 1.0a over
http); here one connection is kept, answers are bounded, errors get types, and
what may safely be asked again is asked again.

Source: REST API v3 as recorded from WooCommerce 11: errors, lists, dates.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from types import TracebackType
from typing import Any
from urllib.parse import urlencode

import msgspec
import requests
from requests.auth import HTTPBasicAuth
from woocommerce import API

from woo_bridge.answers import Answer, decoded, problem_of
from woo_bridge.errors import NotAShop, ShopUnreachable, TooManyRequests
from woo_bridge.lost_calls import lost
from woo_bridge.paging import PER_PAGE, all_rows
from woo_bridge.public_only import PublicOnlyAdapter

#: A page of 100 orders has 260 KB; what is far beyond is no answer of a shop.
MOST_ANSWER_BYTES = 64 * 1024 * 1024
#: Longest pause between two tries of one call, also when the shop asks for more.
_LONGEST_PAUSE = 60.0
_FIRST_PAUSE = 0.5
#: A call that took so long and came to nothing is not tried again at once, in seconds: the shop hangs.
_PATIENCE = 15.0
_USER_AGENT = "qbwoo"
#: No answer takes longer in all, however slowly its bytes drip, in seconds.
_LONGEST_ANSWER = 180.0
#: Calls that change nothing, or the same thing twice, and may therefore be repeated after a lost answer.
_REPEATABLE = frozenset({"GET", "PUT", "DELETE"})


class _Currency(msgspec.Struct):
    code: str


class _Meta(msgspec.Struct):
    #: Anything at all, and so is the value.
    key: Any = None
    value: Any = None


class _WithMeta(msgspec.Struct):
    #: PHP's arrays with holes are written as objects.
    meta_data: list[_Meta] | dict[str, _Meta] = []


class _Note(msgspec.Struct):
    note: str


class Webhook(msgspec.Struct):
    """A webhook as the shop shows it; neither its secret nor its count of failures is ever shown."""

    id: int
    topic: str
    delivery_url: str
    #: "active", "paused" or "disabled" (after more than five failures in a row).
    status: str
    name: str = ""


_currency = msgspec.json.Decoder(_Currency)
_webhook = msgspec.json.Decoder(Webhook)
_with_meta = msgspec.json.Decoder(_WithMeta)
_notes = msgspec.json.Decoder(list[_Note])


class _SessionApi(API):  # type: ignore[misc] # the package has no types
    """The package's API over one kept connection.

    The package calls `requests.request`, which opens a connection per call and
    follows redirects with the key in the URL. Its one private method for
    sending is replaced; URL and OAuth signature stay the package's.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.session = requests.Session()
        # Neither .netrc nor a proxy from the environment may take the place of what was set here.
        self.session.trust_env = False

    def _API__request(  # noqa: N802 - the name under which the package's methods find it
        self, method: str, endpoint: str, data: Any, params: Any = None, **kwargs: Any
    ) -> requests.Response:
        url: str = self._API__get_url(endpoint)
        query = {name: str(value) for name, value in (params or {}).items()}
        if query:
            url = f"{url}?{urlencode(query)}"
        auth = HTTPBasicAuth(self.consumer_key, self.consumer_secret) if self.is_ssl else None
        if not self.is_ssl:
            url = self._API__get_oauth_url(url, method)
        headers = {"User-Agent": self.user_agent, "Accept": "application/json"}
        if data is not None:
            headers["Content-Type"] = "application/json; charset=utf-8"
        return self.session.request(
            method,
            url,
            data=msgspec.json.encode(data) if data is not None else None,
            headers=headers,
            auth=auth,
            timeout=self.timeout,
            verify=self.verify_ssl,
            # A redirect would take the key elsewhere, and a POST would become a GET.
            allow_redirects=False,
            stream=True,
        )


class ShopClient:
    """One shop. Bodies come back as the bytes that the shop sent, to be translated elsewhere.

    `timeout` is for connecting and for each wait for bytes, in seconds. Calls
    that may be repeated are tried `max_tries` times with growing pauses. Every
    method raises ShopError. Not for several threads at once. `only_public`:
    nothing is connected to but public addresses.
    """

    def __init__(
        self,
        url: str,
        consumer_key: str,
        consumer_secret: str,
        *,
        timeout: tuple[float, float] = (5, 30),
        verify: bool | str = True,
        sleep: Callable[[float], None] = time.sleep,
        max_tries: int = 4,
        most_answer_bytes: int = MOST_ANSWER_BYTES,
        only_public: bool = False,
    ) -> None:
        self.url = url.rstrip("/")
        self._api = _SessionApi(
            self.url,
            consumer_key,
            consumer_secret,
            version="wc/v3",
            timeout=timeout,
            verify_ssl=verify,
            user_agent=_USER_AGENT,
        )
        if only_public:
            for scheme in ("http://", "https://"):
                self._api.session.mount(scheme, PublicOnlyAdapter())
        self._sleep, self._max_tries, self._most = sleep, max(1, max_tries), most_answer_bytes

    def __enter__(self) -> ShopClient:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Give the connection back."""
        self._api.session.close()

    # -- orders

    def get_order(self, order_id: int) -> bytes:
        """The JSON of one order, also of a trashed one. Raises NoSuchRecord."""
        return self.call("GET", f"orders/{order_id}").body

    def get_refunds(self, order_id: int) -> list[bytes]:
        """The JSON of each refund of one order, with its lines. Raises NoSuchRecord."""
        return list(self.rows(f"orders/{order_id}/refunds", {"order": "asc", "orderby": "id"}))

    def iter_orders(
        self,
        *,
        modified_after: datetime | None = None,
        after: datetime | None = None,
        statuses: Sequence[str] = (),
        ids: Sequence[int] = (),
        fields: Sequence[str] = (),
    ) -> Iterator[bytes]:
        """Each order's JSON, oldest change first (by id where only `after` is given).

        `modified_after` and `after` (placed) are exclusive of the equal second.
        No order comes twice, and one that changes meanwhile is not skipped: the
        pages overlap when the list moves under the reader.
        """
        query: dict[str, str] = {"order": "asc", "orderby": "id" if modified_after is None else "modified"}
        if modified_after is not None:
            query["modified_after"] = _gmt(modified_after)
        if after is not None:
            query["after"] = _gmt(after)
        if modified_after is not None or after is not None:
            query["dates_are_gmt"] = "true"
        if statuses:
            query["status"] = ",".join(statuses)
        if fields:
            query["_fields"] = ",".join(dict.fromkeys(["id", *fields]))
        if not ids:
            yield from self.rows("orders", query)
            return
        for start in range(0, len(ids), PER_PAGE):
            some = ",".join(map(str, ids[start : start + PER_PAGE]))
            yield from self.rows("orders", query | {"include": some})

    def get_order_meta(self, order_id: int) -> dict[str, str]:
        """An order's meta data with text values, by key. Raises NoSuchRecord."""
        answer = self.call("GET", f"orders/{order_id}", query={"_fields": "id,meta_data"})
        found = decoded(f"GET orders/{order_id}", answer.body, _with_meta).meta_data
        many = found if isinstance(found, list) else found.values()
        return {str(one.key): one.value for one in many if isinstance(one.value, str)}

    def set_order_meta(self, order_id: int, meta: Mapping[str, str | None]) -> None:
        """Write meta data of an order; None removes a key. Moves the order's date, and fires order.updated.

        Raises NoSuchRecord.
        """
        body = {"meta_data": [{"key": key, "value": value} for key, value in meta.items()]}
        self.call("PUT", f"orders/{order_id}", body, query={"_fields": "id"})

    def list_order_notes(self, order_id: int) -> list[str]:
        """The texts of an order's private notes. They come unpaged. Raises NoSuchRecord."""
        call = f"orders/{order_id}/notes"
        answer = self.call("GET", call, query={"type": "internal"})
        return [one.note for one in decoded(f"GET {call}", answer.body, _notes)]

    def add_order_note(self, order_id: int, text: str) -> None:
        """Write a private note, which fires nothing. Not repeated after a lost answer: it would stand there twice.

        Raises NoSuchRecord.
        """
        self.call("POST", f"orders/{order_id}/notes", {"note": text, "customer_note": False})

    # -- the shop itself

    def system_currency(self) -> str:
        """The shop's currency, such as "USD"."""
        answer = self.call("GET", "data/currencies/current")
        return decoded("GET data/currencies/current", answer.body, _currency).code

    def list_webhooks(self) -> list[Webhook]:
        """All webhooks of the shop, whoever made them."""
        rows = self.rows("webhooks", {"order": "asc", "orderby": "id"})
        return [decoded("GET webhooks", row, _webhook) for row in rows]

    def get_webhook(self, webhook_id: int) -> Webhook:
        """One webhook. Raises NoSuchRecord."""
        return decoded("GET webhooks", self.call("GET", f"webhooks/{webhook_id}").body, _webhook)

    def create_webhook(self, topic: str, url: str, secret: str, name: str) -> Webhook:
        """Make a webhook; the shop pings `url` before it answers. Not repeated after a lost answer."""
        body = {"topic": topic, "delivery_url": url, "secret": secret, "name": name, "status": "active"}
        return decoded("POST webhooks", self.call("POST", "webhooks", body).body, _webhook)

    def update_webhook(self, webhook_id: int, **fields: str) -> Webhook:
        """Change fields of a webhook, such as `status` or `secret`."""
        return decoded("PUT webhooks", self.call("PUT", f"webhooks/{webhook_id}", fields).body, _webhook)

    # -- one call

    def rows(self, endpoint: str, query: Mapping[str, str]) -> Iterator[bytes]:
        """Each row's JSON of a list, in the order asked for, over all its pages."""

        def fetch(page: Mapping[str, str]) -> Answer:
            return self.call("GET", endpoint, query={**query, **page})

        return all_rows(f"GET {endpoint}", fetch)

    def call(
        self,
        method: str,
        endpoint: str,
        data: Any = None,
        *,
        query: Mapping[str, str] | None = None,
        is_repeatable: bool | None = None,
    ) -> Answer:
        """One call of the REST API, tried again where that is harmless.

        `is_repeatable`: doing it twice is doing it once, as with a batch that
        sets absolute values; None: as its method promises.
        """
        if is_repeatable is None:
            is_repeatable = method in _REPEATABLE
        call = f"{method} {endpoint}"
        begun = time.monotonic()
        for left in range(self._max_tries - 1, -1, -1):
            try:
                return self._once(call, method, endpoint, data, query)
            except TooManyRequests as error:
                if not left:
                    raise
                pause = error.retry_after
            except ShopUnreachable as error:
                if not left or (error.may_have_arrived and not is_repeatable):
                    raise
                if time.monotonic() - begun > _PATIENCE:
                    raise
                pause = None
            tried = self._max_tries - left
            # 0.5, 1, 2 ... s, each with up to half of it more, so that many callers do not come together.
            grown = _FIRST_PAUSE * 2 ** (tried - 1) * (1 + random.random() / 2)  # noqa: S311 - no secret
            self._sleep(min(grown if pause is None else pause, _LONGEST_PAUSE))
        raise AssertionError("unreachable")

    def _once(
        self, call: str, method: str, endpoint: str, data: Any, query: Mapping[str, str] | None
    ) -> Answer:
        answer = self._exchange(call, method, endpoint, data, query)
        problem = problem_of(call, answer)
        if problem is not None:
            raise problem
        return answer

    def _exchange(
        self, call: str, method: str, endpoint: str, data: Any, query: Mapping[str, str] | None
    ) -> Answer:
        try:
            response = self._api._API__request(method, endpoint, data, params=query)
            with response:
                return Answer(response.status_code, response.headers, self._read(call, response))
        except requests.exceptions.RequestException as error:
            raise lost(call, self.url, error) from error

    def _read(self, call: str, response: requests.Response) -> bytes:
        parts, size, begun = [], 0, time.monotonic()
        for part in response.iter_content(65536):
            if time.monotonic() - begun > _LONGEST_ANSWER:
                raise ShopUnreachable(call, f"{self.url} took too long over its answer")
            size += len(part)
            if size > self._most:
                raise NotAShop(
                    call,
                    response.status_code,
                    response.headers.get("Content-Type", ""),
                    f"more than {self._most} bytes",
                )
            parts.append(part)
        return b"".join(parts)


def _gmt(moment: datetime) -> str:
    """GMT without zone: with a "Z" and dates_are_gmt WooCommerce shifts a date twice."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S")
