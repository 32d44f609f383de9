"""What every command works with: settings, database, box of secrets, each made when first needed."""

from __future__ import annotations

import getpass
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property

import click
from sqlalchemy.orm import Session

from ops_console import wiring
from ops_console.logging import set_up_logging
from ops_console.settings import ProcessSettings, read_settings
from queue_store.database import Database
from queue_store.secrets import SecretBox


class Desk:
    """One run of one command."""

    @cached_property
    def settings(self) -> ProcessSettings:
        """Raises SettingsProblem."""
        settings = read_settings()
        # What a command does it says itself; `serve` and `worker` raise this to the setting.
        level = "WARNING" if settings.log_level == "INFO" else settings.log_level
        set_up_logging(level, log_format=settings.log_format)
        return settings

    @cached_property
    def database(self) -> Database:
        """The database, at the revision that this version needs."""
        database = wiring.open_current_database(self.settings)
        click.get_current_context().call_on_close(database.close)
        return database

    @cached_property
    def box(self) -> SecretBox:
        return wiring.open_box(self.settings)

    @cached_property
    def who(self) -> str:
        """The person at the keyboard, for the audit."""
        try:
            name = getpass.getuser()
        except (OSError, KeyError):
            name = "unknown"
        return f"command line: {name}"[:64]

    @contextmanager
    def read(self) -> Iterator[Session]:
        with self.database.read() as db:
            yield db

    @contextmanager
    def write(self) -> Iterator[Session]:
        with self.database.write() as db:
            yield db


with_desk = click.make_pass_decorator(Desk, ensure=True)
