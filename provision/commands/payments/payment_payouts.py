"""`paquet payment payout|payouts|explain`: what card providers paid out, and what of it is open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import file_type, json_option, name_type, number_type, typed
from provision.errors import UsageRefused
from provision.formats.payouts import providers, reading
from provision.money import euros
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import payout_lists
from provision.subscriptions.payments import payouts as booked
from provision.subscriptions.payments.models import PARKED
from provision.workflows import payouts as bringing

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.formats.payouts.payouts import Payout
    from provision.subscriptions.payments.payout_lists import PayoutState
    from provision.subscriptions.payments.payout_models import PayoutPaymentRow
    from provision.workflows.payouts import BroughtPayment

NOTHING = "There are no payouts."


@dataclass(frozen=True)
class FromTheProvider:
    """A file of a provider, whose money it is, and how it is read."""

    file: Path
    organisation: str
    provider: str | None
    mapping: Path | None

    def payouts(self) -> tuple[Payout, ...]:
        """Return what the file holds. Raises UsageRefused where no table or two are named."""
        if (self.provider is None) == (self.mapping is None):
            raise UsageRefused(
                "Whose file is it?",
                f"Give --from {'|'.join(providers.shipped())}, or --csv with a table of your own "
                f"(see {providers.EXAMPLE}).",
            )
        if self.file.stat().st_size > reading.MOST_BYTES:
            raise UsageRefused(f"{self.file} is too large", "Export a shorter period.")
        table = providers.read(self.mapping) if self.mapping else providers.of(str(self.provider))
        return reading.read(self.file.read_bytes(), self.file.name, table)


@click.command()
@click.argument("file", type=file_type)
@click.option("--organisation", type=name_type, required=True, help="Whose customers paid.")
@click.option("--from", "provider", type=click.Choice(providers.shipped()), help="The provider.")
@click.option("--csv", "mapping", type=file_type, help="How to read another one, as a TOML file.")
@typed(FromTheProvider, "brought")
@change_options
@pass_context
def payout(context: Context, brought: FromTheProvider, how: How) -> None:
    """Bring in FILE, what a card provider paid out: each payment pays its invoice, less its fee.

    What names an open invoice and has its exact amount pays it; refunds and chargebacks open
    theirs again; the rest is parked (471) until `payment explain`. The provider owes what is left
    (5115) until the bank shows it. What is known already is passed over, and told if it changed.
    """
    given, today = brought.payouts(), context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, brought.organisation)
        told = bringing.bring_in(session, owner, given, today)
        payments = [_brought_row(payment) for payment in told.payments]
        remarks = [{"remark": remark} for remark in told.remarks]
        return {"payments": payments, "remarks": remarks} if payments else {}

    change(context, work, how, question="Bring them in?", nothing="Nothing of it is new.")


@click.command(name="payouts")
@click.argument("organisation")
@json_option
@pass_context
def list_payouts(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show what providers paid out to ORGANISATION, what waits for the bank, what is parked."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        states = [_state_row(state) for state in payout_lists.everyone(session, owner.id)]
        parked = [_parked_row(row) for row in payout_lists.parked(session, owner.id)]
    shown: Facts = {"payouts": states, "to_explain": parked}
    context.show(shown if states or as_json else {}, as_json=as_json, nothing=NOTHING)


@dataclass(frozen=True)
class PaymentExplained:
    """What a payment of a payout pays, or takes back."""

    organisation: str
    payment: int
    references: tuple[str, ...]


@click.command()
@click.argument("organisation")
@click.argument("payment", type=number_type)
@click.argument("references", nargs=-1, required=True)
@typed(PaymentExplained, "said")
@change_options
@pass_context
def explain(context: Context, said: PaymentExplained, how: How) -> None:
    """Say that PAYMENT of a payout, which is parked, pays REFERENCES: invoices, or receipts.

    What is left over stays as the customer's credit. One that went back takes the payment of the
    invoice back, or pays the credit note back.
    """
    today = context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, said.organisation)
        row = booked.get(session, owner.id, said.payment)
        pays = bringing.explain(session, row, said.references, today)
        return {"payment": row.id, "amount": euros(row.gross), "pays": " ".join(pays)}

    change(context, work, how)


def _brought_row(brought: BroughtPayment) -> Facts:
    payment, proposal = brought.said, brought.proposal
    may_be = proposal.expected if proposal and brought.kind == PARKED else ()
    return {
        "payout": brought.payout.reference,
        "paid_out": brought.payout.day.isoformat(),
        "payment": brought.number,
        "reference": payment.reference,
        "day": payment.day.isoformat(),
        "payer": payment.payer,
        "gross": euros(payment.gross),
        "fee": euros(payment.fee),
        "net": euros(payment.net),
        "booked_as": brought.kind,
        "pays": " ".join(brought.pays),
        "may_be": " ".join(expected.reference for expected in may_be),
    }


def _state_row(state: PayoutState) -> Facts:
    row = state.row
    return {
        "payout": state.shown,
        "day": row.paid_out_on.isoformat(),
        "payments": state.payments,
        "gross": euros(row.gross),
        "fees": euros(row.fees),
        "net": euros(row.net),
        "to_explain": euros(state.unexplained),
        "waits_for_the_bank": euros(state.waits),
    }


def _parked_row(row: PayoutPaymentRow) -> Facts:
    return {
        "payment": row.id,
        "provider": row.provider,
        "reference": row.reference,
        "day": row.paid_on.isoformat(),
        "payer": row.payer,
        "amount": euros(row.gross),
        "what": row.what,
    }
