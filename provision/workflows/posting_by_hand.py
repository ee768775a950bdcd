"""Letters by a person's hand: written out, held back, let go, sent once more."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.post import addresses, message, outbox
from provision.post.models import Letter, PostPause
from provision.post.outbox import CANCELLED, HELD, SENDING, WAITING
from provision.registry import states
from provision.registry.secrets import read_key_file
from provision.workflows import posting_enclosures
from provision.workflows.posting_listing import listing, row, subscriber
from provision.workflows.posting_words import recipients

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.registry.models import Subscriber
    from provision.registry.states import Told
    from provision.workflows.control import Control


def as_message(control: Control, number: int) -> bytes:
    """Return a letter as the message that a server is given, with all that is enclosed."""
    with control.reading() as session:
        letter = outbox.get(session, number)
    if not letter.email or not letter.text:
        raise UsageRefused(
            f"Letter {number} is on paper, or was forgotten", "See: paquet post letterbox"
        )
    key = read_key_file(control.settings.key_file)
    zone = control.settings.operator.zone
    letter.message_id = letter.message_id or outbox.message_id(letter, key, zone)
    sender = control.settings.post.address or control.settings.operator.contact
    files = posting_enclosures.files(control, letter)
    return message.compose(letter, sender, control.clock(), files)


@dataclass(frozen=True)
class Addressed:
    """What is held or let go: one letter by its number, or all to a subscriber."""

    letter: int | None = None
    subscriber: str | None = None


def hold(
    session: Session, what: Addressed, told: Told, *, for_good: bool
) -> list[dict[str, object]]:
    """Keep a letter back, or all letters to a subscriber from now on; return what that is."""
    if what.letter is None:
        person = subscriber(session, what.subscriber or "")
        session.merge(
            PostPause(
                subscriber_id=person.id, reason=told.why, actor=told.actor, since=told.at.date()
            )
        )
        states.record(session, f"subscriber:{person.id}", "post paused", told)
        return [_of_person(session, person, "held back")]
    letter = _of_nobody_else(session, what.letter)
    if for_good:
        outbox.change(session, letter, CANCELLED, told, told.why)
    else:
        outbox.hold(session, letter, told)
    return [row(letter)]


def release(session: Session, what: Addressed, told: Told) -> list[dict[str, object]]:
    """Let a letter go that was held, or all to a subscriber again; return what that is."""
    if what.letter is None:
        person = subscriber(session, what.subscriber or "")
        pause = session.get(PostPause, person.id)
        if pause is None:
            raise UsageRefused(f"Nothing is held back for subscriber {person.id}")
        session.delete(pause)
        states.record(session, f"subscriber:{person.id}", "post released", told)
        return [_of_person(session, person, "released")]
    letter = outbox.get(session, what.letter)
    if letter.state != HELD:
        raise UsageRefused(f"Letter {letter.id} is {letter.state}, not held")
    outbox.release(session, letter, told)
    return [row(letter)]


def retry(session: Session, number: int, told: Told) -> list[dict[str, object]]:
    """Send a letter once more, to where its person is reached today; return what that is."""
    letter = _of_nobody_else(session, number)
    outbox.release(session, letter, told)
    if letter.subscriber_id is not None:
        to = recipients(session, [letter.subscriber_id]).get(letter.subscriber_id)
        if to is not None:
            outbox.readdress(session, letter, to, told)
    if letter.email:
        addresses.trust(session, letter.email)
    session.flush()
    return [row(letter)]


def _of_nobody_else(session: Session, number: int) -> Letter:
    """Return a letter that nobody is handing in. Raises UsageRefused for one that is under way.

    What its server said would be lost, and it would leave twice.
    """
    letter = session.get(Letter, number, with_for_update=True) or outbox.get(session, number)
    if letter.state == SENDING:
        raise UsageRefused(
            f"Letter {number} is under way",
            "What became of it is known within minutes: see paquet post show, then say it again.",
        )
    return letter


def _of_person(session: Session, person: Subscriber, state: str) -> dict[str, object]:
    letters = listing(session, WAITING, str(person.id))
    return {"subscriber": person.id, "state": state, "letters": len(letters)}
