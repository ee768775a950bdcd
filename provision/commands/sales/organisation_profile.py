"""`paquet organisation describe`: what documents show of an organisation from a day on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import change, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type, file_type, typed
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations, profilefile

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts


@dataclass(frozen=True)
class Description:
    """Whose documents show what of a file, from which day on."""

    name: str
    file: Path
    first_day: date | None


@click.command()
@click.argument("name")
@click.argument("file", type=file_type)
@click.option("--from", "first_day", type=day_type, help="Its first day; else today.")
@typed(Description, "wanted")
@change_options
@pass_context
def describe(context: Context, wanted: Description, how: How) -> None:
    """Say what the documents of NAME show from a day on (see templates/organisation.example.toml).

    Address, VAT regime, bank, terms of payment, colours: nobody bills before. What was said for a
    day is never rewritten, since documents of that day were made with it.
    """
    profile = profilefile.read(wanted.file)
    day = wanted.first_day or context.today

    def work(session: Session) -> Facts:
        owner = organisations.get(session, wanted.name)
        describing.describe(session, owner, profile, day)
        return {**profile.model_dump(exclude={"logo"}), "logo": bool(profile.logo)}

    change(context, work, how)
