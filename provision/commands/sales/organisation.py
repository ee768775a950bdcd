"""`paquet organisation`: the associations that support and the businesses that sell."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import json_option, typed
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.parties.models import Organisation


@click.group(
    cls=Imported,
    waiting={
        "describe": Waiting(
            "sales.organisation_profile",
            "Say what the documents of NAME show from a day on (see "
            "templates/organisation.example.toml).",
        ),
        "duties": Waiting(
            "sales.organisation_duties",
            "Show from when on invoices of and for NAME must go by an approved platform.",
        ),
    },
)
def organisation() -> None:
    """Say who sells and who supports: associations and businesses."""


@dataclass(frozen=True)
class NewOrganisation:
    """An organisation, as it is typed."""

    name: str
    kind: str
    siren: str
    territory: str


@organisation.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(organisations.KINDS), required=True)
@click.option("--siren", default="", help="Its nine digits, if it has one.")
@click.option("--territory", default="", help="Where it is at home, for example Calvados.")
@typed(NewOrganisation, "wanted")
@change_options
@pass_context
def add(context: Context, wanted: NewOrganisation, how: How) -> None:
    """Write the organisation NAME down."""

    def work(session: Session) -> Facts:
        organisation = organisations.add(
            session,
            wanted.name,
            wanted.kind,
            siren_typed=wanted.siren,
            territory=wanted.territory,
        )
        return _facts(organisation)

    change(context, work, how)


@organisation.command()
@click.argument("name")
@click.option("--siren", required=True, help="Its nine digits; its SIRET will do.")
@change_options
@pass_context
def identify(context: Context, name: str, siren: str, how: How) -> None:
    """Give NAME the SIREN that it was added without: invoices and the FEC need it."""

    def work(session: Session) -> Facts:
        organisation = organisations.get(session, name)
        organisations.identify(session, organisation, siren)
        return _facts(organisation)

    change(context, work, how)


@organisation.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all organisations."""
    with context.reading() as session:
        rows = [_facts(organisation) for organisation in organisations.everyone(session)]
    context.show(rows, as_json=as_json)


@organisation.command(name="show")
@click.argument("name")
@json_option
@pass_context
def show_one(context: Context, name: str, *, as_json: bool) -> None:
    """Show the organisation NAME."""
    with context.reading() as session:
        facts = _facts(organisations.get(session, name))
    context.show(facts, as_json=as_json)


def _facts(organisation: Organisation) -> Facts:
    return {
        "name": organisation.name,
        "kind": organisation.kind,
        "siren": organisation.siren,
        "territory": organisation.territory,
    }
