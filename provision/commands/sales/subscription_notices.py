"""`paquet subscription notices`: tell consumers in time that a yearly term renews itself."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from provision.commands.shared.words import day_type, worded
from provision.commands.shared.context import dry_run_option, json_option, pass_context, show
from provision.money import euros
from provision.process.files import replace_file
from provision.subscriptions.parties import identities
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.mailing import Addressee, Mailed, Outbox
from provision.subscriptions.selling import renewals

if TYPE_CHECKING:
    from datetime import date, datetime

    from sqlalchemy.orm import Session

    from provision.commands.shared.context import Context
    from provision.subscriptions.selling.renewals import Renewal

folder_type = click.Path(exists=True, file_okay=False, writable=True, path_type=Path)


@click.command()
@click.option("--on", type=day_type, help="The day of the letters; else today.")
@click.option("--write", "folder", type=folder_type, help="Write the letters there.")
@dry_run_option
@json_option
@pass_context
def notices(
    context: Context, on: datetime | None, folder: Path | None, *, dry_run: bool, as_json: bool
) -> None:
    """Show which renewals to announce, and which were not announced in time.

    With --write, each letter is written as text and as a page, letters.csv says to whom it goes,
    and it is kept as sent on that day: send them. Who was not told may end the new term on any day,
    free of charge (L215-1).
    """
    language = context.settings.operator.language
    day = on.date() if on else context.control().today()
    with context.session() as session:
        found = renewals.coming(session, day)
        rows = [worded(_facts(one), language, as_json=as_json) for one in found]
        if folder is not None and not dry_run:
            mailing.check(Outbox(folder, language))
            for renewal in found:
                if renewal.state == renewals.DUE:
                    _write(session, renewal, day, Outbox(folder, language))
    show(rows, as_json=as_json)
    if not rows and not as_json:
        click.echo("Nobody has to be told.")


def _write(session: Session, renewal: Renewal, day: date, outbox: Outbox) -> None:
    """Write the letter first: one that is kept as sent is there."""
    letter, subscriber = renewals.letter(session, renewal, day), renewal.subscription.subscriber
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
    one = Mailed(day, "renewal", to, letter.subject, renewal.units, (), text.name)
    mailing.add(outbox, [one])
    renewals.record(session, renewal, day)


def _facts(renewal: Renewal) -> dict[str, object]:
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
