"""Deeds to order around REST calls, so that what falls between two calls of a caller can be chosen.

Also the faults that concern one call: an error in place of its answer, no
answer at all, and a batch that breaks off in the middle.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from ops_sandbox.shop.calls import RestCall
from ops_sandbox.shop.errors import RestError

When = Literal["before", "item", "after"]
Action = Callable[[RestCall], object]

#: Stands for every method that changes something.
WRITE = "WRITE"
#: Stands for every method.
ANY = "ANY"


@dataclass
class Match:
    """Which calls are meant: the method (or WRITE, ANY) and the path below /wp-json/wc/v3, a regular
    expression that has to match it whole. `left` is how many of them, None for all."""

    method: str
    path: str
    left: int | None
    #: How many calls have met it so far.
    times: int = field(default=0, init=False)

    def takes(self, method: str, path: str) -> bool:
        """Whether this call is one of them; it then counts."""
        if self.left is not None and self.times >= self.left:
            return False
        writes = method not in {"GET", "HEAD", "OPTIONS"}
        if self.method not in (ANY, method) and not (self.method == WRITE and writes):
            return False
        if not re.fullmatch(self.path, path.rstrip("/") or "/"):
            return False
        self.times += 1
        return True


@dataclass
class Hook(Match):
    """A deed around the calls that match; `times` tells how often it was done."""

    when: When = "before"
    action: Action = lambda call: None
    #: For `when` "item": the place of the batch item before which it is done, from 0.
    place: int = 0

    def cancel(self) -> None:
        """Do it no more."""
        self.left = self.times


@dataclass
class CallFault(Match):
    """What goes wrong with the calls that match."""

    kind: Literal["status", "lost", "drop", "break"] = "status"
    #: The status answered, for "status" and "break".
    status: int = 500
    retry_after_seconds: int = 1
    #: For "drop": whether the call is done before the connection ends.
    after_doing: bool = False
    #: For "break": how many batch items are done before.
    items: int = 0


@dataclass
class Hooks:
    """The deeds and faults of one shop. Deeds run in the thread that serves the call, without the shop's lock
    before and after it, and within the call's for an item of a batch."""

    _hooks: list[Hook] = field(default_factory=list)
    _faults: list[CallFault] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, hook: Hook) -> Hook:
        """From now on, after those there are."""
        with self._lock:
            self._hooks.append(hook)
        return hook

    def order(self, fault: CallFault) -> None:
        """From now on. One that is used up makes place for the next that matches."""
        with self._lock:
            self._faults = [f for f in self._faults if f.left is None or f.times < f.left]
            self._faults.append(fault)

    def withdraw(self, kind: str) -> None:
        """No more faults of this kind."""
        with self._lock:
            self._faults = [fault for fault in self._faults if fault.kind != kind]

    def fault(self, kinds: tuple[str, ...], method: str, path: str) -> CallFault | None:
        """The first fault of one of `kinds` that this call meets; it then counts."""
        with self._lock:
            return next((f for f in self._faults if f.kind in kinds and f.takes(method, path)), None)

    def run(self, when: When, call: RestCall, path: str) -> None:
        """Do what is ordered for this call."""
        with self._lock:
            due = [hook for hook in self._hooks if hook.when == when and hook.takes(call.method, path)]
        for hook in due:
            hook.action(call)

    def item_deeds(self, call: RestCall, path: str) -> Callable[[int], None] | None:
        """What `run_batch` has to call before each item of this call, from 0; None for nothing.

        Raises `RestError` where the batch is to break off.
        """
        with self._lock:
            due = [hook for hook in self._hooks if hook.when == "item" and hook.takes(call.method, path)]
        broken = self.fault(("break",), call.method, path)
        if not due and broken is None:
            return None

        def before_item(place: int) -> None:
            for hook in due:
                if hook.place == place:
                    hook.action(call)
            if broken is not None and place >= broken.items:
                raise ordered_error(broken.status)

        return before_item


def ordered_error(status: int) -> RestError:
    """The answer of a fault to order."""
    code = "internal_server_error" if status >= 500 else "too_many_requests"
    return RestError(code, "The shop was told to answer this request with an error.", status)
