"""Fixtures of walks through the whole product."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.flows.street import Street, make_street
from tests.harness import House, make_house


@pytest.fixture
def house(sqlite_database: Database, box: SecretBox) -> House:
    """A company with a live store, a Point of Sale file and a Web Connector."""
    return make_house(sqlite_database, box)


@pytest.fixture
def street(sqlite_database: Database, box: SecretBox) -> Iterator[Street]:
    """A served shop, the house beside it, and what goes to and fro."""
    with make_street(sqlite_database, box) as street:
        yield street
