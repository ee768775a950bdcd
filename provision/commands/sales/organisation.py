"""`paquet organisation`: the associations that support and the businesses that sell."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.words import day_type
from provision.commands.shared.changing import change, change_options, day_of
from provision.commands.shared.context import dry_run_option, json_option, pass_context, show
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations, profilefile

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import Facts, How
    from provision.commands.shared.context import Context
    from provision.subscriptions.parties.models import Organisation


@click.group()
def organisation() -> None:
    """Say who supports (an association) and who sells (a business)."""


@organisation.command()
@click.argument("name")
@click.option("--kind", type=click.Choice(organisations.KINDS), required=True)
@click.option("--siren", default="", help="Its nine digits, if it has one.")
@click.option("--territory", default="", help="Where it is at home, for example Calvados.")
@dry_run_option
@json_option
@pass_context
def add(context: Context, /, *, dry_run: bool, as_json: bool, **words: str) -> None:
    """Write the organisation NAME down."""
    with context.session() as session:
        made = organisations.add(
            session,
            words["name"],
            words["kind"],
            siren_typed=words["siren"],
            territory=words["territory"],
        )
        facts = _facts(made)
        if dry_run:
            session.rollback()
    show(facts, as_json=as_json)


@organisation.command()
@click.argument("name")
@click.option("--siren", required=True, help="Its nine digits; its SIRET will do.")
@change_options
@pass_context
def identify(context: Context, /, name: str, siren: str, *, how: How) -> None:
    """Give NAME the SIREN that it was added without: invoices and the FEC need it."""

    def work(session: Session) -> Facts:
        one = organisations.get(session, name)
        organisations.identify(session, one, siren)
        return _facts(one)

    change(context, work, how)


@organisation.command()
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@dry_run_option
@json_option
@pass_context
def describe(context: Context, /, *, dry_run: bool, as_json: bool, **words: object) -> None:
    """Say what the documents of NAME show from a day on (see templates/organisation.example.toml).

    Address, VAT regime, bank, terms of payment, colours: nobody bills before. What was said for a
    day is never rewritten, since documents of that day were made with it.
    """
    file: Path = words["file"]  # type: ignore[assignment]
    first_day: datetime | None = words["first_day"]  # type: ignore[assignment]
    profile = profilefile.read(file)
    day = day_of(first_day, context.control().today())
    with context.session() as session:
        describing.describe(session, organisations.get(session, str(words["name"])), profile, day)
        if dry_run:
            session.rollback()
    show({**profile.model_dump(exclude={"logo"}), "logo": bool(profile.logo)}, as_json=as_json)


@organisation.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all organisations."""
    with context.reading() as session:
        rows = [_facts(one) for one in organisations.everyone(session)]
    show(rows, as_json=as_json)


@organisation.command(name="show")
@click.argument("name")
@json_option
@pass_context
def show_one(context: Context, name: str, *, as_json: bool) -> None:
    """Show the organisation NAME."""
    with context.reading() as session:
        facts = _facts(organisations.get(session, name))
    show(facts, as_json=as_json)


def _facts(one: Organisation) -> dict[str, object]:
    return {
        "name": one.name,
        "kind": one.kind,
        "siren": one.siren,
        "territory": one.territory,
    }
