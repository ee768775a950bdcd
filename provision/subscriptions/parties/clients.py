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


def otherwise(
    subscriber: Subscriber, known: Person, called: Called, said: Mapping[str, object]
) -> Person | None:
    """Return who somebody is from now on, or None where all of it is known; writes nothing.

    Who is called otherwise is so on documents, too, unless they had a name of their own there.
    """
    name = subscriber.name if called.name is None else edges.person_name(called.name)
    if known.name == subscriber.name:
        said = {"name": name, **said}
    email = known.email
    if called.email is not None:
        email = edges.email(called.email) if called.email else ""
    person = identities.changed(known.model_copy(update={"email": email}), said)
    return None if (person, name) == (known, subscriber.name) else person


def mend(
    session: Session,
    subscriber: Subscriber,
    called: Called,
    said: Mapping[str, object],
    when: tuple[date, Told],
) -> list[Difference]:
    """Write down what is known otherwise from now on (see `otherwise`), and return it."""
    today, told = when
    before = identities.read(identities.ensure(session, subscriber, today))
    person = otherwise(subscriber, before, called, said)
    if person is None:
        return []
    known = described(subscriber, before)
    if person.email != subscriber.email:
        subscriber.email = subscribers.free(session, person.email) if person.email else ""
    subscriber.name = edges.person_name(called.name or subscriber.name)
    session.flush()
    identities.write(session, subscriber, person, today)
    differences = [
        Difference(what, known[what], now)
        for what, now in described(subscriber, person).items()
        if now != known[what]
    ]
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
        "vies_consultation": person.vies_consultation,
        "vies_date": person.vies_date,
        "order_reference": person.order_reference,
        "street": ", ".join(address.lines) if address else "",
        "postcode": address.postcode if address else "",
        "city": address.city if address else "",
        "country": address.country if address else "",
    }
