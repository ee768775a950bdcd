"""Receipts, apart from invoices: a membership fee, and a donation that may or may not cut a tax.

Fields of the donation receipt: Cerfa 11580*05 (persons, CGI art. 200 and 978) and 16216 (companies,
art. 238 bis); its use is not compulsory, its mentions are. A person who may take the money signs
it, and their office is said (BOI-IR-RICI-250-40; the signature may be printed or stamped). Read in
secondary sources only (associationmodeemploi.fr, votre-expert-des-associations.fr), not in the
order that fixes them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from provision.days import sensible_day
from provision.errors import PaquetError
from provision.formats.facturx import parties, texts
from provision.formats.facturx.checks import NUMBER
from provision.formats.facturx.invoice_pdf import letter_style, picture
from provision.formats.facturx.parties import Brand
from provision.formats.facturx.tax_articles import articles_for
from provision.formats.facturx.wording import amount_in_words, day
from provision.money import show_euros
from provision.paper import archive_pdf
from provision.rendering import render

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from provision.formats.facturx.parties import Party
    from provision.formats.facturx.tax_articles import Article
    from provision.languages import Language
    from provision.money import Cents

Means: TypeAlias = Literal["cash", "cheque", "transfer", "debit", "card"]
Form: TypeAlias = Literal["authentic_deed", "private_deed", "manual_gift", "other"]
Nature: TypeAlias = Literal["money", "listed_securities", "waived_expenses", "other"]


@dataclass(frozen=True)
class Eligibility:
    """Why an organisation may issue tax receipts: its legal category, and where that is written.

    `source` is for example 'rescrit fiscal du 12 mars 2025'. Without this, no tax receipt.
    """

    category: str
    source: str
    articles: tuple[Article, ...]


@dataclass(frozen=True)
class Signatory:
    """Who signs receipts, in which office, and where; without a place, where the association is."""

    name: str
    office: str = ""
    place: str = ""


@dataclass(frozen=True)
class ReceiptIssuer:
    """Who gives receipts: its SIREN or RNA, and the person who signs."""

    party: Party
    registration: str
    purpose: str
    signed: Signatory
    eligibility: Eligibility | None = None
    brand: Brand = field(default_factory=Brand)


@dataclass(frozen=True)
class PaperReceipt:
    """What was received, from whom, on which day; `number` is unique among the receipts.

    A duplicate says that it is one, and a receipt that was cancelled since when.
    """

    number: str
    issued: date
    giver: Party
    units: Cents
    on: date
    means: Means | None
    is_duplicate: bool = False
    cancelled_on: date | None = None


@dataclass(frozen=True)
class Donation:
    """How it was given (Cerfa: forme and nature du don)."""

    form: Form = "manual_gift"
    nature: Nature = "money"


def membership_pdf(
    organisation: ReceiptIssuer,
    received: PaperReceipt,
    period: tuple[date, date],
    language: Language = "fr",
) -> bytes:
    """Return the receipt of a membership fee, as PDF/A-3b; `period` is its first and last day."""
    first, last = period
    if first > last:
        raise PaquetError(f"The membership of {received.number} ends before it begins")
    more = {"first": day(first, language), "last": day(last, language)}
    return _letter("membership", organisation, received, language, more)


def donation_pdf(
    organisation: ReceiptIssuer,
    received: PaperReceipt,
    donation: Donation,
    language: Language = "fr",
) -> bytes:
    """Return the receipt of a donation, as PDF/A-3b.

    It cuts a tax only where the organisation is known to be eligible for the giver's article; else
    it is an acknowledgement that says so.
    """
    known = organisation.eligibility
    articles = articles_for(known.articles, is_person=received.giver.is_person) if known else ""
    more = {"donation": donation, "articles": articles}
    return _letter("donation", organisation, received, language, more)


def _letter(
    kind: str,
    organisation: ReceiptIssuer,
    received: PaperReceipt,
    language: Language,
    more: Mapping[str, object],
) -> bytes:
    _check(organisation, received)
    variables = {
        "organisation": organisation,
        "received": received,
        "language": language,
        "created": f"{received.issued}T00:00:00Z",
        "picture": picture(organisation.brand),
        "issued": day(received.issued, language),
        "on": day(received.on, language),
        "cancelled": day(received.cancelled_on, language) if received.cancelled_on else "",
        "amount": show_euros(received.units, language),
        "in_words": amount_in_words(received.units, language),
        "place": organisation.signed.place or organisation.party.address.city,
        **more,
    }
    return archive_pdf(render(f"money/receipt-{kind}.{language}.html", variables), letter_style())


def _check(organisation: ReceiptIssuer, received: PaperReceipt) -> None:
    parties.check_party(organisation.party, "organisation")
    parties.check_party(received.giver, "giver")
    parties.check_brand(organisation.brand)
    texts.check_name(organisation.registration, "SIREN or RNA of the organisation")
    texts.check_name(organisation.signed.name, "signature")
    for text in (organisation.signed.office, organisation.signed.place):
        if text:
            texts.check_name(text, "signature")
    texts.check_line(organisation.purpose, "purpose of the organisation", texts.LONGEST_NOTE)
    if organisation.eligibility:
        texts.check_name(organisation.eligibility.category, "legal category of the organisation")
        texts.check_name(organisation.eligibility.source, "source of the eligibility")
    if not NUMBER.fullmatch(received.number):
        raise PaquetError(
            f"{received.number[:40]!a} cannot be the number of a receipt",
            "Use 1 to 35 letters, digits and + - _ / without spaces.",
        )
    if received.units <= 0:
        raise PaquetError(f"The receipt {received.number} is about nothing", "Give an amount.")
    if sensible_day(received.on, "the day of a gift") > sensible_day(received.issued, "a receipt"):
        raise PaquetError(
            f"The receipt {received.number} is older than what it is about", "Swap the days."
        )
