"""`paquet post hold|release|retry`: what a person decides about letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import number_type, why_option
from provision.workflows import posting_by_hand

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@click.command()
@click.argument("what")
@why_option
@click.option("--for-good", is_flag=True, help="Of a letter: it is never sent.")
@change_options
@pass_context
def hold(context: Context, *, what: str, why: str, for_good: bool, how: How) -> None:
    """Keep letter WHAT back, or all letters to the subscriber WHAT.

    A number is a letter's; an e-mail address is a subscriber's.
    """

    def work(session: Session) -> list[Facts]:
        told = context.control().told(why)
        return posting_by_hand.hold(session, what, told, for_good=for_good)

    change(context, work, how)


@click.command()
@click.argument("what")
@change_options
@pass_context
def release(context: Context, what: str, how: How) -> None:
    """Let go again what was held: a letter, or a person."""

    def work(session: Session) -> list[Facts]:
        return posting_by_hand.release(session, what, context.control().told())

    change(context, work, how)


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
