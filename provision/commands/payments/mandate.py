"""`paquet mandate`: whose account may be debited, on paper and in the registry."""

from __future__ import annotations

from functools import wraps
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import count_type, json_option, pass_context, show
from provision.commands.shared.words import day_type
from provision.errors import UsageRefused
from provision.formats.sepa.prenotification import masked
from provision.process.files import replace_file
from provision.subscriptions.parties import organisations, people, profiles
from provision.subscriptions.payments import mandate_papers, mandates
from provision.subscriptions.payments.mandates import Wanted

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Command, How
    from provision.commands.shared.context import Context
    from provision.subscriptions.payments.models import MandateRow

file_type = click.Path(dir_okay=False, path_type=Path)


BANK = {
    "bic": "Of the debtor's bank; else as its IBAN says.",
    "street": "Of the holder; else as the subscriber's.",
    "postcode": "",
    "town": "Banks outside the European Economic Area want it.",
    "country": "By name or code, such as Suisse or CH.",
}


def bank_options(command: Command) -> Command:
    """Add what a bank may want to know beside the account; the command gets it as `bank`."""

    @wraps(command)
    def collected(*args: object, **words: object) -> None:
        typed = {name: str(words.pop(name) or "").strip() for name in BANK}
        command(*args, bank={name: word for name, word in typed.items() if word}, **words)

    for name, told in reversed(BANK.items()):
        collected = click.option(f"--{name}", help=told)(collected)
    return collected


@click.group()
def mandate() -> None:
    """Keep the mandates by which subscribers let an organisation debit their account."""


@mandate.command()
@click.argument("organisation")
@click.argument("email")
@click.option("--holder", default="", help="Who holds the account; else the subscriber.")
@click.option("--iban", default="", help="The account, if it is known before the signature.")
@click.option("--reference", default="", help="The RUM of a mandate from another program.")
@click.option("--collected-before", type=day_type, help="The last debit by that program.")
@click.option("--notice-days", type=count_type, default=14, show_default=True, help="As agreed.")
@bank_options
@json_option
@pass_context
def add(context: Context, /, *, bank: Mapping[str, str], as_json: bool, **words: object) -> None:
    """Write a mandate of the subscriber EMAIL for ORGANISATION; it waits for its signature."""
    control = context.control()
    last: datetime | None = words["collected_before"]  # type: ignore[assignment]
    wanted = Wanted(
        holder=str(words["holder"]),
        iban=str(words["iban"]),
        bank=bank,
        reference=str(words["reference"]),
        notice_days=int(str(words["notice_days"])),
        collected_before=last.date() if last else None,
    )
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        subscriber = people.subscriber_named(session, str(words["email"]))
        when = (control.today(), control.told())
        facts = _facts(mandates.add(session, owner, subscriber, wanted, when))
    show(facts, as_json=as_json)


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@click.option("--on", type=day_type, required=True, help="The day that the paper says.")
@click.option("--iban", default="", help="The account that the debtor wrote by hand.")
@json_option
@pass_context
def sign(context: Context, /, *, as_json: bool, **words: object) -> None:
    """Enter the signature of the mandate REFERENCE of ORGANISATION."""
    control = context.control()
    on: datetime = words["on"]  # type: ignore[assignment]
    with context.session() as session:
        owner = organisations.get(session, str(words["organisation"]))
        row = mandates.find(session, owner, str(words["reference"]))
        when = (control.today(), control.told())
        mandates.sign(session, row, on.date(), str(words["iban"]), when)
        facts = _facts(row)
    show(facts, as_json=as_json)


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@bank_options
@change_options
@pass_context
def complete(
    context: Context, /, organisation: str, reference: str, bank: Mapping[str, str], how: How
) -> None:
    """Enter what the debtor's bank wants of the mandate REFERENCE of ORGANISATION, signed or not.

    Banks outside the European Economic Area, such as in Switzerland or Monaco, want their BIC and
    the town of the debtor.
    """
    if not bank:
        raise UsageRefused("Nothing is given", "Give --bic, --town, or another part of it.")
    control = context.control()

    def work(session: Session) -> dict[str, object]:
        row = mandates.find(session, organisations.get(session, organisation), reference)
        mandates.complete(session, row, bank, (control.today(), control.told()))
        return {**_facts(row), **bank}

    change(context, work, how)


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@click.option("--why", required=True, help="The reason, for the record.")
@json_option
@pass_context
def revoke(context: Context, organisation: str, reference: str, why: str, *, as_json: bool) -> None:
    """End the mandate REFERENCE of ORGANISATION: nothing more is collected under it."""
    control = context.control()
    with context.session() as session:
        row = mandates.find(session, organisations.get(session, organisation), reference)
        mandates.end(session, row, control.today(), control.told(why))
        facts = _facts(row)
    show(facts, as_json=as_json)


@mandate.command()
@click.argument("organisation")
@click.argument("reference")
@click.option("--to", "file", type=file_type, required=True, help="The PDF to write.")
@json_option
@pass_context
def form(context: Context, organisation: str, reference: str, file: Path, *, as_json: bool) -> None:
    """Write the page that the debtor of the mandate REFERENCE signs."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        row = mandates.find(session, owner, reference)
        profile = profiles.needed(session, owner, context.control().today())
        replace_file(file, mandate_papers.form(row, profile))
    show({"file": str(file)}, as_json=as_json)


@mandate.command(name="list")
@click.argument("organisation")
@json_option
@pass_context
def list_all(context: Context, organisation: str, *, as_json: bool) -> None:
    """Show the mandates of ORGANISATION; accounts are masked."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        last = mandates.last_collected(session, owner.id)
        rows = [_facts(one, last.get(one.id)) for one in mandates.everyone(session, owner.id)]
    show(rows, as_json=as_json)


def _facts(row: MandateRow, collected: date | None = None) -> dict[str, object]:
    days = {"signed": row.signed_on, "last_debit": collected or row.collected_before}
    return {
        "reference": row.reference,
        "subscriber": row.subscriber.email,
        "holder": row.holder,
        "account": masked(row.iban) if row.iban else "",
        "notice_days": row.notice_days,
        **{name: day and day.isoformat() for name, day in days.items()},
        "ended": row.ended_on and row.ended_on.isoformat(),
        "why": row.ended_why,
    }
