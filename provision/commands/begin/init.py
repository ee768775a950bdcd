"""`paquet init`: the few questions that matter, then a commented settings file."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision import rendering, settings, shipped
from provision.commands.shared.asking import Question, answer
from provision.commands.shared.context import pass_context
from provision.errors import UsageRefused
from provision.registry import secrets

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


QUESTIONS = {
    "operator": Question(
        "Who operates this (a name that subscribers will read)",
        "--operator",
        partial(settings.mistake, settings.Operator, "name"),
    ),
    "zone": Question(
        "Under which domain do bundles get their names",
        "--zone",
        partial(settings.mistake, settings.Operator, "zone"),
    ),
    "contact": Question(
        "Which e-mail address helps the subscribers",
        "--contact",
        partial(settings.mistake, settings.Operator, "contact"),
    ),
    "telephone": Question(
        "Which telephone number, when a phone is lost and its mail with it (empty: none)",
        "--telephone",
        partial(settings.mistake, settings.Operator, "telephone"),
        default="",
    ),
    "language": Question(
        "Which language is yours (fr or en)",
        "--language",
        partial(settings.mistake, settings.Operator, "language"),
        default="fr",
    ),
    "registry": Question(
        "Where is the registry (sqlite:///file or postgresql://…)",
        "--registry",
        partial(settings.mistake, settings.Registry, "url"),
        default="sqlite:///paquet.db",
    ),
}


@click.command()
@click.option("--operator", help="Who operates this: a name that subscribers will read.")
@click.option("--zone", help="The domain under which bundles get their names.")
@click.option("--contact", help="The e-mail address that helps the subscribers.")
@click.option("--telephone", help="The number that helps who has lost a phone, and its mail.")
@click.option("--language", type=click.Choice(["fr", "en"]), help="Which language is yours.")
@click.option("--registry", help="Where the registry is: sqlite:///file or postgresql://….")
@pass_context
def init(context: Context, /, **typed: str | None) -> None:
    """Write paquet.toml, paquet.key and inventory.yml for a new control machine.

    What no option answers is asked.
    """
    path = context.config
    if path.exists():
        raise UsageRefused(f"{path} exists already", "Edit it, or give another --config.")
    answers = {
        name: answer(question) if typed[name] is None else typed[name]
        for name, question in QUESTIONS.items()
    }
    text = rendering.render("paquet.toml.j2", {**answers, "quoted": _quoted})
    checked = settings.parse(settings.read_words(text, path), path)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if not checked.key_file.exists():
        secrets.make_key_file(checked.key_file)
    if not checked.inventory.exists():
        shutil.copyfile(shipped.share("inventory.example"), checked.inventory)
    for made in (path, checked.key_file, checked.inventory):
        click.echo(f"Wrote {_shown(made)}")
    click.echo("Keep a copy of the key file in a safe place: without it no backup opens.")


def _shown(path: Path) -> Path:
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def _quoted(words: str) -> str:
    """Return `words` as a TOML basic string."""
    escapes = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
    return '"' + "".join(escapes.get(letter, letter) for letter in words) + '"'
