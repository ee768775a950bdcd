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
from provision.process.files import replace_file
from provision.subscriptions.parties import identities
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.mailing import Addressee, Mailed, Outbox
from provision.subscriptions.selling import renewal_letters, renewals
from provision.workflows import posting_told

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.commands.shared.changing import How
    from provision.commands.shared.context import Context
    from provision.commands.shared.tables import Facts
    from provision.subscriptions.selling.renewal_letters import RenewalLetter
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
        with context.session() as session:
            for renewal in renewals.coming(session, day):
                if renewal.state == renewals.DUE:
                    letter = _write(session, renewal, day, outbox)
                    posting_told.renewal(context.control(), session, renewal, letter, day)
    context.show(rows, as_json=how.as_json, nothing="Nobody has to be told.")


def _write(session: Session, renewal: Renewal, day: date, outbox: Outbox) -> RenewalLetter:
    """Write the letter first, and return it: one that is kept as sent is there."""
    letter, subscriber = (
        renewal_letters.letter(session, renewal, day),
        renewal.subscription.subscriber,
    )
    name = f"subscription-{renewal.subscription.id}-{renewal.deadline.isoformat()}"
    text = outbox.folder / f"{name}.txt"
    replace_file(text, f"{letter.subject}\n\n{letter.text}".encode())
    replace_file(outbox.folder / f"{name}.html", letter.html.encode())
    known = identities.current(session, subscriber.id)
    person = identities.read(known) if known else None
    to = Addressee(
        name=person.name if person else subscriber.name,
        email=person.email if person else subscriber.email,
        address=person.address if person else None,
    )
    mailed = Mailed(day, "renewal", to, letter.subject, renewal.units, (), text.name)
    mailing.add(outbox, [mailed])
    renewals.record(session, renewal, day)
    return letter


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
