"""Who gives: a subscriber, somebody new who becomes one, or an organisation of the registry.

Whoever pays is a subscriber, with or without a subscription: what is known of a giver stands in the
tables that export, erasure and retention know.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.registry import subscribers
from provision.subscriptions.parties import identities, organisations, people

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.states import Told
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.models import Identity

NEW = "-"


@dataclass(frozen=True)
class Giver:
    """Who gave, as the ledger knows them, and who that was on the day; an organisation has none."""

    party: str
    identity: Identity | None

    @property
    def person(self) -> Person | None:
        """What documents say of the giver."""
        return None if self.identity is None else identities.read(self.identity)


def find(
    session: Session, typed: str, said: Mapping[str, object], when: tuple[Told, date]
) -> Giver:
    """Return the giver whom somebody typed: an e-mail address, a number, a name of an organisation.

    `said` is what `identities.changed` takes, known from now on; with a name an address that is
    new makes a subscriber, and so does NEW, for somebody who has no e-mail address.
    Raises UsageRefused for nobody; the sentence does not repeat who was looked for.
    """
    told, today = when
    if typed != NEW and "@" not in typed and not people.is_number(typed):
        if said:
            raise UsageRefused(
                "An organisation is described by its profile", "See: paquet organisation describe"
            )
        owner = organisations.get(session, typed)
        return Giver(people.organisation_reference(owner.id), None)
    if typed != NEW and people.known(session, typed):
        subscriber = people.subscriber_named(session, typed)
    else:
        subscriber = _new_giver(session, typed, said, told)
    identity = identities.learn(session, subscriber, said, today)
    return Giver(people.reference(session, subscriber.id), identity)


def _new_giver(session: Session, typed: str, said: Mapping[str, object], told: Told) -> Subscriber:
    if "name" not in said or people.is_number(typed):
        raise UsageRefused(
            "Nobody here has this e-mail address or number",
            "Give --name to write somebody new down, or see: paquet subscriber list",
        )
    email = "" if typed == NEW else typed
    language = str(said.get("language", "fr"))
    return subscribers.add(session, str(said["name"]), email, language=language, told=told)
