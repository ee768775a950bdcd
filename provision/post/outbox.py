"""The outbox: letters are written once by their key, claimed by one sender, held, tried again."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import or_, select, text

from provision.database import insert_many, pieces
from provision.errors import UsageRefused
from provision.post.addresses import is_of_address, unreachable
from provision.post.masking import masked
from provision.post.models import Letter, LetterEnclosure, PostPause
from provision.registry import states

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from datetime import date, datetime

    from pydantic import SecretBytes
    from sqlalchemy.orm import Session

    from provision.database import Row
    from provision.registry.states import Told

WAITING, SENDING, SENT, BOUNCED = "waiting", "sending", "sent", "bounced"
HELD, PRINTED, CANCELLED = "held", "printed", "cancelled"
STATES: Mapping[str, frozenset[str]] = {
    WAITING: frozenset({SENDING, HELD, PRINTED, BOUNCED, CANCELLED}),
    SENDING: frozenset({SENT, WAITING, HELD, BOUNCED, CANCELLED}),
    SENT: frozenset({BOUNCED}),
    BOUNCED: frozenset({WAITING, PRINTED, CANCELLED}),
    HELD: frozenset({WAITING, BOUNCED, CANCELLED}),
    PRINTED: frozenset({WAITING}),
    CANCELLED: frozenset(),
}
PAUSES = (
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=8),
    timedelta(hours=24),
)
NOWHERE = "neither an e-mail address nor a postal one is known"
ID_LETTERS = 32  # 128 bits: who does not have the key file cannot guess one


@dataclass(frozen=True)
class Enclosed:
    """A file to go with a letter: its bytes, or a reference from which it is made at sending."""

    name: str
    reference: str = ""
    content: bytes | None = None


@dataclass(frozen=True)
class Correspondent:
    """Who writes: the name that is shown, where answers go, and the lines of a postal address."""

    name: str
    reply_to: str = ""
    address: str = ""
    organisation_id: int | None = None


@dataclass(frozen=True)
class Recipient:
    """Who is written to; without `email` on paper, to the lines of `address`."""

    name: str
    email: str | None
    language: str = "fr"
    address: str = ""
    postcode: str = ""
    subscriber_id: int | None = None


@dataclass(frozen=True)
class NewLetter:
    """A letter to write down: who writes what to whom under which key, about which documents."""

    key: str
    kind: str
    written_on: date
    sender: Correspondent
    to: Recipient
    subject: str
    text: str
    html: str = ""
    about: tuple[str, ...] = ()
    enclosed: tuple[Enclosed, ...] = ()
    urgent: bool = False


def write(session: Session, letter: NewLetter, now: datetime) -> bool:
    """Write one letter down in this unit of work; False when its key was used before."""
    return write_many(session, [letter], now) == 1


def write_many(session: Session, letters: Sequence[NewLetter], now: datetime) -> int:
    """Write letters down in this unit of work, those whose keys are new; return how many."""
    known = used(session, [letter.key for letter in letters])
    new = list({letter.key: letter for letter in letters if letter.key not in known}.values())
    gone = unreachable(session, (letter.to.email for letter in new if letter.to.subscriber_id))
    insert_many(session, Letter, [_row(letter, now, gone) for letter in new])
    enclosing = [letter for letter in new if letter.enclosed]
    numbers = _numbers(session, [letter.key for letter in enclosing])
    rows: list[Row] = [
        {
            "letter_id": numbers[letter.key],
            "position": position,
            "name": file.name,
            "reference": file.reference,
            "content": file.content,
        }
        for letter in enclosing
        for position, file in enumerate(letter.enclosed, start=1)
    ]
    insert_many(session, LetterEnclosure, rows)
    return len(new)


def alone(session: Session) -> None:
    """Begin a unit of work in which nobody else writes letters: the first thing in it.

    SQLite has one writer anyway; PostgreSQL takes the lock before it takes its snapshot.
    """
    if session.connection().dialect.name == "postgresql":
        session.execute(text("LOCK TABLE letter IN SHARE ROW EXCLUSIVE MODE"))


def used(session: Session, keys: Sequence[str]) -> set[str]:
    """Return which of the keys a letter has."""
    return set(_numbers(session, keys))


def claim(session: Session, looked_at: Letter, told: Told) -> bool:
    """Take a letter that waits and is still what was looked at; False when it is not any more.

    The unit of work is committed before the first word of it is said to a server.
    """
    letter = session.get(Letter, looked_at.id, with_for_update=True)
    if letter is None or letter.state != WAITING or not letter.text:
        return False
    if letter.email != looked_at.email:
        return False
    letter.message_id = looked_at.message_id
    letter.tries += 1
    letter.began_at = told.at
    change(session, letter, SENDING, told)
    return True


def message_id(letter: Letter, key: SecretBytes, zone: str) -> str:
    """Return the Message-ID of a letter: the same each time to the same address.

    Nobody else can guess it; who had an address before does not know that of the new one.
    """
    words = f"{letter.key}\n{letter.email}".encode()
    code = hmac.new(key.get_secret_value(), words, "sha256").hexdigest()
    return f"<{code[:ID_LETTERS]}@{zone}>"


def change(session: Session, letter: Letter, to: str, told: Told, message: str = "") -> None:
    """Move a letter to a state; events say what happened, never to whom nor in which words.

    No address of anybody stays in the message: a server may name people that one did not write to.
    """
    states.change_state(session, letter, STATES, to, told=(f"letter:{letter.id}", told))
    letter.message = masked(message)
    if to == SENT:
        letter.sent_at = told.at
    if to in (HELD, BOUNCED):
        letter.told_at = None


def postpone(session: Session, letter: Letter, told: Told, message: str) -> None:
    """Let a letter that did not leave wait for its next try, or hold it after the last one."""
    if not letter.text:
        change(session, letter, CANCELLED, told)
        return
    if letter.tries > len(PAUSES):
        change(session, letter, HELD, told, message)
        return
    change(session, letter, WAITING, told, message)
    letter.next_at = told.at + PAUSES[letter.tries - 1]


def untried(
    session: Session, letter: Letter, told: Told, message: str, pause: timedelta = PAUSES[0]
) -> None:
    """Let a letter wait as if it had not been tried: what stopped it was not its addressee."""
    if not letter.text:
        change(session, letter, CANCELLED, told)
        return
    letter.tries -= 1
    change(session, letter, WAITING, told, message)
    letter.next_at = told.at + pause


def bounce(session: Session, letter: Letter, status: str, told: Told, message: str) -> None:
    """Note that a letter came back, with the status that says why."""
    if letter.state != BOUNCED:
        change(session, letter, BOUNCED, told, message)
    letter.bounce = status
    letter.gone = letter.email if letter.email and is_of_address(status, message) else ""


def readdress(session: Session, letter: Letter, to: Recipient, told: Told) -> None:
    """Let a letter that waits go to where its person is reached now; held where that is nowhere.

    With another e-mail address it has another Message-ID: what comes back from the one before says
    nothing of this one.
    """
    if letter.email != to.email:
        letter.message_id = ""
    letter.to_name, letter.email = to.name, to.email or None
    letter.address, letter.postcode = to.address, to.postcode
    states.record(session, f"letter:{letter.id}", "addressed anew", told)
    if not (letter.email or letter.address):
        change(session, letter, HELD, told, NOWHERE)


def hold(session: Session, letter: Letter, told: Told) -> None:
    """Keep a letter back until it is released."""
    change(session, letter, HELD, told, f"held by {told.actor}: {told.why}")


def release(session: Session, letter: Letter, told: Told) -> None:
    """Let a letter wait again, to be sent at once; what was known of its tries is forgotten."""
    if letter.state == WAITING:
        letter.next_at = told.at
        return
    if not letter.text:
        raise UsageRefused(f"Letter {letter.id} was forgotten", "Its words are gone: write anew.")
    change(session, letter, WAITING, told)
    letter.tries, letter.next_at, letter.bounce = 0, told.at, ""


def due(session: Session, now: datetime, *, urgent: bool = False) -> list[int]:
    """Return the numbers of the letters that may leave by e-mail now: urgent ones, then the oldest.

    With `urgent`, those alone.
    """
    waiting = select(Letter.id).where(
        Letter.state == WAITING,
        Letter.email != "",
        Letter.text != "",
        or_(Letter.next_at.is_(None), Letter.next_at <= now),
    )
    if urgent:
        waiting = waiting.where(Letter.urgent == 1)
    return list(session.scalars(waiting.order_by(Letter.urgent.desc(), Letter.next_at, Letter.id)))


def sending(session: Session, before: datetime | None = None) -> list[int]:
    """Return the numbers of the letters that are under way, or were before a moment."""
    under_way = select(Letter.id).where(Letter.state == SENDING)
    if before is not None:
        under_way = under_way.where(Letter.began_at < before)
    return list(session.scalars(under_way.order_by(Letter.id)))


def on_paper(session: Session) -> list[Letter]:
    """Return the letters for the letterbox, by postcode: without e-mail, or to one that is gone."""
    paper = select(Letter).where(
        Letter.text != "",
        or_(
            (Letter.state == WAITING) & or_(Letter.email.is_(None), Letter.email == ""),
            (Letter.state == BOUNCED) & (Letter.address != ""),
        ),
    )
    letters = session.scalars(paper.order_by(Letter.postcode, Letter.to_name, Letter.id))
    return [letter for letter in letters if letter.state == WAITING or _found_nobody(letter)]


def _found_nobody(letter: Letter) -> bool:
    """Tell whether a letter came back because nobody is at its address."""
    return is_of_address(letter.bounce, letter.message)


def get(session: Session, number: int) -> Letter:
    """Return a letter, or raise UsageRefused."""
    letter = session.get(Letter, number)
    if letter is None:
        raise UsageRefused(f"There is no letter {number}", "See: paquet post list")
    return letter


def forget(session: Session, letter: Letter, told: Told) -> None:
    """Take every word out of a letter, and what was enclosed; its key keeps it from returning."""
    if letter.state in (WAITING, HELD, BOUNCED):
        change(session, letter, CANCELLED, told, "")
    for name in ("to_name", "address", "postcode", "subject", "text", "html", "message"):
        setattr(letter, name, "")
    letter.email, letter.gone = None, ""
    letter.enclosures.clear()
    session.flush()


def written_until(session: Session, until: date) -> dict[int, date]:
    """Return the days of the letters that were written by a day and still have words, by number."""
    old = select(Letter.id, Letter.written_on).where(Letter.written_on <= until, Letter.text != "")
    return dict(session.execute(old.order_by(Letter.id)).all())


def give_up(session: Session, subscriber_id: int, told: Told) -> None:
    """Cancel what still waits to be sent to somebody."""
    waiting = (Letter.subscriber_id == subscriber_id, Letter.state.in_((WAITING, HELD, BOUNCED)))
    for letter in session.scalars(select(Letter).where(*waiting)):
        change(session, letter, CANCELLED, told)


def paused_why(session: Session, subscriber_id: int | None) -> str | None:
    """Return why nothing is sent to a subscriber, None where letters leave."""
    pause = session.get(PostPause, subscriber_id or 0)
    return None if pause is None else pause.reason


def stuck_untold(session: Session) -> list[Letter]:
    """Return the letters that a person must look at, of which the operator did not hear yet.

    They are held, or came back and do not go on paper.
    """
    untold = select(Letter).where(
        Letter.state.in_((HELD, BOUNCED)), Letter.told_at.is_(None), Letter.text != ""
    )
    return [
        letter
        for letter in session.scalars(untold.order_by(Letter.id))
        if letter.state == HELD or not (letter.address and _found_nobody(letter))
    ]


def _numbers(session: Session, keys: Sequence[str]) -> dict[str, int]:
    numbers: dict[str, int] = {}
    for part in pieces(keys):
        known = select(Letter.key, Letter.id).where(Letter.key.in_(part))
        numbers |= dict(session.execute(known).all())
    return numbers


def _row(letter: NewLetter, now: datetime, gone: Iterable[str]) -> Row:
    email = letter.to.email if letter.to.email and letter.to.email not in gone else None
    lost = not email and not letter.to.address
    return {
        "key": letter.key,
        "kind": letter.kind,
        "written_on": letter.written_on,
        "organisation_id": letter.sender.organisation_id,
        "subscriber_id": letter.to.subscriber_id,
        "language": letter.to.language,
        "from_name": letter.sender.name,
        "from_address": letter.sender.address,
        "reply_to": letter.sender.reply_to,
        "to_name": letter.to.name,
        "email": email,
        "address": letter.to.address,
        "postcode": letter.to.postcode,
        "subject": letter.subject,
        "text": letter.text,
        "html": letter.html,
        "about": " ".join(letter.about),
        "state": HELD if lost else WAITING,
        "tries": 0,
        "next_at": now,
        "message": NOWHERE if lost else "",
        "bounce": "",
        "message_id": "",
        "urgent": int(letter.urgent),
    }
