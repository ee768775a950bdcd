"""How commands write to the registry: shown first, asked, then written, all of it or nothing."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, TypeVar

import click

from provision import database
from provision.commands.shared.amounts import day_type, worded
from provision.commands.shared.context import ask, dry_run_option, json_option, show, yes_option
from provision.subscriptions.parties import organisations

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context

Facts = dict[str, object]
Command = Callable[..., None]
Result = TypeVar("Result")
on_option = click.option("--on", type=day_type, help="When it happened; else today.")
organisation_option = click.option("--organisation", metavar="NAME", help="Only this one's.")
territory_option = click.option("--territory", metavar="NAME", help="Only who is at home there.")


@dataclass(frozen=True)
class How:
    """How a change is made: only shown, or without asking, and whether it is shown as JSON."""

    dry_run: bool
    yes: bool
    as_json: bool


@dataclass(frozen=True)
class Narrow:
    """Whose things a command is about: an organisation's, those of a territory, or everybody's."""

    organisation: str | None
    territory: str | None


def change_options(command: Command) -> Command:
    """Add --dry-run, --yes and --json, which the command gets as `how`."""

    @wraps(command)
    def collected(*args: object, dry_run: bool, yes: bool, as_json: bool, **words: object) -> None:
        command(*args, how=How(dry_run, yes, as_json), **words)

    return dry_run_option(yes_option(json_option(collected)))


def narrow_options(command: Command) -> Command:
    """Add --organisation and --territory, which the command gets as `narrow`."""

    @wraps(command)
    def collected(
        *args: object, organisation: str | None, territory: str | None, **words: object
    ) -> None:
        command(*args, narrow=Narrow(organisation, territory), **words)

    return organisation_option(territory_option(collected))


def change(context: Context, work: Callable[[Session], Facts | list[Facts]], how: How) -> None:
    """Do `work` and show what it returns: after a preview that writes nothing and a question."""

    def preview(found: Facts | list[Facts]) -> None:
        if not how.as_json:
            show_amounts(context, found, as_json=False)

    done = decided(context, work, how, (preview, "Write this?"))
    if how.dry_run or how.yes or how.as_json:
        show_amounts(context, done, as_json=how.as_json)


def decided(
    context: Context,
    work: Callable[[Session], Result],
    how: How,
    asked: tuple[Callable[[Result], None], str],
) -> Result:
    """Return what `work` did, or would do with `how.dry_run`.

    Without `how.yes` it is done, taken back, and shown by the first of `asked`; the second is the
    question. Nobody waits for a person with the registry locked.
    """
    preview, question = asked
    if how.dry_run or not how.yes:
        with context.session() as session:
            found = work(session)
            session.rollback()
        if how.dry_run:
            return found
        preview(found)
        ask(question)
    return database.retried(context.engine, work)


def show_amounts(context: Context, found: Facts | Sequence[Facts], *, as_json: bool) -> None:
    """Show facts, each amount as exact numbers for JSON, or as people read it."""
    language = context.settings.operator.language
    if isinstance(found, dict):
        show(worded(found, language, as_json=as_json), as_json=as_json)
    else:
        rows = [worded(one, language, as_json=as_json) for one in found]
        show(rows, as_json=as_json)


def seen(session: Session, narrow: Narrow) -> set[int]:
    """Return the numbers of the organisations that a list is about: all, or those named."""
    every = organisations.everyone(session)
    if narrow.organisation:
        every = [organisations.get(session, narrow.organisation)]
    if narrow.territory:
        wanted = narrow.territory.casefold()
        every = [one for one in every if one.territory.casefold() == wanted]
    return {one.id for one in every}


def day_of(on: datetime | None, today: date) -> date:
    """Return the day that was typed, or today."""
    return on.date() if on is not None else today
