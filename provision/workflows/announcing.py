"""Yearly terms that renew themselves, announced in time: letters, and the row that says so."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision import database
from provision.process.files import replace_file
from provision.subscriptions.parties import identities
from provision.subscriptions.payments import mailing
from provision.subscriptions.payments.mailing import Addressee, Mailed
from provision.subscriptions.selling import renewal_letters, renewals
from provision.workflows import posting_told

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.payments.mailing import Outbox
    from provision.subscriptions.selling.renewal_letters import RenewalLetter
    from provision.subscriptions.selling.renewals import Renewal
    from provision.workflows.control import Control


def announce(control: Control, day: date, outbox: Outbox | None) -> int:
    """Announce what is to be announced on a day, and return how many.

    Each goes into the post, and as files into the folder of `outbox`, if one is given.
    """

    def work(session: Session) -> int:
        due = [
            renewal for renewal in renewals.coming(session, day) if renewal.state == renewals.DUE
        ]
        for renewal in due:
            letter = renewal_letters.letter(session, renewal, day)
            if outbox is not None:
                _write(session, renewal, letter, (day, outbox))
            renewals.record(session, renewal, day)
            posting_told.renewal(control, session, renewal, letter, day)
        return len(due)

    return database.retried(control.engine, work)


def _write(
    session: Session, renewal: Renewal, letter: RenewalLetter, where: tuple[date, Outbox]
) -> None:
    """Write the letter first: one that is kept as sent is there."""
    (day, outbox), subscriber = where, renewal.subscription.subscriber
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
