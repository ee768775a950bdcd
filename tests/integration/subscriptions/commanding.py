"""Commands as people type them, on a registry of their own: settings, a call, what it says."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from provision.commands.context import Context

if TYPE_CHECKING:
    from pathlib import Path

    import click
    from click.testing import Result

SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
[registry]
url = "sqlite:///{registry}"
"""


def settled(folder: Path, registry: str = "paquet.db", **files: str) -> Context:
    """Return what commands work with, once `folder` has settings that name these files."""
    named = "".join(f'{name} = "{file}"\n' for name, file in files.items())
    config = folder / "paquet.toml"
    config.write_text(named + SETTINGS.format(registry=folder / registry), encoding="utf-8")
    return Context(config)


def ask(context: Context, group: click.Group, *words: str) -> Result:
    """Run a command; what it raises is raised here."""
    answer = CliRunner().invoke(group, words, obj=context, standalone_mode=False)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer


def read(context: Context, group: click.Group, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    """Return what a command says in JSON."""
    return json.loads(ask(context, group, *words, "--json").stdout)
