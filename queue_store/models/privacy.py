"""Who asked to be erased: told by a digest, never by name."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import ForeignKey, Index, String, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column

from queue_store.ids import new_id
from queue_store.models.base import Base, utc_now


class Erasure(Base):
    """A person of whom nothing is kept any more, nor taken in again of what was before `asked_at`."""

    __tablename__ = "erasures"
    __table_args__ = (UniqueConstraint("company_id", "digest"),)

    id: Mapped[int] = mapped_column(primary_key=True, default=new_id, autoincrement=False)
    company_id: Mapped[int] = mapped_column(ForeignKey("companies.id"))
    #: Of the e-mail address, see `queue_store.erasures.email_digest`.
    digest: Mapped[str] = mapped_column(String(64))
    asked_by: Mapped[str] = mapped_column(String(64), default="")
    asked_at: Mapped[datetime] = mapped_column(default=utc_now)
    #: When an order placed later came in: the person is a customer again, as anybody.
    returned_at: Mapped[datetime | None]
    #: When nothing was left; None: something still is on its way, see `ErasureRest`.
    finished_at: Mapped[datetime | None]


class ErasureRest(Base):
    """An activity that was open when its person was erased: erased too as soon as it is over."""

    __tablename__ = "erasure_rests"
    __table_args__ = (Index(None, "activity_id"),)

    erasure_id: Mapped[int] = mapped_column(ForeignKey("erasures.id"), primary_key=True, autoincrement=False)
    activity_id: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
