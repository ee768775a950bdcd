"""`paquet artifact`: the archives that servers get their clouds from."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import json_option, pass_context, show
from provision.servers import artifacts

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

name_argument = click.argument("name", type=click.Choice(["nextcloud"]))


@click.group()
def artifact() -> None:
    """Keep verified archives of the clouds, so that servers can be prepared offline."""


@artifact.command()
@name_argument
@click.argument("version")
@click.option(
    "--keyring",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Upstream's public key; else the one of the settings.",
)
@json_option
@pass_context
def fetch(
    context: Context, /, name: str, version: str, *, keyring: Path | None, as_json: bool
) -> None:
    """Download NAME VERSION from upstream and verify its signature."""
    del name  # the only one so far
    show(asdict(artifacts.fetch(context.settings, version, keyring)), as_json=as_json)


@artifact.command()
@name_argument
@click.argument("version")
@click.argument("archive", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--sha256", default="", help="The digest that FILE must have.")
@json_option
@pass_context
def add(context: Context, /, version: str, archive: Path, *, as_json: bool, **words: str) -> None:
    """Keep FILE as NAME VERSION; without --sha256 its digest is shown, to compare it by eye."""
    kept = artifacts.add(context.settings, version, archive, words["sha256"])
    show(asdict(kept), as_json=as_json)


@artifact.command("list")
@json_option
@pass_context
def list_artifacts(context: Context, /, *, as_json: bool) -> None:
    """List what the cache holds, with the PHP that each version accepts."""
    rows = [
        {
            "name": kept.name,
            "version": kept.version,
            "php": " to ".join(artifacts.php_window(kept.version)),
            "bytes": kept.bytes,
            "origin": kept.origin,
            "sha256": kept.sha256,
        }
        for kept in artifacts.cached(context.settings, "nextcloud")
    ]
    show(rows, as_json=as_json)
