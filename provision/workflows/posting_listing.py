"""Letters as people look at them, and what a person decides about one of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import UsageRefused
from provision.post import addresses
from provision.post.models import Letter
from provision.post.outbox import WAITING
from provision.subscriptions.parties import people

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber

PAPER = "paper"
SECONDS = "seconds"


def listing(
    session: Session, state: str | None = None, who: str | None = None
) -> list[dict[str, object]]:
    """Return one row per letter, the newest first: those in a state, or to a subscriber."""
    wanted = select(Letter).order_by(Letter.id.desc())
    if state is not None:
        wanted = wanted.where(Letter.state == state)
    if who is not None:
        wanted = wanted.where(Letter.subscriber_id == subscriber(session, who).id)
    return [row(letter) for letter in session.scalars(wanted)]


def row(letter: Letter) -> dict[str, object]:
    """Return a letter as a row: on paper where it has no e-mail address."""
    return {
        "letter": letter.id,
        "written": letter.written_on.isoformat(),
        "kind": letter.kind,
        "to": letter.to_name,
        "by": letter.email or PAPER,
        "subject": letter.subject,
        "state": letter.state,
        "answer": letter.message,
    }


def facts(letter: Letter) -> dict[str, object]:
    """Return all that there is to say of a letter."""
    return {
        **row(letter),
        "key": letter.key,
        "from": letter.from_name,
        "reply_to": letter.reply_to,
        "address": letter.address.replace("\n", ", "),
        "message_id": letter.message_id,
        "tries": letter.tries,
        "next_try": _moment(letter.next_at) if letter.state == WAITING else "",
        "sent": _moment(letter.sent_at),
        "enclosed": ", ".join(file.name for file in letter.enclosures),
        "text": letter.text,
    }


def of_address(session: Session, email: str | None) -> str:
    """Return what is known of letters to an e-mail address, '' where they arrive."""
    comes_back = bool(addresses.unreachable(session, [email]))
    return "letters to this address come back: they go on paper" if comes_back else ""


def subscriber(session: Session, who: str) -> Subscriber:
    """Return who is meant by an e-mail address or a number, or raise UsageRefused."""
    person = people.known(session, who)
    if person is None:
        raise UsageRefused("There is no such subscriber", "See: paquet subscriber list")
    return person


def _moment(moment: datetime | None) -> str:
    return moment.isoformat(timespec=SECONDS) if moment else ""
