"""What the documents of a subscription say: which days are charged, how, and what is left."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from datetime import timedelta
from itertools import accumulate
from typing import TYPE_CHECKING

from sqlalchemy import or_, select

from provision.subscriptions.documents import allocating, deducting, drafts
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice, InvoiceLine, same_document
from provision.subscriptions.offers.vat import Treatment
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.people import reference
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.due import Due, Reduction
from provision.subscriptions.selling.models import Discount

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Buyer
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.selling.models import Subscription

CANCEL, KEEP = "cancel", "keep"  # begin the keys of what ends days, and of what charges them again
ENDS = (f"{CANCEL}:", f"{KEEP}:")


@dataclass(frozen=True)
class Billed:
    """One line that charged days (`step` is 1) or gave them back (-1), from a document."""

    number: Number
    component: str
    starts: date
    until: date
    step: int
    treatment: Treatment
    issued_on: date
    key: str = ""

    def holds(self, component: str, day: date) -> bool:
        """Tell whether it speaks of this component on `day`; a discount goes with its component."""
        return self.component == base(component) and self.starts <= day < self.until


@dataclass(frozen=True)
class Billing:
    """All dated lines of a subscription."""

    lines: tuple[Billed, ...]

    def charged(self, issuer_id: int, component: str, day: date) -> bool:
        """Tell whether `day` of a component stands on its invoice and was not given back."""
        return sum(billed.step for billed in self._of(issuer_id, component, day)) > 0

    def knows(self, issuer_id: int, component: str, day: date) -> bool:
        """Tell whether `day` of a component was ever on its invoice."""
        return any(self._of(issuer_id, component, day))

    def refunded(self, issuer_id: int, component: str, day: date) -> bool:
        """Tell whether a cancellation gave `day` back that was not charged again since."""
        ended = [
            billed.step
            for billed in self._of(issuer_id, component, day)
            if billed.key.startswith(ENDS)
        ]
        return sum(ended) < 0 and not self.charged(issuer_id, component, day)

    def cuts(self) -> list[date]:
        """Return the days from which on more, or less, is charged than on the day before."""
        return [day for steps in _turns(self.lines).values() for day, step in steps.items() if step]

    def _of(self, issuer_id: int, component: str, day: date) -> Iterator[Billed]:
        for billed in self.lines:
            if billed.number.organisation_id == issuer_id and billed.holds(component, day):
                yield billed

    def latest(self, issuer_id: int, day: date) -> Billed | None:
        """Return a line of the organisation's latest document of `day`."""
        billed_lines = [
            billed
            for billed in self.lines
            if billed.number.organisation_id == issuer_id and billed.starts <= day < billed.until
        ]
        return billed_lines[-1] if billed_lines else None


def once(lines: Iterable[Billed]) -> bool:
    """Tell whether each day stands on one invoice at most, and was not given back too often."""
    return all(
        set(accumulate(units for _day, units in sorted(of_component.items()))) <= {0, 1}
        for of_component in _turns(lines).values()
    )


def _turns(lines: Iterable[Billed]) -> dict[tuple[int, str], Counter[date]]:
    """Return by seller and component on which days it begins (above zero) or ends to be charged."""
    turns: dict[tuple[int, str], Counter[date]] = defaultdict(Counter)
    for billed in lines:
        of_component = turns[billed.number.organisation_id, billed.component]
        of_component[billed.starts] += billed.step
        of_component[billed.until] -= billed.step
    return turns


def base(component: str) -> str:
    """Return the component that a line is about: a discount is about the one that it reduces."""
    return component.removesuffix(drafts.ROUNDED).removesuffix(drafts.DISCOUNTED)


def due_of(session: Session, subscription: Subscription) -> Due:
    """Return the subscription as the pure billing needs it."""
    identity = identities.current(session, subscription.subscriber_id)
    reductions = session.scalars(
        select(Discount).where(Discount.subscription_id == subscription.id).order_by(Discount.id)
    )
    return Due(
        subscription_id=subscription.id,
        billed_to=subscription.billed_to,
        last_day=subscription.last_day,
        party=reference(session, subscription.subscriber_id),
        language=subscription.subscriber.language,
        identity_id=identity.id if identity else None,
        person=identities.read(identity) if identity else None,
        versions=tuple(opening.version_of(version) for version in subscription.versions),
        reductions=tuple(
            Reduction(discount.first_day, discount.last_day, discount.basis_points, discount.reason)
            for discount in reductions
        ),
    )


def billing_of(session: Session, subscription_id: int | None) -> Billing:
    """Return the dated lines of all documents of a subscription, in the order they were issued."""
    rows = session.execute(
        select(InvoiceLine, Invoice.kind, Invoice.issued_on, Invoice.key)
        .join(Invoice, same_document(Invoice, InvoiceLine))
        .where(Invoice.subscription_id == subscription_id, InvoiceLine.starts_on.is_not(None))
        .order_by(Invoice.issued_on, Invoice.entry_number, InvoiceLine.line)
    )
    return Billing(tuple(_billed(rows)))


def creditable(session: Session, buyer: Buyer, issuer_id: int, days: Term) -> list[Invoice]:
    """Return the organisation's invoices of `days`, the latest first."""
    charging = select(InvoiceLine.number).where(
        same_document(Invoice, InvoiceLine),
        InvoiceLine.starts_on < days.until,
        InvoiceLine.ends_on >= days.starts,
    )
    query = (
        select(Invoice)
        .where(
            Invoice.subscription_id == buyer.subscription_id,
            Invoice.organisation_id == issuer_id,
            Invoice.kind == drafts.INVOICE,
            charging.exists(),
        )
        .order_by(Invoice.entry_number.desc())
    )
    return list(session.scalars(query))


def credits_of(session: Session, number: Number) -> list[Invoice]:
    """Return the credit notes of an invoice, the first one first."""
    query = (
        select(Invoice)
        .where(
            Invoice.organisation_id == number.organisation_id,
            Invoice.credited_series == number.series,
            Invoice.credited_number == number.number,
        )
        .order_by(Invoice.entry_number)
    )
    return list(session.scalars(query))


def refunded(session: Session, buyer: Buyer, issuer_id: int) -> tuple[Cents, Cents]:
    """Return what cancellations gave back and nobody charged again since: net, and gross."""
    query = select(Invoice).where(
        Invoice.subscription_id == buyer.subscription_id,
        Invoice.organisation_id == issuer_id,
        or_(*(Invoice.key.startswith(begin) for begin in ENDS)),
    )
    notes: list[tuple[Cents, Cents]] = []
    for document in session.scalars(query):
        sign = 1 if document.kind == drafts.CREDIT_NOTE else -1
        notes.append((sign * document.net, sign * document.gross))
    return sum(net for net, _gross in notes), sum(gross for _net, gross in notes)


def left(session: Session, invoice: Invoice) -> tuple[Cents, Cents]:
    """Return what is not credited yet of an invoice, nor deducted of a deposit: net, and gross."""
    number = allocating.number_of(invoice)
    gone = [(document.net, document.gross) for document in credits_of(session, number)]
    if invoice.kind == drafts.DEPOSIT:
        gone += [
            (deduction.net, deduction.net + deduction.vat)
            for deduction in deducting.of_deposit(session, number)
        ]
    return (
        invoice.net - sum(net for net, _gross in gone),
        invoice.gross - sum(gross for _net, gross in gone),
    )


def _billed(rows: Iterable[tuple[InvoiceLine, str, date, str]]) -> Iterator[Billed]:
    """Read each line: it charges its days on an invoice, and gives them back on a credit note.

    A line below zero does the opposite. Discounts are left out: they follow what they reduce.
    """
    for line, kind, issued_on, key in rows:
        if line.starts_on is None or line.ends_on is None or base(line.component) != line.component:
            continue
        yield Billed(
            number=Number(line.organisation_id, line.series, line.number),
            component=line.component,
            starts=line.starts_on,
            until=line.ends_on + timedelta(days=1),
            step=1 if (kind == drafts.CREDIT_NOTE) == (line.net < 0) else -1,
            treatment=Treatment(line.vat_category, line.vat_rate, line.vat_abroad),
            issued_on=issued_on,
            key=key,
        )
