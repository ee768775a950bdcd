"""Invoices that nobody will pay: written off, with a reason, and the VAT that comes back.

D 654 C 411 (plan comptable général: "pertes sur créances irrécouvrables"), directly, without a
doubtful receivable on 416 in between. The VAT part is D 44571 instead, by two rules:
- who owes VAT when it is paid (services, CGI article 269-2-c) never owed that of an unpaid invoice;
- who opted for debits paid it, and gets it back (CGI article 272-1) only when the loss is final
  and a duplicate of the invoice was sent, saying that it stays unpaid and that its VAT cannot be
  deducted. Without that duplicate all of it is a loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.money import apportion
from provision.subscriptions.documents import allocating, open_items
from provision.subscriptions.documents.drafts import DEPOSIT
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.payments import answers
from provision.subscriptions.payments.booking import line
from provision.subscriptions.selling import charges

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.parties.profiles import Profile


@dataclass(frozen=True)
class Loss:
    """What is lost of an invoice: cents in all, and how many of them are VAT that comes back."""

    units: Cents
    vat_back: Cents


def loss_of(invoice: OpenItem, profile: Profile, *, duplicate_sent: bool) -> Loss:
    """Return what writing off all that is open on an invoice would do."""
    open_items.check_invoice(invoice)
    comes_back = not profile.vat_on_debits or duplicate_sent
    vat = (
        apportion((invoice.vat, invoice.gross - invoice.vat), invoice.units)[0] if comes_back else 0
    )
    return Loss(invoice.units, vat)


def write_off(session: Session, invoice: OpenItem, loss: Loss, when: tuple[date, str]) -> int:
    """Write an invoice off on a day, for a reason; return the number of the entry.

    Raises UsageRefused while a debit of it waits for the bank's answer, and for a deposit that is
    not deducted: nobody loses what was not sold yet.
    """
    on, why = when
    number = invoice.number
    _check_sold(session, invoice)
    if not why.strip():
        raise UsageRefused("A loss has a reason", "Say why: --why.")
    for items in answers.running(session, number.organisation_id).values():
        if any((item.series, item.invoice) == (number.series, number.number) for item in items):
            raise UsageRefused(f"{invoice.shown} is being collected", "Wait for the bank's answer.")
    amounts = (
        (chart.BAD_DEBTS, loss.units - loss.vat_back, ""),
        (chart.VAT_COLLECTED, loss.vat_back, ""),
        (chart.CUSTOMERS, -loss.units, invoice.party),
    )
    entry = Entry(
        organisation_id=number.organisation_id,
        effective_on=on,
        text=f"Perte {invoice.shown}",
        key=f"loss:{invoice.shown}:{invoice.gross - invoice.units}",
        lines=tuple(line(account, units, party) for account, units, party in amounts if units),
        piece=invoice.shown,
    )
    entry_number = posting.post(session, entry, on).number
    allocating.allocate(session, number, loss.units, allocating.LOSS, (entry_number, on))
    return entry_number


def _check_sold(session: Session, invoice: OpenItem) -> None:
    if invoice.kind != DEPOSIT:
        return
    document = session.get_one(Invoice, tuple(invoice.number.columns.values()))
    if charges.left(session, document)[1] > 0:
        raise UsageRefused(
            f"{invoice.shown} asks for a deposit that no invoice deducted: nothing is lost yet",
            "Take it back: paquet subscription credit --help",
        )
