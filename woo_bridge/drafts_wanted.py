"""Products that are to be made in a shop: each with its body, as the shop's own terms have it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from queue_store.draft_plan import DraftPlan
from queue_store.draft_rules import Draft, DraftRules
from woo_bridge.draft_bodies import parent_body, simple_body
from woo_bridge.draft_terms import ShopTerms
from woo_bridge.paging import PER_PAGE


@dataclass(frozen=True, slots=True)
class Wanted:
    """One product to be made: of a wish, with its body."""

    wish: int
    #: "": the variable product of a style.
    list_id: str
    called: str
    body: Mapping[str, Any]


def simple(draft: Draft, rules: DraftRules, terms: ShopTerms) -> Mapping[str, Any]:
    """The body of a simple product. Raises ValueError, with what it lacks."""
    return simple_body(draft, rules, terms.categories_of(draft), terms.attributes())


def parent(plan: DraftPlan, rules: DraftRules, terms: ShopTerms) -> Mapping[str, Any]:
    """The body of a style's variable product. Raises ValueError, with what it lacks."""
    chosen = terms.categories_of(plan.members[0])
    return parent_body(plan.parent_sku, plan.members, rules, chosen, terms.attributes())


def called_style(plan: DraftPlan) -> str:
    """What sentences call a style."""
    return f"the style {plan.members[0].name!r}"


def hundreds(wanted: Sequence[Wanted]) -> Iterator[Sequence[Wanted]]:
    """In lists of at most as many as one call takes."""
    for start in range(0, len(wanted), PER_PAGE):
        yield wanted[start : start + PER_PAGE]
