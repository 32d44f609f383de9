"""Fixtures of the Web Connector's side."""

from __future__ import annotations

import pytest

from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.harness import House, make_house


@pytest.fixture
def house(sqlite_database: Database, box: SecretBox) -> House:
    """A company with a live store, a Point of Sale file and a Web Connector."""
    return make_house(sqlite_database, box)


@pytest.fixture
def any_house(database: Database, box: SecretBox) -> House:
    """The same, once on SQLite and once on PostgreSQL."""
    return make_house(database, box)
