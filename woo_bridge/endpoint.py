"""`/webhooks/woocommerce/<store name>`: where the shop posts its webhooks, as a plain WSGI callable.

A slow receiver holds up the whole shop's queue, a failed delivery is never sent
again, and seven failures in a row switch the webhook off. So: the signature is
checked over the raw bytes before any transaction that writes, everything is
committed before the 200, and only what is not ours to keep is refused.

Source: WooCommerce 11, webhooks as recorded (ping, headers, what counts as success).
"""

from __future__ import annotations

import base64
import hmac
import logging
import re
import threading
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from queue_store import meters
from queue_store.database import Database, is_unreachable
from queue_store.erasures import body_without_erased
from queue_store.log_context import about
from queue_store.models import Store
from queue_store.secrets import SecretBox
from queue_store.settings import Settings, store_settings
from queue_store.webhook_log import count_refused, find_store, keep_body, webhook_arrived
from woo_bridge import raw
from woo_bridge.gather import Gathering
from woo_bridge.receive import TEST_TOPIC, Delivery, keep_deliveries, read_delivery

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

logger = logging.getLogger(__name__)

PREFIX = "/webhooks/woocommerce/"
#: A real order of 60 lines has 30 KB.
MOST_BODY_BYTES = 10_000_000

_NAME = re.compile(r"[A-Za-z0-9-]{1,64}")
_PING = re.compile(rb"webhook_id=\d{1,20}")
#: Refusals are counted in memory and written at most this often, so that a flood writes nothing.
_FLUSH_SECONDS = 5.0
#: `last_webhook_at` is as old as this at most.
_TOUCH_EVERY = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class Answer:
    """Status line, text and extra headers."""

    status: str
    text: str = ""
    headers: tuple[tuple[str, str], ...] = ()


OK = Answer("200 OK", "ok")
NOT_FOUND = Answer("404 Not Found", "No store of this name.")
UNAUTHORIZED = Answer("401 Unauthorized", "The signature is missing or wrong.")
UNAVAILABLE = Answer(
    "503 Service Unavailable", "The database is not available; try again.", (("Retry-After", "30"),)
)


@dataclass(frozen=True, slots=True)
class _Known:
    """A store as this process knows it; proved again inside each writing transaction."""

    store_id: int
    sealed: bytes
    secret: bytes


@dataclass(frozen=True, slots=True)
class _Arrival:
    """A delivery with what proved it."""

    name: str
    known: _Known
    signature: str
    delivery: Delivery

    @property
    def topic(self) -> str:
        return self.delivery.topic


class WebhookEndpoint:
    """The receiver of all stores; any number of threads and processes may share a database.

    `prefix` is what stands before the store's name in PATH_INFO.
    """

    def __init__(
        self,
        database: Database,
        box: SecretBox,
        *,
        prefix: str = PREFIX,
        most_body_bytes: int = MOST_BODY_BYTES,
    ) -> None:
        self._database, self._box, self._prefix = database, box, prefix
        self._most_body_bytes = most_body_bytes
        self._known: dict[str, _Known] = {}
        self._settings: dict[int, Settings] = {}
        self._lock = threading.Lock()
        self._refused: dict[int, int] = {}
        self._flushed_at = time.monotonic()
        self._touched_at: dict[int, float] = {}
        self._gathering: Gathering[_Arrival, str | None] = Gathering(self._keep_together, self._keep_alone)

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        answer = self.answer(environ)
        body = b"" if environ.get("REQUEST_METHOD") == "HEAD" else answer.text.encode()
        start_response(
            answer.status,
            [
                ("Content-Type", "text/plain; charset=utf-8"),
                ("Content-Length", str(len(answer.text.encode()))),
                ("Cache-Control", "no-store"),
                *answer.headers,
            ],
        )
        return [body]

    def answer(self, environ: dict[str, Any]) -> Answer:
        """The answer to one request; never raises."""
        try:
            return self._answer(environ)
        except Exception as error:
            # The outermost edge: WooCommerce does not send again, so a fault of ours must show here.
            if not is_unreachable(error):
                logger.exception("webhook request to %s failed", environ.get("PATH_INFO", "")[:200])
            return UNAVAILABLE

    def flush(self) -> None:
        """Write the counts of refused deliveries that are still in memory."""
        self._flushed_at = time.monotonic()
        if self._refused:
            with self._counts() as counts, self._database.write() as db:
                self._work(db, (), counts)

    def _answer(self, environ: dict[str, Any]) -> Answer:
        name = environ.get("PATH_INFO", "").removeprefix(self._prefix).rstrip("/")
        if not _NAME.fullmatch(name):
            return NOT_FOUND
        known = self._known.get(name) or self._look_up(name)
        if known is None:
            return NOT_FOUND
        method = environ.get("REQUEST_METHOD", "")
        if method in ("GET", "HEAD"):
            return Answer("200 OK", "This is the webhook endpoint of a store; WooCommerce posts to it.")
        if method != "POST":
            return Answer("405 Method Not Allowed", "Webhooks are posted.", (("Allow", "POST, GET, HEAD"),))
        if "HTTP_CONTENT_ENCODING" in environ:
            return Answer("415 Unsupported Media Type", "Send the body as it was signed, without encoding.")
        length = environ.get("CONTENT_LENGTH") or ""
        if not length:
            return Answer("411 Length Required", "The body's length is missing.")
        if not (length.isascii() and length.isdigit()):
            return Answer("400 Bad Request", "The body's length is not a number.")
        if len(length) > 18 or int(length) > self._most_body_bytes:
            return Answer("413 Content Too Large", "The body is too large.")
        body = environ["wsgi.input"].read(int(length))
        if len(body) != int(length):
            return Answer("400 Bad Request", "The body ended early.")
        with about(store=name):
            return self._post(name, known, environ, body)

    def _post(self, name: str, known: _Known, environ: dict[str, Any], body: bytes) -> Answer:
        signature = environ.get("HTTP_X_WC_WEBHOOK_SIGNATURE", "")
        if not signature:
            form = environ.get("CONTENT_TYPE", "").partition(";")[0].strip().lower()
            if form == "application/x-www-form-urlencoded" and _PING.fullmatch(body):
                # Until one ping is answered with exactly 200 the shop pings with every delivery.
                return OK
            self._refuse(known.store_id)
            return UNAUTHORIZED
        if not _is_signed(known.secret, body, signature):
            # The secret may have been changed by another process.
            fresh = self._look_up(name)
            if fresh is None:
                return NOT_FOUND
            if fresh.sealed == known.sealed or not _is_signed(fresh.secret, body, signature):
                if environ.get("HTTP_X_WC_WEBHOOK_TOPIC") != TEST_TOPIC:
                    # Proving the endpoint posts a wrong one on purpose.
                    self._refuse(fresh.store_id)
                return UNAUTHORIZED
            known = fresh
        delivery = read_delivery(environ.get("HTTP_X_WC_WEBHOOK_TOPIC", "").strip()[:64], body)
        arrival = _Arrival(name, known, signature, delivery)
        if delivery.problem is not None and not raw.is_json(body):
            return self._keep_unreadable(arrival)
        if delivery.topic == TEST_TOPIC:
            return OK
        if delivery.nothing and not self._is_touch_due(known.store_id):
            meters.WEBHOOKS.add(known.store_id, "taken")
            return OK
        return self._keep(arrival)

    def _keep(self, arrival: _Arrival) -> Answer:
        try:
            word = self._gathering.run(arrival)
        except Exception as error:
            meters.WEBHOOKS.add(arrival.known.store_id, "failed")
            if is_unreachable(error):
                raise
            # A fault of ours must not switch the shop's webhook off: keep the body, tell in the log, go on.
            logger.exception("webhook %s of store %s failed; its body is kept", arrival.topic, arrival.name)
            self._keep_body(arrival, f"{type(error).__name__}: {error}")
            return OK
        if word is None:
            self._known.pop(arrival.name, None)
            return UNAUTHORIZED
        meters.WEBHOOKS.add(arrival.known.store_id, "taken")
        if logger.isEnabledFor(logging.INFO):
            subject = arrival.delivery.subject
            logger.info("webhook %s of store %s, %s: %s", arrival.topic, arrival.name, subject, word)
        return OK

    def _keep_alone(self, arrival: _Arrival) -> str | None:
        with self._counts() as counts:
            return self._database.write_again(lambda db: self._work(db, [arrival], counts))[0]

    def _keep_together(self, arrivals: Sequence[_Arrival]) -> list[str | None]:
        with self._counts() as counts, self._database.write() as db:
            return self._work(db, arrivals, counts)

    @contextmanager
    def _counts(self) -> Iterator[dict[int, int]]:
        """Refusals per store, taken out to be written; put back if that comes to nothing."""
        counts: dict[int, int] = {}
        if self._refused:
            with self._lock:
                counts, self._refused = self._refused, {}
        try:
            yield counts
        except BaseException:
            with self._lock:
                for store_id, times in counts.items():
                    self._refused[store_id] = self._refused.get(store_id, 0) + times
            raise

    def _work(self, db: Session, arrivals: Sequence[_Arrival], counts: Mapping[int, int]) -> list[str | None]:
        """What became of each, in a word; None: not of this store (any more)."""
        for store_id, times in counts.items():
            count_refused(db, store_id, times)
        words: list[str | None] = [None] * len(arrivals)
        for name in dict.fromkeys(arrival.name for arrival in arrivals):
            store = find_store(db, name)
            if store is None:
                continue
            places = [
                place
                for place, arrival in enumerate(arrivals)
                if arrival.name == name and self._is_of(store, arrival)
            ]
            outcomes = keep_deliveries(
                db, store, self._settings_of(db, store), [arrivals[place].delivery for place in places]
            )
            for place, outcome in zip(places, outcomes, strict=True):
                words[place] = outcome.word
            if places:
                self._note_arrival(db, store)
        return words

    def _is_of(self, store: Store, arrival: _Arrival) -> bool:
        """True if the secret that proved it is the store's still."""
        return store.webhook_secret == arrival.known.sealed or _is_signed(
            self._box.open(store.webhook_secret).encode(), arrival.delivery.body, arrival.signature
        )

    def _note_arrival(self, db: Session, store: Store) -> None:
        now = datetime.now(UTC)
        if store.last_webhook_at is None or now - store.last_webhook_at >= _TOUCH_EVERY:
            webhook_arrived(db, store.id, now)
        self._touched_at[store.id] = time.monotonic()

    def _keep_unreadable(self, arrival: _Arrival) -> Answer:
        meters.WEBHOOKS.add(arrival.known.store_id, "unreadable")
        logger.warning("webhook %s of store %s is not JSON; its body is kept", arrival.topic, arrival.name)
        self._keep_body(arrival, str(arrival.delivery.problem))
        return Answer("400 Bad Request", "The body is not JSON.")

    def _keep_body(self, arrival: _Arrival, reason: str) -> None:
        with self._database.write() as db:
            keep_body(
                db,
                store_id=arrival.known.store_id,
                topic=arrival.topic,
                reason=reason[:2000],
                body=body_without_erased(
                    db, db.get_one(Store, arrival.known.store_id).company_id, arrival.delivery.body
                ),
            )

    def _look_up(self, name: str) -> _Known | None:
        with self._database.read() as db:
            store = find_store(db, name)
            found = (store.id, store.webhook_secret) if store is not None else None
        if found is None:
            self._known.pop(name, None)
            return None
        known = self._known.get(name)
        if known is None or (known.store_id, known.sealed) != found:
            known = self._known[name] = _Known(*found, self._box.open(found[1]).encode())
        return known

    def _settings_of(self, db: Session, store: Store) -> Settings:
        """The store's settings; what was read before holds as long as their version does."""
        settings = self._settings.get(store.id)
        if settings is None or settings.version != store.settings_version:
            settings = self._settings[store.id] = store_settings(db, store)
        return settings

    def _is_touch_due(self, store_id: int) -> bool:
        touched = self._touched_at.get(store_id)
        return touched is None or time.monotonic() - touched >= _TOUCH_EVERY.total_seconds()

    def _refuse(self, store_id: int) -> None:
        meters.WEBHOOKS.add(store_id, "refused")
        with self._lock:
            self._refused[store_id] = self._refused.get(store_id, 0) + 1
            due = time.monotonic() - self._flushed_at >= _FLUSH_SECONDS
        if due:
            self.flush()


def _is_signed(secret: bytes, body: bytes, signature: str) -> bool:
    """base64(HMAC-SHA256(raw body, secret)), as WooCommerce signs."""
    wanted = base64.b64encode(hmac.digest(secret, body, "sha256"))
    # As bytes: compare_digest refuses text with characters beyond ASCII.
    return hmac.compare_digest(wanted, signature.strip().encode("utf-8", "surrogateescape"))
