"""What is imported only when it is called: all commands together take seconds."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True)
class Waiting:
    """A command that waits to be imported: its module in `provision.commands`, and its help."""

    module: str
    help: str


def load(module: str) -> Any:  # noqa: ANN401 (a module)
    """Return the module, imported now."""
    return import_module(module)


class Imported(click.Group):
    """A group of which some commands wait: they are named and told without being imported."""

    def __init__(
        self,
        *words: Any,  # noqa: ANN401 (click's own)
        waiting: Mapping[str, Waiting],
        before: Mapping[str, str] | None = None,
        **options: Any,  # noqa: ANN401 (click's own)
    ) -> None:
        super().__init__(*words, **options)
        self.waiting = waiting
        self.before = before or {}  # words of the last release, and the modules that answer now

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those that wait first, in their order."""
        return [*self.waiting, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`, imported now if it waited.

        A word of before is answered by the command of today, which is told.
        """
        if cmd_name in self.before:
            module = self.before[cmd_name]
            today = module.rpartition(".")[2]
            click.echo(f"`{ctx.command_path} {cmd_name}` is now `paquet {today}`.", err=True)
            return _imported(module, today)
        if cmd_name in self.waiting:
            return _imported(self.waiting[cmd_name].module, cmd_name)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what each command is for; nothing is imported for it."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, self.told(ctx, name)) for name in self.list_commands(ctx)])

    def told(self, ctx: click.Context, name: str) -> str:
        """Return what a command is for, in one line."""
        if name in self.waiting:
            return self.waiting[name].help
        command = self.get_command(ctx, name)
        if command is None or command.hidden:
            return ""
        return (command.help or "").split("\n\n")[0].replace("\n", " ")


def _imported(module: str, name: str) -> click.Command:
    """Return the command `name` of a module of `provision.commands`."""
    every = vars(load(f"provision.commands.{module}")).values()
    return next(
        command for command in every if isinstance(command, click.Command) and command.name == name
    )
