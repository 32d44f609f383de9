"""Watching that the shop's webhooks are as they must be, and mending them once we are known to answer.

The shop turns a webhook off after seven failed deliveries in a row, and sends
nothing that fell meanwhile. It is turned on again only when our endpoint was
proven: the shop keeps the count, so that one more failure turns it off at once.
Then the orders are read from before the gap.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from queue_store.models import Store
from queue_store.settings import Settings
from queue_store.tasks import close_task, raise_task
from woo_bridge.client import Webhook
from woo_bridge.connect import (
    AFTER_A_GAP,
    TOPICS,
    ConnectReport,
    Proof,
    delivery_url,
    mend_webhooks,
    prove_endpoint,
)
from woo_bridge.job import Found, Job, Keep, Next, Piece, counted, every

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

NAME = "webhooks"
TASK = "webhooks"


def _step(piece: Piece) -> Keep:
    with piece.read() as (_, store, _settings):
        name, sealed, refused = store.name, store.webhook_secret, store.refused_webhooks
        last = store.last_webhook_at.isoformat() if store.last_webhook_at else ""
    url = delivery_url(piece.public_url, name) if piece.public_url else None
    broken = _broken(piece.client.list_webhooks(), name, url)
    # Refused ones, and none that was not: our secret is not theirs any more.
    is_refusing = refused > piece.memory.get("refused", refused) and last == piece.memory.get("last")
    if is_refusing and not broken:
        broken = [f"all webhooks that came ({refused - piece.memory['refused']}) had a wrong signature"]
    memory = {"refused": refused, "last": last}
    if not broken:
        return lambda db, store, settings: _well(db, store, memory)
    mended, problem = _mend(piece, name, url, piece.open_secret(sealed))
    what = f"Webhooks of store {name}: {'; '.join(broken)}."

    def keep(db: Session, store: Store, settings: Settings) -> Next:
        if mended:
            close_task(db, company_id=store.company_id, kind=TASK, subject=store.name)
            remark = (
                f"{what} They were set right after a proof that they arrive here, and orders are read again."
            )
            return Next(None, {"mended": len(broken)}, remark, memory, hurry=AFTER_A_GAP)
        sentence = f"{what} {problem} Meanwhile orders are read again every so many minutes."
        raise_task(db, company_id=store.company_id, kind=TASK, subject=store.name, sentence=sentence)
        return Next(None, {"broken": len(broken)}, sentence, memory)

    return keep


def _well(db: Session, store: Store, memory: dict[str, object]) -> Next:
    over = close_task(db, company_id=store.company_id, kind=TASK, subject=store.name)
    # They may have been mended by hand; what fell meanwhile was not sent.
    return Next(None, {"well": len(TOPICS)}, memory=memory, hurry=AFTER_A_GAP if over else ())


def _broken(there: list[Webhook], name: str, url: str | None) -> list[str]:
    """What is wrong, a phrase for each topic; without `url` any address with our path counts as ours."""
    ending = delivery_url("", name)
    broken: list[str] = []
    for topic in TOPICS:
        ours = [one for one in there if one.topic == topic and one.delivery_url.endswith(ending)]
        right = [one for one in ours if url is None or one.delivery_url == url]
        if any(one.status == "active" for one in right):
            continue
        if right:
            broken.append(f"{topic} is {right[0].status}")
        elif ours:
            broken.append(f"{topic} posts to {ours[0].delivery_url}")
        else:
            broken.append(f"{topic} is not there")
    return broken


def _mend(piece: Piece, name: str, url: str | None, secret: str) -> tuple[bool, str]:
    """True if all is right now; else why not, in a sentence with what to do."""
    by_hand = f"Run: qbwoo store connect {name}"
    if url is None:
        return (
            False,
            f"They are not mended by themselves, since QBWOO_PUBLIC_URL is not set. {by_hand} --url https://...",
        )
    report = ConnectReport()
    proof = prove_endpoint(report, url, secret)
    if proof is not Proof.GOOD:
        return (
            False,
            f"They were not touched, since it is not proven that they would arrive: {_bad(report)} {by_hand}",
        )
    mend_webhooks(report, piece.client, url, secret, name)
    return report.ok, _bad(report)


def _bad(report: ConnectReport) -> str:
    return " ".join(line.text for line in report.lines if not line.ok)


def _tell(found: Found) -> str:
    if found.get("well"):
        return "All webhooks are active."
    return f"{counted(found.get('mended', 0) + found.get('broken', 0), 'webhook')} not as they must be."


WEBHOOK_WATCH = Job(
    name=NAME,
    title="Webhooks of the shop",
    when=every("catch_up.webhooks_minutes"),
    step=_step,
    tell=_tell,
)
