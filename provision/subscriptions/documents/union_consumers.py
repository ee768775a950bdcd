"""What is sold to consumers in other member states in a year, and the threshold of it.

Up to 10,000 euros without VAT, in this calendar year and in the one before, such sales of a seller
who is established in one member state alone are taxed there; from the sale on that goes beyond,
where each consumer lives (directive 2006/112/EC, article 59c; CGI, article 259 D, II). That needs
the one-stop shop and the rates of all member states, which nobody here knows: it is refused. Only
what stands on documents here counts.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from datetime import date
from typing import TYPE_CHECKING

from sqlalchemy import case, func, or_, select

from provision.formats.codes.vat_zones import Zone
from provision.money import show_euros
from provision.subscriptions.documents import drafts
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.offers import treatments
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.treatments import UNION_CONSUMER
from provision.subscriptions.offers.vat import ROUNDING, TreatmentRefused
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.models import Identity

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Draft
    from provision.subscriptions.parties.identities import Person

LIMIT = 10_000_00  # cents without VAT


@dataclass
class Tally:
    """Counts documents of one unit of work, beside those that the registry has."""

    session: Session
    known: dict[tuple[int, int], Cents] = field(default_factory=dict)

    def add_all(self, wanted: Sequence[Draft], on: date) -> None:
        """Count the documents of one buyer, or none of them: raise TreatmentRefused."""
        before = dict(self.known)
        try:
            for draft in wanted:
                self.add(draft, on)
        except TreatmentRefused:
            self.known = before
            raise

    def add(self, draft: Draft, on: date) -> None:
        """Count a document of the day `on`, or raise TreatmentRefused if it goes beyond the limit.

        A deposit is not counted, since the invoices that deduct it are; but none goes beyond. What
        was beyond in the year in which its term began stays so in the next.
        """
        lines = [line for line in draft.lines if line.treatment.abroad == UNION_CONSUMER]
        if not lines:
            return
        sign = -1 if draft.kind in drafts.CREDITS else 1
        units = sign * sum(line.net for line in lines)
        year = self._of(draft.issuer_id, on.year)
        begun = {line.days.starts.year for line in lines if line.days} | {on.year}
        for term_year in sorted(begun) if sign > 0 else ():
            so_far = self._of(draft.issuer_id, term_year)
            if so_far + units > LIMIT or self._of(draft.issuer_id, term_year - 1) > LIMIT:
                raise _beyond(term_year, so_far)
        self.known[draft.issuer_id, on.year] = year + (0 if draft.is_advance else units)

    def _of(self, organisation_id: int, year: int) -> Cents:
        place = (organisation_id, year)
        if place not in self.known:
            self.known[place] = sold(self.session, *place)
        return self.known[place]


def check_sale(session: Session, contract_id: int, buyer: Person, day: date) -> None:
    """Raise TreatmentRefused when a buyer abroad could not be invoiced under a contract."""
    if treatments.zone_of(buyer) is Zone.FRANCE:
        return
    catalogue = Catalogue(session)
    agreement = catalogue.agreement(contract_id)
    for issuer in agreement.issuers:
        profile = catalogue.profile(issuer, day)
        if treatments.toward(profile, buyer, day).abroad == UNION_CONSUMER:
            in_year = sold(session, issuer, day.year)
            if max(in_year, sold(session, issuer, day.year - 1)) >= LIMIT:
                raise _beyond(day.year, in_year)


def sold(session: Session, organisation_id: int, year: int) -> Cents:
    """Return what an organisation sold to consumers in other member states, without VAT.

    Documents of before they were marked are known by whom they name.
    """
    document, line = Invoice, InvoiceLine
    marked = line.vat_abroad == UNION_CONSUMER
    foreign = Identity.content.not_like('%"country":"FR"%') & Identity.content.not_like(
        '%"address":null%'
    )
    signed = case((document.kind.in_(drafts.CREDITS), -line.net), else_=line.net)
    rows = session.execute(
        select(line.vat_abroad, Identity.content, func.sum(signed))
        .select_from(document)
        .join(line, same_document(document, line))
        .outerjoin(Identity, Identity.id == document.identity_id)
        .where(
            document.organisation_id == organisation_id,
            document.issued_on.between(date(year, 1, 1), date(year, 12, 31)),
            line.component != drafts.IN_ADVANCE,
            line.vat_category != ROUNDING.category,
            or_(marked, (line.vat_abroad == "") & foreign),
        )
        .group_by(line.vat_abroad, Identity.content)
    )
    sums: dict[bool, Cents] = defaultdict(int)
    for abroad, content, units in rows:
        sums[abroad == UNION_CONSUMER or _is_one(identities.parse(content))] += int(units)
    return sums[True]


def _is_one(buyer: Person) -> bool:
    return treatments.zone_of(buyer) is Zone.UNION and not treatments.is_business(buyer)


def _beyond(year: int, in_year: Cents) -> TreatmentRefused:
    sum_, limit = (show_euros(units) for units in (in_year, LIMIT))
    return TreatmentRefused(
        f"{sum_} were sold to consumers in other member states in {year}; beyond {limit} of this "
        "year or the one before, the VAT is that of their country",
        "Register for the one-stop shop (OSS), and make these invoices elsewhere, with your "
        "accountant: rates of other countries are not known here.",
    )
