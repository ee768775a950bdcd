"""Which documents a command is about: by number, or all since a day, of one organisation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
from sqlalchemy import select

from provision.commands.shared.words import day_type, name_type, typed
from provision.errors import UsageRefused
from provision.subscriptions.books import papers
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.commands.shared.words import Command


@dataclass(frozen=True)
class ChosenDocuments:
    """Documents of one organisation: by number, or all since a day."""

    numbers: tuple[str, ...]
    issuer: str
    since: date | None


def which(command: Command) -> Command:
    """Add NUMBERS, --by and --since, which the command gets as `chosen`."""
    for decorate in (
        typed(ChosenDocuments, "chosen"),
        click.argument("numbers", nargs=-1),
        click.option("--by", "issuer", type=name_type, required=True, help="Who issued them."),
        click.option("--since", type=day_type, help="All from this day on."),
    ):
        command = decorate(command)
    return command


def selected(session: Session, chosen: ChosenDocuments) -> Select[Invoice]:
    """Return the documents that were named. Raises UsageRefused unless in one way."""
    if bool(chosen.numbers) == bool(chosen.since):
        raise UsageRefused("Which documents?", "Name them, or give --since DAY.")
    owner = organisations.get(session, chosen.issuer)
    selected = select(Invoice).where(Invoice.organisation_id == owner.id)
    if chosen.since:
        return selected.where(Invoice.issued_on >= chosen.since)
    documents = [papers.find(session, owner, shown) for shown in chosen.numbers]
    return selected.where(
        Invoice.entry_number.in_([document.entry_number for document in documents])
    )
