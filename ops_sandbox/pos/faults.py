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
class Deed:
    """What happens around the requests of one name, while no other request is under way."""

    #: Such as "InventoryQtyAdjustmentAddRq"; "" for any.
    request: str
    before: bool
    action: Callable[[etree._Element], object]
    #: How many of them still to come, None for all.
    left: int | None
    #: How often it was done.
    times: int = 0

    def cancel(self) -> None:
        """Do it no more."""
        self.left = 0


@dataclass(slots=True)
class Faults:
    """What is to go wrong. Shared by all sessions of a company."""

    #: Status and text for requests that are to be refused, None for the others.
    refuse_when: RefuseWhen | None = None
    #: Requests that make Point of Sale refuse the whole document.
    poison: Poison | None = None
    latency_seconds_per_request: float = 0.0
    sleep: Callable[[float], None] = time.sleep
    deeds: list[Deed] = field(default_factory=list)
    #: For the next calls of `process`, one each.
    of_process: deque[Failure] = field(default_factory=deque)
    #: For the next calls of `begin_session`, one each.
    of_session: deque[Failure] = field(default_factory=deque)

    def do(self, request: etree._Element, *, before: bool) -> None:
        """Do what is ordered before or after this request."""
        for deed in list(self.deeds):
            if deed.before is before and deed.request in ("", request.tag) and deed.left != 0:
                deed.times += 1
                deed.left = None if deed.left is None else deed.left - 1
                deed.action(request)
        self.deeds = [deed for deed in self.deeds if deed.left != 0]
