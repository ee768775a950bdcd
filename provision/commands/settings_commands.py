"""`paquet init`: the few questions that matter, then a commented settings file."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import rendering, settings
from provision.commands.context import pass_context
from provision.errors import UsageRefused
from provision.registry import secrets

if TYPE_CHECKING:
    from provision.commands.context import Context


@click.command()
@click.option("--operator", prompt="Who operates this (a name that subscribers will read)")
@click.option("--zone", prompt="Under which domain do bundles get their names")
@click.option("--contact", prompt="Which e-mail address helps the subscribers")
@click.option(
    "--language", type=click.Choice(["fr", "en"]), prompt="Which language comes first", default="fr"
)
@click.option(
    "--registry",
    prompt="Where is the registry (sqlite:///file or postgresql://…)",
    default="sqlite:///paquet.db",
)
@pass_context
def init(context: Context, /, **answers: str) -> None:
    """Write paquet.toml, paquet.key and inventory.yml for a new control machine.

    Every question can be answered by its option instead.
    """
    path = context.config
    if path.exists():
        raise UsageRefused(f"{path} exists already", "Edit it, or give another --config.")
    text = rendering.render("paquet.toml.j2", {**answers, "quoted": _quoted})
    checked = settings.parse(settings.read_words(text, path), path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if not checked.key_file.exists():
        secrets.make_key_file(checked.key_file)
    if not checked.inventory.exists():
        shutil.copyfile(rendering.share("inventory.example"), checked.inventory)
    for made in (path, checked.key_file, checked.inventory):
        click.echo(f"Wrote {_shown(made)}")
    click.echo("Keep a copy of the key file in a safe place: without it no backup opens.")


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _quoted(words: str) -> str:
    """Return `words` as a TOML basic string."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in words) + '"'
