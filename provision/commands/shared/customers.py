"""Who a customer is, as people type it: the same options wherever a command asks for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.asking import ask_again
from provision.commands.shared.words import typed
from provision.subscriptions.parties import identities
from provision.subscriptions.selling import opening

if TYPE_CHECKING:
    from datetime import date

    from provision.commands.shared.context import Context
    from provision.commands.shared.words import Command


RENAMED = {"identity_kind": "kind", "street": "lines", "invoice_name": "name"}
OPTIONS = (
    click.option(
        "--kind", "identity_kind", type=click.Choice(identities.KINDS), help="Else as known."
    ),
    click.option("--siren", help="Of a company or a non-profit; its SIRET will do."),
    click.option("--vat-id", help="For example FR40303265045."),
    click.option("--vies-consultation", help="What VIES answered to who checked the VAT number."),
    click.option("--vies-date", help="When, such as 2026-01-31."),
    click.option("--street", multiple=True, help="A line of the address; up to three."),
    click.option("--postcode"),
    click.option("--city"),
    click.option("--country", help="By name or code, such as Allemagne or DE; else France."),
)
order_reference_option = click.option(
    "--order-reference", help="What the customer's accountant wants on invoices."
)
invoice_name_option = click.option(
    "--invoice-name", help="As documents name the customer, such as its company; else --name."
)


@dataclass(frozen=True)
class Customer:
    """Who a customer is, as far as it was typed."""

    identity_kind: str | None = None
    siren: str | None = None
    vat_id: str | None = None
    vies_consultation: str | None = None
    vies_date: str | None = None
    street: tuple[str, ...] = ()
    postcode: str | None = None
    city: str | None = None
    country: str | None = None
    invoice_name: str | None = None
    order_reference: str | None = None

    def said(self, language: str | None = None) -> dict[str, object]:
        """Return what was typed, and in which language, as `identities.changed` takes it."""
        words = {**vars(self), "language": language}
        typed_words = {RENAMED.get(name, name): word for name, word in words.items()}
        return {name: word for name, word in typed_words.items() if word not in (None, ())}


def identity_options(command: Command) -> Command:
    """Add what says who the customer is, which the command gets as `customer`."""
    command = typed(Customer, "customer")(command)
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


def customer_options(command: Command) -> Command:
    """Add the same where somebody becomes a customer, and how invoices name and quote them."""
    return invoice_name_option(order_reference_option(identity_options(command)))


def ask_where_same(context: Context, who: str, plan: str, day: date) -> None:
    """Ask before somebody gets a plan a second time from one day on."""
    with context.reading() as session:
        there = opening.same_of(session, who, plan, day)
        number = there.id if there else None
    if number is not None:
        ask_again(f"{who} has the plan {plan} already: subscription {number} of {day}")
