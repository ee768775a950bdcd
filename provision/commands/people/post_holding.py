"""`paquet post hold|release|retry`: what a person decides about letters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import number_type, typed, who_type, why_option
from provision.errors import UsageRefused
from provision.subscriptions.parties import people
from provision.workflows import posting_by_hand
from provision.workflows.posting_by_hand import Addressed

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class HoldingWanted:
    """What is held back, why, and whether for good."""

    what: str | None
    subscriber: str | None
    why: str
    for_good: bool


what_argument = click.argument("what", required=False)
subscriber_option = click.option(
    "--subscriber", type=who_type, help="All letters to this one: e-mail address or number."
)


@click.command()
@what_argument
@subscriber_option
@why_option
@click.option("--for-good", is_flag=True, help="Of a letter: it is never sent.")
@change_options
@typed(HoldingWanted, "wanted")
@pass_context
def hold(context: Context, wanted: HoldingWanted, how: How) -> None:
    """Keep letter WHAT back, or all letters to a subscriber.

    A number is a letter's; an e-mail address is a subscriber's, as is what --subscriber says.
    """
    addressed = _addressed(wanted.what, wanted.subscriber)
    if wanted.for_good and addressed.letter is None:
        raise UsageRefused(
            "Only one letter is held for good", "Its number is in: paquet post list --to WHO"
        )

    def work(session: Session) -> list[Facts]:
        told = context.control().told(wanted.why)
        return posting_by_hand.hold(session, addressed, told, for_good=wanted.for_good)

    change(context, work, how)


@click.command()
@what_argument
@subscriber_option
@change_options
@pass_context
def release(context: Context, what: str | None, subscriber: str | None, how: How) -> None:
    """Let go again what was held: a letter, or a person."""
    addressed = _addressed(what, subscriber)

    def work(session: Session) -> list[Facts]:
        return posting_by_hand.release(session, addressed, context.control().told())

    change(context, work, how)


def _addressed(what: str | None, subscriber: str | None) -> Addressed:
    """Return what is meant: a number alone is a letter's."""
    if (what is None) == (subscriber is None):
        raise UsageRefused(
            "Say which: the number of a letter, or who",
            "Their numbers are in: paquet post list, paquet subscriber list",
        )
    if what is not None and people.is_number(what):
        return Addressed(letter=int(what))
    return Addressed(subscriber=subscriber or what)


@click.command()
@click.argument("number", type=number_type)
@change_options
@pass_context
def retry(context: Context, number: int, how: How) -> None:
    """Send letter NUMBER once more, to where its person is reached today.

    One that came back, was held, or was printed. It leaves at the next `paquet post send`.
    """

    def work(session: Session) -> list[Facts]:
        return posting_by_hand.retry(session, number, context.control().told("once more"))

    change(context, work, how)
