"""`paquet dns`: the records of a bundle, as they should be and as they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provision.commands.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    show,
    show_findings,
    yes_option,
)
from provision.dns import changes, zone
from provision.workflows import bundles, checking, names

if TYPE_CHECKING:
    from provision.commands.context import Context


@click.group()
def dns() -> None:
    """Look after the names of a bundle; DOMAIN is what stands behind the @ of its addresses."""


@dns.command("show")
@click.argument("domain")
@click.option("--table", is_flag=True, help="As a table for a registrar's form.")
@json_option
@pass_context
def show_records(context: Context, /, domain: str, *, table: bool, as_json: bool) -> None:
    """Print every record that DOMAIN needs, as a zone file."""
    control = context.control()
    bundle = bundles.find(control, domain)
    records = names.desired(bundle, control.settings)
    if as_json or table:
        origin = names.of_bundle(bundle, control.settings).zone
        show([asdict(row) for row in zone.registrar_rows(records, origin)], as_json=as_json)
    else:
        click.echo(zone.zone_text(records), nl=False)


@dns.command()
@click.argument("domain")
@json_option
@pass_context
def diff(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Show what would change in the zone of DOMAIN."""
    control = context.control()
    change_set = names.difference(bundles.find(control, domain), control.settings)
    show(changes.describe(change_set), as_json=as_json)


@dns.command()
@click.argument("domain")
@click.option("--force", is_flag=True, help="Even when much of what exists would change.")
@yes_option
@dry_run_option
@json_option
@pass_context
def publish(context: Context, /, domain: str, **flags: bool) -> None:
    """Bring the zone of DOMAIN to what the bundle needs."""
    control = context.control()
    bundle = bundles.find(control, domain)
    change_set = names.difference(bundle, control.settings)
    show(changes.describe(change_set), as_json=flags["as_json"])
    if flags["dry_run"] or change_set.is_empty:
        return
    if not flags["yes"]:
        ask("Publish this?")
    names.publish(bundle, control.settings, force=flags["force"])


@dns.command()
@click.argument("domain")
@json_option
@pass_context
def check(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Ask the name servers for every record that DOMAIN needs."""
    control = context.control()
    found = checking.check_bundle_names(control, bundles.find(control, domain))
    show_findings(found, as_json=as_json)
