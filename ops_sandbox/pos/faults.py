"""Faults to order, so that a rehearsal meets them when it wants to."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

from lxml import etree

from ops_sandbox.request_processor import RequestProcessorError

RefuseWhen: TypeAlias = Callable[[etree._Element], tuple[int, str] | None]
Poison: TypeAlias = Callable[[etree._Element], bool]


@dataclass(frozen=True, slots=True)
class Failure:
    """One failure of the request processor."""

    hresult: str
    message: str
    after_executing: bool

    def error(self) -> RequestProcessorError:
        """What `process` raises."""
        return RequestProcessorError(self.hresult, self.message)


@dataclass(slots=True)
class Faults:
    """What is to go wrong. Shared by all sessions of a company."""

    #: Status and text for requests that are to be refused, None for the others.
    refuse_when: RefuseWhen | None = None
    #: Requests that make Point of Sale refuse the whole document.
    poison: Poison | None = None
    latency_seconds_per_request: float = 0.0
    sleep: Callable[[float], None] = time.sleep
    #: For the next calls of `process`, one each.
    of_process: deque[Failure] = field(default_factory=deque)
    #: For the next calls of `begin_session`, one each.
    of_session: deque[Failure] = field(default_factory=deque)
