"""The tables of people and bundles. Money has its own, in `subscriptions`.

Relations are loaded with their rows: stories go on with them after the unit of work has ended.
"""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Date, DateTime, ForeignKey, Index, LargeBinary, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.columns import MaybeText
from provision.database import Base

Moment = DateTime(timezone=True)


class Server(Base):
    """A Debian machine of the inventory; `fence` is the number of the last run that we allowed."""

    __tablename__ = "server"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    fence: Mapped[int] = mapped_column(BigInteger, default=0)
    prepared_at: Mapped[datetime | None] = mapped_column(Moment)


class Subscriber(Base):
    """Who pays; `email` is '' where they have none, and is then NULL in the registry."""

    __tablename__ = "subscriber"

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    email: Mapped[str] = mapped_column(MaybeText, unique=True, nullable=True)
    language: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)


class Bundle(Base):
    """The cloud, mail, names and backup of one subscriber, on one server.

    `name` is the Unix user, the PostgreSQL role and the backup login: `b` and 8 of [a-z0-9].
    `quota_bytes` is the room of all its people together that its server was told last.
    `export_until` is the last day on which the owner of a closed one may take everything.
    """

    __tablename__ = "bundle"
    __table_args__ = (
        # A domain is free again once its bundle is erased.
        Index(
            "uq_bundle_domain",
            "domain",
            unique=True,
            sqlite_where=text("state <> 'erased'"),
            postgresql_where=text("state <> 'erased'"),
        ),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text, unique=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    domain: Mapped[str] = mapped_column(Text)
    cloud: Mapped[str] = mapped_column(Text)
    cloud_version: Mapped[str] = mapped_column(Text, default="")
    server: Mapped[str] = mapped_column(ForeignKey("server.name"))
    backup_server: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="active")
    quota_bytes: Mapped[int] = mapped_column(BigInteger)
    dkim_selector: Mapped[str] = mapped_column(Text)
    dkim_public_key: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    export_until: Mapped[date | None] = mapped_column(Date)

    subscriber: Mapped[Subscriber] = relationship(lazy="joined")
    users: Mapped[list[User]] = relationship(
        back_populates="bundle", order_by="User.id", lazy="selectin"
    )


class User(Base):
    """Who logs in, everywhere with the e-mail address.

    `quota_bytes` is what this person may take of the bundle's room; 0: as much as there is.
    """

    __tablename__ = "user"

    id: Mapped[int] = mapped_column(primary_key=True)
    bundle_id: Mapped[int] = mapped_column(ForeignKey("bundle.id"))
    address: Mapped[str] = mapped_column(Text, unique=True)
    display_name: Mapped[str] = mapped_column(Text)
    language: Mapped[str] = mapped_column(Text)
    quota_bytes: Mapped[int] = mapped_column(BigInteger, default=0)

    bundle: Mapped[Bundle] = relationship(back_populates="users", lazy="joined")
    devices: Mapped[list[Device]] = relationship(
        back_populates="user", order_by="Device.created_at", lazy="selectin"
    )


class Device(Base):
    """One phone or computer of a user; its secret is kept only as a SHA-256, in hexadecimal."""

    __tablename__ = "device"

    id: Mapped[str] = mapped_column(Text, primary_key=True)
    user_id: Mapped[int] = mapped_column(ForeignKey("user.id"))
    name: Mapped[str] = mapped_column(Text)
    kind: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="enrolled")
    secret_sha256: Mapped[str] = mapped_column(Text)
    created_at: Mapped[datetime] = mapped_column(Moment)
    revoked_at: Mapped[datetime | None] = mapped_column(Moment)

    user: Mapped[User] = relationship(back_populates="devices", lazy="joined")


class Order(Base):
    """A wish, then its history: what carries it out is its run."""

    __tablename__ = "order"

    id: Mapped[int] = mapped_column(primary_key=True)
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    bundle_id: Mapped[int] = mapped_column(ForeignKey("bundle.id"), unique=True)
    wish: Mapped[dict[str, Any]] = mapped_column(JSON)
    state: Mapped[str] = mapped_column(Text, default="placed")
    placed_at: Mapped[datetime] = mapped_column(Moment)

    subscriber: Mapped[Subscriber] = relationship()
    bundle: Mapped[Bundle] = relationship()


class Run(Base):
    """One long action: asked by somebody, carried out step by step, by one owner at a time.

    `asked` are the words of its `kind`; no secret is among them. `attempt` fences an owner from
    whom another has taken it over: an owner keeps it by its lease, until `lease_until`, and `mark`
    tells the processes of one machine apart. `code` is the release that began it. `server` is the
    one that it holds alone, '' for none. It is not begun before `due_at`.
    """

    __tablename__ = "run"
    __table_args__ = (
        # Asked for twice, it is one.
        Index(
            "uq_run_subject",
            "kind",
            "subject",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'running')"),
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
        Index("ix_run_subject_id", "subject", "id"),
        Index("ix_run_state", "state", "server"),
        Index("ix_run_subscriber_id", "subscriber_id"),
    )

    id: Mapped[int] = mapped_column(primary_key=True)
    kind: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"))
    asked: Mapped[dict[str, Any]] = mapped_column(JSON)
    asked_by: Mapped[str] = mapped_column(Text)
    asked_at: Mapped[datetime] = mapped_column(Moment)
    queue: Mapped[str] = mapped_column(Text)
    server: Mapped[str] = mapped_column(Text)
    priority: Mapped[int]
    state: Mapped[str] = mapped_column(Text, default="waiting")
    attempt: Mapped[int] = mapped_column(default=0)
    tries: Mapped[int] = mapped_column(default=0)
    due_at: Mapped[datetime] = mapped_column(Moment)
    owner: Mapped[str] = mapped_column(Text, default="")
    mark: Mapped[str] = mapped_column(Text, default="")
    lease_until: Mapped[datetime | None] = mapped_column(Moment)
    code: Mapped[str] = mapped_column(Text, default="")
    ends_asked: Mapped[str] = mapped_column(Text, default="")
    message: Mapped[str] = mapped_column(Text, default="")
    hint: Mapped[str] = mapped_column(Text, default="")
    exit_code: Mapped[int] = mapped_column(default=0)
    began_at: Mapped[datetime | None] = mapped_column(Moment)
    ended_at: Mapped[datetime | None] = mapped_column(Moment)

    steps: Mapped[list[RunStep]] = relationship(order_by="RunStep.position")


class RunStep(Base):
    """One step of a run: waiting, running, done or failed; `facts` are what it brought."""

    __tablename__ = "run_step"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    state: Mapped[str] = mapped_column(Text, default="waiting")
    milliseconds: Mapped[int | None]
    message: Mapped[str] = mapped_column(Text, default="")
    facts: Mapped[Any | None] = mapped_column(JSON(none_as_null=True))


class RunLine(Base):
    """What a run told while it was carried out, line by line; no secret is among it."""

    __tablename__ = "run_line"

    run_id: Mapped[int] = mapped_column(ForeignKey("run.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    text: Mapped[str] = mapped_column(Text)


class Schedule(Base):
    """When something is asked for by itself: next, and last with the first run that came of it.

    `times` are those by which `next_at` was counted; '' for `paused_why` is not paused.
    """

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(Text, primary_key=True)
    times: Mapped[str] = mapped_column(Text)
    next_at: Mapped[datetime] = mapped_column(Moment)
    last_at: Mapped[datetime | None] = mapped_column(Moment)
    last_run: Mapped[int | None]
    paused_why: Mapped[str] = mapped_column(Text, default="")


class KnownFinding(Base):
    """Something that a check found wrong, from when to when, and what of it was told when.

    Of several findings of one check on one thing, `place` tells which.
    """

    __tablename__ = "finding"
    __table_args__ = (Index("ix_finding_subject_mended_at", "subject", "mended_at"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    subject: Mapped[str] = mapped_column(Text)
    check: Mapped[str] = mapped_column(Text)
    place: Mapped[int]
    result: Mapped[str] = mapped_column(Text)
    message: Mapped[str] = mapped_column(Text)
    hint: Mapped[str] = mapped_column(Text)
    since: Mapped[datetime] = mapped_column(Moment)
    told_at: Mapped[datetime | None] = mapped_column(Moment)
    mended_at: Mapped[datetime | None] = mapped_column(Moment)
    over_told_at: Mapped[datetime | None] = mapped_column(Moment)


class Event(Base):
    """Who did what to which thing, when and why. Rows are only added."""

    __tablename__ = "event"
    __table_args__ = (Index("ix_event_subject", "subject", "id"),)

    id: Mapped[int] = mapped_column(primary_key=True)
    at: Mapped[datetime] = mapped_column(Moment)
    actor: Mapped[str] = mapped_column(Text)
    subject: Mapped[str] = mapped_column(Text)
    what: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, default="")


class SealedSecret(Base):
    """A secret that the registry must keep, sealed with the key file (see `registry.secrets`)."""

    __tablename__ = "sealed_secret"

    owner: Mapped[str] = mapped_column(Text, primary_key=True)
    name: Mapped[str] = mapped_column(Text, primary_key=True)
    sealed: Mapped[bytes] = mapped_column(LargeBinary)
