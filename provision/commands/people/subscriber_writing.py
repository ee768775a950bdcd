"""`paquet subscriber add|change`: one person written down, or mended, by hand."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.customers import customer_options
from provision.commands.shared.words import language_type, typed, who_type
from provision.subscriptions.parties import clients, identities, people
from provision.subscriptions.parties.clients import Called

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.customers import Customer
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class Newcomer:
    """Somebody new, as they are typed."""

    name: str
    email: str
    language: str | None


@click.command()
@click.argument("name")
@click.option("--email", default="", help="The address that letters and links go to, if any.")
@click.option("--language", type=language_type, help="Else the operator's.")
@customer_options
@typed(Newcomer, "wanted")
@change_options
@pass_context
def add(context: Context, wanted: Newcomer, customer: Customer, how: How) -> None:
    """Write NAME down as a subscriber, with or without an e-mail address."""
    control = context.control()
    when = (control.today(), control.told())
    said = customer.said(wanted.language or control.settings.operator.language)

    def work(session: Session) -> Facts:
        subscriber = clients.enrol(session, Called(wanted.name, wanted.email), said, when)
        person = identities.read(identities.ensure(session, subscriber, control.today()))
        return {"number": subscriber.id, **clients.described(subscriber, person)}

    change(context, work, how)


@dataclass(frozen=True)
class Mended:
    """What is otherwise of a subscriber, as it is typed."""

    who: str
    name: str | None
    email: str | None
    language: str | None


@click.command(name="change")
@click.argument("who", type=who_type)
@click.option("--name", help="As lists call them, and documents where they said the same.")
@click.option("--email", help='"" takes the address away.')
@click.option("--language", type=language_type, help="Of documents and letters.")
@customer_options
@typed(Mended, "wanted")
@change_options
@pass_context
def change_one(context: Context, wanted: Mended, customer: Customer, how: How) -> None:
    """Mend what is known of the subscriber WHO; documents of before stay as they are.

    What is not given stays as it was; "" takes a number or a reference away.
    """
    control = context.control()
    when = (control.today(), control.told())
    called = Called(wanted.name, wanted.email)

    def work(session: Session) -> list[Facts]:
        subscriber = people.subscriber_named(session, wanted.who)
        differences = clients.mend(
            session, subscriber, called, customer.said(wanted.language), when
        )
        return [{"number": subscriber.id, **vars(difference)} for difference in differences]

    change(context, work, how, nothing="Nothing of it is new.")
