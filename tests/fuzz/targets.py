"""What is fuzzed: SOAP bodies, answers of QuickBooks, webhooks, and the headers of any request.

A target makes its case from a seed and a number, sends it to the application,
and says what of the reply, the queue or the books broke a promise.
"""

from __future__ import annotations

import json
import random
import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from typing import ClassVar

from lxml import etree
from sqlalchemy import select

from queue_store.models import Activity, Attempt, Exchange, KeptBody, QbwcSession
from queue_store.states import ActivityState, ExchangeState
from tests.faults.books import live_receipts
from tests.fuzz import corpora, promises
from tests.fuzz.case import Case
from tests.fuzz.mutations import BYTES, MARKUP, NUMBERS, TEXTS, json_bytes, mutated, mutated_json
from tests.fuzz.world import SOAP, WEBHOOKS, Finding, Reply, World

#: No answer may take longer, in seconds of this process's time.
LONGEST = 2.0
_ORDER_TOPICS = ("order.created", "order.updated", "order.restored")
_HRESULTS = ("0x80040400", "0x80040401", "0x8004041D", "0x80004005", "", "-2147220480", "ok", "0x" + "F" * 40)
_REQUEST_ID = re.compile(r'requestID="([^"]+)"')


@dataclass
class Target(ABC):
    """Cases of one sort. `deep`: how many cases share one look at what follows in the books."""

    make_world: Callable[[], World]
    seed: int
    deep: int = 40
    world: World = field(init=False)
    name: ClassVar[str]

    def __post_init__(self) -> None:
        self.world = self.make_world()
        self.furnish()

    @abstractmethod
    def furnish(self) -> None:
        """Bring the world to where cases begin."""

    def rng(self, number: int) -> random.Random:
        return random.Random(f"{self.name} {self.seed} {number}")

    @abstractmethod
    def case(self, number: int) -> Case:
        """The case of that number."""

    @abstractmethod
    def play(self, case: Case) -> Reply:
        """Send it. Raises Finding."""

    @abstractmethod
    def settle(self) -> None:
        """After a batch of cases: what follows in the books. Raises Finding."""

    def fresh(self) -> None:
        """A world without what a case did to it."""
        self.world.close()
        self.__post_init__()

    def close(self) -> None:
        self.world.close()

    def sent(self, reply: Reply) -> Reply:
        """`reply`, if nothing in it or in the log is wrong. Raises Finding."""
        unexpected = self.world.unexpected.said
        if unexpected:
            said = "\n".join(unexpected)
            unexpected.clear()
            raise Finding(f"unexpected: {said}")
        if min(reply.seconds, reply.cpu) > LONGEST:
            raise Finding(f"an answer took {reply.seconds:.1f} s ({reply.cpu:.1f} s of this process)")
        if "content-length" in reply.headers and int(reply.headers["content-length"]) < len(reply.body):
            raise Finding("the answer is longer than it says")
        if any("\n" in value or "\r" in value for value in reply.headers.values()):
            raise Finding("a header of the answer has a line break")
        return reply


class _OfSessions(Target):
    """Cases at the moments of a session at which QuickBooks has answered and we have not heard it."""

    def furnish(self) -> None:
        corpora.furnish(self.world)
        self.moments = corpora.exchanges(self.world)
        self.totals = {
            name: found[0].document.total for name, found in live_receipts(self.world.house.pos).items()
        }
        self.refusals = corpora.refusals(self.world)
        self.counted = [self._count_at(one) for one in self.moments]
        #: The moment that the world is at, and what was committed until then.
        self.stands = (-1, 0)

    def _count_at(self, one: corpora.Exchanged) -> int:
        one.moment.restore()
        return promises.count(self.world)

    def names(self, place: int) -> tuple[str, ...]:
        one = self.moments[place]
        return (one.ticket, *dict.fromkeys(_REQUEST_ID.findall(one.response)))

    def place(self, number: int) -> int:
        """Many cases in a row are of one moment, so that it is gone back to only when one changed something."""
        return number // 50 % len(self.moments)

    def begin(self, case: Case) -> Case:
        if self.stands != (case.place, self.world.commits):
            self.moments[case.place].moment.restore()
            self.stands = case.place, self.world.commits
        return case.renamed(self.names(case.place)) if case.names else case

    def follow(self, *, strict: bool, trusts_books: bool) -> None:
        """Valid sessions. `strict`: no nonsense was believed; `trusts_books`: nor was any about our documents."""
        try:
            promises.drain(self.world)
        except Finding:
            if strict:
                raise
        if not strict:
            promises.heal(self.world)
        if trusts_books:
            promises.check_books(self.world)
        if strict:
            promises.check_all_there(self.world, self.totals)
            promises.check_nothing_open(self.world)
        if self.world.unexpected.said:
            raise Finding("\n".join(self.world.unexpected.said))

    def settle(self) -> None:
        """Nothing: each case begins anew, and some of them are followed at once."""

    def exchange(self, case: Case) -> tuple[Exchange, QbwcSession]:
        with self.world.database.read() as db:
            exchange = db.get_one(Exchange, exchange_of(self.moments[case.place].request))
            exchange.response  # noqa: B018 - loaded while there is a session
            session = db.get_one(QbwcSession, exchange.session_id)
            return exchange, session


def exchange_of(request: str) -> int:
    """The exchange of a set, from its requestIDs."""
    return int(_REQUEST_ID.findall(request)[0].rpartition(".")[2])


class Soap(_OfSessions):
    """Calls of all methods, changed as bytes and as markup."""

    name = "soap"

    def case(self, number: int) -> Case:
        rng = self.rng(number)
        place = self.place(number)
        envelopes = corpora.envelopes(self.moments[place])
        data = rng.choice(envelopes)
        data = mutated(rng, data, MARKUP, envelopes)
        headers = dict(corpora.SOAP_HEADERS)
        if rng.random() < 0.1:
            charset = rng.choice(
                ("utf-16", "latin-1", "cp1252", "utf-7", "x" * 50, "utf-8\x00", '"', "rot13", "idna")
            )
            headers["CONTENT_TYPE"] = f"text/xml; charset={charset}"
        return Case(
            *(self.name, number, data, place, SOAP),
            headers=headers,
            names=self.names(place),
            deep=rng.randrange(self.deep) == 0,
        )

    def play(self, case: Case) -> Reply:
        case = self.begin(case)
        reply = self.sent(self.world.call(SOAP, case.data, case.headers))
        check_envelope(reply)
        if promises.count(self.world) < self.counted[case.place]:
            raise Finding("activities are gone")
        if case.deep:
            exchange, _ = self.exchange(case)
            original = self.moments[case.place].response.encode("utf-8", "replace")
            believed = exchange.response if exchange.state == ExchangeState.ANSWERED else None
            strict = believed in (None, original)
            self.follow(strict=strict, trusts_books=strict or exchange.purpose == "write")
        return reply


class Answers(_OfSessions):
    """Answers of QuickBooks in whole envelopes."""

    name = "answers"

    def case(self, number: int) -> Case:
        rng = self.rng(number)
        place = self.place(number)
        one = self.moments[place]
        others = [other.response.encode() for other in self.moments]
        if rng.random() < 0.08 and (ids := _REQUEST_ID.findall(one.response)):
            # What QuickBooks says when it refuses, or finds nothing, under a requestID of ours.
            refused = rng.choice(self.refusals)
            data = re.sub(rb'requestID="[^"]*"', f'requestID="{rng.choice(ids)}"'.encode(), refused)
            if rng.random() < 0.5:
                data = mutated(rng, data, MARKUP, others)
        else:
            data = mutated(rng, one.response.encode(), MARKUP, [*others, *self.refusals])
        hresult = rng.choice(_HRESULTS) if rng.random() < 0.06 else ""
        message = rng.choice(TEXTS) if hresult else ""
        return Case(
            *(self.name, number, data, place, SOAP),
            headers=dict(corpora.SOAP_HEADERS),
            hresult=hresult,
            message=message.encode("utf-8", "ignore").decode(),
            names=self.names(place),
            deep=rng.randrange(self.deep) == 0,
        )

    def play(self, case: Case) -> Reply:
        case = self.begin(case)
        # As a string that .NET holds: what is no UTF-8 came through as something else.
        text = case.data.decode("utf-8", "replace")
        body = corpora.answer_call(self.moments[case.place], text, case.hresult, case.message)
        reply = self.sent(self.world.call(SOAP, body, case.headers))
        percent = check_envelope(reply).findtext(".//{*}receiveResponseXMLResult")
        if reply.status != 200 or percent is None or not -1 <= int(percent) <= 100:
            raise Finding(f"answered {reply.status}, {percent}")
        if promises.count(self.world) < self.counted[case.place]:
            raise Finding("activities are gone")
        exchange, session = self.exchange(case)
        unusable = "could not be used" in session.last_error and exchange.state == ExchangeState.LOST
        if unusable and exchange.purpose == "write":
            self._check_in_doubt(exchange)
        if case.deep:
            strict = (
                exchange.state != ExchangeState.ANSWERED
                or case.data == self.moments[case.place].response.encode()
            )
            self.follow(strict=strict, trusts_books=strict or exchange.purpose == "write")
        return reply

    def _check_in_doubt(self, exchange: Exchange) -> None:
        with self.world.database.read() as db:
            sent = db.scalars(select(Attempt.activity_id).where(Attempt.exchange_id == exchange.id)).all()
            for one in db.scalars(select(Activity).where(Activity.id.in_(sent))):
                if one.state != ActivityState.IN_DOUBT:
                    raise Finding(
                        f"{one.kind} {one.record_id} is {one.state} after an answer that nobody can use"
                    )


class Webhooks(Target):
    """Webhooks with a right signature, and some without."""

    name = "webhooks"

    def furnish(self) -> None:
        self.next_order = 900_000
        self.batch: list[int] = []
        self.world.house.set_store("orders.since", "2020-01-01")

    def case(self, number: int) -> Case:
        rng = self.rng(number)
        found = corpora.webhooks()
        one = rng.choice(found)
        parsed = corpora.parsed(one.body)
        if parsed is not None and rng.random() < 0.7:
            data = json_bytes(rng, mutated_json(rng, parsed))
        else:
            data = mutated(rng, one.body, BYTES, [other.body for other in found[:40]])
        topic = one.topic
        if rng.random() < 0.1:
            topic = rng.choice(
                (*_ORDER_TOPICS, "order.deleted", "product.deleted", "customer.updated", "product.updated")
            )
        headers = corpora.signed(data, topic)
        if rng.random() < 0.05:
            headers["HTTP_X_WC_WEBHOOK_SIGNATURE"] = (
                rng.choice(TEXTS).encode("utf-8", "ignore").decode("latin-1")
            )
        return Case(self.name, number, data, path=WEBHOOKS, headers=headers)

    def play(self, case: Case) -> Reply:
        headers = dict(case.headers)
        is_signed = headers.get("HTTP_X_WC_WEBHOOK_SIGNATURE", "").endswith("=")
        if is_signed:
            headers = corpora.signed(case.data, headers.get("HTTP_X_WC_WEBHOOK_TOPIC", ""))
        reply = self.sent(self.world.call(WEBHOOKS, case.data, headers))
        if is_signed and reply.status not in (200, 400):
            raise Finding(f"a signed webhook was answered {reply.status}")
        if not is_signed and reply.status != 401:
            raise Finding(f"an unsigned webhook was answered {reply.status}")
        if is_signed and headers["HTTP_X_WC_WEBHOOK_TOPIC"] in _ORDER_TOPICS:
            self._check_kept(case, reply)
        return reply

    def _check_kept(self, case: Case, reply: Reply) -> None:
        """An order that came is in the queue, or its body is kept."""
        try:
            body = json.loads(case.data)
        except (ValueError, RecursionError):
            body = None
        with self.world.database.read() as db:
            if reply.status == 400:
                newest = db.scalars(select(KeptBody).order_by(KeptBody.id.desc()).limit(1)).first()
                if newest is None:
                    raise Finding("a body that is no JSON was not kept")
                return
            record = body.get("id") if isinstance(body, dict) else None
            if isinstance(record, int) and not isinstance(record, bool) and 0 < record <= 2**53:
                known = db.scalars(
                    select(Activity.id).where(Activity.record_id == str(record)).limit(1)
                ).first()
                kept = db.scalars(select(KeptBody.id).where(KeptBody.body == case.data).limit(1)).first()
                if known is None and kept is None:
                    raise Finding(f"order {record} is neither in the queue nor kept")

    def settle(self) -> None:
        """Orders that were not touched go through, each once, whatever came before them."""
        totals: dict[str, Decimal] = {}
        for order in corpora.orders(self.next_order):
            body = json.dumps(order).encode()
            if (
                self.sent(self.world.call(WEBHOOKS, body, corpora.signed(body, "order.updated"))).status
                != 200
            ):
                raise Finding("an order as it should be was not taken")
            totals[str(order["id"])] = Decimal(order["total"])
        self.next_order += 100
        promises.drain(self.world)
        promises.check_all_there(self.world, totals)
        promises.check_books(self.world)
        promises.check_not_stopped(self.world)
        if self.world.unexpected.said:
            raise Finding("\n".join(self.world.unexpected.said))


_METHODS = (
    "GET",
    "POST",
    "HEAD",
    "PUT",
    "DELETE",
    "OPTIONS",
    "TRACE",
    "CONNECT",
    "PATCH",
    "get",
    "P\xd6ST",
    "A" * 300,
)
_PATHS = (
    *("/", "/qbwc", "/qbwc/", "/qbwc/support", "/healthz", "/readyz", "/metrics", WEBHOOKS, WEBHOOKS + "/"),
    *(
        "/webhooks/woocommerce/",
        "/webhooks/woocommerce/../main",
        "/webhooks/woocommerce/other",
        "//",
        "/../../etc/passwd",
    ),
)
_HEADERS = {
    "CONTENT_TYPE": (
        "text/xml; charset=utf-8",
        "application/json",
        "multipart/related; boundary=x",
        "text/xml; charset*=u''x",
    ),
    "CONTENT_LENGTH": ("0", "-1", "1e3", "99999999999999999999", "5", "", " 7", "٣", "+3", "0x10"),
    "HTTP_HOST": ("shop.example", "[::1]:80", "a b", "evil\x00", "x" * 3000, "127.0.0.1:99999", ""),
    "HTTP_X_FORWARDED_FOR": ("1.2.3.4", "for=_x", "::1, 127.0.0.1", "," * 500),
    "HTTP_X_FORWARDED_PROTO": ("https", "javascript", "http, https"),
    "HTTP_X_FORWARDED_HOST": ("evil.example", "a, b", "\xff"),
    "HTTP_FORWARDED": ("for=1.1.1.1",),
    "HTTP_TRANSFER_ENCODING": ("chunked", "identity", "gzip"),
    "HTTP_CONTENT_ENCODING": ("gzip", "identity", "br"),
    "HTTP_EXPECT": ("100-continue", "x"),
    "HTTP_SOAPACTION": ('"http://developer.intuit.com/authenticate"', "x"),
    "HTTP_X_WC_WEBHOOK_TOPIC": ("order.updated", "qbwoo.test", "action.woocommerce_x"),
    "HTTP_X_WC_WEBHOOK_SIGNATURE": ("x", "A" * 44, "=" * 3000, "\xff\xfe"),
    "QUERY_STRING": ("wsdl", "WSDL=1", "a=b&" * 300, "%00%ff", "wsdl\xe9"),
    "HTTP_ACCEPT_ENCODING": ("gzip",),
    "HTTP_RANGE": ("bytes=0-1",),
    "HTTP_COOKIE": ("a=b",),
}


class Headers(Target):
    """Methods, paths and headers of every address, with bodies that fit or do not."""

    name = "headers"

    def furnish(self) -> None:
        self.bodies = [b"", b"x", corpora.webhooks()[8].body, *calls_without_session()]

    def settle(self) -> None:
        """Nothing came into the queue but recorded orders."""
        promises.drain(self.world)
        promises.check_books(self.world)

    def case(self, number: int) -> Case:
        rng = self.rng(number)
        headers: dict[str, str] = {}
        for name, values in _HEADERS.items():
            if rng.random() < 0.3:
                value = rng.choice(values)
                if rng.random() < 0.4:
                    value = mutated(rng, value.encode("latin-1", "replace"), BYTES).decode("latin-1")[:8000]
                elif rng.random() < 0.1:
                    value = rng.choice(NUMBERS).encode().decode("latin-1")
                headers[name] = re.sub("[\r\n\x00]", "", value).strip()
        path = rng.choice(_PATHS)
        if rng.random() < 0.3:
            path = mutated(rng, path.encode(), BYTES).decode("latin-1")[:4000]
        data = rng.choice(self.bodies)
        if WEBHOOKS in path and rng.random() < 0.3:
            headers |= corpora.signed(data, "order.updated")
        method = rng.choice(("GET", "POST")) if rng.random() < 0.7 else rng.choice(_METHODS)
        return Case(self.name, number, data, path=path, method=method, headers=headers)

    def play(self, case: Case) -> Reply:
        reply = self.sent(self.world.call(case.path, case.data, case.headers, case.method))
        if reply.status >= 500:
            if case.path.rstrip("/") != SOAP or reply.status != 500:
                raise Finding(f"{case.method} {case.path!r} was answered {reply.status}")
            check_envelope(reply)
        if b"Traceback" in reply.body:
            raise Finding("a traceback is shown outside")
        if reply.headers.get("x-content-type-options") != "nosniff":
            raise Finding(f"{case.path!r} has no nosniff")
        return reply


def calls_without_session() -> list[bytes]:
    """Calls that need no session."""
    nowhere = corpora.Exchanged(None, "{0}", "", "<a/>")  # type: ignore[arg-type]
    return [*corpora.envelopes(nowhere)[:2], *corpora.envelopes(nowhere)[4:]]


def check_envelope(reply: Reply) -> etree._Element:
    """The envelope of an answer: a result or a fault of the caller's. Raises Finding."""
    if reply.status not in (200, 413, 500):
        raise Finding(f"the SOAP side answered {reply.status}")
    try:
        root = etree.fromstring(reply.body)
    except etree.XMLSyntaxError as problem:
        raise Finding(f"the answer is no XML: {problem}") from problem
    if etree.QName(root).localname != "Envelope":
        raise Finding(f"the answer is a {root.tag}")
    if b"the operator finds the cause" in reply.body:
        raise Finding(f"a fault of ours: {reply.body[:400]!r}")
    return root


TARGETS: tuple[type[Target], ...] = (Soap, Answers, Webhooks, Headers)
