"""Many callers, one transaction: what arrives while one commits goes together with the next.

A commit costs a flush of the disk, and SQLite has one writer. So each thread
puts its piece into a common list; whoever gets the turn does all that lie
there, and the others find theirs done. Nobody is answered before the commit.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Piece = TypeVar("Piece")
Result = TypeVar("Result")

#: Pieces in one transaction at most, so that the last one does not wait for long.
MOST = 64


class _Entry(Generic[Piece, Result]):
    __slots__ = ("done", "error", "piece", "result")

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.done = False
        self.result: Result | None = None
        self.error: Exception | None = None


class Gathering(Generic[Piece, Result]):
    """Runs `together` on the pieces of many threads at once.

    `together` gives one result per piece, in order, and must have committed
    when it returns. If it raises, `alone` is run for each piece by itself, so
    that one bad piece spoils nobody else's.
    """

    def __init__(
        self,
        together: Callable[[Sequence[Piece]], Sequence[Result]],
        alone: Callable[[Piece], Result],
        *,
        most: int = MOST,
    ) -> None:
        self._together, self._alone, self._most = together, alone, most
        self._waiting: list[_Entry[Piece, Result]] = []
        self._lock = threading.Lock()
        self._turn = threading.Lock()

    def run(self, piece: Piece) -> Result:
        """The result for `piece`, once it is committed; raises what `alone` raised for it."""
        entry = _Entry[Piece, Result](piece)
        with self._lock:
            self._waiting.append(entry)
        while not entry.done:
            with self._turn:
                if not entry.done:
                    self._run_waiting()
        if entry.error is not None:
            raise entry.error
        return entry.result  # type: ignore[return-value] # set whenever there is no error

    def _run_waiting(self) -> None:
        with self._lock:
            batch, self._waiting = self._waiting[: self._most], self._waiting[self._most :]
        if len(batch) > 1:
            try:
                results = self._together([entry.piece for entry in batch])
            except Exception:  # noqa: BLE001 - told by `alone`, to the piece that it concerns
                results = ()
            if results:
                for entry, result in zip(batch, results, strict=True):
                    entry.result, entry.done = result, True
                return
        for entry in batch:
            try:
                entry.result = self._alone(entry.piece)
            except Exception as error:  # noqa: BLE001 - raised in the thread that it belongs to
                entry.error = error
            entry.done = True
