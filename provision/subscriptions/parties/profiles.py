"""What an organisation's documents say of it, from a day on: address, VAT, bank, colours."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Annotated, Literal

from pydantic import AfterValidator, Field
from sqlalchemy import select

from provision import edges
from provision.errors import UsageRefused
from provision.formats.codes import countries
from provision.formats.facturx.invoice import USUAL_PENALTIES
from provision.strict import Table, edge
from provision.subscriptions.parties import payment_links
from provision.subscriptions.parties.models import OrganisationProfile

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.parties.models import Organisation

EXAMPLE = "templates/organisation.example.toml"
LONGEST_TERM = 60  # days; Code de commerce L441-10

Line = Annotated[str, AfterValidator(edge(partial(edges.person_name, what="line")))]
Email = Annotated[str, AfterValidator(edge(edges.email))]
MaybeEmail = Annotated[str, AfterValidator(edge(lambda typed: edges.email(typed) if typed else ""))]
Country = Annotated[str, AfterValidator(edge(countries.as_code))]
PaymentLink = Annotated[str, AfterValidator(edge(payment_links.check))]


class Address(Table):
    """Where somebody lives or works."""

    lines: tuple[Line, ...] = Field(min_length=1, max_length=3, strict=False)
    postcode: Annotated[str, Field(pattern=r"^[A-Za-z0-9 -]{2,10}$")]
    city: Line
    country: Country = "FR"


class Receipts(Table):
    """What an association's receipts say of it: who signs, and why they lower a donor's tax.

    `signed_by` is a name (or an office alone, as it was once), `signed_as` the office, `signed_at`
    the place, else that of the association. `registration` is its SIREN or RNA. Without `category`
    and `source` (such as a rescrit) they lower nobody's; `articles` are those of the tax code by
    which they do.
    """

    registration: Line
    purpose: Line
    signed_by: Line
    signed_as: Line | None = None
    signed_at: Line | None = None
    category: Line | None = None
    source: Line | None = None
    articles: tuple[Literal["200", "238 bis", "978"], ...] = Field(default=(), strict=False)


class Profile(Table):
    """An organisation as its documents show it.

    `vat` is its regime, a code of `formats/facturx/vat.toml`. `logo` is a PNG or JPEG in base64; in
    a file it is the path of one. `payment_link` is where customers may pay by card, with places
    for the invoice (`payment_links`). `penalties` is what late business customers owe.
    `tax_receipts` says that the right to issue them is established; `receipts` says why.
    """

    name: Line
    legal: Line
    address: Address
    email: Email
    phone: str = Field(default="", pattern=r"^[0-9+ .()-]{0,30}$")
    website: str = Field(default="", pattern=r"^(https://[^\s<>\"]{3,200})?$")
    vat: Literal["liable", "franchise", "association_accessory", "outside_scope"]
    vat_id: str = ""
    vat_on_debits: bool = False
    iban: str = ""
    bic: str = ""
    creditor_identifier: str = ""
    payment_link: PaymentLink = ""
    payment_days: int = Field(default=30, ge=0, le=LONGEST_TERM)
    penalties: Line = USUAL_PENALTIES
    invoice_prefix: str = Field(default="F", pattern=r"^[A-Z]{1,3}$")
    credit_prefix: str = Field(default="A", pattern=r"^[A-Z]{1,3}$")
    receipt_prefix: str = Field(default="R", pattern=r"^[A-Z]{1,3}$")
    colour: str = Field(default="#1f4e5f", pattern=r"^#[0-9a-f]{6}$")
    logo: str = ""
    tax_receipts: bool = False
    receipts: Receipts | None = None
    self_billing_since: str = Field(default="", pattern=r"^(\d{4}-\d{2}-\d{2})?$")


def on(session: Session, organisation_id: int, day: date) -> Profile | None:
    """Return the profile that rules on `day`, if there is one."""
    content = session.scalar(
        select(OrganisationProfile.content)
        .where(
            OrganisationProfile.organisation_id == organisation_id,
            OrganisationProfile.valid_from <= day,
        )
        .order_by(OrganisationProfile.valid_from.desc())
        .limit(1)
    )
    return None if content is None else Profile.model_validate_json(content, strict=False)


def needed(session: Session, organisation: Organisation, day: date) -> Profile:
    """Return the profile that rules on `day`, or raise UsageRefused: nobody bills without one."""
    profile = on(session, organisation.id, day)
    if profile is None:
        raise UsageRefused(
            f"Nobody knows yet what the invoices of {organisation.name} say on {day}",
            f"Describe it: paquet organisation describe {organisation.name!r} FILE --from {day} "
            f"(see {EXAMPLE})",
        )
    return profile
