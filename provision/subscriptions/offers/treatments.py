"""How the services of an organisation are taxed on a day: by its VAT regime, and by its buyer.

What is sold here (a cloud, mail, backups) is supplied electronically (implementing regulation
282/2011, article 7 and annex I). Whom it is sold to decides where it is taxed:

- Businesses in another member state owe the VAT themselves: directive 2006/112/EC, articles 44 and
  196; CGI, articles 259, 1° and 283-2. Their number and its check with VIES are the evidence
  (282/2011, article 18-1-a); the seller is known by a number too, also under the franchise of 293 B
  (CGI, article 286 ter, 5°).
- Businesses outside the Union: not taxed in France (259, 1°).
- Consumers in another member state: taxed in France up to a yearly threshold (directive, article
  59c; CGI, 259 D), as at home. A non-profit without a VAT number is one of them (282/2011, 18-2).
- Consumers outside the Union: not taxed in France (CGI, 259 B, 12° and 259 D).
- Overseas France: the place is found likewise, and has other rates (CGI, 296) or, in French Guiana
  and Mayotte, no VAT (294, 1; B.O.I. 4 of 11 January 2010, 164 and 165).

What nobody here knows how to tax is refused with a sentence: never French VAT in silence.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.formats.codes import countries, vat_zones
from provision.formats.codes.vat_zones import Zone
from provision.formats.facturx.vat import abroad_on, regime_on
from provision.subscriptions.offers.vat import Taxation, Treatment, TreatmentRefused

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date

    from provision.subscriptions.offers.catalogue import Catalogue
    from provision.subscriptions.parties.identities import Person
    from provision.subscriptions.parties.profiles import Profile

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

    def how(self, organisation_id: int, basis: str) -> Taxation:
        """Return how an organisation taxes prices of this basis, or raise TreatmentRefused."""
        profile = self.catalogue.profile(organisation_id, self.on)
        home = of(profile, self.on)
        return Taxation(basis, toward(profile, self.buyer, self.on), home.rate)

    def of_basis(self, basis: str) -> Callable[[int], Taxation]:
        """Return the same for prices of one plan."""
        return lambda organisation_id: self.how(organisation_id, basis)


def is_elsewhere(treatment: Treatment) -> bool:
    """Tell whether a supply was taxed abroad, so that its price holds no VAT of the seller."""
    return treatment.abroad not in {"", UNION_CONSUMER}


def of(profile: Profile, day: date) -> Treatment:
    """Return the category and the rate of the regime that rules on `day`, for a buyer in France."""
    regime = regime_on(profile.vat, day)
    return Treatment(regime.category, regime.rate)


def toward(profile: Profile, buyer: Person | None, day: date) -> Treatment:
    """Return how what `buyer` gets is taxed on `day`, or raise TreatmentRefused."""
    home = of(profile, day)
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
            "subscription identify WHO --vies-consultation NUMBER --vies-date DAY",
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
