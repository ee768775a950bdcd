"""What every command shares: the settings, the registry, and how results are shown."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from functools import cached_property
from typing import TYPE_CHECKING

import click
from rich.console import Console
from rich.table import Table

from provision import database, settings
from provision.checks.findings import found_problems
from provision.commands.shared.asking import agree
from provision.errors import UsageRefused
from provision.migrations import upgrades
from provision.workflows.control import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.checks.findings import Finding

PROBLEMS_FOUND = 5
YES_HINT = "Add --yes, or look with --dry-run."
AGAIN_HINT = "If one more is meant, add --again."
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON.")
yes_option = click.option("--yes", is_flag=True, help="Do it without asking.")
again_option = click.option(
    "--again", is_flag=True, help="One more, where there is the same of that day already."
)
dry_run_option = click.option("--dry-run", is_flag=True, help="Only show what would be done.")
MOST_NUMBER = 999_999_999  # what both databases hold, and more than anybody has
number_type = click.IntRange(1, MOST_NUMBER)
count_type = click.IntRange(0, MOST_NUMBER)


class Context:
    """The settings file of this call, read when a command first needs it."""

    def __init__(self, config: Path) -> None:
        self.config = config

    @cached_property
    def settings(self) -> settings.Settings:
        """The checked settings."""
        return settings.load(self.config)

    @cached_property
    def engine(self) -> Engine:
        """The registry, brought to the newest schema."""
        engine = database.connect(self.settings.registry.url)
        upgrades.upgrade(engine)
        return engine

    def control(self, tell: Callable[[str], None] | None = None) -> Control:
        """Return what workflows run with, in the name of the person at the keyboard."""
        control = Control(self.settings, self.engine, getpass.getuser())
        return replace(control, tell=tell) if tell else control

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """One look at the registry: it waits for no writer and cannot write."""
        with database.reading(self.engine) as session:
            yield session

    @contextmanager
    def session(self) -> Iterator[Session]:
        """One unit of work on the registry."""
        with database.transaction(self.engine) as session:
            yield session


def show(result: Mapping[str, object] | Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """Print one thing, or a list of things with equal keys, as a table or as JSON."""
    if as_json:
        click.echo(json.dumps(result, ensure_ascii=False, indent=2, default=str))
    elif isinstance(result, dict):
        _print_table(("", ""), [(key, value) for key, value in result.items()])
    elif result:
        rows = [list(row.values()) for row in result if isinstance(row, dict)]
        first = next(row for row in result if isinstance(row, dict))
        _print_table(list(first), rows)


def _cell(value: object) -> str:
    """Return a value as people read it; of what holds others, those that say something."""
    if isinstance(value, Mapping):
        return ", ".join(f"{key}: {said}" for key, one in value.items() if (said := _cell(one)))
    if isinstance(value, (list, tuple)):
        return ", ".join(map(_cell, value))
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M")
    return "" if value is None else str(value)


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
    table = Table(box=None, show_header=any(titles), pad_edge=False)
    for title in titles:
        table.add_column(title, overflow="fold")
    for row in rows:
        table.add_row(*map(_cell, row))
    Console(markup=False, highlight=False, soft_wrap=True).print(table)


pass_context = click.make_pass_decorator(Context)


def ask(question: str) -> None:
    """Go on only when the person at the keyboard says yes. Raises UsageRefused without one."""
    if not someone_is_there():
        raise UsageRefused("Nobody is there to say yes", YES_HINT)
    if not agree(question, YES_HINT):
        raise click.Abort


def ask_again(there: str) -> None:
    """Ask whether what is `there` already is wanted once more, also where --yes was said.

    `there` is a sentence that names it. Raises UsageRefused where nobody can be asked.
    """
    if not someone_is_there():
        raise UsageRefused(there, AGAIN_HINT)
    if not agree(f"{there}. One more?", AGAIN_HINT):
        raise click.Abort


def someone_is_there() -> bool:
    """Tell whether somebody sits at the keyboard."""
    return sys.stdin.isatty()


def show_findings(found: Sequence[Finding], *, as_json: bool) -> None:
    """Print what checks found; ends with exit code 5 when something is wrong."""
    show([finding.as_row() for finding in found], as_json=as_json)
    if found_problems(found):
        sys.exit(PROBLEMS_FOUND)
