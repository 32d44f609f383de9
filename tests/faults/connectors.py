"""Web Connectors that go wrong: each call of a session by itself, so that a fault falls between any two."""

from __future__ import annotations

import random
import re
from collections import Counter, deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from ops_sandbox.pos import PosCompanyFile
from ops_sandbox.request_processor import RequestProcessorError
from qbwc_service.conversation import Conversation
from tests.faults.storage import Storage, StorageFailed, choose
from tests.harness import PASSWORD

T = TypeVar("T")

HRESULTS = ("0x80040400", "0x80040401", "0x80040402", "0x8004041D", "0x800706BA", "0x80004005", "0x80040437")


class CallLost(Exception):
    """A call did not arrive, or its answer did not come back."""


@dataclass
class World:
    """What all connectors share."""

    conversation: Conversation
    pos: PosCompanyFile
    fired: Counter[str]
    log: Callable[[str], None]
    storage: Storage
    #: Called with each message set that the service hands out, even if nobody hears it.
    on_set: Callable[[str], None] = lambda _request: None
    faults: bool = True
    #: Message sets after which the line breaks, counted over all sessions; 0: it does not.
    breaks_after: int = 0
    sets: int = 0
    #: Answers of QuickBooks with their tickets, delivered or not: (ticket, response).
    answers: deque[tuple[str, str]] = field(default_factory=lambda: deque(maxlen=25))
    tickets: deque[str] = field(default_factory=lambda: deque(maxlen=12))

    def happens(self, rng: random.Random, fault: str, chance: float) -> bool:
        """True, and counted, if the fault strikes now."""
        if not self.faults or rng.random() >= chance:
            return False
        self.fired[fault] += 1
        self.log(f"   fault: {fault}")
        return True

    def call(self, rng: random.Random, method: Callable[[], T]) -> T:
        """One call over a network that loses things. Raises CallLost."""
        for _ in range(3):
            if self.happens(rng, "call lost before it arrived", 0.015):
                if self.happens(rng, "call made again", 0.4):
                    continue
                raise CallLost
            try:
                answer = self.stored(rng, method, 0.02)
            except StorageFailed:
                # The service says that it could not; the Web Connector hears an error, and repeats nothing.
                raise CallLost from None
            if self.happens(rng, "answer of a call lost", 0.02):
                if self.happens(rng, "call made again", 0.4):
                    continue
                raise CallLost
            return answer
        raise CallLost

    def stored(self, rng: random.Random, work: Callable[[], T], chance: float) -> T:
        """Work of the service, while its database may fail. Raises StorageFailed."""
        kind = choose(self.storage, rng, chance) if self.faults else ""
        try:
            return self.storage.run(kind, work)
        except StorageFailed:
            self.fired[kind] += 1
            self.log(f"   fault: {kind}")
            raise

    def send(self, ticket: str) -> str:
        request = self.conversation.send_request_xml(ticket, "", "Sandbox Goods", "US", 3, 0)
        self.on_set(request)
        return request

    def receive(self, ticket: str, response: str, hresult: str = "", message: str = "") -> int:
        return self.conversation.receive_response_xml(ticket, response, hresult, message)


@dataclass
class Connector:
    """One Web Connector on one machine; `step` makes its next call."""

    world: World
    name: str
    address: str
    stage: str = "idle"
    ticket: str = ""
    request: str = ""
    response: str = ""
    hresult: str = ""
    books: Any = None
    percents: list[int] = field(default_factory=list)
    #: Message sets of the present session.
    sets: int = 0
    says: str = ""

    def forget(self) -> None:
        """The session is gone on this side; nobody calls closeConnection."""
        if self.books is not None:
            self.books.end()
        self.stage, self.request, self.response, self.hresult, self.books = "idle", "", "", "", None

    def step(self, rng: random.Random) -> None:
        """The next call, with whatever goes wrong in it."""
        try:
            {
                "idle": self._begin,
                "ready": self._send,
                "asked": self._process,
                "answered": self._receive,
                "closing": self._close,
            }[self.stage](rng)
        except CallLost:
            self._lost(rng)

    def _lost(self, rng: random.Random) -> None:
        if self.world.happens(rng, "session never closed", 0.6):
            self.forget()
        else:
            self.stage = "closing"

    def _begin(self, rng: random.Random) -> None:
        world = self.world
        self.percents, self.sets = [], 0
        answer = world.call(rng, lambda: world.conversation.authenticate("connector", PASSWORD, self.address))
        self.ticket, self.says = answer[0], answer[1]
        world.log(f"   {self.name} begins: {self.says or 'session ' + self.ticket[1:6]}")
        if self.says:
            self.stage = "closing" if rng.random() < 0.5 else "idle"
            return
        world.tickets.append(self.ticket)
        self.took_over()
        if world.happens(rng, "company file cannot be opened", 0.03):
            says = world.conversation.connection_error(self.ticket, rng.choice(HRESULTS), "cannot open")
            self.stage = "closing" if says == "done" else "ready"
            if self.stage == "closing":
                return
        if world.happens(rng, "another company open", 0.02):
            world.pos.fail_next_session("0x80040408", "A different QuickBooks company data file is open.")
        try:
            self.books = world.pos.begin_session("")
        except RequestProcessorError as error:
            world.conversation.connection_error(self.ticket, error.hresult, error.message)
            self.stage = "closing"
            return
        self.stage = "ready"

    def took_over(self) -> None:
        """Set by the simulator: what a takeover does to the other connectors."""

    def _send(self, rng: random.Random) -> None:
        self.request = self.world.call(rng, lambda: self.world.send(self.ticket))
        self.sets += 1
        if not self.request:
            self.world.log(f"   {self.name} gets nothing")
            self.stage = "closing"
            self.world.conversation.get_last_error(self.ticket)
            return
        self.stage = "asked"
        self.world.log(f"   {self.name} gets {summary(self.request)}")
        if self.response and self.world.happens(rng, "answer repeated after the next set", 0.04):
            self.world.receive(self.ticket, self.response)

    def _process(self, rng: random.Random) -> None:
        world = self.world
        # What writes is worth more trouble than what reads.
        much = 3 if re.search(r"(Add|Reverse)Rq", self.request) else 1
        if world.happens(rng, "connector died before QuickBooks executed", 0.01 * much):
            self.forget()
            return
        if world.happens(rng, "HRESULT before execution", 0.02 * much):
            world.pos.fail_next(rng.choice(HRESULTS), "An error.", after_executing=False)
        elif world.happens(rng, "HRESULT after execution", 0.02 * much):
            world.pos.fail_next(rng.choice(HRESULTS[1:]), "An error.", after_executing=True)
        self.execute()
        world.sets += 1
        if world.faults and world.breaks_after and not world.sets % world.breaks_after:
            world.fired["line broke after every second set"] += 1
            self.forget()
        elif world.happens(rng, "connector died after QuickBooks executed", 0.025 * much):
            self.forget()

    def execute(self) -> None:
        """QuickBooks works the set."""
        self.response, self.hresult = "", ""
        try:
            self.response = self.books.process(self.request)
            self.world.answers.append((self.ticket, self.response))
        except RequestProcessorError as error:
            self.hresult = error.hresult
        self.stage = "answered"
        self.world.log(f"   {self.name}: QuickBooks {self.hresult or 'executed'}")

    def _receive(self, rng: random.Random) -> None:
        world, response = self.world, self.response
        if response and world.faults:
            response = self._broken(rng, response)
        percent = world.call(
            rng,
            lambda: world.receive(self.ticket, response, self.hresult, "An error." if self.hresult else ""),
        )
        self.percents.append(percent)
        world.log(f"   {self.name} delivers: {percent}")
        if percent < 0:
            world.conversation.get_last_error(self.ticket)
        self.stage = "closing" if percent < 0 or percent == 100 else "ready"

    def _broken(self, rng: random.Random, response: str) -> str:
        world = self.world
        if world.happens(rng, "answer cut", 0.02):
            return response[: rng.randrange(len(response))]
        if world.happens(rng, "answer with illegal characters", 0.03):
            places = [found.end() for found in re.finditer(r"<(Desc1|LastName|Comments)>", response)]
            if places:
                place = rng.choice(places)
                return response[:place] + rng.choice(("&#x1F;", "\x0b", "&#0;")) + response[place:]
        if world.answers and world.happens(rng, "answer of another set", 0.02):
            return rng.choice(world.answers)[1]
        return response

    def _close(self, rng: random.Random) -> None:
        ticket = self.ticket
        try:
            self.world.call(rng, lambda: self.world.conversation.close_connection(ticket))
        finally:
            self.forget()


def summary(request: str) -> str:
    """What a message set asks, for the log."""
    counts = Counter(re.findall(r"<(\w+)Rq ", request))
    return ", ".join(f"{count} {name}" for name, count in counts.items())
