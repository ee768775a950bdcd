"""The document of a settlement, in the beneficiary's name, and what it does to both books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.money import euros
from provision.subscriptions.documents import drafts, issuing
from provision.subscriptions.documents.drafts import Buyer, Draft, DraftLine
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers import treatments, vat
from provision.subscriptions.offers.catalogue import Catalogue, Item
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.offers.sharing import Rule
from provision.subscriptions.parties.people import organisation_reference
from provision.subscriptions.settling import mandates
from provision.subscriptions.settling.steps import key, parts_of, shown

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.documents.models import Settlement
    from provision.subscriptions.offers.vat import Taxed, Treatment
    from provision.subscriptions.settling.models import SettlementPart

COMPONENT = "settlement"


def accrue(session: Session, settlement: Settlement, today: date) -> None:
    """Enter what waits for the beneficiary's invoice: 408 with the seller, 418 with the other."""
    _post_accrual(session, settlement, settlement.units, ("Règlement", "accrued"), today)


def issue_document(session: Session, settlement: Settlement, today: date) -> Number:
    """Issue the beneficiary's invoice or credit note to the seller, and enter it in both books."""
    draft = _draft(session, settlement, today)
    (number,) = issuing.issue(session, [draft], Catalogue(session), today)
    if posting.find(session, settlement.seller_id, _accrual_key(settlement, "accrued")) is not None:
        words = ("Extourne du règlement", "invoiced")
        _post_accrual(session, settlement, -settlement.units, words, today)
    _purchase(session, settlement, today)
    return number


def document_of(session: Session, settlement: Settlement) -> Invoice:
    """Return the document of an invoiced settlement."""
    return session.scalars(
        select(Invoice).where(
            Invoice.organisation_id == settlement.beneficiary_id, Invoice.key == key(settlement)
        )
    ).one()


def _draft(session: Session, settlement: Settlement, today: date) -> Draft:
    sign = -1 if settlement.units < 0 else 1
    parts = [part for part in parts_of(session, settlement) if part.units]
    profile = Catalogue(session).profile(settlement.beneficiary_id, today)
    treatment = treatments.of(profile, today)
    taxed = vat.tax([sign * part.units for part in parts], vat.NET, treatment.rate)
    lines = tuple(
        _line(session, part, taxed_line, treatment)
        for part, taxed_line in zip(parts, taxed, strict=True)
    )
    span = f"écritures {settlement.after_entry + 1} à {settlement.last_entry} du vendeur"
    return Draft(
        issuer_id=settlement.beneficiary_id,
        key=key(settlement),
        buyer=Buyer(organisation_reference(settlement.seller_id), None, None),
        lines=lines,
        kind=_kind(session, settlement, today),
        credits=_corrected(session, settlement) if settlement.units < 0 else None,
        reason=f"Règlement {shown(settlement)}, {span}",
    )


def _kind(session: Session, settlement: Settlement, today: date) -> str:
    parties = (settlement.beneficiary_id, settlement.seller_id)
    kinds = (drafts.INVOICE, drafts.CREDIT_NOTE)
    if mandates.ruling(session, *parties, today) is not None:
        kinds = (drafts.SELF_BILLED, drafts.SELF_BILLED_CREDIT)
    return kinds[settlement.units < 0]


def _corrected(session: Session, settlement: Settlement) -> tuple[str, int] | None:
    """Return the last invoice of the same two: what a credit note of the period corrects."""
    party = organisation_reference(settlement.seller_id)
    invoice = session.execute(
        select(Invoice.series, Invoice.number)
        .where(
            Invoice.organisation_id == settlement.beneficiary_id,
            Invoice.party == party,
            Invoice.kind.in_((drafts.INVOICE, drafts.SELF_BILLED)),
        )
        .order_by(Invoice.entry_number.desc())
        .limit(1)
    ).first()
    return None if invoice is None else (invoice.series, invoice.number)


def _line(session: Session, part: SettlementPart, taxed: Taxed, treatment: Treatment) -> DraftLine:
    label = f"Part sur les ventes ({part.role})"
    if part.fund_id is not None:
        label = f"{label}, fonds {session.get_one(Fund, part.fund_id).name}"
    return DraftLine(
        item=Item(COMPONENT, part.role, label, 1, taxed.net),
        days=None,
        net=taxed.net,
        vat=taxed.vat,
        treatment=treatment,
        shares=((Rule(part.beneficiary_id, part.fund_id, 1), taxed.net),),
    )


def _purchase(session: Session, settlement: Settlement, today: date) -> None:
    """Enter the document as a purchase of the seller: VAT is deducted by who is liable for it."""
    written = document_of(session, settlement)
    sign = -1 if settlement.units < 0 else 1
    liable = Catalogue(session).profile(settlement.seller_id, today).vat == "liable"
    cost, deducted = (written.net, written.vat) if liable else (written.gross, 0)
    name = issuing.Number(written.organisation_id, written.series, written.number).shown
    party = organisation_reference(settlement.beneficiary_id)
    entry = Entry(
        organisation_id=settlement.seller_id,
        effective_on=today,
        text=f"{'Avoir' if sign < 0 else 'Facture'} {name}",
        key=f"purchase:{settlement.beneficiary_id}:{name}",
        lines=_lines(
            (chart.PURCHASED_SERVICES, sign * cost, ""),
            (chart.VAT_DEDUCTIBLE, sign * deducted, ""),
            (chart.SUPPLIERS, -sign * written.gross, party),
        ),
        journal=journal.PURCHASES,
        piece=name,
        evidence=written.digest,
    )
    posting.post(session, entry, today)


def _post_accrual(
    session: Session,
    settlement: Settlement,
    units: Cents,
    words: tuple[str, str],
    today: date,
) -> None:
    seller, beneficiary = settlement.seller_id, settlement.beneficiary_id
    text, step = words
    sides = {
        seller: (
            (chart.PURCHASED_SERVICES, units, ""),
            (chart.SUPPLIER_INVOICES_TO_COME, -units, organisation_reference(beneficiary)),
        ),
        beneficiary: (
            (chart.CUSTOMER_INVOICES_TO_ISSUE, units, organisation_reference(seller)),
            (chart.SERVICES_SOLD, -units, ""),
        ),
    }
    for owner, amounts in sides.items():
        entry = Entry(
            organisation_id=owner,
            effective_on=today,
            text=f"{text} {shown(settlement)}",
            key=_accrual_key(settlement, step),
            lines=_lines(*amounts),
            piece=shown(settlement),
        )
        posting.post(session, entry, today)


def _accrual_key(settlement: Settlement, step: str) -> str:
    return f"settlement:{shown(settlement)}:{step}"


def _lines(*amounts: tuple[str, Cents, str]) -> tuple[Line, ...]:
    return tuple(_nonzero(amounts))


def _nonzero(amounts: Iterable[tuple[str, Cents, str]]) -> Iterable[Line]:
    return (Line(account, euros(units), party) for account, units, party in amounts if units)
