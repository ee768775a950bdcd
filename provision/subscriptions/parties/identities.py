"""Who a subscriber is on a document: name, address, numbers. A change is a new row."""

from __future__ import annotations

import re
from datetime import date
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import Field, ValidationError
from sqlalchemy import select

from provision.days import sensible_day
from provision.errors import UsageRefused, WordRefused
from provision.formats.codes import business_numbers, countries
from provision.formats.facturx import texts
from provision.languages import Language, spoken  # noqa: TC001 (pydantic reads it)
from provision.strict import Table
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.parties.profiles import Address, Line, MaybeEmail  # noqa: TC001 (pydantic reads it)

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber

KINDS = ("person", "company", "non-profit")


class Person(Table):
    """A subscriber as documents name it; a person may keep the address to themselves.

    Without an e-mail address `email` is ''.

    `vies_consultation` is what VIES answered on `vies_date` to who asked whether `vat_id` is in
    force, naming a number of their own: the evidence for an invoice without VAT.
    """

    name: Line
    email: MaybeEmail = ""
    kind: Literal["person", "company", "non-profit"] = "person"
    siren: str = ""
    vat_id: str = ""
    vies_consultation: str = ""
    vies_date: str = Field(default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$")
    order_reference: str = ""
    language: Language = "fr"
    address: Address | None = None


PERSON = Person.model_fields.keys() - {"email"}
EVIDENCE = ("vies_consultation", "vies_date")
CONSULTATION = re.compile(r"[A-Za-z0-9]{8,40}")  # such as WAPIAAAAWbpWT9mN
ADDRESS = Address.model_fields.keys()


def changed(known: Person, said: Mapping[str, object]) -> Person:
    """Return `known` with what is said of it; what is not said stays, in an address too.

    `said` has fields of a `Person` and of an `Address`, as somebody typed them. A company becomes a
    private person only when that is said, and loses its numbers then. Raises UsageRefused for the
    first mistake.
    """
    fields = known.model_dump() | {name: said[name] for name in said.keys() & PERSON}
    if said.get("kind") == "person":
        fields |= {name: said.get(name, "") for name in ("siren", "vat_id")}
    if _vat_id(str(fields["vat_id"])) != known.vat_id:
        fields |= {name: said.get(name, "") for name in EVIDENCE}
    place = {name: said[name] for name in said.keys() & ADDRESS}
    if "country" in place:
        place["country"] = countries.code(str(place["country"]))
    if place:
        there = known.address.model_dump() if known.address else {}
        if not there and "lines" not in place:
            raise WordRefused("street", "An address begins with a street", "Give --street, too.")
        fields["address"] = there | place
    try:
        return _checked(Person.model_validate(fields, strict=False))
    except ValidationError as wrong:
        error = wrong.errors(include_url=False)[0]
        where = ", ".join(str(step) for step in error["loc"])
        word = next(str(step) for step in error["loc"] if step != "address")
        raise WordRefused(
            "street" if word == "lines" else word,
            f"{where}: {error['msg'].removeprefix('Value error, ')}",
            "Give it once more.",
        ) from None


def current(session: Session, subscriber_id: int) -> Identity | None:
    """Return what is known of the subscriber now."""
    return session.scalar(
        select(Identity)
        .where(Identity.subscriber_id == subscriber_id)
        .order_by(Identity.id.desc())
        .limit(1)
    )


def read(identity: Identity) -> Person:
    """Return the person of a row."""
    return parse(identity.content)


@lru_cache(maxsize=4_096)
def parse(content: str) -> Person:
    """Return the person that a row's content says; lists read the same ones again and again."""
    return Person.model_validate_json(content, strict=False)


def ensure(session: Session, subscriber: Subscriber, today: date) -> Identity:
    """Return what is known of the subscriber; name and e-mail address are known always.

    Before people could say their language here, French was written for everybody.
    """
    there = current(session, subscriber.id)
    language = spoken(subscriber.language)
    if there is None:
        known = Person(name=subscriber.name, email=subscriber.email, language=language)
    else:
        before = read(there)
        known = before.model_copy(update={"language": language, "email": subscriber.email})
        if known == before:
            return there
    return _keep(session, subscriber, known, today)


def learn(
    session: Session, subscriber: Subscriber, said: Mapping[str, object], today: date
) -> Identity:
    """Write down what is said of a subscriber (see `changed`); the rest stays as it is known."""
    known = ensure(session, subscriber, today)
    if not said:
        return known
    return write(session, subscriber, changed(read(known), said), today)


def write(session: Session, subscriber: Subscriber, person: Person, today: date) -> Identity:
    """Write what is known from now on, or return the row that says the same already.

    The subscriber speaks the language that is said here, so that lines and letters do, too.
    """
    person = _checked(person)
    subscriber.language = person.language
    there = current(session, subscriber.id)
    if there is not None and read(there) == person:
        return there
    if person.vies_date and date.fromisoformat(person.vies_date) > today:
        raise UsageRefused(f"{person.vies_date} is still to come", "Say when VIES was asked.")
    return _keep(session, subscriber, person, today)


def _keep(session: Session, subscriber: Subscriber, person: Person, today: date) -> Identity:
    identity = new(subscriber, person, today)
    session.add(identity)
    session.flush()
    return identity


def new(subscriber: Subscriber, person: Person, today: date) -> Identity:
    """Return the row of who somebody is from now on (see `changed`); the caller adds it."""
    return Identity(
        subscriber_id=subscriber.id, recorded_on=today, content=person.model_dump_json()
    )


def _checked(person: Person) -> Person:
    """Return the person with each number and the postcode in their one way of writing."""
    texts.check_line(person.order_reference, "order reference")
    numbers = {
        "siren": business_numbers.siren(person.siren) if person.siren else "",
        "vat_id": _vat_id(person.vat_id),
    }
    business_numbers.check_together(numbers["siren"], numbers["vat_id"])
    _check_evidence(person)
    if person.kind == "person" and any(numbers.values()):
        raise WordRefused(
            "kind",
            f"A private person such as {person.name} has neither a SIREN nor a VAT number",
            "Say what it is: a company or a non-profit (--kind).",
        )
    if person.kind != "person" and person.address is None:
        raise WordRefused(
            "street",
            f"The invoices of {person.name} need its address",
            "Give street, postcode and city.",
        )
    return person.model_copy(update={**numbers, "address": _address(person.address)})


def _vat_id(typed: str) -> str:
    return business_numbers.vat_id(typed) if typed else ""


def _check_evidence(person: Person) -> None:
    """Raise UsageRefused unless the check of a VAT number is told whole, or not at all."""
    number, day = person.vies_consultation, person.vies_date
    if not number and not day:
        return
    if not (number and day and person.vat_id):
        raise UsageRefused(
            "The check of a VAT number is only half told",
            "Give all three: --vat-id, --vies-consultation and --vies-date.",
        )
    if not CONSULTATION.fullmatch(number):
        raise UsageRefused(
            f"{number[:40]!a} is not a consultation number of VIES",
            "VIES gives one to who names a VAT number of their own: 16 letters and digits.",
        )
    try:
        sensible_day(date.fromisoformat(day), "the day of a check with VIES")
    except ValueError:
        raise UsageRefused(f"{day} is not a day", "Write it like 2026-01-31.") from None


def _address(address: Address | None) -> Address | None:
    if address is None:
        return None
    country = countries.code(address.country)
    postcode = business_numbers.postcode(address.postcode, country)
    return address.model_copy(update={"postcode": postcode, "country": country})
