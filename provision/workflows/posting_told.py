"""Letters that are written in the same unit of work as the row that says that somebody was told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.post import outbox
from provision.post.outbox import NewLetter
from provision.subscriptions.selling import opening
from provision.workflows import posting_checks
from provision.workflows.posting_words import REMINDER, RENEWAL, Writers, recipients

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.post.outbox import Correspondent, Recipient
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.dunning.letters import ReminderLetter
    from provision.subscriptions.selling.renewal_letters import RenewalLetter
    from provision.subscriptions.selling.renewals import Renewal
    from provision.workflows.control import Control


def reminder(
    control: Control,
    session: Session,
    letter: ReminderLetter,
    documents: Sequence[OpenItem],
    on: date,
) -> None:
    """Put the reminder of a day into the outbox, about the documents that it asks for."""
    number, organisation_id = documents[0].subscriber_id, documents[0].number.organisation_id
    between = _between(control, session, (organisation_id, number), on)
    if between is None:
        return
    _subject, _, body = letter.text.partition("\n")
    key = f"{REMINDER}:{organisation_id}:{letter.name}"
    about = tuple(posting_checks.asked_for(document) for document in documents)
    text = body.strip() + "\n"
    new = NewLetter(key, REMINDER, on, *between, subject=letter.subject, text=text, about=about)
    outbox.write(session, new, control.clock())


def renewal(
    control: Control, session: Session, announced: Renewal, letter: RenewalLetter, on: date
) -> None:
    """Put the announcement of a renewal into the outbox."""
    subscription = announced.subscription
    seller = opening.contract_on(subscription, announced.term.starts).seller
    between = _between(control, session, (seller.id, subscription.subscriber_id), on)
    if between is None:
        return
    key = f"{RENEWAL}:{subscription.id}:{announced.deadline}"
    words = (letter.subject, letter.text, letter.html)
    outbox.write(session, NewLetter(key, RENEWAL, on, *between, *words), control.clock())


def _between(
    control: Control, session: Session, who: tuple[int, int | None], on: date
) -> tuple[Correspondent, Recipient] | None:
    """Return who writes and to whom; None before the day from which on letters are sent."""
    (organisation_id, number), since = who, control.settings.post.since
    if since is None or on < since or number is None:
        return None
    to = recipients(session, [number]).get(number)
    sender = Writers(session, control.settings, on).of(organisation_id)
    return (sender, to) if to else None
