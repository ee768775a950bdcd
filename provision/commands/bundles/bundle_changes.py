"""`paquet bundle check|deploy|suspend|resume`: what reaches the server of a bundle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.checks import findings
from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options, tried
from provision.commands.shared.context import pass_context, show_findings
from provision.commands.shared.words import json_option, typed, why_option
from provision.errors import PaquetError, UsageRefused
from provision.jobs import bundles as bundle_runs
from provision.jobs import checks, deployments, starting
from provision.workflows import bundles, capacity, upkeep

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.registry.models import Bundle
    from provision.workflows.control import Control


@click.command()
@click.argument("domain")
@json_option
@pass_context
def check(context: Context, domain: str, *, as_json: bool) -> None:
    """Check the bundle of DOMAIN from outside; exit code 5 when something is wrong."""
    control = context.control()
    done = starting.see_through(control, checks.of_bundle(bundles.find(control, domain)))
    show_findings(context, findings.read(done.fact), as_json=as_json)


@dataclass(frozen=True)
class BundlesMeant:
    """The bundles that are meant: one, those of a server, or those whose room is due."""

    domain: str | None
    server: str | None
    due: bool


@click.command()
@click.argument("domain", required=False)
@click.option("--server", metavar="HOST", help="Every bundle of HOST, in place of one.")
@click.option("--due", is_flag=True, help="Those whose room changes by today: see docs/money.md.")
@typed(BundlesMeant, "wanted")
@change_options
@pass_context
def deploy(context: Context, wanted: BundlesMeant, how: How) -> None:
    """Bring the bundle of DOMAIN, or every bundle of a server, to what this release says.

    After `paquet server deploy` of a new release. Killed, it is run again.
    """
    if [wanted.domain is not None, wanted.server is not None, wanted.due].count(True) != 1:
        raise UsageRefused(
            "Which bundle?", "Give one DOMAIN, or --server HOST for all of it, or --due."
        )
    bundles_meant = _named(context.control(), wanted)
    planned = [{"domain": bundle.domain, "server": bundle.server} for bundle in bundles_meant]
    if bundles_meant and not how.dry_run and not agreed(context, planned, how, "Deploy them?"):
        return
    with progress.steps(quiet=how.as_json) as tell:
        control = context.control(tell)
        if how.dry_run:
            rows = upkeep.rehearse_each(control, bundles_meant)
        else:
            rows = deployments.deploy_all(control, bundles_meant)
    context.show(rows, as_json=how.as_json, nothing="There is none to deploy.")
    if failed := [row for row in rows if row["error"]]:
        raise PaquetError(
            f"{len(failed)} of {len(rows)} bundles were not deployed",
            "Each of them alone, by its DOMAIN, says more.",
        )


def _named(control: Control, wanted: BundlesMeant) -> list[Bundle]:
    """Return the bundle of a domain, those of a server, or else those whose room is due."""
    if wanted.domain is not None:
        return [bundles.find(control, wanted.domain)]
    if wanted.server is not None:
        return bundles.standing_on(control, wanted.server)
    return capacity.due(control)


@click.command()
@click.argument("domain")
@why_option
@change_options
@pass_context
def suspend(context: Context, domain: str, why: str, how: How) -> None:
    """Stop the logins of the bundle of DOMAIN. Mail is still received; nothing is deleted."""
    _bring(context, domain, ("suspended", why), how)


@click.command()
@click.argument("domain")
@click.option("--why", default="", help="The reason, for the record.")
@change_options
@pass_context
def resume(context: Context, domain: str, why: str, how: How) -> None:
    """Open a suspended bundle again."""
    _bring(context, domain, ("active", why), how)


def _bring(context: Context, domain: str, wanted: tuple[str, str], how: How) -> None:
    """Bring a bundle to a state for a reason, here and on its server."""
    state, why = wanted
    control = context.control()

    def facts(bundle: Bundle) -> Facts:
        return {
            "domain": bundle.domain,
            "bundle": bundle.name,
            "server": bundle.server,
            "state": bundle.state,
            "logins": "open" if bundle.state == "active" else "closed",
        }

    planned = tried(
        context,
        lambda session: facts(upkeep.change_in_registry(session, control, domain, wanted)),
    )
    if agreed(context, planned, how):
        with progress.steps(quiet=how.as_json) as tell:
            asked = bundle_runs.of_one("bring", bundles.find(control, domain), state=state, why=why)
            starting.see_through(context.control(tell), asked)
        context.show(facts(bundles.find(control, domain)), as_json=how.as_json)
