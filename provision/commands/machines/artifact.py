"""`paquet artifact`: the archives that servers get their clouds from."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import json_option, typed
from provision.servers import artifacts

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context

path_type = click.Path(dir_okay=False, path_type=Path)
name_argument = click.argument("name", type=click.Choice(["nextcloud"]))


@dataclass(frozen=True)
class Archive:
    """Which archive is meant: `name` is the only one so far."""

    name: str
    version: str


@click.group()
def artifact() -> None:
    """Keep verified archives of the clouds, so that servers can be prepared offline."""


@artifact.command()
@name_argument
@click.argument("version")
@click.option("--keyring", type=path_type, help="Upstream's public key; else the settings' one.")
@typed(Archive, "wanted")
@change_options
@pass_context
def fetch(context: Context, wanted: Archive, keyring: Path | None, how: How) -> None:
    """Download NAME VERSION from upstream and verify its signature."""
    planned = asdict(artifacts.source(context.settings, wanted.version, keyring))
    if agreed(context, planned, how, "Fetch it?"):
        kept = artifacts.fetch(context.settings, wanted.version, keyring)
        context.show(asdict(kept), as_json=how.as_json)


@dataclass(frozen=True)
class GivenArchive:
    """A file that is given as an archive, and the digest that it must have, or ''."""

    archive: Path
    sha256: str


@artifact.command()
@name_argument
@click.argument("version")
@click.argument("archive", metavar="FILE", type=path_type)
@click.option("--sha256", default="", help="The digest that FILE must have.")
@typed(Archive, "wanted")
@typed(GivenArchive, "given")
@change_options
@pass_context
def add(context: Context, wanted: Archive, given: GivenArchive, how: How) -> None:
    """Keep FILE as NAME VERSION; without --sha256 its digest is shown, to compare it by eye."""
    seen = artifacts.look(context.settings, wanted.version, given.archive, given.sha256)
    if agreed(context, asdict(seen), how, "Keep it?"):
        kept = artifacts.add(context.settings, seen, given.archive)
        context.show(asdict(kept), as_json=how.as_json)


@artifact.command("list")
@json_option
@pass_context
def list_artifacts(context: Context, *, as_json: bool) -> None:
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
    context.show(rows, as_json=as_json)
