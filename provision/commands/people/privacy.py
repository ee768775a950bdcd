"""`paquet privacy`: what goes by itself after its time, and the register of processing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.imported import Imported, Waiting
from provision.commands.shared.words import day_type
from provision.errors import UsageRefused
from provision.subscriptions.privacy import retention
from provision.workflows import privacy as stories

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.privacy.purging import Going

REGISTER = "Write the register of processing (RGPD article 30), in French, as --write FILE."


@click.group(cls=Imported, waiting={"register": Waiting("people.privacy_register", REGISTER)})
def privacy() -> None:
    """Let go what is too old, and write the register of processing."""


@privacy.command()
@click.option("--on", type=day_type, help="As of this day, today or before; else today.")
@change_options
@pass_context
def purge(context: Context, on: date | None, how: How) -> None:
    """Take what retention rules say: names after ten years, former customers after three.

    Letters lose their words after two. Amounts, numbers and journals stay. What went is recorded
    by its number alone.
    """
    control = context.control()
    day = on or control.today()
    if not how.dry_run and day > control.today():
        raise UsageRefused(f"{day} is not there yet", "Look at a later day with --dry-run.")
    with context.reading() as session:
        going = stories.due(session, day)
    nothing = "Nothing is too old."
    if not going and not how.yes:
        context.show([], as_json=how.as_json, nothing=nothing)
    elif agreed(context, _rows(going), how, f"Take {len(going)} things for ever?"):
        gone = stories.purge(control, going)
        context.show(_rows(gone), as_json=how.as_json, nothing=nothing)


def _rows(due: Sequence[Going]) -> list[Facts]:
    return [
        {
            "what": f"{going.kind} {going.key}",
            "rule": going.rule,
            "why": retention.rule(going.rule).en,
            "counted_from": going.counted_from.isoformat(),
            "kept_until": going.kept_until.isoformat(),
            "stays": going.stays,
        }
        for going in due
    ]
