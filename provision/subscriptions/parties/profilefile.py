"""The file by which an organisation describes itself: strict, its numbers in one writing."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

from provision import strict
from provision.errors import PaquetError, UsageRefused
from provision.formats.codes import business_numbers, countries, vat_zones
from provision.formats.codes.vat_zones import Zone
from provision.formats.facturx.parties import picture_type
from provision.formats.sepa import identifiers
from provision.subscriptions.parties.profiles import EXAMPLE, Profile
from provision.telephones import telephone

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def read(path: Path) -> Profile:
    """Return the profile of the file, or raise PaquetError with the first thing that is wrong."""
    read = strict.read(path, Profile, EXAMPLE)
    try:
        strict.refuse_example(read.model_dump() | (read.model_dump()["receipts"] or {}), EXAMPLE)
        read = checked(read)
    except PaquetError as refused:
        raise PaquetError(f"{path}: {refused.message}", refused.hint) from None
    if not read.logo:
        return read
    file = path.parent / read.logo
    try:
        picture = file.read_bytes()
    except OSError as wrong:
        raise PaquetError(f"The logo {file} cannot be read: {wrong.strerror}") from None
    picture_type(picture)
    return read.model_copy(update={"logo": base64.b64encode(picture).decode()})


def checked(profile: Profile) -> Profile:
    """Return the profile with each number in its one way of writing, or raise UsageRefused."""
    ways: dict[str, Callable[[str], str]] = {
        "phone": telephone,
        "iban": identifiers.iban,
        "bic": identifiers.bic,
        "creditor_identifier": identifiers.creditor_identifier,
        "vat_id": business_numbers.vat_id,
    }
    typed = {name: getattr(profile, name) for name in ways}
    numbers = {name: ways[name](number) for name, number in typed.items() if number}
    address = profile.address
    country = countries.code(address.country)
    postcode = business_numbers.postcode(address.postcode, country)
    zone = vat_zones.zone(country, postcode)
    if zone is not Zone.FRANCE and (profile.vat == "liable" or zone in {Zone.UNION, Zone.OUTSIDE}):
        raise UsageRefused(
            f"{profile.name} is in {countries.name(country, 'en')}, {postcode}, where nobody here "
            "knows the VAT of a seller",
            "Only organisations in metropolitan France and Monaco can charge VAT here.",
        )
    address = address.model_copy(update={"postcode": postcode, "country": country})
    return profile.model_copy(update={**numbers, "address": address})
