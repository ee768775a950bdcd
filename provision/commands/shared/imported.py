"""Groups whose commands are imported when they are called: all of them together take seconds."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Mapping


class Imported(click.Group):
    """A group with `modules`: the module of `provision.commands` of each command that waits."""

    def __init__(self, *words: Any, modules: Mapping[str, str], **options: Any) -> None:  # noqa: ANN401 (click's own)
        super().__init__(*words, **options)
        self.modules = modules

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return the names of all commands, those that wait first, in their order."""
        return [*self.modules, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Return the command `cmd_name`, imported now if it waited."""
        if cmd_name not in self.modules:
            return super().get_command(ctx, cmd_name)
        module = import_module(f"provision.commands.{self.modules[cmd_name]}")
        command: click.Command = getattr(module, cmd_name)
        return command
