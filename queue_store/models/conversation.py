"""The Web Connector's sessions, and each message set with its exact bytes."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, Packed, utc_now


class QbwcSession(Base):
    """One run of the Web Connector, held by its ticket."""

    __tablename__ = "qbwc_sessions"
    __table_args__ = (Index(None, "company_id", "state", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: SHA-256 of the ticket: the ticket itself is the only proof of identity and is never stored.
    ticket_hash: Mapped[str] = mapped_column(String(64), unique=True)
    state: Mapped[str] = mapped_column(String(12))
    address: Mapped[str] = mapped_column(String(64), default="")
    company_file_name: Mapped[str] = mapped_column(String(500), default="")
    #: Activities made later than this are left for the next session, but for follow-ups.
    newest_activity_id: Mapped[int] = mapped_column(default=0)
    #: What was claimable at its start.
    work_at_start: Mapped[int] = mapped_column(default=0)
    settled: Mapped[int] = mapped_column(default=0)
    failed: Mapped[int] = mapped_column(default=0)
    percent: Mapped[int] = mapped_column(default=0)
    #: True once every receipt that may be ours has been read in this session.
    looked_back: Mapped[bool] = mapped_column(default=False)
    #: The read that goes on with the next set: what it is, its iterator, its filters (JSON).
    cursor: Mapped[str | None] = mapped_column(Text)
    connection_errors: Mapped[int] = mapped_column(default=0)
    #: Exchanges handed out so far.
    exchanges: Mapped[int] = mapped_column(default=0)
    #: How many sessions in a row before this one were lost in the middle.
    setbacks: Mapped[int] = mapped_column(default=0)
    #: Exchanges in a row that brought nothing: a session that turns in circles is ended.
    fruitless: Mapped[int] = mapped_column(default=0)
    last_error: Mapped[str] = mapped_column(Text, default="")
    started_at: Mapped[datetime] = mapped_column(default=utc_now)
    last_call_at: Mapped[datetime] = mapped_column(default=utc_now)
    ended_at: Mapped[datetime | None]


class Exchange(Base):
    """A message set with its exact bytes, sent and received."""

    __tablename__ = "exchanges"
    __table_args__ = (
        Index(None, "session_id", "state"),
        Index(None, "company_id", "id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    session_id: Mapped[int] = mapped_column(ForeignKey("qbwc_sessions.id"))
    #: "look back", "look up", "write", "read", "company", "stop".
    purpose: Mapped[str] = mapped_column(String(16))
    state: Mapped[str] = mapped_column(String(12))
    #: The company's turn in which it was handed out, see `Company.turn`.
    turn: Mapped[int] = mapped_column(default=0)
    requests: Mapped[int] = mapped_column(default=0)
    #: Both are large, and read only where somebody asks for them.
    request: Mapped[bytes] = mapped_column(Packed, deferred=True)
    response: Mapped[bytes | None] = mapped_column(Packed, deferred=True)
    hresult: Mapped[str] = mapped_column(String(32), default="")
    message: Mapped[str] = mapped_column(Text, default="")
    #: What the reads in it were for (JSON), by requestID.
    reads: Mapped[str] = mapped_column(Text, default="")
    sent_at: Mapped[datetime] = mapped_column(default=utc_now)
    received_at: Mapped[datetime | None]
