"""The tables of the post: letters with what is enclosed, who gets none, what was read and seen."""

from __future__ import annotations

from datetime import date, datetime

from sqlalchemy import ForeignKey, LargeBinary, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.columns import DAY, MOMENT, STRICT, UNITS
from provision.database import Base


class LetterEnclosure(Base):
    """A file that goes with a letter: its bytes, or the `reference` from which it is made again."""

    __tablename__ = "letter_enclosure"
    __table_args__ = STRICT

    letter_id: Mapped[int] = mapped_column(ForeignKey("letter.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    name: Mapped[str] = mapped_column(Text)
    reference: Mapped[str] = mapped_column(Text, default="")
    content: Mapped[bytes | None] = mapped_column(LargeBinary)


class Letter(Base):
    """One letter to one person about one matter; its `key` is used once, and for ever.

    Without `email` it goes on paper, to `address` (lines). `about` names what must still be open
    when it leaves. `html` may be empty: then it is made of the text. `message` is the last answer,
    `bounce` the status (RFC 3463) with which it came back, `gone` the address that does not exist,
    as that showed. What is `urgent` (1) leaves before all else (0). `told_at` is when the operator
    heard that it is held. Who was forgotten has no words here.
    """

    __tablename__ = "letter"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text, unique=True)
    kind: Mapped[str] = mapped_column(Text)
    written_on: Mapped[date] = mapped_column(DAY)
    organisation_id: Mapped[int | None] = mapped_column(ForeignKey("organisation.id"))
    subscriber_id: Mapped[int | None] = mapped_column(ForeignKey("subscriber.id"))
    language: Mapped[str] = mapped_column(Text)
    from_name: Mapped[str] = mapped_column(Text)
    from_address: Mapped[str] = mapped_column(Text, default="")
    reply_to: Mapped[str] = mapped_column(Text, default="")
    to_name: Mapped[str] = mapped_column(Text)
    email: Mapped[str | None] = mapped_column(Text)
    address: Mapped[str] = mapped_column(Text, default="")
    postcode: Mapped[str] = mapped_column(Text, default="")
    subject: Mapped[str] = mapped_column(Text)
    text: Mapped[str] = mapped_column(Text)
    html: Mapped[str] = mapped_column(Text, default="")
    about: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(Text)
    tries: Mapped[int] = mapped_column(default=0)
    next_at: Mapped[datetime | None] = mapped_column(MOMENT)
    began_at: Mapped[datetime | None] = mapped_column(MOMENT)
    sent_at: Mapped[datetime | None] = mapped_column(MOMENT)
    message: Mapped[str] = mapped_column(Text, default="")
    bounce: Mapped[str] = mapped_column(Text, default="")
    message_id: Mapped[str] = mapped_column(Text, default="")
    urgent: Mapped[int] = mapped_column(default=0)
    gone: Mapped[str] = mapped_column(Text, default="")
    told_at: Mapped[datetime | None] = mapped_column(MOMENT)

    enclosures: Mapped[list[LetterEnclosure]] = relationship(
        order_by="LetterEnclosure.position", lazy="selectin", cascade="all, delete-orphan"
    )


class PostPause(Base):
    """That nothing is sent to a subscriber for now, and why."""

    __tablename__ = "post_pause"
    __table_args__ = STRICT

    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    since: Mapped[date] = mapped_column(DAY)


class ReadMailbox(Base):
    """How far a sender's mailbox was read: the last UID while UIDVALIDITY is this (RFC 9051)."""

    __tablename__ = "read_mailbox"
    __table_args__ = STRICT

    address: Mapped[str] = mapped_column(Text, primary_key=True)
    validity: Mapped[int] = mapped_column(UNITS)
    uid: Mapped[int] = mapped_column(UNITS)


class GatheredSeries(Base):
    """How far a series of invoices was looked through for letters: up to `number`.

    It counts only for the day `since` which letters were sent then.
    """

    __tablename__ = "gathered_series"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    series: Mapped[str] = mapped_column(Text, primary_key=True)
    since: Mapped[date] = mapped_column(DAY)
    number: Mapped[int]
