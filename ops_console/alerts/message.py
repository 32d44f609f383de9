"""What a message about alerts says: the same facts as text for people and as JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from ops_console.logging import redact
from queue_store.models import Alert

#: So many of a sort are written out, whatever has come up; the rest is counted.
_MOST = 25
_LONGEST = 600
_LONGEST_SUBJECT = 120
#: What is told of alerts, with the words before them.
_PARTS = (("opened", "New"), ("open", "Still so"), ("closed", "Over"))
_REST = "What is open now: qbwoo alert list"


@dataclass(frozen=True, slots=True)
class Message:
    """One message, ready for any channel."""

    #: The same at each try, so that a mail program knows it again.
    id: int
    company: str
    subject: str
    text: str
    #: As it is posted, but for `text`.
    facts: Mapping[str, Any]
    made_at: datetime

    def as_json(self) -> bytes:
        """UTF-8: id, company, subject, text, and lists of alerts: opened, open (told again), closed."""
        facts = {"id": str(self.id), "company": self.company, "subject": self.subject, "text": self.text}
        return json.dumps({**facts, **self.facts}, ensure_ascii=False).encode()


def compose(
    message_id: int,
    company: str,
    told: Mapping[str, Sequence[Alert]],
    made_at: datetime,
    zone: tzinfo | None = None,
) -> Message:
    """The message that tells of these alerts, under "opened", "open" and "closed"."""
    lines: list[str] = []
    for what, title in _PARTS:
        alerts = told.get(what, ())
        if alerts:
            lines += [f"{title}:", *(f"- {_line(what, alert, zone)}" for alert in alerts[:_MOST])]
            if len(alerts) > _MOST:
                lines.append(f"- and {len(alerts) - _MOST} more")
            lines.append("")
    counts = {what: len(told.get(what, ())) for what, _ in _PARTS}
    return Message(
        id=message_id,
        company=company,
        subject=_subject(company, told, counts),
        text="\n".join([*lines, _REST, ""]),
        facts={what: [_facts(alert) for alert in told.get(what, ())[:_MOST]] for what, _ in _PARTS}
        | {"counts": counts},
        made_at=made_at,
    )


def trial(company: str, now: datetime) -> Message:
    """A message that tells of nothing, to see whether it arrives."""
    text = f"This is a test of the alerts of company {company}. Nothing has happened, and nothing is to be done.\n"
    facts = {"opened": [], "open": [], "closed": [], "counts": dict.fromkeys(("opened", "open", "closed"), 0)}
    return Message(0, company, f"[qbwoo] {company}: a test", text, {**facts, "test": True}, now)


def _subject(company: str, told: Mapping[str, Sequence[Alert]], counts: Mapping[str, int]) -> str:
    words = [
        f"{number} {word}"
        for number, word in (
            (counts["opened"], "new"),
            (counts["open"], "still so"),
            (counts["closed"], "over"),
        )
        if number
    ]
    start = f"[qbwoo] {company}: "
    if sum(counts.values()) == 1:
        (what, alerts), *_ = ((what, alerts) for what, alerts in told.items() if alerts)
        before = {"opened": "", "open": "still: ", "closed": "over: "}[what]
        return _short(start + before + _clean(alerts[0].sentence), _LONGEST_SUBJECT)
    return _short(start + ", ".join(words), _LONGEST_SUBJECT)


def _line(what: str, alert: Alert, zone: tzinfo | None) -> str:
    sentence = _short(_clean(alert.sentence), _LONGEST)
    since = _clock(alert.opened_at, zone)
    if alert.closed_at is not None:
        return f"{sentence} (It was so from {since} to {_clock(alert.closed_at, zone)}.)"
    return sentence if what == "opened" else f"{sentence} (Seen since {since}.)"


def _facts(alert: Alert) -> dict[str, Any]:
    return {
        "cause": alert.cause,
        "topic": alert.topic,
        "sentence": _short(_clean(alert.sentence), _LONGEST),
        "opened_at": _iso(alert.opened_at),
        "closed_at": _iso(alert.closed_at),
    }


def _clean(text: str) -> str:
    """One line: what a shop has sent must not look like a line of ours, nor like a header."""
    return redact(" ".join("".join(one if one.isprintable() else " " for one in text).split()))


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 3].rstrip() + "..."


def _clock(moment: datetime, zone: tzinfo | None) -> str:
    return f"{moment.astimezone(zone or UTC):%Y-%m-%d %H:%M %Z}"


def _iso(moment: datetime | None) -> str | None:
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ") if moment else None


def by_what(told: Mapping[str, Iterable[int]], known: Mapping[int, Alert]) -> dict[str, list[Alert]]:
    """The alerts of a message; those that were forgotten meanwhile are left out."""
    return {what: [known[one] for one in ids if one in known] for what, ids in told.items()}
