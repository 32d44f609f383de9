"""What is peculiar to the day of a seed: its size, its Point of Sale, its settings, its troubles."""

from __future__ import annotations

import random
from dataclasses import dataclass, replace

from ops_sandbox.pos import PosDialect


@dataclass(frozen=True)
class Size:
    """How much happens."""

    items: int
    #: Of them in styles of three.
    in_styles: int
    orders: int
    sales: int
    returns: int
    prices: int
    edits: int
    hours: int
    #: Items that nearly all of it is about.
    hot: int


FULL = Size(
    items=2000, in_styles=300, orders=600, sales=400, returns=60, prices=30, edits=20, hours=24, hot=60
)
SMALL = Size(items=90, in_styles=15, orders=60, sales=45, returns=12, prices=8, edits=8, hours=6, hot=15)

TINY = Size(items=45, in_styles=9, orders=25, sales=20, returns=5, prices=4, edits=4, hours=4, hot=10)

#: What the tests play: a morning.
BRIEF = Size(items=30, in_styles=6, orders=14, sales=12, returns=3, prices=3, edits=4, hours=3, hot=8)

SIZES = {"full": FULL, "small": SMALL, "tiny": TINY, "brief": BRIEF}


@dataclass(frozen=True)
class Plot:
    """All of it; `of` draws it from a seed."""

    seed: int
    size: Size
    dialect: PosDialect
    #: "on_hand" or "available".
    basis: str
    #: stock.stores: "" are both.
    stores: str
    web_orders: bool
    #: Chance that an answer of QuickBooks is lost, with its session.
    lost_answers: float
    #: Chance that a worker works between two sets of a session.
    between_sets: float
    #: Chance that something happens right before, or after, a call.
    in_between: float
    pauses: bool
    restores: bool
    page: int

    @classmethod
    def of(cls, seed: int, size: Size) -> Plot:
        rng = random.Random(f"plot {seed}")
        # What several filters mean and how lines are spelt is found out by calibration, and shown elsewhere.
        dialect = replace(
            PosDialect.random(rng),
            negative_line="both",
            several_filters="and",
            empty_company_text="opens_last",
        )
        basis = rng.choice(("on_hand", "on_hand", "available"))
        return cls(
            seed=seed,
            size=size,
            dialect=dialect,
            basis=basis,
            stores="" if basis == "available" else rng.choice(("", "1")),
            web_orders=basis == "available" or rng.random() < 0.3,
            lost_answers=rng.choice((0, 0.02, 0.06)),
            between_sets=rng.choice((0.05, 0.2)),
            in_between=rng.choice((0.03, 0.1)),
            pauses=rng.random() < 0.4,
            restores=rng.random() < 0.3,
            page=rng.choice((20, 50, 200)),
        )
