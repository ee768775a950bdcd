"""`paquet privacy`: what goes by itself after its time, and the register of processing."""

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
from provision.commands.shared.words import day_type
from provision.errors import UsageRefused
from provision.process.files import replace_file
from provision.subscriptions.privacy import purging, register, retention
from provision.workflows import privacy as stories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from provision.commands.shared.context import Context
    from provision.subscriptions.privacy.purging import Going


@click.group()
def privacy() -> None:
    """Let go what is too old, and write the register of processing."""


@privacy.command()
@click.option("--on", type=day_type, help="As of this day, today or before; else today.")
@dry_run_option
@yes_option
@json_option
@pass_context
def purge(
    context: Context, *, on: datetime | None, dry_run: bool, yes: bool, as_json: bool
) -> None:
    """Take what retention rules say: names after ten years, former customers after three.

    Amounts, numbers and journals stay. What went is recorded by its number alone.
    """
    control = context.control()
    day = control.today() if on is None else on.date()
    if not dry_run and day > control.today():
        raise UsageRefused(f"{day} is not there yet", "Look at a later day with --dry-run.")
    with context.reading() as session:
        going = purging.due(session, day)
    if dry_run or not yes:
        _show(going, as_json=as_json)
        if dry_run or not going:
            return
        ask(f"Take {len(going)} things for ever?")
    gone = stories.purge(control, going)
    _show(gone, as_json=as_json)


@privacy.command(name="register")
@click.option("--write", "file", type=click.Path(dir_okay=False, path_type=Path), required=True)
@json_option
@pass_context
def write_register(context: Context, *, file: Path, as_json: bool) -> None:
    """Write the register of processing (RGPD article 30), in French, as --write FILE.

    FILE ends with .pdf, .html or .txt. Read it and complete what is left open: it is yours.
    """
    control = context.control()
    with context.reading() as session:
        book = register.book(session, context.settings.operator, control.today())
    replace_file(file, register.document(book, file.suffix))
    show({"file": str(file), "organisations": len(book.controllers)}, as_json=as_json)


def _show(going: Sequence[Going], *, as_json: bool) -> None:
    rows = [
        {
            "what": f"{one.kind} {one.key}",
            "rule": one.rule,
            "why": retention.rule(one.rule).en,
            "counted_from": one.counted_from.isoformat(),
            "kept_until": one.kept_until.isoformat(),
            "stays": one.stays,
        }
        for one in going
    ]
    show(rows, as_json=as_json)
    if not rows and not as_json:
        click.echo("Nothing is too old.")
