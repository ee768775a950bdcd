"""`paquet mandate`: whose account may be debited, on paper and in the registry."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import (
    count_type,
    day_type,
    json_option,
    typed,
    who_type,
    why_option,
)
from provision.errors import UsageRefused
from provision.formats.sepa.prenotification import masked
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.payments import mandates
from provision.subscriptions.payments.mandates import WantedMandate

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.commands.shared.words import Command
    from provision.subscriptions.payments.models import MandateRow

FORM = "Write the page that the debtor of the mandate REFERENCE signs."
IMPORT = "Bring in the mandates of FILE, a CSV with a line for each, of subscribers who are known."
BANK = {
    "bic": "Of the debtor's bank; else as its IBAN says.",
    "street": "Of the holder; else as the subscriber's.",
    "postcode": "",
    "town": "Banks outside the European Economic Area want it.",
    "country": "By name or code, such as Suisse or CH.",
}


@dataclass(frozen=True)
class DebtorBank:
    """What a bank may want to know beside the account."""

    bic: str | None
    street: str | None
    postcode: str | None
    town: str | None
    country: str | None

    def said(self) -> dict[str, str]:
        """Return what was typed."""
        typed_words = {name: (word or "").strip() for name, word in vars(self).items()}
        return {name: word for name, word in typed_words.items() if word}


def bank_options(command: Command) -> Command:
    """Add what a bank may want to know beside the account; the command gets it as `bank`."""
    command = typed(DebtorBank, "bank")(command)
    for name, told in reversed(BANK.items()):
        command = click.option(f"--{name}", help=told)(command)
    return command


@click.group(
    cls=Imported,
    waiting={
        "form": Waiting("payments.mandate_form", FORM),
        "import": Waiting("payments.mandate_import", IMPORT),
    },
)
def mandate() -> None:
    """Keep the mandates by which subscribers let an organisation debit their account."""


@dataclass(frozen=True)
class Granted:
    """A mandate as it is agreed, before its signature."""

    organisation: str
    who: str
    holder: str
    iban: str
    reference: str
    collected_before: date | None
    notice_days: int


@mandate.command()
@click.argument("organisation")
@click.argument("who", type=who_type)
@click.option("--holder", default="", help="Who holds the account; else the subscriber.")
@click.option("--iban", default="", help="The account, if it is known before the signature.")
@click.option("--reference", default="", help="The RUM of a mandate from another program.")
@click.option("--collected-before", type=day_type, help="The last debit by that program.")
@click.option("--notice-days", type=count_type, default=14, show_default=True, help="As agreed.")
@typed(Granted, "granted")
@bank_options
@change_options
@pass_context
def add(context: Context, granted: Granted, bank: DebtorBank, how: How) -> None:
    """Write a mandate of the subscriber WHO for ORGANISATION; it waits for its signature."""
    control = context.control()
    when = (control.today(), control.told())
    wanted = WantedMandate(
        holder=granted.holder,
        iban=granted.iban,
        bank=bank.said(),
        reference=granted.reference,
        notice_days=granted.notice_days,
        collected_before=granted.collected_before,
    )

    def work(session: Session) -> Facts:
        owner = organisations.get(session, granted.organisation)
        subscriber = people.subscriber_named(session, granted.who)
        return _facts(mandates.add(session, owner, subscriber, wanted, when))

    change(context, work, how)


@dataclass(frozen=True)
class Signature:
    """What the paper says that a debtor signed."""

    organisation: str
    reference: str
    on: date
    iban: str


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@click.option("--on", type=day_type, required=True, help="The day that the paper says.")
@click.option("--iban", default="", help="The account that the debtor wrote by hand.")
@typed(Signature, "signed")
@change_options
@pass_context
def sign(context: Context, signed: Signature, how: How) -> None:
    """Enter the signature of the mandate REFERENCE of ORGANISATION."""
    control = context.control()
    when = (control.today(), control.told())

    def work(session: Session) -> Facts:
        owner = organisations.get(session, signed.organisation)
        row = mandates.find(session, owner, signed.reference)
        mandates.sign(session, row, signed.on, signed.iban, when)
        return _facts(row)

    change(context, work, how)


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@bank_options
@change_options
@pass_context
def complete(
    context: Context, *, organisation: str, reference: str, bank: DebtorBank, how: How
) -> None:
    """Enter what the debtor's bank wants of the mandate REFERENCE of ORGANISATION, signed or not.

    Banks outside the European Economic Area, such as in Switzerland or Monaco, want their BIC and
    the town of the debtor.
    """
    said = bank.said()
    if not said:
        raise UsageRefused("Nothing is given", "Give --bic, --town, or another part of it.")
    control = context.control()
    when = (control.today(), control.told())

    def work(session: Session) -> Facts:
        row = mandates.find(session, organisations.get(session, organisation), reference)
        mandates.complete(session, row, said, when)
        return {**_facts(row), **said}

    change(context, work, how)


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@why_option
@change_options
@pass_context
def revoke(context: Context, *, organisation: str, reference: str, why: str, how: How) -> None:
    """End the mandate REFERENCE of ORGANISATION: nothing more is collected under it."""
    control = context.control()
    today, told = control.today(), control.told(why)

    def work(session: Session) -> Facts:
        row = mandates.find(session, organisations.get(session, organisation), reference)
        mandates.end(session, row, today, told)
        return _facts(row)

    change(context, work, how)


@mandate.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the mandates of ORGANISATION; accounts are masked."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        last = mandates.last_collected(session, owner.id)
        rows = [
            _facts(mandate, last.get(mandate.id))
            for mandate in mandates.everyone(session, owner.id)
        ]
    context.show(rows, as_json=as_json)


def _facts(row: MandateRow, collected: date | None = None) -> Facts:
    days = {"signed": row.signed_on, "last_debit": collected or row.collected_before}
    return {
        "reference": row.reference,
        "subscriber": people.called(row.subscriber),
        "holder": row.holder,
        "account": masked(row.iban) if row.iban else "",
        "notice_days": row.notice_days,
        **{name: day and day.isoformat() for name, day in days.items()},
        "ended": row.ended_on and row.ended_on.isoformat(),
        "why": row.ended_why,
    }
