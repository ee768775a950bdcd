"""`paquet receipt`: membership fees and donations that an association received."""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

import click

from provision import money
from provision.commands.shared.words import day_type, folder_type
from provision.commands.shared.changing import (
    change,
    change_options,
    decided,
    on_option,
    show_amounts,
)
from provision.commands.shared.context import json_option, number_type, pass_context, show
from provision.commands.shared.customers import identity_options, said
from provision.errors import UsageRefused
from provision.money import euros
from provision.process.files import write_private
from provision.subscriptions.commons.receipts import entering, givers, papers, recording
from provision.subscriptions.commons.receipts.recording import Asked
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.receipt_models import DONATION, MEMBERSHIP, Receipt
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.parties import organisations, people
from provision.subscriptions.payments import movements

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import date, datetime
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Command, Facts, How
    from provision.commands.shared.context import Context
    from provision.subscriptions.commons.receipts.entering import Origin
    from provision.subscriptions.parties.models import Organisation
    from provision.workflows.control import Control

out_option = click.option("--out", "--to", "folder", type=folder_type, help="Write the PDF there.")

# What fees and donations share, as `--help` shows it.
RECEIVED = (
    click.argument("organisation"),
    click.argument("giver"),
    click.argument("amount"),
    click.option("--means", type=click.Choice(entering.MEANS), required=True),
    on_option,
    click.option("--movement", type=number_type, help="The movement of the bank that it is."),
    click.option("--instead-of", metavar="NUMBER", help="The cancelled receipt of this money."),
    click.option("--key", default="", help="What makes it one, where two are alike."),
    click.option("--name", "invoice_name", help="Of a giver, if new or other than it is."),
    click.option("--language", type=click.Choice(["fr", "en"]), help="Of the receipt."),
    identity_options,
    out_option,
)


@click.group()
def receipt() -> None:
    """Write down fees and donations that an association received, and give receipts."""


def _received(command: Command) -> Command:
    """Add what fees and donations share; the command gets all of it as `words`."""
    for decorate in reversed(RECEIVED):
        command = decorate(command)
    return command


@receipt.command()
@_received
@click.option("--from", "first_day", type=day_type, required=True, help="First day of membership.")
@click.option("--until", "last_day", type=day_type, required=True, help="Its last day.")
@change_options
@pass_context
def membership(context: Context, /, *, how: How, **words: object) -> None:
    """Write down AMOUNT euros that ORGANISATION received from GIVER as a membership fee.

    GIVER is the e-mail address or the number of a subscriber, or - for somebody new without an
    address; somebody new has a --name. The same giver, days and amount again write nothing, on any
    day (somebody without an address has a number then: give that, not - again).
    """
    period = (_day(words["first_day"]), _day(words["last_day"]))
    _record(context, {**words, "fee": MEMBERSHIP, "period": period, "tax": False}, how)


@receipt.command()
@_received
@click.option("--tax", is_flag=True, help="A receipt that lowers the donor's tax.")
@change_options
@pass_context
def donation(context: Context, /, *, how: How, **words: object) -> None:
    """Write down AMOUNT euros that ORGANISATION received from GIVER as a donation.

    GIVER is as for a membership, or an organisation of the registry, whose gift is in the books
    (paquet reciprocity give). Without --tax the receipt says that it lowers no tax. The same again
    on one day writes nothing; tomorrow it is another donation, unless --on says the same day.
    """
    _record(context, {**words, "fee": DONATION, "period": None}, how)


@receipt.command(name="list")
@click.argument("organisation")
@click.option("--since", type=day_type, help="Only from this day on.")
@json_option
@pass_context
def list_all(context: Context, organisation: str, since: datetime | None, *, as_json: bool) -> None:
    """Show the receipts of ORGANISATION, also those that were cancelled."""
    with context.reading() as session:
        owner = organisations.get(session, organisation)
        found = recording.everyone(session, owner, since.date() if since else None)
        rows = [_facts(session, one) for one in found]
    show_amounts(context, rows, as_json=as_json)
    if not rows and not as_json:
        click.echo("There is none.")


@receipt.command()
@click.argument("organisation")
@click.argument("numbers", nargs=-1)
@click.option("--since", type=day_type, help="All from this day on, once.")
@click.option("--out", "--to", "folder", type=folder_type, required=True, help="Where they go.")
@json_option
@pass_context
def write(context: Context, /, folder: Path, *, as_json: bool, **words: object) -> None:
    """Write receipts as PDF/A: NUMBERS, or all since a day that were not written yet.

    The first copy of a receipt is the original; every later one says that it is a duplicate.
    """
    numbers: tuple[str, ...] = words["numbers"]  # type: ignore[assignment]
    since: datetime | None = words["since"]  # type: ignore[assignment]
    if bool(numbers) == bool(since):
        raise UsageRefused("Which receipts?", "Name them, or give --since DAY.")
    with context.reading() as session:
        owner = organisations.get(session, str(words["organisation"]))
        found = [recording.find(session, owner, shown) for shown in numbers]
        if since:
            found = papers.unwritten(session, recording.everyone(session, owner, since.date()))
        every = dict.fromkeys(numbering.shown(one.series, one.number) for one in found)
    rows = [_written(context, owner, shown, folder) for shown in every]
    show(rows, as_json=as_json)


@receipt.command()
@click.argument("organisation")
@click.argument("number")
@click.option("--why", required=True, help="The reason, for the record; it names nobody.")
@change_options
@pass_context
def cancel(context: Context, /, organisation: str, number: str, why: str, how: How) -> None:
    """Cancel the receipt NUMBER of ORGANISATION: it keeps its number, the books take it back.

    Money that the bank has shown is to be paid back then (payment match), or is written down again
    with --instead-of.
    """
    today = context.control().today()

    def work(session: Session) -> Facts:
        owner = organisations.get(session, organisation)
        found = recording.find(session, owner, number)
        recording.cancel(session, found, why, today)
        return _facts(session, found)

    change(context, work, how)


def _record(context: Context, words: Mapping[str, object], how: How) -> None:
    """Record what `words` say, show it, and write its paper where that was asked for."""
    control = context.control()

    def preview(facts: Facts) -> None:
        show_amounts(context, facts, as_json=False)

    done = decided(context, _recorder(control, words), how, (preview, "Write this?"))
    folder = cast("Path | None", words["folder"])
    if folder is not None and not how.dry_run:
        with context.reading() as session:
            owner = organisations.get(session, str(words["organisation"]))
        done = {**done, **_written(context, owner, str(done["number"]), folder)}
    show_amounts(context, done, as_json=how.as_json)


def _recorder(control: Control, words: Mapping[str, object]) -> Callable[[Session], Facts]:
    today = control.today()
    units = money.parse(words["amount"]).units
    on = cast("datetime | None", words["on"])

    def work(session: Session) -> Facts:
        owner = organisations.get(session, str(words["organisation"]))
        origin = _origin(session, owner, words)
        asked = Asked(
            kind=str(words["fee"]),
            giver=givers.find(session, str(words["giver"]), said(words), (control.told(), today)),
            units=units,
            means=str(words["means"]),
            period=cast("tuple[date, date] | None", words["period"]),
            tax=bool(words["tax"]),
            key=str(words["key"]),
            is_dated=on is not None,
        )
        moment = Moment(on.date() if on else _came(origin, today), today)
        made = recording.record(session, owner, asked, moment, origin)
        return _facts(session, made)

    return work


def _origin(session: Session, owner: Organisation, words: Mapping[str, object]) -> Origin:
    movement = cast("int | None", words["movement"])
    if movement is not None and words["instead_of"]:
        raise UsageRefused("Where is the money?", "Give --movement or --instead-of, not both.")
    if movement is not None:
        return movements.get(session, owner.id, movement)
    if words["instead_of"]:
        return recording.find(session, owner, str(words["instead_of"]))
    return None


def _came(origin: Origin, today: date) -> date:
    """Return the day on which money came, where nobody says another."""
    if origin is None:
        return today
    return origin.received_on if isinstance(origin, Receipt) else origin.booked_on


def _written(context: Context, owner: Organisation, shown: str, folder: Path) -> Facts:
    """Write the next copy of a receipt: no writer waits while it is drawn.

    That it is there is written down with the file, or neither is.
    """
    with context.reading() as session:
        made = papers.copy(session, recording.find(session, owner, shown))
    with context.session() as session:
        receipt = recording.find(session, owner, shown)
        papers.hand_out(session, receipt, made, context.control().today())
        (path,) = write_private(folder, {made.name: made.pdf})
    return {"file": str(path), "copy": made.state}


def _day(typed: object) -> date:
    return cast("datetime", typed).date()


def _facts(session: Session, one: Receipt) -> Facts:
    cancelled = recording.cancellation(session, one)
    return {
        "number": numbering.shown(one.series, one.number),
        "kind": one.kind,
        "of": papers.name_of(session, one),
        "subscriber": people.subscriber_of(session, one.party),
        "received": one.received_on.isoformat(),
        "amount": euros(one.units),
        "means": one.means,
        "from": one.first_day.isoformat() if one.first_day else None,
        "until": one.last_day.isoformat() if one.last_day else None,
        "tax_articles": one.articles,
        "copies": papers.handed_out(session, one),
        "cancelled": cancelled.cancelled_on.isoformat() if cancelled else None,
    }
