"""What is no euro and pays an invoice: local currencies, hours, barter; some lines take none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.money import euros, show_euros
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.drafts import DISCOUNTED
from provision.subscriptions.documents.models import InvoiceLine, same_document
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers.models import PlanComponent
from provision.subscriptions.selling.models import SubscriptionVersion

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.ledger.journal import Moment

LOCAL, HOURS, BARTER = KINDS = ("local", "hours", "barter")


@dataclass(frozen=True)
class InKind:
    """What pays an invoice and is no euro: a kind of `Allocation`, which a refusal calls `name`.

    `taken` is its line in the entry, with its worth in euros, against 411; `beside` are lines in a
    commodity of its own. `text` and `key` are those of the entry.
    """

    kind: str
    name: str
    taken: Line
    text: str
    key: str
    beside: tuple[Line, ...] = ()
    journal: str = journal.OTHERS

    @property
    def units(self) -> Cents:
        """What it is worth, in cents."""
        return self.taken.amount.units


def pay(session: Session, invoice: Invoice, payment: InKind, moment: Moment) -> int:
    """Let what is no euro pay a subscriber's invoice; return the number of the entry.

    Raises UsageRefused for more than can be paid so: no change is given in euros.
    """
    check(session, invoice, payment.units, payment.name)
    return enter(session, invoice, payment, moment)


def enter(session: Session, invoice: Invoice, payment: InKind, moment: Moment) -> int:
    """Enter what was checked, set it against the invoice; return the number of the entry."""
    shown = allocating.number_of(invoice).shown
    entry = Entry(
        organisation_id=invoice.organisation_id,
        effective_on=moment.on,
        text=f"{payment.text}, facture {shown}",
        key=payment.key,
        lines=(
            payment.taken,
            Line(chart.CUSTOMERS, euros(-payment.units), invoice.party),
            *payment.beside,
        ),
        journal=payment.journal,
        piece=shown,
    )
    number = posting.post(session, entry, moment.today).number
    allocating.allocate(session, invoice, payment.units, payment.kind, (number, moment.on))
    return number


def next_key(session: Session, invoice: Invoice, kind: str) -> str:
    """Return the key of the entry of what is set against the invoice next."""
    shown, place = allocating.number_of(invoice).shown, allocating.next_position(session, invoice)
    return f"{kind}:{shown}:{place}"


def payable(session: Session, invoice: Invoice) -> Cents:
    """Return how many cents of an invoice can still be paid in what is no euro.

    Lines that can be paid only in euros (hosting, taxes) are left out, with their VAT.
    """
    kept = sum(line.net + line.vat for line in _euro_only(session, invoice))
    paid = sum(open_items.set_so_far(session, invoice, kind) for kind in KINDS)
    return max(min(invoice.gross - kept - paid, open_items.left_on(session, invoice)), 0)


def check(session: Session, invoice: Invoice, units: Cents, means: str) -> None:
    """Raise UsageRefused unless a subscriber may pay `units` cents of the invoice by `means`."""
    allocating.check_of_person(invoice)
    most = payable(session, invoice)
    if not 0 < units <= most:
        raise UsageRefused(
            f"{allocating.number_of(invoice).shown} can take "
            f"{show_euros(most)} in {means}, no more",
            "The rest is paid in euros; no change is given in euros.",
        )


def _euro_only(session: Session, invoice: Invoice) -> list[InvoiceLine]:
    """Return the lines whose component is paid in euros alone, in any plan that it had."""
    codes = set(
        session.scalars(
            select(PlanComponent.code)
            .join(SubscriptionVersion, SubscriptionVersion.plan_id == PlanComponent.plan_id)
            .where(
                SubscriptionVersion.subscription_id == invoice.subscription_id,
                PlanComponent.euro_only == 1,
            )
        )
    )
    lines = session.scalars(select(InvoiceLine).where(same_document(InvoiceLine, invoice)))
    return [line for line in lines if line.component.removesuffix(DISCOUNTED) in codes]
