"""VAT in whole cents: taken out of a price that holds it, or put on one that does not. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.formats.codes import countries, vat_zones
from provision.formats.codes.vat_zones import Zone
from provision.formats.facturx.vat import abroad_on, regime_on
from provision.subscriptions.offers.terms import half_up

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.offers.catalogue import Catalogue
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.profiles import Profile


WHOLE = 10_000  # rates are in hundredths of a percent
GROSS, NET = "gross", "net"


class TreatmentRefused(UsageRefused):
    """A buyer whose VAT nobody here knows, or of whom something is missing for it."""


@dataclass(frozen=True)
class Treatment:
    """How a supply is taxed: its EN 16931 category (S, E, O, AE) and its rate (2000 is 20 %).

    `abroad` says why a buyer abroad is taxed so (a case of `treatments`); at home it is empty.
    """

    category: str
    rate: int
    abroad: str = ""


ROUNDING = Treatment("rounding", 0)  # of what is to pay (BT-114): no supply, and no category of VAT


@dataclass(frozen=True)
class How:
    """How an issuer taxes what it asks of a buyer: prices hold VAT (`basis` is "gross") or not.

    A price that holds VAT holds that of the issuer's own regime, at the rate `held`: who owes
    another VAT, or none, pays the price without it.
    """

    basis: str
    treatment: Treatment
    held: int

    @property
    def is_without(self) -> bool:
        """Tell whether the VAT that prices hold is left out."""
        return self.basis == GROSS and self.held != self.treatment.rate

    def priced(self, units: Cents) -> Cents:
        """Return the price that leads to an amount of `units` cents, VAT included: `asked` back."""
        return half_up(units * (WHOLE + self.held), WHOLE) if self.is_without else units


@dataclass(frozen=True)
class Taxed:
    """One line's net amount and its VAT."""

    net: Cents
    vat: Cents


def tax(units: Sequence[Cents], basis: str, rate: int) -> tuple[Taxed, ...]:
    """Return net and VAT of lines of one rate, whose prices hold the VAT ("gross") or do not.

    VAT is computed once for all of them, as EN 16931 wants it per rate (BR-CO-17); each line gets
    the difference that it makes to that sum, so that lines add up to it to the cent.
    """
    return _taxed(tuple(units), basis, rate)


def asked(units: Sequence[Cents], how: How) -> tuple[Taxed, ...]:
    """Return net and VAT of what prices come to for this buyer."""
    if not how.is_without:
        return tax(units, how.basis, how.treatment.rate)
    return tuple(Taxed(one.net, 0) for one in tax(units, GROSS, how.held))


@lru_cache(maxsize=4096)
def _taxed(units: tuple[Cents, ...], basis: str, rate: int) -> tuple[Taxed, ...]:
    taxed, before = [], 0
    for one in units:
        after = before + one
        vat = _vat(after, basis, rate) - _vat(before, basis, rate)
        taxed.append(Taxed(one - vat if basis == GROSS else one, vat))
        before = after
    return tuple(taxed)


def _vat(units: Cents, basis: str, rate: int) -> Cents:
    return half_up(units * rate, WHOLE + rate if basis == GROSS else WHOLE)


UNION_CONSUMER = "union_consumer"  # taxed as at home, and counted


UNION_BUSINESS, OUTSIDE_BUSINESS = "union_business", "outside_business"


OUTSIDE_CONSUMER, OVERSEAS_WITHOUT = "outside_consumer", "overseas"


IDENTIFY = "Say it: paquet subscription identify --help"


@dataclass(frozen=True)
class Taxing:
    """How organisations tax what one buyer is asked for on a day; nobody known is at home."""

    catalogue: Catalogue
    buyer: Person | None
    on: date

    def how(self, organisation_id: int, basis: str) -> How:
        """Return how an organisation taxes prices of this basis, or raise TreatmentRefused."""
        profile = self.catalogue.profile(organisation_id, self.on)
        home = at_home(profile, self.on)
        return How(basis, toward(profile, self.buyer, self.on), home.rate)

    def of_basis(self, basis: str) -> Callable[[int], How]:
        """Return the same for prices of one plan."""
        return lambda organisation_id: self.how(organisation_id, basis)


def is_elsewhere(treatment: Treatment) -> bool:
    """Tell whether a supply was taxed abroad, so that its price holds no VAT of the seller."""
    return treatment.abroad not in {"", UNION_CONSUMER}


def at_home(profile: Profile, day: date) -> Treatment:
    """Return the category and the rate of the regime that rules on `day`, for a buyer in France."""
    regime = regime_on(profile.vat, day)
    return Treatment(regime.category, regime.rate)


def toward(profile: Profile, buyer: Person | None, day: date) -> Treatment:
    """Return how what `buyer` gets is taxed on `day`, or raise TreatmentRefused."""
    home = at_home(profile, day)
    zone = zone_of(buyer)
    if buyer is None or zone is Zone.FRANCE or profile.vat == "outside_scope":
        return home
    case = CASES[zone](profile, buyer, home)
    if case == UNION_CONSUMER:
        return Treatment(home.category, home.rate, case)
    return Treatment(abroad_on(case, day).category, 0, case) if case else home


def zone_of(buyer: Person | None) -> Zone:
    """Return where a buyer is for VAT; who keeps the address to themselves is at home."""
    if buyer is None or buyer.address is None:
        return Zone.FRANCE
    return vat_zones.zone(buyer.address.country, buyer.address.postcode)


def is_business(buyer: Person) -> bool:
    """Tell whether a buyer counts as subject to VAT: a company, or who has a number."""
    return buyer.kind == "company" or bool(buyer.vat_id)


def _union(profile: Profile, buyer: Person, _home: Treatment) -> str:
    if not is_business(buyer):
        return UNION_CONSUMER
    country = "" if buyer.address is None else buyer.address.country
    where = f"{buyer.name} in {countries.name(country, 'en')}"
    if profile.vat == "association_accessory":
        raise TreatmentRefused(
            f"{profile.name} is exempt in France (article 261, 7-1°), and nobody here knows what "
            f"that is for {where}",
            "Ask its accountant; until then sell to it by a business.",
        )
    if not buyer.vat_id:
        raise TreatmentRefused(
            f"{where} is a company without a VAT number",
            f"It owes the VAT itself once its number is known and checked with VIES. {IDENTIFY}",
        )
    if not is_number_of(buyer.vat_id, country):
        raise TreatmentRefused(
            f"The VAT number {buyer.vat_id} of {where} is of another country",
            f"Give the number of the country of its address. {IDENTIFY}",
        )
    if not buyer.vies_consultation:
        raise TreatmentRefused(
            f"The VAT number {buyer.vat_id} of {where} was not checked with VIES",
            "Check it with the seller's own number, then say what VIES answered: paquet "
            "subscription identify EMAIL --vies-consultation NUMBER --vies-date DAY",
        )
    if not profile.vat_id:
        raise TreatmentRefused(
            f"{profile.name} has no VAT number, and {where} cannot owe the VAT in its place",
            "The tax office gives one for this, under the franchise of 293 B too (CGI, article "
            "286 ter, 5°); then describe the organisation anew.",
        )
    return UNION_BUSINESS


def is_number_of(vat_id: str, country: str) -> bool:
    """Tell whether a VAT number is of this country: Greek ones begin with EL."""
    return vat_id[:2] == {"GR": "EL"}.get(country, country)


def _outside(_profile: Profile, buyer: Person, _home: Treatment) -> str:
    return OUTSIDE_BUSINESS if is_business(buyer) else OUTSIDE_CONSUMER


def _overseas(_profile: Profile, buyer: Person, home: Treatment) -> str:
    """Return that it is as at home for who charges no VAT: franchise and exemption hold there."""
    if home.rate and buyer.address is not None:
        there = vat_zones.place(buyer.address.country, buyer.address.postcode)
        raise TreatmentRefused(
            f"{buyer.name} is in {countries.name(there, 'en')}, whose rates of VAT nobody here "
            "knows (CGI, article 296)",
            "Make this invoice elsewhere, with your accountant.",
        )
    return ""


def _without(_profile: Profile, _buyer: Person, _home: Treatment) -> str:
    return OVERSEAS_WITHOUT


CASES = {
    Zone.UNION: _union,
    Zone.OUTSIDE: _outside,
    Zone.OVERSEAS: _overseas,
    Zone.WITHOUT: _without,
}
