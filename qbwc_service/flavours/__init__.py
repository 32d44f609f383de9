"""How activities are spelt in one QuickBooks product or the other: one visible table."""

from __future__ import annotations

from collections.abc import Mapping

from qbwc_service.flavours.pos.spelling import PosSpelling
from qbwc_service.flavours.spelling import Spelling

FLAVOURS: Mapping[str, Spelling] = {"pos": PosSpelling()}
