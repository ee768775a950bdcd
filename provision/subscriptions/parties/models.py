"""The tables of organisations, of what their papers say, and of who subscribers are."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column

from provision.columns import DAY, STRICT
from provision.database import Base


class Organisation(Base):
    """An association that supports, or a business that sells; each keeps its own books."""

    __tablename__ = "organisation"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    siren: Mapped[str | None] = mapped_column(Text, unique=True)
    territory: Mapped[str] = mapped_column(Text, default="")


class OrganisationProfile(Base):
    """What an organisation's documents say of it from a day on: a `profiles.Profile` as JSON."""

    __tablename__ = "organisation_profile"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    valid_from: Mapped[date] = mapped_column(DAY, primary_key=True)
    content: Mapped[str] = mapped_column(Text)


class Identity(Base):
    """Name and address of a subscriber as documents need them (an `identities.Person` as JSON).

    A change is a new row: invoices point to the row of their day. Rows are deleted only by the
    purge, when no document needs them any longer.
    """

    __tablename__ = "identity"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    recorded_on: Mapped[date] = mapped_column(DAY)
    content: Mapped[str] = mapped_column(Text)


class PersonReference(Base):
    """Who a reference in the ledger stands for; without this row nobody can tell any more."""

    __tablename__ = "person_reference"
    __table_args__ = STRICT

    reference: Mapped[str] = mapped_column(Text, primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), unique=True)
    salt: Mapped[str] = mapped_column(Text)
