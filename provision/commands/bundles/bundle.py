"""`paquet bundle`: list, show, check, suspend, resume, export; how it ends is in `bundle_ends`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.bundles import bundle_ends
from provision.commands.shared import progress
from provision.commands.shared.changing import change_options
from provision.commands.shared.context import ask, json_option, pass_context, show, show_findings
from provision.errors import PaquetError, UsageRefused
from provision.workflows import bundles, capacity, checking, safekeeping, upkeep

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.registry.models import Bundle
    from provision.workflows.control import Control


@click.group()
def bundle() -> None:
    """Look after the cloud, mail, names and backup of one subscriber; DOMAIN says which."""


bundle.add_command(bundle_ends.close)
bundle.add_command(bundle_ends.erase)


@bundle.command("list")
@json_option
@pass_context
def list_bundles(context: Context, /, *, as_json: bool) -> None:
    """List the bundles."""
    show(bundles.listing(context.control()), as_json=as_json)


@bundle.command("show")
@click.argument("domain")
@json_option
@pass_context
def show_bundle(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Show the bundle of DOMAIN."""
    show(capacity.describe(context.control(), domain), as_json=as_json)


@bundle.command()
@click.argument("domain")
@json_option
@pass_context
def check(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Check the bundle of DOMAIN from outside; exit code 5 when something is wrong."""
    control = context.control()
    found = checking.check_bundle(control, bundles.find(control, domain))
    show_findings(found, as_json=as_json)


@bundle.command()
@click.argument("domain", required=False)
@click.option("--server", metavar="HOST", help="Every bundle of HOST, in place of one.")
@click.option("--due", is_flag=True, help="Those whose room changes by today: see docs/money.md.")
@change_options
@pass_context
def deploy(
    context: Context, /, domain: str | None, server: str | None, *, due: bool, how: How
) -> None:
    """Bring the bundle of DOMAIN, or every bundle of a server, to what this release says.

    After `paquet server deploy` of a new release. Killed, it is run again.
    """
    if [domain is not None, server is not None, due].count(True) != 1:
        raise UsageRefused(
            "Which bundle?", "Give one DOMAIN, or --server HOST for all of it, or --due."
        )
    with progress.steps(quiet=how.as_json) as tell:
        control = context.control(tell)
        wanted = _named(control, domain, server)
        if wanted and not how.dry_run and not how.yes:
            ask(f"Deploy {len(wanted)} of the bundles ({', '.join(b.domain for b in wanted)})?")
        rows = _deploy_each(control, wanted, tell, dry_run=how.dry_run)
    show(rows, as_json=how.as_json)
    if not rows and not how.as_json:
        click.echo("There is none to deploy.")
    if failed := [row for row in rows if row["error"]]:
        raise PaquetError(
            f"{len(failed)} of {len(rows)} bundles were not deployed",
            "Each of them alone, by its DOMAIN, says more.",
        )


def _named(control: Control, domain: str | None, server: str | None) -> list[Bundle]:
    """Return the bundle of a domain, those of a server, or else those whose room is due."""
    if domain:
        return [bundles.find(control, domain)]
    return bundles.standing_on(control, server) if server else capacity.due(control)


def _deploy_each(
    control: Control, wanted: Sequence[Bundle], tell: Callable[[str], None], *, dry_run: bool
) -> list[dict[str, object]]:
    """Deploy all of them: one that broke its own cloud keeps no neighbour from what is new."""
    rows: list[dict[str, object]] = []
    for one in wanted:
        tell(one.domain)
        try:
            changed = upkeep.deploy(control, one, dry_run=dry_run)
        except PaquetError as error:
            if len(wanted) == 1:
                raise
            rows.append({"domain": one.domain, "changed": None, "error": error.message})
        else:
            rows.append({"domain": one.domain, "changed": changed, "error": None})
    return rows


@bundle.command()
@click.argument("domain")
@click.option("--why", required=True, help="The reason, for the record.")
@pass_context
def suspend(context: Context, /, domain: str, why: str) -> None:
    """Stop the logins of the bundle of DOMAIN. Mail is still received; nothing is deleted."""
    with progress.steps() as tell:
        upkeep.change_state(context.control(tell), domain, "suspended", why)


@bundle.command()
@click.argument("domain")
@click.option("--why", default="", help="The reason, for the record.")
@pass_context
def resume(context: Context, /, domain: str, why: str) -> None:
    """Open a suspended bundle again."""
    with progress.steps() as tell:
        upkeep.change_state(context.control(tell), domain, "active", why)


@bundle.command()
@click.argument("domain")
@click.option("--to", "folder", type=click.Path(path_type=Path), required=True)
@json_option
@pass_context
def export(context: Context, /, domain: str, folder: Path, *, as_json: bool) -> None:
    """Write everything of the bundle of DOMAIN into the folder --to: its owner may leave with it.

    A backup is made first, so that the export is of this moment.
    """
    with progress.steps(quiet=as_json) as tell:
        manifest = safekeeping.export(context.control(tell), domain, folder)
    show(manifest, as_json=as_json)
