"""What came back to the sender's mailbox, noted on the letters that it is about."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import database
from provision.post import bounces, outbox
from provision.post.bounces import Reading
from provision.post.models import Letter, ReadMailbox
from provision.post.outbox import BOUNCED, STATES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy.orm import Session

    from provision.post.bounces import Returned
    from provision.post.smtp import SmtpDoor
    from provision.workflows.control import Control


def read(control: Control, door: SmtpDoor) -> list[int]:
    """Read what came back since the last time; return the numbers of the letters.

    The mailbox is only looked at: where the reading stands is kept in the registry.
    """
    with control.reading() as session:
        row = session.get(ReadMailbox, door.sender)
        known = Reading(row.validity, row.uid) if row else None
    with bounces.mailbox(door) as client:
        returned, now = bounces.new(client, known)
    if now == known:
        return []

    def work(session: Session) -> list[int]:
        session.merge(ReadMailbox(address=door.sender, validity=now.validity, uid=now.uid))
        return note(session, control, returned)

    return database.retried(control.engine, work)


def note(session: Session, control: Control, returned: Sequence[Returned]) -> list[int]:
    """Note on the letters that they came back; what is about no letter of ours is left alone."""
    noted = []
    for failure in returned:
        letter = _of(session, failure)
        if letter is not None and BOUNCED in STATES[letter.state]:
            words = f"{failure.status} {failure.words}"
            outbox.bounce(session, letter, failure.status, control.told(failure.status), words)
            noted.append(letter.id)
    return noted


def _of(session: Session, failure: Returned) -> Letter | None:
    """Return the letter by its Message-ID: nobody guesses it who did not get the letter.

    A queue id proves nothing: servers write them in the open, and anybody can send a report.
    """
    if not failure.message_id:
        return None
    return session.scalar(select(Letter).where(Letter.message_id == failure.message_id))
