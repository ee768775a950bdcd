"""Credit notes: an invoice is taken back, whole or in part, and never more than what is left of it.

An invoice is never changed (CGI, annexe II, article 242 nonies A): a credit note that names it
corrects it.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import edges
from provision.errors import UsageRefused
from provision.money import apportion, show_euros
from provision.subscriptions.documents import allocating
from provision.subscriptions.documents.drafts import (
    CREDIT_NOTE,
    DEPOSIT,
    ROUNDED,
    Buyer,
    Draft,
    DraftLine,
)
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.offers import contracts, sharing
from provision.subscriptions.offers.catalogue import Catalogue, Item
from provision.subscriptions.offers.sharing import Rule
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.offers.vat import GROSS, ROUNDING, Treatment, tax
from provision.subscriptions.selling import adjusting, charges
from provision.subscriptions.selling.charges import Billed, base
from provision.subscriptions.selling.sides import Work

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from datetime import date
    from typing import TypeAlias

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.selling.models import Subscription

    Group: TypeAlias = tuple[str, str, int | None, str, int]


@dataclass(frozen=True)
class What:
    """What is taken back: `units` gross cents, or `lines` by their numbers, or else all."""

    units: Cents | None = None
    lines: tuple[int, ...] = ()


def credit(session: Session, number: Number, what: What, reason: str, on: date) -> Number:
    """Issue a credit note of an invoice `on` a day, and return its number.

    It is set against the invoice as far as that is open; the rest stays open, to be refunded.
    Raises UsageRefused for more than what is left, or for days that were given back already.
    """
    invoice = find(session, number)
    billing = charges.billing_of(session, invoice.subscription_id)
    work = Work(session, Catalogue(session), sharing.load(session), on, billing)
    lines = _chosen(session, invoice, what)
    _check(session, invoice, lines, billing)
    credits_before = len(charges.credits_of(session, number))
    draft = Draft(
        issuer_id=invoice.organisation_id,
        key=f"credit:{number.shown}:{credits_before + 1}",
        buyer=Buyer(invoice.party, invoice.identity_id, invoice.subscription_id),
        lines=tuple(shared(work, invoice.organisation_id, line, -1) for line in lines),
        kind=CREDIT_NOTE,
        credits=(invoice.series, invoice.number),
        reason=edges.person_name(reason, "reason"),
    )
    (note_number,) = adjusting.issue(work, [draft])
    sharing.save(session, work.dealer)
    return note_number


def credit_all(session: Session, subscription: Subscription, reason: str, on: date) -> list[Number]:
    """Take all invoices of a subscription back, the latest first; those taken back are skipped."""
    query = (
        select(Invoice)
        .where(Invoice.subscription_id == subscription.id, Invoice.kind != CREDIT_NOTE)
        .order_by(Invoice.entry_number.desc())
    )
    return [
        credit(session, allocating.number_of(invoice), What(), reason, on)
        for invoice in session.scalars(query).all()
        if charges.left(session, invoice)[1] > 0
    ]


def find(session: Session, number: Number) -> Invoice:
    """Return an invoice to a subscriber that may be taken back, or raise UsageRefused."""
    invoice = session.get(Invoice, tuple(number.columns.values()))
    if invoice is None:
        raise UsageRefused(f"There is no invoice {number.shown}", "Copy its number once more.")
    if invoice.kind == CREDIT_NOTE:
        raise UsageRefused(f"{number.shown} is a credit note", "Only an invoice can be credited.")
    if invoice.kind != DEPOSIT:
        allocating.check_of_person(invoice)
    return invoice


def _chosen(session: Session, invoice: Invoice, what: What) -> list[DraftLine]:
    own = lines_of(session, allocating.number_of(invoice))
    if invoice.kind == DEPOSIT:
        return [_rest_of_deposit(mirror(own[0], 1), what, charges.left(session, invoice))]
    if what.lines:
        by_number = {line.line: line for line in own if line.vat_category != ROUNDING.category}
        unknown = [str(number) for number in what.lines if number not in by_number]
        if unknown or len(set(what.lines)) != len(what.lines):
            raise UsageRefused(
                f"The invoice does not have each of these lines once: {what.lines}",
                f"It has the lines 1 to {len(by_number)}.",
            )
        wanted = [by_number[number] for number in what.lines]
        return [mirror(line, 1) for line in (*wanted, *_rounded(own, wanted))]
    whole = rest(session, invoice)
    return whole if what.units is None else list(_spread(whole, what.units))


def _rounded(own: Sequence[InvoiceLine], wanted: Sequence[InvoiceLine]) -> Iterator[InvoiceLine]:
    """Yield what was taken from the VAT of wanted lines: no paper shows it as a line (`rounding`).

    Of lines with the same component and days it is the one with the most VAT.
    """
    for rounded in own:
        alike = [
            line
            for line in own
            if f"{line.component}{ROUNDED}" == rounded.component
            and line.starts_on == rounded.starts_on
        ]
        if alike and max(alike, key=lambda line: abs(line.vat)) in wanted:
            yield rounded


def rest(session: Session, invoice: Invoice) -> list[DraftLine]:
    """Return what is left of an invoice: its lines, and below zero those taken back so far."""
    number = allocating.number_of(invoice)
    return [mirror(line, 1) for line in lines_of(session, number)] + [
        mirror(line, -1)
        for document in charges.credits_of(session, number)
        for line in lines_of(session, allocating.number_of(document))
    ]


def _rest_of_deposit(line: DraftLine, what: What, left: tuple[Cents, Cents]) -> DraftLine:
    """Return all that no invoice deducted: a deposit of which a part is credited is over."""
    net, gross = left
    if what.lines or what.units not in {None, gross}:
        shown = show_euros(gross)
        raise UsageRefused(
            f"A deposit is credited whole: {shown} was not deducted yet",
            "Leave the amount and the lines away.",
        )
    return replace(line, net=net, vat=gross - net)


def lines_of(session: Session, number: Number) -> list[InvoiceLine]:
    """Return the lines of a document in their order."""
    query = select(InvoiceLine).where(same_document(InvoiceLine, number)).order_by(InvoiceLine.line)
    return list(session.scalars(query))


def mirror(line: InvoiceLine, sign: int) -> DraftLine:
    """Return a written line as a draft has it, its amounts times `sign`; nobody shares it yet."""
    days = (
        Term(line.starts_on, line.ends_on + timedelta(days=1))
        if line.starts_on and line.ends_on
        else None
    )
    return DraftLine(
        item=Item(line.component, line.role, line.label, line.quantity, 0),
        days=days,
        net=sign * line.net,
        vat=sign * line.vat,
        treatment=Treatment(line.vat_category, line.vat_rate, line.vat_abroad),
        contract_id=line.contract_id,
    )


def _spread(whole: Sequence[DraftLine], units: Cents) -> Iterator[DraftLine]:
    """Spread gross cents over what is left, in proportion; no days are given back by that."""
    groups: dict[Group, list[DraftLine]] = {}
    for line in sorted(
        whole, key=lambda draft_line: (draft_line.treatment.category, draft_line.treatment.rate)
    ):
        item, how = line.item, line.treatment
        group = (base(item.component), item.role, line.contract_id, how.category, how.rate)
        groups.setdefault(group, []).append(line)
    left = [
        max(sum(draft_line.net + draft_line.vat for draft_line in lines), 0)
        for lines in groups.values()
    ]
    if not 0 < units <= sum(left):
        raise _too_much(sum(left))
    parts = apportion(left, units)
    for (group, lines), part in zip(groups.items(), parts, strict=True):
        (taxed,) = tax([part], GROSS, group[-1])
        if part:
            yield DraftLine(
                item=Item(group[0], group[1], lines[0].item.label, 1, 0),
                days=None,
                net=taxed.net,
                vat=taxed.vat,
                treatment=lines[0].treatment,
                contract_id=group[2],
            )


def _check(
    session: Session, invoice: Invoice, lines: Sequence[DraftLine], billing: charges.Billing
) -> None:
    left = charges.left(session, invoice)[1]
    if not 0 < sum(line.net + line.vat for line in lines) <= left:
        raise _too_much(left)
    given_back = list(steps(invoice, lines, -1))
    if not charges.once([*billing.lines, *given_back]):
        raise UsageRefused(
            "Some of these days were given back already, or changed by a later invoice",
            "Credit the later invoice first, or an amount.",
        )


def steps(invoice: Invoice, lines: Iterable[DraftLine], sign: int) -> Iterator[Billed]:
    """Yield the days that lines like those of `invoice` charge (`sign` is 1) or give back (-1)."""
    for line in lines:
        if line.days is not None and base(line.item.component) == line.item.component:
            yield Billed(
                number=allocating.number_of(invoice),
                component=line.item.component,
                starts=line.days.starts,
                until=line.days.until,
                step=-sign if line.net < 0 else sign,
                treatment=line.treatment,
                issued_on=invoice.issued_on,
            )


def shared(work: Work, issuer_id: int, line: DraftLine, sign: int) -> DraftLine:
    """Let each who gets a part of such a line get it (`sign` is 1), or give it back (-1)."""
    alone = ((Rule(issuer_id, None, 1), line.net),)
    agreement = None if line.contract_id is None else work.catalogue.agreement(line.contract_id)
    if agreement is None or agreement.mode == contracts.TWO_CONTRACTS:
        return replace(line, shares=alone)
    dealt = work.dealer.deal(agreement, line.item.role, sign * line.net)
    shares = tuple((rule, sign * units) for rule, units in dealt.parts)
    return replace(line, shares=shares, carried=dealt.carried)


def _too_much(left: Cents) -> UsageRefused:
    shown = show_euros(left)
    return UsageRefused(
        f"{shown} of this invoice can still be credited", "Give an amount above 0, up to that."
    )
