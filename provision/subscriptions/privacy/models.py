"""The tables of what was forgotten, what is kept apart, and who looked at it."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT
from provision.database import Base


class Erasure(Base):
    """That a subscriber was erased: who did it, when, why. Only added to; it names nobody."""

    __tablename__ = "erasure"
    __table_args__ = STRICT

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), primary_key=True)
    erased_on: Mapped[date] = mapped_column(DAY)
    actor: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)


class ArchivedIdentity(Base):
    """An identity that documents still need after its person was erased (see `archive`).

    `identity_id` is the number that the documents have; what it says lies among the sealed
    secrets of the registry.
    """

    __tablename__ = "archived_identity"
    __table_args__ = STRICT

    identity_id: Mapped[int] = mapped_column(primary_key=True)
    recorded_on: Mapped[date] = mapped_column(DAY)
    archived_on: Mapped[date] = mapped_column(DAY)


class ArchiveAccess(Base):
    """Who looked into the archive, when (UTC, ISO 8601), for which document, why. Only added to."""

    __tablename__ = "archive_access"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    identity_id: Mapped[int]
    document: Mapped[str] = mapped_column(Text)
    looked_at: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text)


class Purged(Base):
    """What went by a retention rule: the kind and the number of the row, never what it said.

    `counted_from` is the day from which the rule counted. Only added to.
    """

    __tablename__ = "purged"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    purged_on: Mapped[date] = mapped_column(DAY)
    rule: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    key: Mapped[str] = mapped_column(Text)
    counted_from: Mapped[date] = mapped_column(DAY)
