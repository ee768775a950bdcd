"""`paquet order place|resume|cancel`: from a wish to a delivered bundle, or to none."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import click

from provision import database
from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options, tried
from provision.commands.shared.context import pass_context
from provision.commands.shared.customers import ask_where_same, customer_options
from provision.commands.shared.papers import document_facts
from provision.commands.shared.words import (
    again_option,
    language_type,
    name_type,
    number_type,
    typed,
    why_option,
)
from provision.dns import changes
from provision.jobs import starting
from provision.workflows import ordering, orders, zones
from provision.workflows.ordering import Words

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.customers import Customer
    from provision.commands.shared.tables import Facts

KINDS = click.Choice(["android", "ios", "desktop"])


@dataclass(frozen=True)
class Placing(Words):
    """An order as it is typed, and whether one more of the same plan is meant."""

    again: bool = False


@click.command()
@click.argument("email")
@click.option("--name", required=True, help="The name of the subscriber.")
@click.option("--plan", type=name_type, required=True, help="What is sold: see `paquet plan list`.")
@click.option("--domain", required=True, help="What stands behind the @ of the addresses.")
@click.option("--cloud", type=click.Choice(["nextcloud", "light"]), required=True)
@click.option("--server", help="Where the bundle lives; else the emptiest server.")
@click.option("--sold-by", type=name_type, required=True, help="Who sells and invoices.")
@click.option(
    "--supported-by",
    type=name_type,
    help="The association that supports; left out, one sells alone.",
)
@click.option("--login", help="What stands before the @; else as in EMAIL.")
@click.option("--language", type=language_type, help="Else the operator's.")
@click.option("--device", default="Téléphone", show_default=True, help="The first device's name.")
@click.option("--for", "kind", type=KINDS, default="android", show_default=True)
@again_option
@typed(Placing, "wanted")
@customer_options
@change_options
@pass_context
def place(context: Context, wanted: Placing, customer: Customer, how: How) -> None:
    """Order a bundle for EMAIL and deliver it: names, cloud, mail, backup, phone kit.

    Every word is checked before anything is touched. If it is interrupted or a step fails,
    `paquet order resume` goes on; placed twice, it does nothing twice. Where the same person has
    this plan since today already, under another domain, it is asked, also with --yes.
    """
    control = context.control()
    words = replace(wanted, customer=customer.said())
    wish = ordering.check(control, words)
    if not (how.dry_run or wanted.again or ordering.is_placed(control, wish)):
        ask_where_same(context, wish.email, wish.plan, control.today())
    planned = ordering.preview(control, wish, words.customer)
    if agreed(context, planned, how, "Deliver it?"):
        _deliver(context, ordering.place(control, wish, words.customer), how)


@click.command()
@click.argument("number", type=number_type)
@change_options
@pass_context
def resume(context: Context, number: int, how: How) -> None:
    """Go on with order NUMBER where it stopped.

    Of a delivered order nothing is left: its story is told.
    """
    control = context.control()
    with context.reading() as session:
        planned = ordering.left(session, number)
    if not planned["steps"]:
        context.show(orders.story(control, number), as_json=how.as_json)
    elif agreed(context, planned, how, "Go on?"):
        _deliver(context, number, how)


@click.command()
@click.argument("number", type=number_type)
@why_option
@change_options
@pass_context
def cancel(context: Context, number: int, why: str, how: How) -> None:
    """Cancel order NUMBER, which is not delivered; its domain is free again.

    Its names leave the zone, nobody owes for it, and what was deposited for it is given back.
    """
    control = context.control()
    order = ordering.look(control, number)
    rows = changes.describe(order.names)

    def work(session: Session) -> Facts:
        numbers = ordering.cancel_in_registry(session, control, number, why)
        documents = document_facts(session, numbers)
        return {
            "order": number,
            "state": "cancelled",
            "free_again": order.bundle.domain,
            "documents": documents,
            "names_that_go": rows,
        }

    planned = tried(context, work)
    if agreed(context, planned, how, "Cancel it?"):
        zones.withdraw(order.bundle, control.settings)
        context.show(database.retried(context.engine, work), as_json=how.as_json)


def _deliver(context: Context, number: int, how: How) -> None:
    with progress.steps(quiet=how.as_json) as tell:
        starting.deliver(context.control(tell), number)
    context.show(orders.story(context.control(), number), as_json=how.as_json)
