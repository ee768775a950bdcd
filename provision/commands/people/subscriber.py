"""`paquet subscriber`: who pays, what is known of them, and how they are forgotten."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    show,
    yes_option,
)
from provision.registry.secrets import open_safe
from provision.subscriptions.documents import numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.parties import organisations
from provision.subscriptions.privacy import archive, erasing, persons, tables
from provision.workflows import privacy

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.subscriptions.privacy.erasing import Erasing


@click.group()
def subscriber() -> None:
    """See who pays, hand them all that is known of them, and forget them."""


@subscriber.command(name="list")
@json_option
@pass_context
def list_all(context: Context, *, as_json: bool) -> None:
    """Show all subscribers; who was erased has a mark for a name."""
    with context.reading() as session:
        rows = persons.listing(session)
    show(rows, as_json=as_json)


@subscriber.command(name="show")
@click.argument("who")
@json_option
@pass_context
def show_one(context: Context, who: str, *, as_json: bool) -> None:
    """Show the subscriber WHO (e-mail address or number), and what stops an erasure."""
    with context.reading() as session:
        found = persons.find(session, who)
        facts = persons.described(session, found, context.control().today())
    show(facts, as_json=as_json)


@subscriber.command()
@click.argument("who")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True)
@json_option
@pass_context
def export(context: Context, who: str, folder: Path, *, as_json: bool) -> None:
    """Write all that is known of the subscriber WHO into the new folder --to.

    JSON for programs, CSV for spreadsheets, a README in their language; readable by you alone.
    """
    written = privacy.export(context.control(), who, folder)
    show({"folder": str(written), "files": len(list(written.iterdir()))}, as_json=as_json)


@subscriber.command()
@click.argument("who")
@click.option("--why", required=True, help="The reason, for the record: without any name.")
@dry_run_option
@yes_option
@json_option
@pass_context
def erase(context: Context, /, who: str, *, why: str, as_json: bool, **flags: bool) -> None:
    """Forget the subscriber WHO; documents that the law wants keep a reference.

    Refused while a bundle lives, a subscription runs, or something is owed either way. Names that
    invoices of the last ten years need go to an archive that opens for a reason only.
    """
    control = context.control()
    if flags["dry_run"] or not flags["yes"]:
        with context.session() as session:
            planned = erasing.look(session, persons.find(session, who), control.today())
        _show(planned, as_json=as_json)
        if flags["dry_run"]:
            return
        ask("Erase this person for ever?")
    _show(privacy.erase(control, who, why), as_json=as_json)


@subscriber.command(name="archive")
@click.argument("document")
@click.option("--organisation", required=True, metavar="NAME", help="Who issued it.")
@click.option("--why", required=True, help="The reason, for the record.")
@json_option
@pass_context
def open_archive(
    context: Context, document: str, *, organisation: str, why: str, as_json: bool
) -> None:
    """Show who DOCUMENT (F2026-000001) was for, after an erasure; who looks is recorded."""
    series, number = numbering.parse(document)
    control = context.control()
    with context.session() as session:
        issuer = organisations.get(session, organisation)
        found = Number(issuer.id, series, number)
        person = archive.look(
            session, open_safe(session, control.settings.key_file), found, control.told(why)
        )
    show(person.model_dump(), as_json=as_json)


def _show(planned: Erasing, *, as_json: bool) -> None:
    if as_json:
        show(_facts(planned), as_json=True)
        return
    rows = [
        {"table": name, "rows": count, "what": fate.value, "why": tables.HOLDINGS[name].why}
        for name, (fate, count) in planned.rows.items()
    ]
    show(rows, as_json=False)
    if planned.done:
        click.echo(f"Subscriber {planned.subscriber_id} is erased.")
    for obstacle in planned.obstacles:
        click.echo(f"In the way: {obstacle.what}. {obstacle.hint}")
    for row in planned.remains:
        click.echo(f"Its text names the person, and it must be kept: {row}")


def _facts(planned: Erasing) -> dict[str, object]:
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
