"""A person's words where they are quoted: in events, card payments, and what jobs told of many."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from sqlalchemy import Text, cast, func, or_, select

from provision.formats.bank.candidates import name_words
from provision.registry.models import Event, KnownFinding, Run, RunLine, RunStep
from provision.subscriptions.payments import payouts
from provision.subscriptions.privacy import gathering

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sqlalchemy import ColumnElement, SQLColumnExpression
    from sqlalchemy.orm import Session

    from provision.database import Base
    from provision.subscriptions.privacy.gathering import Gathered

ADDRESS = re.compile(r"[^\s<>@]+@[^\s<>@]+")
SURE = "@. "  # a full name, an address or a domain has one of these: it is looked for everywhere
QUOTING: Mapping[type[Base], tuple[str, ...]] = {
    RunLine: ("text",),
    RunStep: ("message",),
    Run: ("message", "hint"),
    KnownFinding: ("message", "hint"),
}


def forget(session: Session, gathered: Gathered) -> None:
    """Take the person out of whatever quotes them."""
    _forget_events(session, gathered)
    _forget_quotes(session, gathered)
    _forget_payers(session, gathered)


def _forget_events(session: Session, gathered: Gathered) -> None:
    """Take the person out of events: their own lose every reason, all lose the person's words."""
    own, sure = gathering.subjects(gathered), sure_words(gathered)
    named = [*_written(Event.what, sure), *_written(Event.why, sure)]
    everybodys = gathering.naming(sure)
    persons = gathering.naming(gathering.words_of(gathered))
    for event in session.scalars(select(Event).where(or_(Event.subject.in_(own), *named))):
        is_own = event.subject in own
        naming = persons if is_own else everybodys
        event.what = naming.sub("erased", event.what)
        if is_own:
            event.what = ADDRESS.sub("erased", event.what)
        event.why = "erased" if is_own and event.why else naming.sub("erased", event.why)


def sure_words(gathered: Gathered) -> list[str]:
    """Return the words that can be nobody else's, wherever they stand: addresses and domains."""
    return [word for word in gathering.identifying(gathered) if any(sign in word for sign in SURE)]


def _written(text: SQLColumnExpression[Any], words: Sequence[str]) -> Iterator[ColumnElement[bool]]:
    """Yield the conditions that one of these words stands in a text, whatever its capitals."""
    for word in words:
        yield text.contains(word, autoescape=True)
        yield func.lower(text).contains(word.lower(), autoescape=True)


def _forget_quotes(session: Session, gathered: Gathered) -> None:
    """Take the person out of what jobs and checks told of many together."""
    sure = sure_words(gathered)
    if not sure:
        return
    naming = gathering.naming(sure)
    for model, names in QUOTING.items():
        for name in names:
            text: Any = getattr(model, name)
            for row in session.scalars(select(model).where(or_(*_written(text, sure)))):
                setattr(row, name, naming.sub("erased", getattr(row, name)))
    facts = cast(RunStep.facts, Text)
    for step in session.scalars(select(RunStep).where(or_(*_written(facts, sure)))):
        said = json.dumps(step.facts, ensure_ascii=False)
        step.facts = json.loads(naming.sub("erased", said))


def _forget_payers(session: Session, gathered: Gathered) -> None:
    """Take the person out of card payments that nobody explained: their name alone leads there.

    That of a namesake goes too: the provider still knows it.
    """
    names = {name_words(name) for name in gathering.names(gathered)} - {frozenset()}
    for payment in payouts.naming(session):
        if name_words(payment.payer) in names:
            payouts.forget_payer(payment)
