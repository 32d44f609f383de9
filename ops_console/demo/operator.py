"""The operator of the demo: types the product's own commands, as one would with a real shop."""

from __future__ import annotations

import contextlib
import io
import itertools
import secrets
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

from ops_console.cli.desk import Desk
from ops_console.demo import stage
from ops_console.private_files import write_private
from ops_console.settings import ProcessSettings
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET

STORE = "main"
QWC_FILE = "sandbox-goods.qwc"

_USER = "webconnector"
_LONGEST_SHOWN = 24
_WIDTH = 74


class Operator:
    """Types commands on one installation; `tell` gets each line that is typed."""

    def __init__(self, settings: ProcessSettings, folder: Path, tell: Callable[[str], None]) -> None:
        self._folder, self._tell = folder, tell
        self._desk = Desk()
        self._desk.settings = settings
        self.password = secrets.token_urlsafe(18)

    def set_up(self, service_url: str, shop_url: str) -> Path:
        """From nothing to a store that is live; gives the .qwc file. Raises what the commands raise."""
        for words in self._commands(service_url, shop_url):
            self._type(words)
        return self._folder / QWC_FILE

    def _commands(self, service_url: str, shop_url: str) -> Iterator[list[str | Path]]:
        company = stage.COMPANY_NAME
        yield [
            *("company", "add", company, "--flavour", "pos", "--username", _USER),
            *("--password-file", self._secret("webconnector.txt", self.password)),
            *("--company-file", stage.COMPANY_FILE),
        ]
        yield ["company", "set", company, "items.missing", "create"]
        yield ["company", "set", company, "items.fallback", "Online Item"]
        yield ["company", "set", company, "currency", "USD"]
        yield [
            *("store", "add", STORE, "--company", company, "--url", shop_url),
            *("--consumer-key", CONSUMER_KEY),
            *("--consumer-secret-file", self._secret("consumer-secret.txt", CONSUMER_SECRET)),
            *("--webhook-secret-file", self._secret("webhook-secret.txt", secrets.token_urlsafe(32))),
        ]
        yield ["store", "connect", STORE, "--url", service_url, "--yes"]
        # Else orders from before the go-live would go by push alone, and all recorded ones are older.
        yield ["store", "set", STORE, "orders.since", "2020-01-01"]
        yield ["store", "live", STORE, "--yes"]
        yield ["qwc", "write", company, "--url", service_url, "-o", self._folder / QWC_FILE, "--rehearsal"]

    def _secret(self, name: str, value: str) -> Path:
        path = self._folder / name
        write_private(path, value + "\n")
        return path

    def _type(self, words: list[str | Path]) -> None:
        from ops_console.cli import main

        for line in _typed(["qbwoo", *map(_shown, words)]):
            self._tell(line)
        # What the commands say in answer would hide the line of the story.
        said = io.StringIO()
        with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
            main.main(args=list(map(str, words)), prog_name="qbwoo", obj=self._desk, standalone_mode=False)


def _typed(words: list[str]) -> Iterator[str]:
    """The command as a shell reads it, in lines that fit a narrow screen, an option beside its value."""
    pieces: list[str] = []
    for before, word in itertools.pairwise(["", *words]):
        quoted = shlex.quote(word)
        if before.startswith("-") and not word.startswith("-"):
            pieces[-1] += f" {quoted}"
        else:
            pieces.append(quoted)
    line = "$"
    for piece in pieces:
        if len(line) + len(piece) > _WIDTH:
            yield f"{line} \\"
            line = "   "
        line += f" {piece}"
    yield line


def _shown(word: str | Path) -> str:
    if isinstance(word, Path):
        return word.name
    return word if len(word) <= _LONGEST_SHOWN or " " in word or "/" in word else f"{word[:10]}..."
