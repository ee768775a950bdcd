"""`paquet receipt membership|donation`: what an association received, written down."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision import database, money
from provision.commands.commons.receipt_facts import copy_facts, receipt_facts
from provision.commands.commons.receipt_papers import written
from provision.commands.shared.changing import agreed, change_options, tried
from provision.commands.shared.context import pass_context
from provision.commands.shared.customers import identity_options
from provision.commands.shared.words import (
    day_type,
    folder_type,
    language_type,
    number_type,
    on_option,
    typed,
)
from provision.errors import UsageRefused
from provision.subscriptions.commons.receipts import entering, givers, recording
from provision.subscriptions.commons.receipts.recording import AskedReceipt
from provision.subscriptions.documents.receipt_models import DONATION, MEMBERSHIP, Receipt
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import movements

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.customers import Customer
    from provision.commands.shared.tables import Facts
    from provision.commands.shared.words import Command
    from provision.subscriptions.commons.receipts.entering import Origin
    from provision.subscriptions.parties.models import Organisation
    from provision.workflows.control import Control


@dataclass(frozen=True)
class MoneyReceived:
    """What an association received from whom, as it is typed."""

    organisation: str
    giver: str
    amount: str
    means: str
    on: date | None
    movement: int | None
    instead_of: str | None
    key: str
    language: str | None
    customer: Customer
    folder: Path | None
    first_day: date | None = None
    last_day: date | None = None
    tax: bool = False

    @property
    def period(self) -> tuple[date, date] | None:
        """The first and the last day of a membership; a donation has none."""
        if self.first_day is None or self.last_day is None:
            return None
        return self.first_day, self.last_day


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
    click.option("--language", type=language_type, help="Of the receipt."),
    identity_options,
    click.option("--out", "--to", "folder", type=folder_type, help="Write the PDF there."),
    typed(MoneyReceived, "received"),
)


def _received(command: Command) -> Command:
    """Add what fees and donations share, which the command gets as `received`."""
    for decorate in reversed(RECEIVED):
        command = decorate(command)
    return command


@click.command()
@_received
@click.option("--from", "first_day", type=day_type, required=True, help="First day of membership.")
@click.option("--until", "last_day", type=day_type, required=True, help="Its last day.")
@change_options
@pass_context
def membership(context: Context, received: MoneyReceived, how: How) -> None:
    """Write down AMOUNT euros that ORGANISATION received from GIVER as a membership fee.

    GIVER is the e-mail address or the number of a subscriber, or - for somebody new without an
    address; somebody new has a --name. The same giver, days and amount again write nothing, on any
    day (somebody without an address has a number then: give that, not - again).
    """
    _record(context, MEMBERSHIP, received, how)


@click.command()
@_received
@click.option("--tax", is_flag=True, help="A receipt that lowers the donor's tax.")
@change_options
@pass_context
def donation(context: Context, received: MoneyReceived, how: How) -> None:
    """Write down AMOUNT euros that ORGANISATION received from GIVER as a donation.

    GIVER is as for a membership, or an organisation of the registry, whose gift is in the books
    (paquet reciprocity give). Without --tax the receipt says that it lowers no tax. The same again
    on one day writes nothing; tomorrow it is another donation, unless --on says the same day.
    """
    _record(context, DONATION, received, how)


def _record(context: Context, kind: str, received: MoneyReceived, how: How) -> None:
    """Record what was received, show it, and write its paper where that was asked for."""
    work = _recorder(context.control(), kind, received)
    if not agreed(context, tried(context, work), how):
        return
    done = database.retried(context.engine, work)
    if received.folder is not None:
        number = str(done["number"])
        done |= written(context, received.organisation, number, received.folder)
    context.show(done, as_json=how.as_json)


def _recorder(control: Control, kind: str, received: MoneyReceived) -> Callable[[Session], Facts]:
    today = control.today()
    units = money.parse(received.amount).units
    said = received.customer.said(received.language)

    def work(session: Session) -> Facts:
        owner = organisations.get(session, received.organisation)
        origin = _origin(session, owner, received)
        asked = AskedReceipt(
            kind=kind,
            giver=givers.find(session, received.giver, said, (control.told(), today)),
            units=units,
            means=received.means,
            period=received.period,
            tax=received.tax,
            key=received.key,
            is_dated=received.on is not None,
        )
        moment = Moment(received.on or _came(origin, today), today)
        receipt = recording.record(session, owner, asked, moment, origin)
        paper = copy_facts(session, receipt, received.folder) if received.folder else {}
        return {**receipt_facts(session, receipt), **paper}

    return work


def _origin(session: Session, owner: Organisation, received: MoneyReceived) -> Origin:
    if received.movement is not None and received.instead_of:
        raise UsageRefused("Where is the money?", "Give --movement or --instead-of, not both.")
    if received.movement is not None:
        return movements.get(session, owner.id, received.movement)
    if received.instead_of:
        return recording.find(session, owner, received.instead_of)
    return None


def _came(origin: Origin, today: date) -> date:
    """Return the day on which money came, where nobody says another."""
    if origin is None:
        return today
    return origin.received_on if isinstance(origin, Receipt) else origin.booked_on
