"""Points of Sale that a test of documents must hold under, and a house set up for one of them."""

from __future__ import annotations

import random

from ops_sandbox.pos import PosCompanyFile, PosDialect
from queue_store.database import Database
from queue_store.secrets import SecretBox
from tests.harness import House, make_house
from tests.money.switches import switches_of

#: By name; between them every switch that a receipt can feel stands both ways.
DIALECTS: dict[str, PosDialect] = {
    "as documented": PosDialect(),
    "negative returns": PosDialect(return_signs="negative", negative_line="negative_price"),
    "negative quantities": PosDialect(negative_line="negative_qty", tax_rounding="receipt"),
    "drawn 1": PosDialect.random(random.Random("documents 1")),
    "drawn 2": PosDialect.random(random.Random("documents 2")),
    "drawn 3": PosDialect.random(random.Random("documents 3")),
}


def house_under(dialect: PosDialect, database: Database, box: SecretBox) -> House:
    """A house before a Point of Sale of this dialect, with the switches that calibration would find."""
    house = make_house(database, box, PosCompanyFile.create(None, dialect=dialect))
    for key, value in switches_of(dialect).items():
        house.set(key, value)
    return house
