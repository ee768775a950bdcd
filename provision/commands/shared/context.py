"""What every command shares: the settings, the registry, and the one way to show results."""

from __future__ import annotations

import getpass
import sys
from contextlib import contextmanager
from dataclasses import replace
from functools import cached_property, wraps
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

import click

from provision import database, settings
from provision.checks.findings import found_problems
from provision.commands.shared import tables
from provision.commands.shared.imported import load
from provision.migrations import newest
from provision.workflows.control import Control

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.checks.findings import Finding
    from provision.commands.shared.tables import Rows
    from provision.commands.shared.words import Command

PROBLEMS_FOUND = 5
NOTHING = "There is none."
EMPTY = "provision.empty_registry"
NO_REGISTRY = "There is no registry yet at {}: the first command that writes makes it."


class Context:
    """The settings file of this call, read when a command first needs it."""

    def __init__(self, config: Path) -> None:
        self.config = config

    @cached_property
    def settings(self) -> settings.Settings:
        """The checked settings."""
        return settings.load(self.config)

    @property
    def engine(self) -> Engine:
        """The registry, brought to the newest schema.

        Where none is yet, what only looks gets an empty one that goes when the command ends.
        """
        call = click.get_current_context(silent=True)
        if call is None or not _only_looks(call) or database.stands(self._there):
            return self._registry
        if EMPTY not in call.meta:
            call.meta[EMPTY] = _brought_up(database.connect(_nowhere(call)))
            call.call_on_close(call.meta[EMPTY].dispose)
            click.echo(NO_REGISTRY.format(self._there.url.database), err=True)
        engine: Engine = call.meta[EMPTY]
        return engine

    @cached_property
    def _there(self) -> Engine:
        return database.connect(self.settings.registry.url)

    @cached_property
    def _registry(self) -> Engine:
        return _brought_up(self._there)

    @property
    def language(self) -> str:
        """How amounts are written: as the operator does; before there are settings, in English."""
        return self.settings.operator.language if self.config.exists() else "en"

    @property
    def today(self) -> date:
        """The day here."""
        return self.control().today()

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

    def show(
        self,
        result: Mapping[str, object] | Rows,
        *,
        as_json: bool = False,
        nothing: str = NOTHING,
        err: bool = False,
    ) -> None:
        """Print one thing, or a list of things with equal keys, as tables or as JSON.

        Of an empty list people read `nothing`. With `err` they read it beside the result of a
        command, which is for a program.
        """
        if not (result or as_json):
            click.echo(nothing, err=err)
        tables.show(result, self.language, as_json=as_json, err=err)


def _only_looks(call: click.Context) -> bool:
    """Tell whether a command writes nothing: what writes has --dry-run, and it was not given."""
    return bool(call.params.get("dry_run", True))


def _nowhere(call: click.Context) -> str:
    """Return the address of a registry that nobody finds again once `call` ends."""
    return f"sqlite:///{call.with_resource(TemporaryDirectory())}/empty.db"


def _brought_up(engine: Engine) -> Engine:
    if not newest.is_newest(engine):
        load("provision.migrations.upgrades").upgrade(engine)
    return engine


def pass_context(command: Command) -> Command:
    """Give a command what it runs with: made of --config, unless there is one already."""

    @click.pass_context
    @wraps(command)
    def given(asked: click.Context, /, *args: object, **words: object) -> None:
        root = asked.find_root()
        if root.obj is None:
            root.obj = Context(root.params["config"])
        command(root.obj, *args, **words)

    return given


def show_findings(context: Context, findings: Sequence[Finding], *, as_json: bool) -> None:
    """Print what checks found; ends with exit code 5 when something is wrong."""
    context.show([finding.as_row() for finding in findings], as_json=as_json)
    if found_problems(findings):
        sys.exit(PROBLEMS_FOUND)
