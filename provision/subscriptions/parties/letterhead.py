"""Organisations and persons as papers show them."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from provision.formats.facturx import parties

if TYPE_CHECKING:
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.profiles import Address, Profile


def brand(profile: Profile) -> parties.Brand:
    """Return how an organisation's letters look."""
    logo = base64.b64decode(profile.logo) if profile.logo else None
    return parties.Brand(logo, profile.colour)


def organisation_party(profile: Profile, siren: str) -> parties.Party:
    """Return an organisation as its profile shows it on documents."""
    return parties.Party(
        name=profile.name,
        address=_address(profile.address),
        siren=siren,
        vat_id=profile.vat_id,
        email=profile.email,
        legal=profile.legal,
    )


def person_party(person: Person) -> parties.Party:
    """Return a subscriber as documents name it."""
    return parties.Party(
        name=person.name,
        address=_address(person.address) if person.address else parties.UNKNOWN,
        siren=person.siren,
        vat_id=person.vat_id,
        email=person.email,
        is_person=person.kind == "person",
    )


def _address(address: Address) -> parties.PostalAddress:
    return parties.PostalAddress(address.lines, address.postcode, address.city, address.country)
