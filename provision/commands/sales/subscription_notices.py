"""`paquet subscription notices`: tell consumers in time that a yearly term renews itself."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.changing import agreed, change_options
from provision.commands.shared.context import pass_context
from provision.commands.shared.words import day_type, typed
from provision.money import euros
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.selling import renewals
from provision.workflows import announcing

if TYPE_CHECKING:
    from datetime import date

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.selling.renewals import Renewal

outbox_type = click.Path(exists=True, file_okay=False, writable=True, path_type=Path)


@dataclass(frozen=True)
class Notices:
    """The letters of a day, and the folder that they go into, if they are to be written."""

    on: date | None
    folder: Path | None


@click.command()
@click.option("--on", type=day_type, help="The day of the letters; else today.")
@click.option("--write", "folder", type=outbox_type, help="Write the letters there.")
@typed(Notices, "wanted")
@change_options
@pass_context
def notices(context: Context, wanted: Notices, how: How) -> None:
    """Show which renewals to announce, and which were not announced in time.

    With --write, each letter is written as text and as a page, letters.csv says to whom it goes,
    and it is kept as sent on that day: send them, or let `paquet post` do it. Who was not told may
    end the new term on any day, free of charge (L215-1).
    """
    day = wanted.on or context.today
    with context.reading() as session:
        coming_renewals = renewals.coming(session, day)
        rows = [_facts(renewal) for renewal in coming_renewals]
        are_due = any(renewal.state == renewals.DUE for renewal in coming_renewals)
    if wanted.folder is not None and are_due:
        outbox = Outbox(wanted.folder, context.settings.operator.language)
        mailing.check(outbox)
        if not agreed(context, rows, how, "Write the letters, and keep them as sent?"):
            return
        announcing.announce(context.control(), day, outbox)
    context.show(rows, as_json=how.as_json, nothing="Nobody has to be told.")


def _facts(renewal: Renewal) -> Facts:
    subscription, days = renewal.subscription, renewals.window(renewal.deadline)
    return {
        "subscription": subscription.id,
        "subscriber": subscription.subscriber.name,
        "email": subscription.subscriber.email,
        "renews_on": renewal.term.starts.isoformat(),
        "deadline": renewal.deadline.isoformat(),
        "tell_from": days.starts.isoformat(),
        "tell_before": days.until.isoformat(),
        "price": euros(renewal.units),
        "state": renewal.state,
    }
