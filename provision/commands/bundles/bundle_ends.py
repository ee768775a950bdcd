"""`paquet bundle export|close|erase`: all of it for its owner, then its end in two steps."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.changing import agreed, change_options, tried
from provision.commands.shared.context import pass_context
from provision.commands.shared.papers import document_facts
from provision.commands.shared.words import day_type, folder_type, typed, why_option
from provision.dns import changes
from provision.errors import UsageRefused
from provision.jobs import bundles as bundle_runs
from provision.jobs import starting
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.selling import cancelling
from provision.workflows import bundles, offboard, safekeeping
from provision.workflows.offboard import BundleClosing

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.workflows.offboard import BundleErasing, Closed

WINDOW_OVER = "the time to take everything along is over"


@click.command()
@click.argument("domain")
@click.option("--to", "folder", type=folder_type, required=True)
@change_options
@pass_context
def export(context: Context, domain: str, folder: Path, how: How) -> None:
    """Write everything of the bundle of DOMAIN into the folder --to: its owner may leave with it.

    A backup is made first, so that the export is of this moment.
    """
    bundle = safekeeping.look(context.control(), domain, folder)
    planned = {
        "domain": bundle.domain,
        "bundle": bundle.name,
        "first": f"a backup from {bundle.server} to {bundle.backup_server}",
        "folder": str(folder),
    }
    if agreed(context, planned, how, "Export it?"):
        with progress.steps(quiet=how.as_json) as tell:
            manifest = safekeeping.export(context.control(tell), domain, folder)
        context.show(manifest, as_json=how.as_json)


@dataclass(frozen=True)
class Ending:
    """How a bundle ends, as it is typed."""

    why: str
    on: date | None
    way: str
    refund: bool


@click.command()
@click.argument("domain")
@why_option
@click.option("--on", type=day_type, help="The last day of its subscription; else today.")
@click.option(
    "--how", "way", type=click.Choice(cancelling.WAYS), default="letter", show_default=True
)
@click.option("--refund", is_flag=True, help="Give the billed days beyond back.")
@typed(Ending, "wanted")
@change_options
@pass_context
def close(context: Context, domain: str, wanted: Ending, how: How) -> None:
    """End the bundle of DOMAIN and its subscription; its owner may still take everything along.

    Logins end, backups and `paquet bundle export` go on until the window is over. A subscription
    that was cancelled for a later day ends sooner.
    """
    control = context.control()
    today = control.today()
    closing = BundleClosing(wanted.why, wanted.on or today, today, wanted.way, wanted.refund)

    def work(session: Session) -> Facts:
        closed = offboard.close_in_registry(session, control, domain, closing)
        return _closed_facts(session, closed)

    if agreed(context, tried(context, work), how, "Close it?"):
        with progress.steps(quiet=how.as_json) as tell:
            asked = bundle_runs.closed(bundles.find(control, domain), closing)
            done = starting.see_through(context.control(tell), asked)
        with context.reading() as session:
            numbers = [Number(**number) for number in done.fact]
            closed = offboard.as_closed(session, domain, numbers)
            facts = _closed_facts(session, closed)
        context.show(facts, as_json=how.as_json)


@click.command()
@click.argument("domain")
@click.option("--now", is_flag=True, help="Before its owner's time to take everything is over.")
@click.option("--why", default="", help="The reason, for the record; needed with --now.")
@change_options
@pass_context
def erase(context: Context, domain: str, why: str, how: How, *, now: bool) -> None:
    """Erase the closed bundle of DOMAIN for ever: files, mail, database, backups, secrets, names.

    Refused (exit code 4) while its owner may still take everything along. If it is interrupted,
    the same command goes on.
    """
    if now and not why.strip():
        raise UsageRefused("--now needs a reason", "Add --why, for example: asked by letter.")
    wanted = offboard.look(context.control(), domain, hurry=now)
    planned = _erased_facts(context, wanted)
    if agreed(context, planned, how, "Erase all of it for ever?"):
        with progress.steps(quiet=how.as_json) as tell:
            words = {"why": why or WINDOW_OVER, "hurry": now}
            asked = bundle_runs.of_one("erase", wanted.bundle, **words)
            starting.see_through(context.control(tell), asked)
        context.show(planned, as_json=how.as_json)


def _closed_facts(session: Session, closed: Closed) -> Facts:
    subscription, until = closed.subscription, closed.bundle.export_until
    return {
        "domain": closed.bundle.domain,
        "bundle": closed.bundle.name,
        "state": closed.bundle.state,
        "export_until": until and until.isoformat(),
        "subscription": subscription and subscription.id,
        "last_day": subscription and subscription.last_day and subscription.last_day.isoformat(),
        "documents": document_facts(session, closed.numbers),
    }


def _erased_facts(context: Context, planned: BundleErasing) -> Facts:
    """Say what is lost, and which names leave the zone, by hand where nobody else can."""
    bundle = planned.bundle
    by_hand = context.settings.names.provider == "print"
    return {
        "domain": bundle.domain,
        "bundle": bundle.name,
        "export_until": bundle.export_until and bundle.export_until.isoformat(),
        "lost": f"files, calendars, contacts and mail of {len(bundle.users)} people",
        "server": bundle.server,
        "backups": f"all snapshots on {bundle.backup_server}, and the password that opens them",
        "devices": sum(
            device.state == "enrolled" for user in bundle.users for device in user.devices
        ),
        "names": "remove these by hand at your registrar" if by_hand else "removed from the zone",
        "records": changes.describe(planned.names),
    }
