"""`paquet dns`: the records of a bundle, as they should be and as they are."""

from __future__ import annotations

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context, show_findings
from provision.commands.shared.words import json_option
from provision.dns import changes, zone
from provision.workflows import bundles, checking, names, zones

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.dns.changes import ChangeSet
    from provision.workflows.control import Control

NOTHING = "Nothing would change"


@click.group()
def dns() -> None:
    """Look after names; DOMAIN stands behind the @ of a bundle, or is the operator's zone.

    The names of the operator's zone are those of its servers, and what the zone says of mail.
    """


@dns.command("show")
@click.argument("domain")
@click.option("--table", is_flag=True, help="As a table for a registrar's form.")
@json_option
@pass_context
def show_records(context: Context, domain: str, *, table: bool, as_json: bool) -> None:
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
        rows = [asdict(row) for row in zone.registrar_rows(records, origin)]
        context.show(rows, as_json=as_json)
    else:
        click.echo(zone.zone_text(records), nl=False)


@dns.command()
@click.argument("domain")
@json_option
@pass_context
def diff(context: Context, domain: str, *, as_json: bool) -> None:
    """Show what would change in the zone of DOMAIN."""
    change_set = _difference(context.control(), domain)
    context.show(changes.describe(change_set), as_json=as_json, nothing=NOTHING)


@dns.command()
@click.argument("domain")
@click.option("--force", is_flag=True, help="Even when much of what exists would change.")
@change_options
@pass_context
def publish(context: Context, domain: str, how: How, *, force: bool) -> None:
    """Bring the zone of DOMAIN to what it needs."""
    control = context.control()
    change_set = _difference(control, domain)
    planned = changes.describe(change_set)
    if change_set.is_empty:
        context.show(planned, as_json=how.as_json, nothing=NOTHING)
    elif agreed(context, planned, how, "Publish this?"):
        done = _publish(control, domain, force=force)
        context.show(changes.describe(done), as_json=how.as_json)


@dns.command()
@click.argument("domain")
@json_option
@pass_context
def check(context: Context, domain: str, *, as_json: bool) -> None:
    """Ask the name servers for every record that DOMAIN needs."""
    control = context.control()
    if names.is_own(domain, control.settings):
        findings = checking.check_own_names(control)
    else:
        findings = checking.check_bundle_names(control, bundles.find(control, domain))
    show_findings(context, findings, as_json=as_json)


def _difference(control: Control, domain: str) -> ChangeSet:
    if names.is_own(domain, control.settings):
        return zones.own_difference(control.settings)
    return zones.difference(bundles.find(control, domain), control.settings)


def _publish(control: Control, domain: str, *, force: bool) -> ChangeSet:
    if names.is_own(domain, control.settings):
        return zones.publish_own(control.settings, force=force)
    return zones.publish(bundles.find(control, domain), control.settings, force=force)
