"""Who a subscriber is on a document: name, address, numbers. A change is a new row."""

from __future__ import annotations

from contextlib import contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Literal

from pydantic import ValidationError
from sqlalchemy import select

from provision.errors import UsageRefused
from provision.subscriptions import organisations
from provision.subscriptions.profiles import Address, Email, Line  # noqa: TC001 (pydantic reads it)
from provision.subscriptions.strict import Table
from provision.subscriptions.subscription_models import Identity

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber

KINDS = ("person", "company", "non-profit")


class Person(Table):
    """A subscriber as documents name it; a person may keep the address to themselves."""

    name: Line
    email: Email
    kind: Literal["person", "company", "non-profit"] = "person"
    siren: str = ""
    vat_id: str = ""
    order_reference: str = ""
    language: Literal["fr", "en"] = "fr"
    address: Address | None = None


@contextmanager
def typed() -> Iterator[None]:
    """Raise UsageRefused with the first mistake of a `Person` that somebody typed."""
    try:
        yield
    except ValidationError as wrong:
        error = wrong.errors(include_url=False)[0]
        place = ", ".join(str(step) for step in error["loc"])
        raise UsageRefused(
            f"{place}: {error['msg'].removeprefix('Value error, ')}", "Give it once more."
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
    """Return what is known of the subscriber; name and e-mail address are known always."""
    there = current(session, subscriber.id)
    if there is not None:
        return there
    known = Person(
        name=subscriber.name,
        email=subscriber.email,
        language="en" if subscriber.language == "en" else "fr",
    )
    return write(session, subscriber, known, today)


def write(session: Session, subscriber: Subscriber, person: Person, today: date) -> Identity:
    """Write what is known from now on, or return the row that says the same already."""
    if person.siren:
        organisations.siren(person.siren)
    if person.kind != "person" and person.address is None:
        raise UsageRefused(
            f"The invoices of {person.name} need its address", "Give street, postcode and city."
        )
    there, content = current(session, subscriber.id), person.model_dump_json()
    if there is not None and there.content == content:
        return there
    made = Identity(subscriber_id=subscriber.id, recorded_on=today, content=content)
    session.add(made)
    session.flush()
    return made
