"""Before a letter leaves or is printed: is it still meant, and where is its person today."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from provision import database
from provision.post import outbox
from provision.post.addresses import unreachable
from provision.post.outbox import CANCELLED, HELD, WAITING
from provision.registry.models import Order
from provision.subscriptions.documents import open_items
from provision.subscriptions.dunning import pauses
from provision.subscriptions.payments import answers
from provision.subscriptions.selling.models import Subscription
from provision.subscriptions.selling.opening import ACTIVE
from provision.workflows.posting_words import (
    DEBIT,
    REMINDER,
    RENEWAL,
    WELCOME,
    document_of,
    recipients,
    reference,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import TypeAlias

    from sqlalchemy.orm import Session

    from provision.post.models import Letter
    from provision.post.outbox import Recipient
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.workflows.control import Control

    # The state in which it stays, and why; None when it may leave.
    Verdict: TypeAlias = tuple[str, str] | None

ON_PAPER = "A letter to this address came back: it goes on paper"
GONE = ("closed", "erased")


def look_again(control: Control, session: Session, letter: Letter) -> Verdict:
    """Return why a letter does not leave now, and its state then; None when it may leave."""
    since = control.settings.post.since
    if since is None or letter.written_on < since:
        return CANCELLED, "It is older than the day from which on letters are sent"
    paused = outbox.paused_why(session, letter.subscriber_id)
    if paused is not None:
        return WAITING, f"Paused: {paused}"
    look = LOOKS.get(letter.kind)
    return look(control, session, letter) if look else None


def moved(session: Session, letters: Iterable[Letter]) -> dict[int, Recipient]:
    """Return where people are reached today, by the letters that say something else.

    On paper where nobody is at their e-mail address. Letters to no subscriber stay as they are.
    """
    theirs = {letter.id: letter for letter in letters if letter.subscriber_id is not None}
    people = recipients(session, (letter.subscriber_id or 0 for letter in theirs.values()))
    gone = unreachable(session, (person.email for person in people.values()))
    elsewhere: dict[int, Recipient] = {}
    for number, letter in theirs.items():
        to = people.get(letter.subscriber_id or 0)
        if to is None:
            continue
        to = replace(to, email=None if to.email in gone else to.email)
        says = (letter.to_name, letter.email or None, letter.address, letter.postcode)
        if says != (to.name, to.email or None, to.address, to.postcode):
            elsewhere[number] = to
    return elsewhere


def address_anew(control: Control, number: int) -> None:
    """Let a letter that waits go to where its person is reached today."""
    with control.reading() as session:
        if not moved(session, [outbox.get(session, number)]):
            return

    def work(session: Session) -> None:
        letter = outbox.get(session, number)
        to = moved(session, [letter]).get(number)
        if to is not None and letter.state == WAITING:
            outbox.readdress(session, letter, to, control.told())

    database.retried(control.engine, work)


def asked_for(item: OpenItem) -> str:
    """Return what a reminder is about: a document, and the cents that it asks for."""
    return f"{reference(item.number)}={item.units}"


def _reminder(control: Control, session: Session, letter: Letter) -> Verdict:
    """Look whether what a reminder asks for is still open, and its addressee not left in peace."""
    held = pauses.paused(session, letter.organisation_id or 0, control.today())
    paused = held.get(letter.subscriber_id or 0)
    if paused is not None:
        return WAITING, f"Paused: {paused}"
    asked = [about.split("=") for about in letter.about.split()]
    units = [open_items.of(session, document_of(document)).units for document, _cents in asked]
    if units and not any(units):
        return CANCELLED, "What it asks for was paid or credited meanwhile"
    if units != [int(cents) for _document, cents in asked]:
        return HELD, "Something that it asks for was paid or credited meanwhile"
    return None


def _debit(control: Control, session: Session, letter: Letter) -> Verdict:
    """Look whether what was announced will be debited still."""
    debit = letter.key.split(":", 2)[2]
    awaited = answers.awaited(session, letter.organisation_id or 0, debit)
    if awaited is None:
        return CANCELLED, "The bank has answered meanwhile"
    collect_on, mandate = awaited
    if mandate.ended_on is not None:
        return CANCELLED, "The mandate ended meanwhile"
    if collect_on <= control.today():
        return HELD, f"Its day, {collect_on}, has come: nobody was told of this debit"
    return None


def _renewal(_control: Control, session: Session, letter: Letter) -> Verdict:
    subscription = session.get_one(Subscription, int(letter.key.split(":")[1]))
    if subscription.state != ACTIVE or subscription.last_day is not None:
        return CANCELLED, "The subscription ends: nothing renews itself"
    return None


def _welcome(_control: Control, session: Session, letter: Letter) -> Verdict:
    order = session.get_one(Order, int(letter.key.partition(":")[2]))
    return (
        (CANCELLED, f"The bundle is {order.bundle.state}") if order.bundle.state in GONE else None
    )


LOOKS: Mapping[str, Callable[[Control, Session, Letter], Verdict]] = {
    REMINDER: _reminder,
    DEBIT: _debit,
    RENEWAL: _renewal,
    WELCOME: _welcome,
}
