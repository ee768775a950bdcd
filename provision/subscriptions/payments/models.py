"""The tables of mandates, collections, bank statements and reminders.

All but mandates are only added to. A mandate holds a person's account: it can be erased, and every
change of it is an event.
"""

from __future__ import annotations

from datetime import date

from sqlalchemy import ForeignKey, Text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from provision.columns import DAY, STRICT, UNITS
from provision.database import Base
from provision.registry.models import Subscriber
from provision.subscriptions.documents.models import DocumentKey
from provision.subscriptions.ledger.models import Entered


class MandateRow(Base):
    """Whose account an organisation may debit; `reference` is the RUM.

    `notice_days` is how long before a debit it is announced. `collected_before` is the last debit
    that another program collected under it.
    """

    __tablename__ = "mandate"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    reference: Mapped[str] = mapped_column(Text)
    creditor_identifier: Mapped[str] = mapped_column(Text)
    holder: Mapped[str] = mapped_column(Text)
    street: Mapped[str] = mapped_column(Text, default="")
    postcode: Mapped[str] = mapped_column(Text, default="")
    town: Mapped[str] = mapped_column(Text, default="")
    country: Mapped[str] = mapped_column(Text, default="FR")
    iban: Mapped[str] = mapped_column(Text, default="")
    bic: Mapped[str] = mapped_column(Text, default="")
    notice_days: Mapped[int] = mapped_column(default=14)
    signed_on: Mapped[date | None] = mapped_column(DAY)
    collected_before: Mapped[date | None] = mapped_column(DAY)
    ended_on: Mapped[date | None] = mapped_column(DAY)
    ended_why: Mapped[str] = mapped_column(Text, default="")

    subscriber: Mapped[Subscriber] = relationship()


class Collection(Base):
    """Debits that go to the bank together; `made_at` is the local time that their files say.

    `creditor` is a `debits.Creditor` as JSON.
    """

    __tablename__ = "collection"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"), primary_key=True)
    number: Mapped[int] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(Text)
    collect_on: Mapped[date] = mapped_column(DAY)
    made_at: Mapped[str] = mapped_column(Text)
    message_schema: Mapped[str] = mapped_column(Text)
    creditor: Mapped[str] = mapped_column(Text)


class CollectionItem(Base):
    """What was open on an invoice, collected under a mandate, in a file of its collection.

    `debit` names the debit in which the bank has it with others of the mandate; '' is one alone.
    """

    __tablename__ = "collection_item"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    end_to_end: Mapped[str] = mapped_column(Text)
    debit: Mapped[str] = mapped_column(Text, default="")
    series: Mapped[str] = mapped_column(Text)
    invoice: Mapped[int]
    units: Mapped[int] = mapped_column(UNITS)
    mandate_id: Mapped[int] = mapped_column(ForeignKey("mandate.id"))
    file: Mapped[int]
    announced_on: Mapped[date] = mapped_column(DAY)

    @property
    def reference(self) -> str:
        """The EndToEndId by which the bank knows the debit that this is in."""
        return self.debit or self.end_to_end


class CollectionFile(Base):
    """A file for the bank: `digest` is the SHA-256 of its bytes, `message_id` names the batch."""

    __tablename__ = "collection_file"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(primary_key=True)
    collection: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    message_id: Mapped[str] = mapped_column(Text)
    count: Mapped[int]
    units: Mapped[int] = mapped_column(UNITS)
    digest: Mapped[str] = mapped_column(Text)


class CollectionAnswer(Base):
    """What the bank made of a debit: first 'paid' or 'refused'; one that was paid may 'return'."""

    __tablename__ = "collection_answer"
    __table_args__ = STRICT

    organisation_id: Mapped[int] = mapped_column(primary_key=True)
    end_to_end: Mapped[str] = mapped_column(Text, primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text, default="")
    entry_number: Mapped[int | None]
    answered_on: Mapped[date] = mapped_column(DAY)


class BankStatement(Base):
    """A statement of one account, as `bank.statements.Statement` has it."""

    __tablename__ = "bank_statement"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    account: Mapped[str] = mapped_column(Text)
    number: Mapped[str] = mapped_column(Text)
    opened_on: Mapped[date] = mapped_column(DAY)
    closed_on: Mapped[date] = mapped_column(DAY)
    opening: Mapped[int] = mapped_column(UNITS)
    closing: Mapped[int] = mapped_column(UNITS)
    digest: Mapped[str] = mapped_column(Text)
    imported_on: Mapped[date] = mapped_column(DAY)


class BankMovement(Base):
    """One booked entry; `content` is all that the bank said of it, as JSON."""

    __tablename__ = "bank_movement"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    statement_id: Mapped[int] = mapped_column(ForeignKey("bank_statement.id"))
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    position: Mapped[int]
    key: Mapped[str] = mapped_column(Text)
    booked_on: Mapped[date] = mapped_column(DAY)
    units: Mapped[int] = mapped_column(UNITS)
    content: Mapped[str] = mapped_column(Text)


PARKED = "parked"  # the kind of a booking that explains nothing yet


class MovementBooking(Entered, Base):
    """What a movement was booked as. One that was 'parked' may be explained by a second row."""

    __tablename__ = "movement_booking"
    __table_args__ = STRICT

    movement_id: Mapped[int] = mapped_column(ForeignKey("bank_movement.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    kind: Mapped[str] = mapped_column(Text)
    why: Mapped[str] = mapped_column(Text, default="")
    booked_on: Mapped[date] = mapped_column(DAY)


class DunningStep(DocumentKey, Base):
    """That an open invoice reached a step; `letter` is the SHA-256 of what was written."""

    __tablename__ = "dunning_step"
    __table_args__ = STRICT

    position: Mapped[int] = mapped_column(primary_key=True)
    step: Mapped[str] = mapped_column(Text)
    reached_on: Mapped[date] = mapped_column(DAY)
    letter: Mapped[str] = mapped_column(Text, default="")
    actor: Mapped[str] = mapped_column(Text)


class DunningPause(Base):
    """Days on which a subscriber is left in peace, to `last_day` with it, and why."""

    __tablename__ = "dunning_pause"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    first_day: Mapped[date] = mapped_column(DAY)
    last_day: Mapped[date | None] = mapped_column(DAY)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    recorded_on: Mapped[date] = mapped_column(DAY)


class DunningResume(Base):
    """That a pause ended on the day before `from_day`."""

    __tablename__ = "dunning_resume"
    __table_args__ = STRICT

    pause_id: Mapped[int] = mapped_column(ForeignKey("dunning_pause.id"), primary_key=True)
    from_day: Mapped[date] = mapped_column(DAY)
    actor: Mapped[str] = mapped_column(Text)


class DunningMark(Base):
    """What is known of a subscriber who does not pay; the newest row counts."""

    __tablename__ = "dunning_mark"
    __table_args__ = STRICT

    id: Mapped[int] = mapped_column(primary_key=True)
    organisation_id: Mapped[int] = mapped_column(ForeignKey("organisation.id"))
    subscriber_id: Mapped[int] = mapped_column(ForeignKey("subscriber.id"))
    mark: Mapped[str] = mapped_column(Text)
    reason: Mapped[str] = mapped_column(Text)
    actor: Mapped[str] = mapped_column(Text)
    marked_on: Mapped[date] = mapped_column(DAY)
