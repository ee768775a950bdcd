"""The one way in which commands change something: shown first, asked, then done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

import click

from provision import database
from provision.commands.shared.asking import ask
from provision.commands.shared.context import NOTHING
from provision.commands.shared.words import json_option, typed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts, Rows
    from provision.commands.shared.words import Command

Found = TypeVar("Found", "Facts", "list[Facts]")
Told = TypeVar("Told")
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
dry_run_option = click.option("--dry-run", is_flag=True, help="Only show what would be done.")


@dataclass(frozen=True)
class How:
    """How a change is made: only shown, or without asking, and whether it is shown as JSON."""

    dry_run: bool
    yes: bool
    as_json: bool


def change_options(command: Command) -> Command:
    """Add --dry-run, --yes and --json, which the command gets as `how`."""
    return dry_run_option(yes_option(json_option(typed(How, "how")(command))))


def agreed(
    context: Context,
    planned: Mapping[str, object] | Rows,
    how: How,
    question: str = "Do it?",
) -> bool:
    """Show what is planned, and return whether to do it.

    With --dry-run it is only shown; with --yes it is done without a word before. Else somebody is
    asked. Raises Declined after a no, UsageRefused where nobody is there.
    """
    if how.dry_run:
        context.show(planned, as_json=how.as_json)
        return False
    if not how.yes:
        context.show(planned, err=how.as_json)
        ask(question)
    return True


def tried(context: Context, work: Callable[[Session], Told]) -> Told:
    """Return what `work` returns on the registry; what it wrote there is taken back."""
    with context.session() as session:
        told = work(session)
        session.rollback()
    return told


def change(
    context: Context,
    work: Callable[[Session], Found],
    how: How,
    *,
    question: str = "Do it?",
    nothing: str = "",
) -> Found | None:
    """Do `work` on the registry, all of it or nothing; return what it returned, None if only shown.

    Without --yes it is done, taken back, shown and asked; what it returns in earnest is shown again
    where that is something else. `nothing` is what is said where there is nothing to do: no one is
    asked. Nobody waits for a person with the registry locked.
    """
    planned: Found | None = None
    if how.dry_run or not how.yes:
        planned = tried(context, work)
        if not planned and nothing:
            context.show(planned, as_json=how.as_json, nothing=nothing)
            return None
        if not agreed(context, planned, how, question):
            return None
    done = database.retried(context.engine, work)
    if how.as_json or done != planned:
        context.show(done, as_json=how.as_json, nothing=nothing or NOTHING)
    return done
