"""Documents that were issued, as data for paper and Factur-X: read back from what was written."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, cast

from sqlalchemy import and_, select, tuple_
from sqlalchemy.orm import aliased

from provision.errors import PaquetError, UsageRefused
from provision.formats.facturx import invoice as paper
from provision.formats.facturx import parties
from provision.formats.facturx.batches import Refused, refusal
from provision.formats.facturx.vat import abroad_on, regime_on, regimes
from provision.subscriptions.documents import drafts, numbering, open_items
from provision.subscriptions.documents.drafts import CLAIMS, CREDITS
from provision.subscriptions.documents.models import DepositDeduction, Invoice, InvoiceLine
from provision.subscriptions.offers import treatments
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.offers.vat import ROUNDING, Treatment
from provision.subscriptions.parties import identities, payment_links
from provision.subscriptions.parties.letterhead import (
    brand,
    organisation_party,
    person_party,
)
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.parties.people import organisation_of
from provision.subscriptions.payments import answers
from provision.subscriptions.payments.models import MandateRow
from provision.subscriptions.selling.models import Subscription
from provision.subscriptions.settling import mandates

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.formats.facturx.vat import Regime
    from provision.languages import Language
    from provision.money import Cents
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.parties.profiles import Profile

BATCH = 1_000
KINDS = {
    drafts.INVOICE: paper.Kind.INVOICE,
    drafts.CREDIT_NOTE: paper.Kind.CREDIT_NOTE,
    drafts.DEPOSIT: paper.Kind.DEPOSIT,
    drafts.SELF_BILLED: paper.Kind.SELF_BILLED,
    drafts.SELF_BILLED_CREDIT: paper.Kind.SELF_BILLED_CREDIT,
}


def find(session: Session, organisation: Organisation, shown: str) -> Invoice:
    """Return the document of this number, or raise UsageRefused."""
    series, number = numbering.parse(shown)
    invoice = session.get(Invoice, (organisation.id, series, number))
    if invoice is None:
        raise UsageRefused(
            f"{organisation.name} has no document {shown}", "See: paquet invoice list"
        )
    return invoice


def every(session: Session, wanted: Select[Invoice]) -> Iterator[paper.PaperInvoice]:
    """Yield the documents that `wanted` selects, in the order of their numbers."""
    for document in readable(session, wanted):
        if isinstance(document, Refused):
            raise PaquetError(f"{document.number} cannot be read: {document.why}")
        yield document


def readable(session: Session, wanted: Select[Invoice]) -> Iterator[paper.PaperInvoice | Refused]:
    """Yield the same; in the place of one that cannot be read, why."""
    desk = _Desk(session, Catalogue(session))
    ordered = wanted.order_by(Invoice.organisation_id, Invoice.series, Invoice.number)
    rows = session.scalars(ordered, execution_options={"yield_per": BATCH})
    while batch := list(islice(rows, BATCH)):
        lines = desk.lines(batch)
        desk.know_mandates(batch)
        desk.know_deposits(batch)
        desk.know_open(batch)
        for row in batch:
            try:
                yield desk.read(row, lines[row.organisation_id, row.series, row.number])
            except PaquetError as wrong:
                yield refusal(numbering.shown(row.series, row.number), wrong)


class _Buyer(NamedTuple):
    """Who gets a document, in which language, and what its accountant wants to read on it."""

    party: parties.Party
    language: Language = "fr"
    order_reference: str = ""


@dataclass
class _Desk:
    """What many documents share, read once."""

    session: Session
    catalogue: Catalogue
    brands: dict[str, parties.Brand] = field(default_factory=dict)
    mandates: dict[tuple[int, int], list[MandateRow]] = field(default_factory=dict)
    deposits: dict[tuple[int, str, int], list[paper.Preceding]] = field(default_factory=dict)
    open_units: dict[tuple[int, str, int], Cents] = field(default_factory=dict)

    def lines(self, batch: Sequence[Invoice]) -> dict[tuple[int, str, int], list[InvoiceLine]]:
        """Return the lines of a batch by document."""
        first, last = batch[0], batch[-1]
        query = select(InvoiceLine).order_by(
            InvoiceLine.organisation_id, InvoiceLine.series, InvoiceLine.number, InvoiceLine.line
        )
        if first.organisation_id == last.organisation_id and first.series == last.series:
            query = query.where(
                InvoiceLine.organisation_id == first.organisation_id,
                InvoiceLine.series == first.series,
                InvoiceLine.number.between(first.number, last.number),
            )
        by_document: dict[tuple[int, str, int], list[InvoiceLine]] = defaultdict(list)
        for line in self.session.scalars(query):
            by_document[line.organisation_id, line.series, line.number].append(line)
        return by_document

    def read(self, row: Invoice, lines: Sequence[InvoiceLine]) -> paper.PaperInvoice:
        """Return one document whole."""
        rounded = sum(line.net for line in lines if line.vat_category == ROUNDING.category)
        lines = [line for line in lines if line.vat_category != ROUNDING.category]
        seller = self.catalogue.profile(row.organisation_id, row.issued_on)
        buyer = self._buyer(row)
        language = buyer.language
        starts = [line.starts_on for line in lines if line.starts_on]
        ends = [line.ends_on for line in lines if line.ends_on]
        preceding = self._preceding(row)
        prepaid = sum(earlier.gross for earlier in preceding)
        is_paid = prepaid == row.gross > 0
        return paper.PaperInvoice(
            number=numbering.shown(row.series, row.number),
            kind=self._kind(row, lines),
            dates=paper.Dates(
                issued=row.issued_on,
                due=row.issued_on if is_paid else row.due_on,
                delivered=row.issued_on,
                starts=min(starts, default=None),
                ends=max(ends, default=None),
            ),
            seller=organisation_party(seller, self._siren(row.organisation_id)),
            buyer=buyer.party,
            lines=tuple(_line(line) for line in lines),
            groups=_groups(lines, seller.vat, row, language),
            totals=paper.Totals(row.gross - rounded, row.gross - prepaid, prepaid, rounded),
            payment=None if is_paid else _payment(row, seller, self._debited(row)),
            to_be_paid=self._to_be_paid(row, seller),
            terms=paper.Terms(
                language=language,
                vat_on_debits=seller.vat_on_debits,
                notes=(row.reason,) if row.reason else (),
                self_billing=self._mandate(row),
                penalties=seller.penalties,
            ),
            references=paper.References(order=buyer.order_reference, preceding=preceding),
            brand=self._brand(seller),
        )

    def _buyer(self, row: Invoice) -> _Buyer:
        organisation_id = organisation_of(row.party)
        if organisation_id is not None:
            profile = self.catalogue.profile(organisation_id, row.issued_on)
            return _Buyer(organisation_party(profile, self._siren(organisation_id)))
        identity = self.session.get(Identity, row.identity_id)
        if identity is None:
            raise UsageRefused(
                f"{numbering.shown(row.series, row.number)} is for somebody who was erased",
                "If the tax office asks: paquet subscriber archive --help",
            )
        person = identities.read(identity)
        return _Buyer(person_party(person), person.language, person.order_reference)

    @staticmethod
    def _kind(row: Invoice, lines: Sequence[InvoiceLine]) -> paper.Kind:
        """Return the type of a document; what takes a deposit back has one of its own."""
        if row.kind == drafts.CREDIT_NOTE and lines[0].component == drafts.IN_ADVANCE:
            return paper.Kind.DEPOSIT_CREDIT
        return KINDS[row.kind]

    def _siren(self, organisation_id: int) -> str:
        return self.catalogue.organisation(organisation_id).siren or ""

    def _preceding(self, row: Invoice) -> tuple[paper.Preceding, ...]:
        deposits = self.deposits.get((row.organisation_id, row.series, row.number), ())
        if row.key.startswith(drafts.REPLACES):
            earlier = numbering.parse(row.key.removeprefix(drafts.REPLACES))
        elif row.credited_series is not None and row.credited_number is not None:
            earlier = (row.credited_series, row.credited_number)
        else:
            return tuple(deposits)
        before = self.session.get_one(Invoice, (row.organisation_id, *earlier))
        return (paper.Preceding(numbering.shown(*earlier), before.issued_on), *deposits)

    def know_mandates(self, batch: Sequence[Invoice]) -> None:
        """Read the mandates of those who get the documents of a batch."""
        owners = {row.subscription_id for row in batch if row.subscription_id is not None}
        signed = (
            select(MandateRow, Subscription.id)
            .join(Subscription, Subscription.subscriber_id == MandateRow.subscriber_id)
            .where(Subscription.id.in_(owners), MandateRow.signed_on.is_not(None))
        )
        self.mandates.clear()
        for mandate, subscription_id in self.session.execute(signed):
            key = (mandate.organisation_id, subscription_id)
            self.mandates.setdefault(key, []).append(mandate)

    def know_deposits(self, batch: Sequence[Invoice]) -> None:
        """Read the deposits that the documents of a batch deduct, in the order they were issued."""
        deduction, deposit = DepositDeduction, aliased(Invoice)
        same = and_(
            deposit.organisation_id == deduction.organisation_id,
            deposit.series == deduction.deposit_series,
            deposit.number == deduction.deposit_number,
        )
        owners = {row.subscription_id for row in batch if row.subscription_id is not None}
        query = (
            select(deduction, deposit.issued_on)
            .join(deposit, same)
            .where(deposit.subscription_id.in_(owners))
            .order_by(deposit.entry_number)
        )
        self.deposits.clear()
        for part, issued_on in self.session.execute(query):
            shown = numbering.shown(part.deposit_series, part.deposit_number)
            deducted = paper.Preceding(shown, issued_on, part.net + part.vat, part.vat)
            key = (part.organisation_id, part.series, part.number)
            self.deposits.setdefault(key, []).append(deducted)

    def know_open(self, batch: Sequence[Invoice]) -> None:
        """Read what customers are still to pay by themselves of the documents of a batch."""
        key = tuple_(*open_items.BY_NUMBER)
        asked = select(*open_items.BY_NUMBER, open_items.left()).where(
            key.in_([_key(row) for row in batch if row.kind in CLAIMS]),
            open_items.left() > 0,
            ~answers.is_collected(),
        )
        self.open_units = {
            (owner, series, number): int(units)
            for owner, series, number, units in self.session.execute(asked)
        }

    def _to_be_paid(self, row: Invoice, seller: Profile) -> paper.ToBePaid | None:
        units = self.open_units.get(_key(row))
        if units is None or self._debited(row) is not None:
            return None
        shown = numbering.shown(row.series, row.number)
        return paper.ToBePaid(units, payment_links.link(seller.payment_link, shown, units))

    def _debited(self, row: Invoice) -> MandateRow | None:
        """Return the mandate under which a subscriber paid on the day of the document."""
        signed = self.mandates.get((row.organisation_id, row.subscription_id or 0), [])
        return next((mandate for mandate in signed if _in_force(mandate, row.issued_on)), None)

    def _mandate(self, row: Invoice) -> paper.SelfBilling | None:
        buyer = organisation_of(row.party)
        if buyer is None or not KINDS[row.kind].is_self_billed:
            return None
        mandate = mandates.ruling(self.session, row.organisation_id, buyer, row.issued_on)
        if mandate is None:
            return None
        return paper.SelfBilling(mandate.valid_from, mandate.contest_days)

    def _brand(self, profile: Profile) -> parties.Brand:
        key = profile.logo + profile.colour
        if key not in self.brands:
            self.brands[key] = brand(profile)
        return self.brands[key]


def _key(row: Invoice) -> tuple[int, str, int]:
    return row.organisation_id, row.series, row.number


def _line(line: InvoiceLine) -> paper.PaperLine:
    return paper.PaperLine(
        label=line.label,
        quantity=line.quantity,
        unit="piece",
        net=line.net,
        vat_rate=line.vat_rate,
        category=cast("paper.Category", line.vat_category),
        starts=line.starts_on,
        ends=line.ends_on,
    )


def _groups(
    lines: Sequence[InvoiceLine], regime: str, row: Invoice, language: Language
) -> tuple[paper.VatGroup, ...]:
    """Add up what is taxed alike; why there is no VAT is said in the words of that day."""
    sums: dict[Treatment, list[int]] = {}
    for line in lines:
        taxed = Treatment(line.vat_category, line.vat_rate, line.vat_abroad)
        both = sums.setdefault(taxed, [0, 0])
        both[0] += line.net
        both[1] += line.vat
    return tuple(
        _regime(regime, row.issued_on, taxed).group(net, vat, language)
        for taxed, (net, vat) in sums.items()
    )


def _regime(code: str, day: date, taxed: Treatment) -> Regime:
    """Return the regime of the profile, or the one by which these lines were taxed before it.

    Where the buyer is abroad it is that of the case, unless the buyer is taxed as at home.
    """
    if treatments.is_elsewhere(taxed):
        return abroad_on(taxed.abroad, day)
    ruling = regime_on(code, day)
    if (ruling.category, ruling.rate) == (taxed.category, taxed.rate):
        return ruling
    return next(
        regime
        for regime in regimes()
        if (regime.category, regime.rate) == (taxed.category, taxed.rate)
    )


def _in_force(mandate: MandateRow, day: date) -> bool:
    begun = mandate.signed_on is not None and mandate.signed_on <= day
    return begun and bool(mandate.iban) and (mandate.ended_on is None or mandate.ended_on > day)


def _payment(row: Invoice, seller: Profile, mandate: MandateRow | None) -> parties.Payment | None:
    """Return how a document is paid: under the mandate of its day, else by transfer."""
    if row.kind in CREDITS:
        return None
    if mandate is not None:
        return parties.DirectDebit(
            mandate=mandate.reference,
            creditor=mandate.creditor_identifier,
            debtor_iban=mandate.iban,
            collected=row.due_on,
        )
    if not seller.iban:
        return None
    return parties.Transfer(seller.iban, seller.bic, numbering.shown(row.series, row.number))
