"""What an activity is, or would be, in QuickBooks: the paper, the arithmetic, the exact request.

Nothing here writes: a preview resolves what it needs from mappings and
catalogue alone, and shows a gap in square brackets where QuickBooks' id is not
known yet. What was sent is read back from the bytes that were sent.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any
from xml.sax.saxutils import escape

from qbwc_service.arithmetic import Row, compare
from qbwc_service.errors import NotSendable
from qbwc_service.kinds import KINDS
from qbwc_service.kinds.refund import prepare_after
from qbwc_service.needs import ItemNeed, Prepared
from qbwc_service.paper import Name, Paper
from qbwc_service.resolving import Verdict, resolve
from qbwc_service.run import Run
from queue_store.activities import RETURN, SALE
from queue_store.naming import names_of_ids


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """One request; without a paper where nothing could be written, and then `refusal` says why."""

    paper: Paper | None = None
    arithmetic: tuple[Row, ...] = ()
    #: The exact text of the request; gaps in square brackets.
    document: str = ""
    #: What QuickBooks must compute.
    total: Decimal | None = None
    #: What QuickBooks is asked for first, and gets first if it lacks it.
    unknown: tuple[str, ...] = ()
    #: What was shortened or respelt.
    remarks: tuple[str, ...] = ()
    #: Why it could not be sent.
    refusal: str = ""


def preview(run: Run, activity: Any, payload: bytes, *, sale: Prepared | None = None) -> Preview:
    """An activity (row or model, id 0 for none yet) as it would leave now; `run` has no session.

    `sale` is what a return would go after, where that was not sent yet.
    """
    assert run.session is None, "a preview must not write"
    company = run.settings
    try:
        if activity.kind == RETURN and sale is not None:
            prepared = prepare_after(run, activity, payload, sale)
        else:
            prepared = KINDS[activity.kind].prepare(run, activity, payload)
    except NotSendable as refusal:
        rows = compare(activity.kind, payload, None, None, company)
        return Preview(arithmetic=rows, refusal=refusal.sentence)
    (verdict,) = resolve(run, [(activity, prepared)])
    prepared = verdict.prepared
    shown = {gap: f"[{gap}]" for gap in prepared.parts[1::2]}
    naming = {f"[{gap}]": _name(gap, prepared, verdict) for gap in shown}
    paper = run.spelling.read_paper(prepared.fill(_escaped(shown)), naming)
    shown |= {gap: value for gap, value in verdict.values.items() if gap in shown}
    return Preview(
        paper=paper,
        arithmetic=compare(activity.kind, payload, paper, prepared.predicted_total, company),
        document=prepared.fill(_escaped(shown)),
        total=prepared.predicted_total,
        unknown=_unknown(verdict),
        remarks=prepared.remarks,
        refusal=verdict.refusal,
    )


def expected_sale(run: Run, sale: Any, payload: bytes) -> Prepared | None:
    """What a sale (row or model) would be made ready as; None where it would be refused."""
    try:
        return KINDS[SALE].prepare(run, sale, payload)
    except NotSendable:
        return None


def preview_sent(run: Run, activity: Any, payload: bytes, request: str, total: Decimal | None) -> Preview:
    """An activity as it was sent, in `request`; `payload` is the shop's side as it stands now.

    `total` is what QuickBooks was expected to compute. Raises QbxmlError where `request` is none.
    """
    paper = run.spelling.read_paper(request, {})
    written = {line.item.text for line in paper.lines} | {text for _, text in paper.header}
    names = names_of_ids(run.db, run.company.id, written)
    paper = run.spelling.read_paper(request, {list_id: Name(text) for list_id, text in names.items()})
    return Preview(
        paper=paper,
        arithmetic=compare(activity.kind, payload, paper, total, run.settings),
        document=request,
        total=total,
    )


def _unknown(verdict: Verdict) -> tuple[str, ...]:
    asked = [f"{'item' if kind == 'line' else kind} {key}" for kind, key in verdict.look_ups]
    # What no field of QuickBooks can hold is not asked for.
    added = [f"new {one.reference}" for one in verdict.additions]
    return tuple(dict.fromkeys(asked + added))


def _name(gap: str, prepared: Prepared, verdict: Verdict) -> Name:
    known = gap in verdict.values
    if gap == "customer" and prepared.customer is not None:
        who = prepared.customer.customer
        person = f"{who.first_name} {who.last_name}".strip() or who.company
        name = f"{person} <{who.email}>" if person and who.email else person or who.email
        return Name(name or prepared.customer.customer_id, known)
    if gap == "department":
        return Name(prepared.department, known)
    need = next((one for one in prepared.items if _gap_of(one) == gap), None)
    return Name(gap if need is None else need.key, known)


def _gap_of(need: ItemNeed) -> str:
    return f"{need.kind}:{need.key}"


def _escaped(values: dict[str, str]) -> dict[str, str]:
    return {name: escape(value, {'"': "&quot;"}) for name, value in values.items()}
