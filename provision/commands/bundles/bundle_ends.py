"""`paquet bundle close|erase`: the end of a bundle, in two steps with a window between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from provision.commands.shared import progress
from provision.commands.shared.words import day_type
from provision.commands.shared.changing import day_of
from provision.commands.shared.context import (
    ask,
    dry_run_option,
    json_option,
    pass_context,
    yes_option,
)
from provision.commands.shared.deciding import document_facts, tell
from provision.dns import changes
from provision.errors import UsageRefused
from provision.subscriptions.selling import cancelling
from provision.workflows import offboard
from provision.workflows.offboard import Closing

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.workflows.offboard import Closed, Erasing

WINDOW_OVER = "the time to take everything along is over"


@click.command()
@click.argument("domain")
@click.option("--why", required=True, help="The reason, for the record.")
@click.option("--on", type=day_type, help="The last day of its subscription; else today.")
@click.option("--how", type=click.Choice(cancelling.WAYS), default="letter", show_default=True)
@click.option("--refund", is_flag=True, help="Give the billed days beyond back.")
@yes_option
@dry_run_option
@json_option
@pass_context
def close(context: Context, /, domain: str, *, as_json: bool, **words: object) -> None:
    """End the bundle of DOMAIN and its subscription; its owner may still take everything along.

    Logins end, backups and `paquet bundle export` go on until the window is over. A subscription
    that was cancelled for a later day ends sooner.
    """
    control = context.control()
    on: datetime | None = words["on"]  # type: ignore[assignment]
    today = control.today()
    closing = Closing(
        why=str(words["why"]),
        last_day=day_of(on, today),
        on=today,
        how=str(words["how"]),
        refund=bool(words["refund"]),
    )
    if words["dry_run"] or not words["yes"]:
        with context.session() as session:
            would = offboard.close_in_registry(session, control, domain, closing)
            facts = _closed_facts(session, would)
            session.rollback()
        tell(context, facts, as_json=as_json and bool(words["dry_run"]))
        if words["dry_run"]:
            return
        ask("\nClose it?")
    with progress.steps(quiet=as_json) as told:
        closed = offboard.close(context.control(told), domain, closing)
    with context.session() as session:
        tell(context, _closed_facts(session, closed), as_json=as_json)


@click.command()
@click.argument("domain")
@click.option("--now", is_flag=True, help="Before its owner's time to take everything is over.")
@click.option("--why", default="", help="The reason, for the record; needed with --now.")
@yes_option
@dry_run_option
@json_option
@pass_context
def erase(context: Context, /, domain: str, *, why: str, now: bool, **flags: bool) -> None:
    """Erase the closed bundle of DOMAIN for ever: files, mail, database, backups, secrets, names.

    Refused (exit code 4) while its owner may still take everything along. If it is interrupted,
    the same command goes on.
    """
    if now and not why.strip():
        raise UsageRefused("--now needs a reason", "Add --why, for example: asked by letter.")
    if flags["dry_run"] or not flags["yes"]:
        planned = offboard.look(context.control(), domain, hurry=now)
        _show(context, planned, as_json=flags["as_json"] and flags["dry_run"])
        if flags["dry_run"]:
            return
        ask("\nErase all of it for ever?")
    with progress.steps(quiet=flags["as_json"]) as told:
        control = context.control(told)
        erased = offboard.erase(control, domain, why or WINDOW_OVER, hurry=now)
    _show(context, erased, as_json=flags["as_json"])


def _closed_facts(session: Session, closed: Closed) -> dict[str, object]:
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


def _show(context: Context, planned: Erasing, *, as_json: bool) -> None:
    """Show what is lost, and which names leave the zone, by hand where nobody else can."""
    bundle = planned.bundle
    by_hand = context.settings.names.provider == "print"
    facts = {
        "domain": bundle.domain,
        "bundle": bundle.name,
        "export_until": bundle.export_until and bundle.export_until.isoformat(),
        "lost": f"files, calendars, contacts and mail of {len(bundle.users)} people",
        "server": bundle.server,
        "backups": f"all snapshots on {bundle.backup_server}, and the password that opens them",
        "devices": sum(one.state == "enrolled" for user in bundle.users for one in user.devices),
        "names": "remove these by hand at your registrar" if by_hand else "removed from the zone",
    }
    rows = changes.describe(planned.names)
    if as_json:
        tell(context, {**facts, "records": rows}, as_json=True)
        return
    tell(context, facts, as_json=False)
    for row in rows:
        values = row["values"]
        shown = " ".join(values) if isinstance(values, list) else values
        click.echo(f"{row['name']} {row['type']} {shown}")
