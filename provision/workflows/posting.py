"""Letters leave: each looked at once more, claimed, handed in, and known to have been taken.

A letter that was under way when its sender ended is asked for at the server before anything else.
"""

from __future__ import annotations

import json
import time
from collections import deque
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from provision import database
from provision.errors import PaquetError
from provision.post import message, outbox, smtp
from provision.post.masking import masked
from provision.post.outbox import CANCELLED, HELD, SENT, WAITING
from provision.post.smtp import Became
from provision.process.files import locked_if_free
from provision.registry.secrets import read_key_file
from provision.servers.looking import Inquiry, ask_program
from provision.workflows import (
    posting_checks,
    posting_enclosures,
    posting_returns,
    posting_sender,
)
from provision.workflows.posting_listing import PAPER, row

if TYPE_CHECKING:
    import smtplib
    from collections.abc import Callable, Iterator

    from sqlalchemy.orm import Session

    from provision.post.models import Letter
    from provision.post.smtp import ServerAnswer, SmtpDoor
    from provision.workflows.control import Control

PROGRAM = "/usr/local/lib/paquet/post-seen"
ABANDONED = timedelta(minutes=10)  # after so long a letter under way has no sender any more
SESSION_OVER = timedelta(hours=1)  # after so long no session is open, whatever the log lacks
TURN = timedelta(minutes=8)  # it comes again every ten: a run of hours would keep others waiting
MINUTE = 60.0
LOCK = "post.lock"
PERHAPS = (
    "It may have left: the sender was stopped at the wrong moment, and its server cannot be asked. "
    "Look into the mailbox or ask the person; then `paquet post retry`, or `hold --for-good`"
)


@dataclass(frozen=True)
class Posted:
    """What became of a letter, and the words of whoever decided it."""

    letter: int
    kind: str
    state: str
    words: str


def leaving(control: Control) -> tuple[list[dict[str, object]], int]:
    """Return a row per letter whose time has come, and how many of them leave by e-mail now.

    Of those that do not, the answer says why.
    """
    rows, count = [], 0
    with control.reading() as session:
        due = [outbox.get(session, number) for number in outbox.due(session, control.clock())]
        moved = posting_checks.moved(session, due)
        for letter in due:
            email = moved[letter.id].email if letter.id in moved else letter.email
            verdict = posting_checks.look_again(control, session, letter)
            if verdict is None and not email:
                verdict = (letter.state, posting_checks.ON_PAPER)
            count += verdict is None
            state, answer = verdict or (letter.state, letter.message)
            rows.append({**row(letter), "by": email or PAPER, "state": state, "answer": answer})
    return rows, count


def send(control: Control, pause: Callable[[float], None] = time.sleep) -> list[Posted]:
    """Send what may leave now, at the pace of the settings; return what became of each letter.

    Raises PaquetError when the server cannot be reached, or the sender has no secret: then letters
    wait. It stops for now after `TURN`, when it is told to, or when the server says that it is too
    many; and it does nothing while another run on this machine sends: the pace is that of both.
    """
    door = posting_sender.door(control)
    with locked_if_free(control.settings.state / LOCK) as is_free:
        if is_free:
            return _send(control, door, pause)
    control.tell("another run is sending")
    return []


def _send(control: Control, door: SmtpDoor, pause: Callable[[float], None]) -> list[Posted]:
    unclear, posted = [_of(control, number) for number in recover_abandoned(control)], []
    for result in _each(control, door, pause):
        control.tell(f"letter {result.letter}: {result.state}")
        posted.append(result)
    unsure = [result.letter for result in posted if result.state == outbox.SENDING]
    _recover_all(control, unsure)
    final = {number: _of(control, number) for number in unsure}
    return [*unclear, *(final.get(result.letter, result) for result in posted)]


def recover_abandoned(control: Control) -> list[int]:
    """Find out what became of letters whose sender is gone; return their numbers."""
    with control.reading() as session:
        abandoned = outbox.sending(session, control.clock() - ABANDONED)
    _recover_all(control, abandoned)
    return abandoned


def _recover_all(control: Control, numbers: list[int]) -> None:
    for number in numbers:
        try:
            recover(control, number)
        except PaquetError as unable:  # the server sleeps: it is asked the next time
            control.tell(f"letter {number}: {unable.message}")


def recover(control: Control, number: int) -> str:
    """Find out whether a letter under way was taken; its sender is over. Return its state then.

    Our own server's log proves it; nobody can ask another one: there the letter is held.
    """
    with control.reading() as session:
        letter = outbox.get(session, number)
    if letter.state != outbox.SENDING:
        return letter.state
    seen = _asked(control, letter)

    def work(session: Session) -> str:
        letter = outbox.get(session, number)
        if letter.state == outbox.SENDING:
            _settle(control, session, letter, seen)
        return letter.state

    return database.retried(control.engine, work)


def _asked(control: Control, letter: Letter) -> dict[str, str]:
    """Return what the server's log proves: `state` and `queue`, as its program says."""
    host = posting_sender.own_server(control)
    if host is None or letter.began_at is None:
        return {"state": "unknown", "queue": ""}
    since, sender = str(letter.began_at.timestamp()), posting_sender.address(control)
    inquiry = Inquiry(
        (PROGRAM, letter.message_id, since, sender), "does not know which letters it took"
    )
    seen: dict[str, str] = json.loads(ask_program(host, control.settings, inquiry))
    return seen


def _settle(control: Control, session: Session, letter: Letter, seen: dict[str, str]) -> None:
    told, began = control.told("its sender was stopped"), letter.began_at or control.clock()
    state = seen["state"]
    if state == "open" and control.clock() - began > SESSION_OVER:
        state = "no"
    if state == "accepted":
        outbox.change(session, letter, SENT, told, f"queued as {seen['queue']} (the log says)")
    elif state == "no":
        outbox.untried(session, letter, told, "it was not taken", timedelta())
    elif state == "unknown":
        outbox.change(session, letter, HELD, told, PERHAPS)


def _turns(control: Control) -> Iterator[int]:
    """Yield the letters that may leave, each once, until the turn is over.

    Before each one is looked for what became urgent meanwhile: that goes before all others.
    """
    ends, begun = control.clock() + TURN, set[int]()
    with control.reading() as session:
        waiting = deque(outbox.due(session, control.clock()))
    while True:
        with control.reading() as session:
            urgent = outbox.due(session, control.clock(), urgent=True)
        waiting.extendleft(number for number in reversed(urgent) if number not in begun)
        while waiting and waiting[0] in begun:
            waiting.popleft()
        if not waiting:
            return
        if control.stops() or control.clock() >= ends:
            control.tell(f"{len(set(waiting) - begun)} letters wait for the next run")
            return
        begun.add(waiting[0])
        yield waiting.popleft()


def _each(control: Control, door: SmtpDoor, pause: Callable[[float], None]) -> Iterator[Posted]:
    """Send letter by letter over one connection, made anew when it is lost."""
    wait, client = MINUTE / control.settings.post.per_minute, None
    with ExitStack() as open_doors:
        for number in _turns(control):
            ready = _ready(control, door, number)
            if isinstance(ready, Posted):
                yield ready
                continue
            if client is None or not smtp.is_alive(client):
                client = open_doors.enter_context(smtp.session(door))
            result = _send_one(control, door, client, ready)
            if result is None:
                continue
            yield result[0]
            if result[1] is Became.SENDER_REFUSED:
                raise PaquetError(
                    f"{door.host} takes nothing from {door.sender}: {result[0].words}",
                    "Letters wait until it does: see [post] in the settings.",
                )
            if result[1] is Became.TOO_MANY:
                return
            pause(wait)


def _ready(control: Control, door: SmtpDoor, number: int) -> tuple[Letter, bytes] | Posted:
    """Look at a letter once more, and make its message; or say why it does not leave now."""
    posting_checks.address_anew(control, number)
    with control.reading() as session:
        letter = outbox.get(session, number)
        verdict = posting_checks.look_again(control, session, letter)
    if verdict is None and not letter.email:
        return Posted(number, letter.kind, letter.state, letter.message or posting_checks.ON_PAPER)
    if verdict is None:
        try:
            return letter, _composed(control, door, letter)
        except PaquetError as refused:
            verdict = (HELD, refused.message)
        except Exception as broken:  # noqa: BLE001 -- what breaks on one letter stops no other
            verdict = (HELD, f"This is a bug, please report it: {type(broken).__name__}")
    state, why = verdict

    def work(session: Session) -> None:
        waiting = outbox.get(session, number)
        if waiting.state == WAITING and state in (HELD, CANCELLED):
            outbox.change(session, waiting, state, control.told(), why)

    database.retried(control.engine, work)
    return Posted(number, letter.kind, state, masked(why))


def _composed(control: Control, door: SmtpDoor, letter: Letter) -> bytes:
    """Return the message of a letter with all that goes with it."""
    key = read_key_file(control.settings.key_file)
    zone = control.settings.operator.zone
    letter.message_id = letter.message_id or outbox.message_id(letter, key, zone)
    files = posting_enclosures.files(control, letter)
    return message.compose(letter, door.sender, control.clock(), files)


def _send_one(
    control: Control, door: SmtpDoor, client: smtplib.SMTP, ready: tuple[Letter, bytes]
) -> tuple[Posted, Became] | None:
    """Claim a letter, hand it in, and write down what the server said; None if it is another's."""
    looked_at, content = ready

    def take(session: Session) -> bool:
        return outbox.claim(session, looked_at, control.told())

    if not database.retried(control.engine, take):
        return None
    answer = smtp.deliver(client, door.sender, looked_at.email or "", content)

    def write(session: Session) -> str:
        letter = outbox.get(session, looked_at.id)
        if letter.state == outbox.SENDING:
            _write_answer(control, session, letter, answer)
        return letter.state

    state = database.retried(control.engine, write)
    return Posted(looked_at.id, looked_at.kind, state, answer.words), answer.became


def _write_answer(control: Control, session: Session, letter: Letter, answer: ServerAnswer) -> None:
    """Write what the server said. Of a letter that may have been taken nothing is known yet."""
    told = control.told(answer.words[:3])
    if answer.became is Became.SENT:
        outbox.change(session, letter, SENT, told, answer.words)
    elif answer.became is Became.NO_SUCH_ADDRESS:
        outbox.bounce(session, letter, answer.status, told, answer.words)
    elif answer.became is Became.REFUSED:
        outbox.change(session, letter, HELD, told, answer.words)
    elif answer.became in (Became.TOO_MANY, Became.SENDER_REFUSED):
        outbox.untried(session, letter, told, answer.words)
    elif answer.became is Became.LATER:
        outbox.postpone(session, letter, told, answer.words)


def _of(control: Control, number: int) -> Posted:
    with control.reading() as session:
        letter = outbox.get(session, number)
        return Posted(number, letter.kind, letter.state, letter.message)


def came_back(control: Control) -> list[Posted]:
    """Read what came back to the sender, and return the letters that it is about."""
    numbers = posting_returns.read(control, posting_sender.door(control))
    return [_of(control, number) for number in numbers]
