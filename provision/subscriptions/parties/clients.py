"""Subscribers written down and mended, by hand or from a list: here and on documents alike."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision import edges
from provision.errors import UsageRefused
from provision.registry import states, subscribers
from provision.subscriptions.parties import identities

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.states import Told
    from provision.subscriptions.parties.identities import Person


WRITTEN = "written down"


@dataclass(frozen=True)
class Called:
    """How somebody is called here; None stays as it is, and '' says that there is no address."""

    name: str | None = None
    email: str | None = None


@dataclass(frozen=True)
class Difference:
    """What was known of a subscriber, and what is from now on."""

    what: str
    old: str
    new: str


def enrol(
    session: Session, called: Called, said: Mapping[str, object], when: tuple[date, Told]
) -> Subscriber:
    """Write somebody new down; `said` is what `identities.changed` takes, with a language."""
    today, told = when
    subscriber, person = new(called, said, told)
    if subscriber.email:
        subscribers.free(session, subscriber.email)
    session.add(subscriber)
    session.flush()
    identities.write(session, subscriber, person, today)
    states.record(session, f"subscriber:{subscriber.id}", WRITTEN, told)
    return subscriber


def new(called: Called, said: Mapping[str, object], told: Told) -> tuple[Subscriber, Person]:
    """Return the row of somebody new, whose address nobody has, and who that is on documents."""
    if called.name is None:
        raise UsageRefused("A subscriber who is new has no name yet", "Give a name.")
    language = str(said["language"])
    subscriber = subscribers.new(called.name, called.email or "", language=language, told=told)
    person = identities.Person(name=subscriber.name, email=subscriber.email)
    return subscriber, identities.changed(person, said)


def is_known(
    subscriber: Subscriber, person: Person, called: Called, said: Mapping[str, object]
) -> bool:
    """Tell whether all that is said of somebody is known already; raise as `mend` would."""
    same = called.name in (None, subscriber.name) and called.email in (None, subscriber.email)
    return same and identities.changed(person, said) == person


def mend(
    session: Session,
    subscriber: Subscriber,
    called: Called,
    said: Mapping[str, object],
    when: tuple[date, Told],
) -> list[Difference]:
    """Write down what is known otherwise from now on, and return it; documents of before stay.

    Who is called otherwise is so on documents, too, unless they had a name of their own there.
    """
    today, told = when
    before = identities.read(identities.ensure(session, subscriber, today))
    known = described(subscriber, before)
    if called.name is not None:
        name = edges.person_name(called.name)
        if before.name == subscriber.name:
            said = {"name": name, **said}
        subscriber.name = name
    if called.email is not None and called.email.strip().lower() != subscriber.email:
        subscriber.email = subscribers.free(session, called.email) if called.email else ""
    session.flush()
    there = before.model_copy(update={"email": subscriber.email})
    person = identities.changed(there, said) if said else there
    if person != before:
        identities.write(session, subscriber, person, today)
    differences = [
        Difference(what, known[what], now)
        for what, now in described(subscriber, person).items()
        if now != known[what]
    ]
    if differences:
        changed = ", ".join(difference.what for difference in differences)
        states.record(session, f"subscriber:{subscriber.id}", f"changed: {changed}", told)
    return differences


def described(subscriber: Subscriber, person: Person) -> dict[str, str]:
    """Return what is known of somebody as texts; '' is not known, or not needed."""
    address = person.address
    return {
        "name": subscriber.name,
        "invoice_name": "" if person.name == subscriber.name else person.name,
        "email": subscriber.email,
        "language": person.language,
        "kind": person.kind,
        "siren": person.siren,
        "vat_id": person.vat_id,
        "order_reference": person.order_reference,
        "street": ", ".join(address.lines) if address else "",
        "postcode": address.postcode if address else "",
        "city": address.city if address else "",
        "country": address.country if address else "",
    }
