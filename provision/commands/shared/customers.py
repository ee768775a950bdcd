"""Who a customer is, as people type it: the same options wherever a command asks for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import (
    ask_again,
)
from provision.subscriptions.parties import identities
from provision.subscriptions.selling import opening

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from provision.commands.shared.changing import Command
    from provision.commands.shared.context import Context


# What is typed, and the field of a person or of an address that it is.
FIELDS = {
    "invoice_name": "name",
    "language": "language",
    "identity_kind": "kind",
    "siren": "siren",
    "vat_id": "vat_id",
    "vies_consultation": "vies_consultation",
    "vies_date": "vies_date",
    "order_reference": "order_reference",
    "street": "lines",
    "postcode": "postcode",
    "city": "city",
    "country": "country",
}
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


def identity_options(command: Command) -> Command:
    """Add what says who the customer is; `said` takes it out of the words again."""
    for decorate in reversed(OPTIONS):
        command = decorate(command)
    return command


def customer_options(command: Command) -> Command:
    """Add the same where somebody becomes a customer, and how invoices name and quote them."""
    return invoice_name_option(order_reference_option(identity_options(command)))


def said(words: Mapping[str, object]) -> dict[str, object]:
    """Return what was typed of a customer, as `identities.changed` takes it."""
    typed = {field: words.get(word) for word, field in FIELDS.items()}
    return {field: value for field, value in typed.items() if value not in (None, ())}


def ask_where_same(context: Context, email: str, plan: str, day: date) -> None:
    """Ask before somebody gets a plan a second time from one day on."""
    with context.reading() as session:
        there = opening.same_of(session, email, plan, day)
        number = there.id if there else None
    if number is not None:
        ask_again(f"{email} has the plan {plan} already: subscription {number} of {day}")
