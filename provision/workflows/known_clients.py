"""Whom a list is about: subscribers, mandates and subscriptions that are there, read once."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

from sqlalchemy import select
from sqlalchemy.orm import selectinload

from provision.errors import WordRefused
from provision.formats.codes.countries import plain
from provision.languages import spoken
from provision.registry.models import Subscriber
from provision.subscriptions.parties import identities, people
from provision.subscriptions.parties.identities import Person
from provision.subscriptions.parties.models import Identity, PersonReference
from provision.subscriptions.payments import mandates
from provision.subscriptions.selling.models import Subscription

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.formats.clients.lines import ClientLine, MandateWords
    from provision.subscriptions.payments.models import MandateRow

LIST = "See: paquet subscriber list"
IN_COLUMN = "Give the number of the one who is meant, in a column paquet_number."


class KnownClients:
    """Who is there before a list is brought in; no line of it is about somebody of another line."""

    def __init__(self, session: Session, organisation_id: int) -> None:
        self.numbers: dict[int, Subscriber] = {}
        self.emails: dict[str, Subscriber] = {}
        self.names: dict[str, list[Subscriber]] = defaultdict(list)
        for subscriber in session.scalars(select(Subscriber).order_by(Subscriber.id)):
            if not people.is_erased(subscriber):
                self.numbers[subscriber.id] = self.emails[subscriber.email] = subscriber
                self.names[plain(subscriber.name)].append(subscriber)
        self.emails.pop("", None)
        self.identities: dict[int, str] = {
            row.subscriber_id: row.content
            for row in session.execute(
                select(Identity.subscriber_id, Identity.content).order_by(Identity.id)
            )
        }
        self.in_books = set(session.scalars(select(PersonReference.subscriber_id)))
        rows = mandates.everyone(session, organisation_id)
        self.references = {row.reference: row for row in rows}
        self.mandates_of: dict[int, list[MandateRow]] = defaultdict(list)
        for row in rows:
            self.mandates_of[row.subscriber_id].append(row)
        self.subscriptions_of: dict[int, list[Subscription]] = defaultdict(list)
        for subscription in session.scalars(
            select(Subscription)
            .where(Subscription.seller_id == organisation_id)
            .options(selectinload(Subscription.versions))
        ):
            self.subscriptions_of[subscription.subscriber_id].append(subscription)

    def subscriber(self, line: ClientLine) -> Subscriber | None:
        """Return who a line is about, or None for somebody new; raise UsageRefused where unclear.

        The number counts before the e-mail address, that before the reference of a mandate; without
        any of them, the name with the postcode.
        """
        row = self.references.get(line.mandate.reference) if line.mandate else None
        if line.number is not None:
            subscriber: Subscriber | None = self._numbered(line, line.number)
        elif line.email in self.emails:
            subscriber = self.emails[line.email]
        elif row is not None:
            subscriber = self._granted(line, row)
        else:
            subscriber = self._called(line)
        if row is not None and (subscriber is None or subscriber.id != row.subscriber_id):
            raise WordRefused(
                "reference",
                f"The mandate {row.reference} is of somebody else, subscriber {row.subscriber_id}",
                "Correct the reference, or give the right number in a column paquet_number.",
            )
        return subscriber

    def mandate(self, words: MandateWords, subscriber: Subscriber) -> MandateRow | None:
        """Return the mandate that a line tells of, ended or not, if it is there."""
        if words.reference:
            return self.references.get(words.reference)
        account = (words.iban, words.signed_on)
        return next(
            (
                row
                for row in reversed(self.mandates_of[subscriber.id])
                if (row.iban, row.signed_on) == account or row.ended_on is None
            ),
            None,
        )

    def in_force(self, subscriber: Subscriber) -> MandateRow | None:
        """Return the mandate of a subscriber that has not ended, if there is one."""
        rows = self.mandates_of[subscriber.id]
        return next((row for row in rows if row.ended_on is None), None)

    def person(self, subscriber: Subscriber) -> Person:
        """Return what documents say of a subscriber who is there."""
        content = self.identities.get(subscriber.id)
        known = identities.parse(content) if content else Person(name=subscriber.name)
        told = {"email": subscriber.email, "language": spoken(subscriber.language)}
        return known.model_copy(update=told)

    def _numbered(self, line: ClientLine, number: int) -> Subscriber:
        subscriber = self.numbers.get(number)
        if subscriber is None:
            raise WordRefused("paquet_number", f"There is no subscriber {number}", LIST)
        other = self.emails.get(line.email)
        if other is not None and other is not subscriber:
            raise WordRefused("email", f"Subscriber {other.id} has this e-mail address", IN_COLUMN)
        same_email = not line.email or line.email == subscriber.email
        if (
            line.name
            and plain(line.name) != plain(subscriber.name)
            and not (line.email and same_email)
        ):
            raise WordRefused(
                "paquet_number",
                f"Subscriber {number} is called otherwise, and has not this e-mail address",
                "Look whether it is the same person; if so, mend it by hand: "
                f"paquet subscriber change {number}",
            )
        return subscriber

    def _granted(self, line: ClientLine, row: MandateRow) -> Subscriber | None:
        """Return whose mandate it is, unless the line names somebody else, or they were erased."""
        subscriber = self.numbers.get(row.subscriber_id)
        if subscriber and line.name and plain(line.name) != plain(subscriber.name):
            return None
        return subscriber

    def _called(self, line: ClientLine) -> Subscriber | None:
        """Return who has this name and postcode, and no other e-mail address, if one has."""
        postcode = line.said.get("postcode", "")
        same = [
            subscriber
            for subscriber in self.names.get(plain(line.name), ())
            if not (line.email and subscriber.email)
            and (not postcode or _postcode(self.person(subscriber)) in ("", postcode))
        ]
        if len(same) > 1:  # of one name and postcode, the one of the same street
            same = [
                subscriber
                for subscriber in same
                if (address := self.person(subscriber).address)
                and address.lines == line.said.get("lines")
            ] or same
        if len(same) > 1:
            numbers = ", ".join(str(subscriber.id) for subscriber in same)
            raise WordRefused("name", f"Several are called so: subscribers {numbers}", IN_COLUMN)
        return same[0] if same else None


def _postcode(person: Person) -> str:
    return person.address.postcode if person.address else ""
