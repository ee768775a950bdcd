"""`paquet subscriber`: who pays, what is known of them, and how they are forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import (
    folder_type,
    json_option,
    name_type,
    typed,
    who_type,
    why_option,
)
from provision.registry.secrets import open_safe
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.parties import organisations
from provision.subscriptions.privacy import archive, erasing, exporting, persons, tables
from provision.workflows import posting_listing, privacy

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.privacy.erasing import Erasing


WRITING = "people.subscriber_writing"
WAITING = {
    "add": Waiting(WRITING, "Write NAME down as a subscriber, with or without an e-mail address."),
    "change": Waiting(
        WRITING,
        "Mend what is known of the subscriber WHO; documents of before stay as they are.",
    ),
    "import": Waiting(
        "people.subscriber_import",
        "Bring in clients from FILE, a CSV with a line for each: with mandates and subscriptions.",
    ),
}


@click.group(cls=Imported, waiting=WAITING)
def subscriber() -> None:
    """Bring in who pays, hand them all that is known of them, and forget them."""


@subscriber.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all subscribers; who was erased has a mark for a name."""
    with context.reading() as session:
        rows = persons.listing(session)
    context.show(rows, as_json=as_json)


@subscriber.command(name="show")
@click.argument("who", type=who_type)
@json_option
@pass_context
def show_one(context: Context, who: str, *, as_json: bool) -> None:
    """Show the subscriber WHO (e-mail address or number), and what stops an erasure."""
    with context.reading() as session:
        person = persons.find(session, who)
        facts = persons.described(session, person, context.today)
        facts["post"] = posting_listing.of_address(session, person.email)
    context.show(facts, as_json=as_json)


@subscriber.command()
@click.argument("who", type=who_type)
@click.option("--to", "folder", type=folder_type, required=True, help="A new folder.")
@change_options
@pass_context
def export(context: Context, who: str, folder: Path, how: How) -> None:
    """Write all that is known of the subscriber WHO into the new folder --to.

    JSON for programs, CSV for spreadsheets, a README in their language; readable by you alone.
    """
    files = privacy.collected(context.control(), who)
    exporting.check_new(folder)
    facts = {"folder": str(folder), "files": len(files)}
    if agreed(context, facts, how, "Write them?"):
        exporting.write(files, folder)
        context.show(facts, as_json=how.as_json)


@subscriber.command()
@click.argument("who", type=who_type)
@click.option("--why", required=True, help="The reason, for the record: without any name.")
@change_options
@pass_context
def erase(context: Context, *, who: str, why: str, how: How) -> None:
    """Forget the subscriber WHO; documents that the law wants keep a reference.

    Refused while a bundle lives, a subscription runs, or something is owed either way. Names that
    invoices of the last ten years need go to an archive that opens for a reason only.
    """
    told = _facts if how.as_json else _told
    with context.reading() as session:
        planned = erasing.look(session, persons.find(session, who), context.today)
    if agreed(context, told(planned), how, "Erase this person for ever?"):
        done = privacy.erase(context.control(), who, why)
        context.show(told(done), as_json=how.as_json)


@dataclass(frozen=True)
class Opened:
    """The document of which somebody wants to know whom it was for, and why."""

    document: str
    organisation: str
    why: str


@subscriber.command(name="archive")
@click.argument("document")
@click.option("--organisation", type=name_type, required=True, help="Who issued it.")
@why_option
@typed(Opened, "wanted")
@change_options
@pass_context
def open_archive(context: Context, wanted: Opened, how: How) -> None:
    """Show who DOCUMENT (F2026-000001) was for, after an erasure; who looks is recorded."""
    series, number = numbering.parse(wanted.document)
    control = context.control()
    with context.reading() as session:
        issuer = organisations.get(session, wanted.organisation)
    document_number, told = Number(issuer.id, series, number), control.told(wanted.why)
    # Nothing of the person is shown before it is written down who looked.
    planned = {
        "document": document_number.shown,
        "issued_by": issuer.name,
        "who": told.actor,
        "why": told.why,
    }
    if agreed(context, planned, how, "Look, and have it recorded?"):
        with context.session() as session:
            person = archive.look(
                session, open_safe(session, control.settings.key_file), document_number, told
            )
        context.show(person.model_dump(), as_json=how.as_json)


def _told(planned: Erasing) -> Facts:
    """Return what an erasure means as people read it."""
    remarks = [f"In the way: {obstacle.what}. {obstacle.hint}" for obstacle in planned.obstacles]
    remarks += [f"Its text names the person, and it must be kept: {row}" for row in planned.remains]
    return {
        "subscriber": planned.subscriber_id,
        "erased": planned.done,
        "rows": [
            {"table": name, "rows": count, "what": fate.value, "why": tables.HOLDINGS[name].why}
            for name, (fate, count) in planned.rows.items()
        ],
        "remarks": [{"remark": remark} for remark in remarks],
    }


def _facts(planned: Erasing) -> Facts:
    return {
        "number": planned.subscriber_id,
        "erased": planned.done,
        "rows": {
            name: {"rows": count, "what": fate.value}
            for name, (fate, count) in planned.rows.items()
        },
        "to_the_archive": planned.archived,
        "in_the_way": [obstacle.what for obstacle in planned.obstacles],
        "names_remain_in": list(planned.remains),
    }
