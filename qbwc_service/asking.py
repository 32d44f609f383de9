"""Everything in doubt: what QuickBooks has still to be asked for it, and what its answers settle."""

from __future__ import annotations

from qbwc_service import undoings
from qbwc_service.doubt import repeatable_in_doubt, settle_repeatable
from qbwc_service.doubt_documents import documents_can_be_settled, marks_to_ask, settle_documents
from qbwc_service.doubt_elements import elements_can_be_settled, settle_list_elements
from qbwc_service.kinds.kind import LookUp
from qbwc_service.run import Run


def still_to_ask(run: Run) -> list[LookUp]:
    """What may go again goes again; gives the look-ups that the rest waits for, marks first."""
    settle_repeatable(run)
    elements = settle_list_elements(run)
    return [*marks_to_ask(run), *elements, *undoings.settle_in_doubt(run)]


def settle_what_was_asked(run: Run) -> None:
    """After an answer to look-ups or look-back: all that it decides."""
    if run.open_session.looked_back:
        settle_documents(run)
    settle_list_elements(run)
    undoings.settle_in_doubt(run)


def can_be_settled(run: Run) -> bool:
    """True if anything in doubt can still be cleared up in this session."""
    return (
        documents_can_be_settled(run)
        or elements_can_be_settled(run)
        or repeatable_in_doubt(run)
        or undoings.can_be_settled(run)
    )
