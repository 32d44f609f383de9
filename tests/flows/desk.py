"""The command line on a street's database, as an operator uses it beside the running service."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from click.testing import CliRunner

from ops_console.cli import main
from ops_sandbox.shop import CONSUMER_KEY, CONSUMER_SECRET, Shop
from queue_store.companies import add_store, get_company, get_store
from queue_store.models import Store
from queue_store.secrets import SecretBox
from tests.conftest import SECRET_KEY
from tests.flows.street import Street


@dataclass(frozen=True)
class Said:
    """What a command said, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        return json.loads(self.out)


Qbwoo = Callable[..., Said]


def qbwoo_on(street: Street) -> Qbwoo:
    """Runs one command on the street's database; expects it to be done unless told another code."""
    with street.database.write() as db:
        _give_keys(street.box, get_store(db, "main"))

    def run(*words: object, code: int = 0, given: str | None = None) -> Said:
        environ = _environ(street)
        result = CliRunner().invoke(main, [str(word) for word in words], input=given, env=environ)
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        said = Said(result.exit_code, result.stdout, result.stderr)
        assert said.code == code, f"{words}\n{said.out}{said.err}"
        return said

    return run


def begin(street: Street, *words: str) -> subprocess.Popen[bytes]:
    """The same in a process of its own, which may be killed."""
    return subprocess.Popen(
        [sys.executable, "-c", "from ops_console.cli import main; main()", *words],
        env=os.environ | _environ(street),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def _environ(street: Street) -> dict[str, str]:
    return {
        "QBWOO_DATABASE_URL": street.database.engine.url.render_as_string(hide_password=False),
        "QBWOO_SECRET_KEY": SECRET_KEY,
        "QBWOO_ALLOW_PRIVATE_STORES": "true",
    }


def _give_keys(box: SecretBox, store: Store) -> None:
    store.consumer_key = CONSUMER_KEY
    store.consumer_secret = box.seal(CONSUMER_SECRET)


@contextmanager
def second_shop(street: Street, name: str = "second") -> Iterator[Shop]:
    """Another shop of the same company, without webhooks: it is read."""
    shop = Shop.create(clock=street.clock)
    with shop.serve():
        with street.database.write() as db:
            add_store(
                db,
                street.box,
                company=get_company(db, "books"),
                name=name,
                url=shop.home_url,
                consumer_key=CONSUMER_KEY,
                consumer_secret=CONSUMER_SECRET,
                webhook_secret="whsec",
            )
        yield shop
    shop.close()
