"""`paquet dns`: the records of a bundle, as they should be and as they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provision.commands.shared.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    show,
    show_findings,
    yes_option,
)
from provision.dns import changes, zone
from provision.workflows import bundles, checking, names, zones

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.workflows.control import Control


@click.group()
def dns() -> None:
    """Look after names: DOMAIN is what stands behind the @ of a bundle, or the operator's zone.

    The names of the operator's zone are those of its servers, and what the zone says of mail.
    """


@dns.command("show")
@click.argument("domain")
@click.option("--table", is_flag=True, help="As a table for a registrar's form.")
@json_option
@pass_context
def show_records(context: Context, /, domain: str, *, table: bool, as_json: bool) -> None:
    """Print every record that DOMAIN needs, as a zone file."""
    control = context.control()
    settings = control.settings
    if names.is_own(domain, settings):
        origin, records = settings.operator.zone, zones.own_records(settings)
    else:
        bundle = bundles.find(control, domain)
        origin = zones.of_bundle(bundle, settings).zone
        records = zones.desired(bundle, settings)
    if as_json or table:
        show([asdict(row) for row in zone.registrar_rows(records, origin)], as_json=as_json)
    else:
        click.echo(zone.zone_text(records), nl=False)


@dns.command()
@click.argument("domain")
@json_option
@pass_context
def diff(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Show what would change in the zone of DOMAIN."""
    _show_changes(_difference(context.control(), domain), as_json=as_json)


@dns.command()
@click.argument("domain")
@click.option("--force", is_flag=True, help="Even when much of what exists would change.")
@yes_option
@dry_run_option
@json_option
@pass_context
def publish(context: Context, /, domain: str, **flags: bool) -> None:
    """Bring the zone of DOMAIN to what it needs."""
    control = context.control()
    change_set = _difference(control, domain)
    _show_changes(change_set, as_json=flags["as_json"])
    if flags["dry_run"] or change_set.is_empty:
        return
    if not flags["yes"]:
        ask("Publish this?")
    if names.is_own(domain, control.settings):
        zones.publish_own(control.settings, force=flags["force"])
    else:
        zones.publish(bundles.find(control, domain), control.settings, force=flags["force"])


@dns.command()
@click.argument("domain")
@json_option
@pass_context
def check(context: Context, /, domain: str, *, as_json: bool) -> None:
    """Ask the name servers for every record that DOMAIN needs."""
    control = context.control()
    if names.is_own(domain, control.settings):
        found = checking.check_own_names(control)
    else:
        found = checking.check_bundle_names(control, bundles.find(control, domain))
    show_findings(found, as_json=as_json)


def _difference(control: Control, domain: str) -> changes.ChangeSet:
    if names.is_own(domain, control.settings):
        return zones.own_difference(control.settings)
    return zones.difference(bundles.find(control, domain), control.settings)


def _show_changes(change_set: changes.ChangeSet, *, as_json: bool) -> None:
    show(changes.describe(change_set), as_json=as_json)
    if change_set.is_empty and not as_json:
        click.echo("Nothing would change")
