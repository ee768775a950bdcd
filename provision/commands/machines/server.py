"""`paquet server`: prepare, deploy, check, list, allow, bans."""

from __future__ import annotations

import sys
from dataclasses import asdict
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

import click

from provision.commands.machines.server_doors import allow, bans
from provision.commands.shared import progress
from provision.commands.shared.asking import agree
from provision.commands.shared.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    show,
    show_findings,
    yes_option,
)
from provision.registry import fences
from provision.servers import deploy as deploying
from provision.servers import inventory, preparation
from provision.workflows import bundles, checking, claims

if TYPE_CHECKING:
    from collections.abc import Callable

    from provision.commands.shared.context import Context
    from provision.servers.hostkeys import HostKey
    from provision.servers.outcomes import PartStart

force_option = click.option(
    "--force", is_flag=True, help="Go on although the server has seen a newer registry."
)


@click.group()
def server() -> None:
    """Make servers of bare Debian machines, and keep them as they should be."""


server.add_command(allow)
server.add_command(bans)


@server.command()
@click.argument("name", metavar="HOST")
@click.option("--host-key", default="", help="Its fingerprint (SHA256:…), read at its console.")
@force_option
@yes_option
@dry_run_option
@json_option
@pass_context
def prepare(context: Context, /, name: str, host_key: str, **flags: bool) -> None:
    """Make HOST, a bare Debian 13 with your SSH key for root, a server of ours.

    It is looked at first and refused when it is not fit, before anything on it is touched. Run
    again after an interruption, it goes on; run on a prepared server, it changes nothing.
    """
    host = inventory.find(context.settings.inventory, name)
    bundles.refuse_homeless(context.control(), host)
    if not flags["dry_run"] and not flags["yes"]:
        ask(f"Prepare {name} ({host.address})?")
    with progress.steps(quiet=flags["as_json"]) as tell:
        person = preparation.Person(_confirm, tell, partial(_tell_part, tell), host_key)
        claim = claims.claim(context.control(tell), host, force=flags["force"])
        done = preparation.prepare(host, context.settings, claim, person, dry_run=flags["dry_run"])
    if not flags["dry_run"]:
        with context.session() as session:
            fences.known_server(session, name).prepared_at = datetime.now(UTC)
    if flags["as_json"]:
        show(asdict(done), as_json=True)
    elif done.deployment:
        _show_deployment(done.deployment, dry_run=flags["dry_run"])


@server.command()
@click.argument("name", metavar="HOST")
@click.option("--drift", is_flag=True, help="Visit every role: find what was changed by hand.")
@force_option
@yes_option
@dry_run_option
@json_option
@pass_context
def deploy(context: Context, /, name: str, **flags: bool) -> None:
    """Bring HOST to what this release and the settings say."""
    host = inventory.find(context.settings.inventory, name)
    bundles.refuse_homeless(context.control(), host)
    if not flags["dry_run"] and not flags["yes"]:
        ask(f"Deploy to {name} ({host.address})?")
    play = deploying.site_play(host, context.settings)
    with progress.steps(quiet=flags["as_json"]) as tell:
        on_part = partial(_tell_part, tell)
        if flags["dry_run"]:
            done = deploying.rehearse(play, context.settings, on_part)
        else:
            claim = claims.claim(context.control(tell), host, force=flags["force"])
            done = deploying.deploy(
                play, context.settings, claim, drift=flags["drift"], on_part=on_part
            )
    if flags["as_json"]:
        show(asdict(done), as_json=True)
    else:
        _show_deployment(done, dry_run=flags["dry_run"])


@server.command("list")
@json_option
@pass_context
def list_servers(context: Context, /, *, as_json: bool) -> None:
    """List the servers of the inventory."""
    hosts = inventory.read(context.settings.inventory)
    with context.reading() as session:
        prepared = {name: fences.known_server(session, name).prepared_at for name in hosts}
    rows = [
        {
            "name": host.name,
            "address": host.address,
            "server_name": host.server_name,
            "groups": ", ".join(sorted(host.groups - {"all"})),
            "prepared": prepared[host.name],
        }
        for host in hosts.values()
    ]
    show(rows, as_json=as_json)


@server.command()
@click.argument("name", metavar="HOST")
@json_option
@pass_context
def check(context: Context, /, name: str, *, as_json: bool) -> None:
    """Check HOST from outside and inside; exit code 5 when something is wrong."""
    found = checking.check_server(context.control(), name)
    show_findings(found, as_json=as_json)


def _confirm(key: HostKey) -> bool:
    """Show an unknown host key to the person; without one, it is not taken on trust."""
    click.echo(f"The server shows the host key {key.fingerprint} ({key.kind}).", err=True)
    if not sys.stdin.isatty():
        return False
    return agree("Is this what its console shows?", "Give it as --host-key.", err=True)


def _tell_part(tell: Callable[[str], None], part: PartStart) -> None:
    tell(f"{part.role}: {part.words}")


def _show_deployment(done: deploying.Deployment, *, dry_run: bool = False) -> None:
    for diff in done.diffs:
        click.echo(diff)
    for problem in done.problems:
        click.echo(f"{done.server}: {problem}", err=True)
    click.echo(f"{done.server}: {done.sentence(dry_run=dry_run)} ({done.seconds:.1f} s)")
