"""`paquet server prepare|deploy|check`: a bare machine becomes a server, and stays one."""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from provision.checks import findings
from provision.commands.shared import progress
from provision.commands.shared.asking import agree
from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context, show_findings
from provision.commands.shared.words import json_option, typed
from provision.jobs import checks, starting
from provision.jobs import servers as server_runs
from provision.servers import deploy as deploying
from provision.servers import hostkeys, inventory, preparation
from provision.workflows import bundles, claims

if TYPE_CHECKING:
    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.servers.hostkeys import HostKey
    from provision.servers.inventory import Host

force_option = click.option(
    "--force", is_flag=True, help="Go on although the server has seen a newer registry."
)


@dataclass(frozen=True)
class Making:
    """How a server is made or deployed, as it is typed."""

    host_key: str = ""
    drift: bool = False
    force: bool = False


@click.command()
@click.argument("name", metavar="HOST")
@click.option("--host-key", default="", help="Its fingerprint (SHA256:…), read at its console.")
@force_option
@typed(Making, "making")
@change_options
@pass_context
def prepare(context: Context, name: str, making: Making, how: How) -> None:
    """Make HOST, a bare Debian 13 with your SSH key for root, a server of ours.

    It is looked at first and refused when it is not fit, before anything on it is touched. Run
    again after an interruption, it goes on; run on a prepared server, it changes nothing.
    """
    host = _agreed_host(context, name, how, "Prepare it?")
    if host is None:
        return
    with progress.steps(quiet=how.as_json) as tell:
        control = context.control(tell)
        if how.dry_run:
            on_part = partial(server_runs.tell_part, control)
            person = preparation.Answering(_confirm, tell, on_part, making.host_key)
            claim = claims.claim(control, host)
            facts: Facts = asdict(
                preparation.prepare(host, context.settings, claim, person, dry_run=True)
            )
        else:
            hostkeys.trust(host, context.settings, making.host_key, _confirm)
            asked = server_runs.of_server("prepare", name, force=making.force)
            facts = starting.see_through(control, asked).fact
    _show_made(context, facts, facts["deployment"], how)


@click.command()
@click.argument("name", metavar="HOST")
@click.option("--drift", is_flag=True, help="Look at all of it: mend what was changed by hand.")
@force_option
@typed(Making, "making")
@change_options
@pass_context
def deploy(context: Context, name: str, making: Making, how: How) -> None:
    """Bring HOST to what this release and the settings say."""
    host = _agreed_host(context, name, how, "Deploy to it?")
    if host is None:
        return
    with progress.steps(quiet=how.as_json) as tell:
        control = context.control(tell)
        if how.dry_run:
            play = deploying.site_play(host, context.settings)
            on_part = partial(server_runs.tell_part, control)
            facts = asdict(deploying.rehearse(play, context.settings, on_part))
        else:
            words = {"drift": making.drift, "force": making.force}
            asked = server_runs.of_server("deploy", name, **words)
            facts = starting.see_through(control, asked).fact
    _show_made(context, facts, facts, how)


@click.command()
@click.argument("name", metavar="HOST")
@json_option
@pass_context
def check(context: Context, name: str, *, as_json: bool) -> None:
    """Check HOST from outside and inside; exit code 5 when something is wrong."""
    inventory.find(context.settings.inventory, name)
    done = starting.see_through(context.control(), checks.of_server(name))
    show_findings(context, findings.read(done.fact), as_json=as_json)


def _agreed_host(context: Context, name: str, how: How, question: str) -> Host | None:
    """Return the server `name`, None where it is not to be changed; a dry run looks at it."""
    host = inventory.find(context.settings.inventory, name)
    bundles.refuse_homeless(context.control(), host)
    facts = {
        "server": host.name,
        "address": host.address,
        "name": host.server_name,
        "groups": ", ".join(sorted(host.groups - {"all"})),
    }
    return host if how.dry_run or agreed(context, facts, how, question) else None


def _confirm(key: HostKey) -> bool:
    """Show an unknown host key to the person; without one, it is not taken on trust."""
    click.echo(f"The server shows the host key {key.fingerprint} ({key.kind}).", err=True)
    if not sys.stdin.isatty():
        return False
    return agree("Is this what its console shows?", "Give it as --host-key.", err=True)


def _show_made(context: Context, facts: Facts, deployment: Any, how: How) -> None:  # noqa: ANN401 (JSON)
    """Show what was done to a server, where it came to a deployment."""
    if how.as_json:
        context.show(facts, as_json=True)
    elif deployment:
        _show_deployment(deploying.Deployment(**deployment), dry_run=how.dry_run)


def _show_deployment(done: deploying.Deployment, *, dry_run: bool) -> None:
    for diff in done.diffs:
        click.echo(diff)
    for problem in done.problems:
        click.echo(f"{done.server}: {problem}", err=True)
    click.echo(f"{done.server}: {done.sentence(dry_run=dry_run)} ({done.seconds:.1f} s)")
