"""Clients that a shop has already, brought in from a list: who they are, mandates, subscriptions.

All lines are looked at first (`client_plans`), by what looks at them when they are typed; then what
is new is written together, since thousands of rows one by one take minutes.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.formats.clients.table import fault_at
from provision.formats.sepa.mandates import usable
from provision.formats.sepa.prenotification import masked
from provision.registry import states
from provision.subscriptions.parties import clients, identities, people
from provision.subscriptions.parties.clients import WRITTEN, Difference
from provision.subscriptions.payments import mandates
from provision.workflows.client_plans import LineRefused, Planner, word_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.clients.lines import ClientLine
    from provision.formats.clients.table import LineFault
    from provision.registry.states import Told
    from provision.subscriptions.payments.models import MandateRow
    from provision.workflows.client_plans import Bringing, ClientPlan

NEW, CHANGED, SAME = "new", "changed", "already_there"
CLIENTS, MANDATES, SUBSCRIPTIONS = "clients", "mandates", "subscriptions"


@dataclass(frozen=True)
class LineChange:
    """What a line says otherwise than the registry did, as texts; accounts are masked."""

    line: int
    subscriber: str
    what: str
    old: str
    new: str


@dataclass
class Brought:
    """How many of what were new, changed or there; what changed, what is wrong, what to look at."""

    counted: Counter[tuple[str, str]] = field(default_factory=Counter)
    changes: list[LineChange] = field(default_factory=list)
    faults: list[LineFault] = field(default_factory=list)
    remarks: list[str] = field(default_factory=list)

    @property
    def writes(self) -> bool:
        """Tell whether anything was written."""
        return any(state != SAME for _thing, state in self.counted)

    @property
    def counts(self) -> list[dict[str, object]]:
        """How many of each thing were new, changed, or there already."""
        things = dict.fromkeys(thing for thing, _state in self.counted)
        return [
            {"what": thing, **{state: self.counted[thing, state] for state in (NEW, CHANGED, SAME)}}
            for thing in things
        ]

    def count(self, thing: str, plan: ClientPlan, differences: Sequence[Difference]) -> None:
        """Count a thing that was there, and tell what changed of it."""
        self.counted[thing, CHANGED if differences else SAME] += 1
        self.changes += [
            LineChange(plan.line.line, plan.subscriber.name, change.what, change.old, change.new)
            for change in differences
        ]


def bring(
    session: Session, wanted: Bringing, lines: Sequence[ClientLine], columns: Mapping[str, str]
) -> Brought:
    """Write what the lines say, and return what that was; a line that is refused writes nothing.

    `columns` names the columns of the list by our words. Raises PaquetError where none could be
    written, such as where nobody says for which account mandates are.
    """
    planner, brought, planned = Planner(session, wanted, lines), Brought(), []
    for line in lines:
        try:
            plan = planner.plan(line)
            mended = _mended(session, plan, wanted.when)
        except LineRefused as line_refused:
            brought.faults += [
                fault_at(line.line, columns.get(word, word), wrong)
                for word, wrong in line_refused.refused
            ]
        else:
            planned.append(plan)
            _tell(brought, plan, mended)
            _remark(brought, plan, planner)
    _add(session, planned, planner, wanted.when)
    return brought


def _mended(
    session: Session, plan: ClientPlan, when: tuple[date, Told]
) -> dict[str, list[Difference]]:
    """Mend who and what a line says otherwise: all of it, or raise LineRefused."""
    differences: dict[str, list[Difference]] = {CLIENTS: [], MANDATES: []}
    if plan.called is None and not plan.otherwise:
        return differences
    try:
        with session.begin_nested():
            if plan.called is not None:
                differences[CLIENTS] = clients.mend(
                    session, plan.subscriber, plan.called, plan.line.said, when
                )
            if plan.mandate is not None and plan.otherwise:
                differences[MANDATES] = _corrected(session, plan.mandate, plan, when)
    except PaquetError as wrong:
        raise LineRefused([(word_of(wrong, ""), wrong)]) from None
    return differences


def _corrected(
    session: Session, row: MandateRow, plan: ClientPlan, when: tuple[date, Told]
) -> list[Difference]:
    before, otherwise = _described(row), dict(plan.otherwise or {})
    signed_on, bic = otherwise.pop("signed_on", None), otherwise.pop("bic", None)
    words = plan.line.mandate
    if signed_on and words and words.signed_on:
        mandates.sign(session, row, words.signed_on, words.iban, when)
    if bic:
        mandates.complete(session, row, {"bic": str(bic)}, when)
    if otherwise:
        mandates.correct(session, row, otherwise, when)
    after = _described(row)
    return [
        Difference(what, was, after[what]) for what, was in before.items() if was != after[what]
    ]


def _described(row: MandateRow) -> dict[str, str]:
    return {
        "account": masked(row.iban) if row.iban else "",
        "bic": row.bic,
        "signed_on": str(row.signed_on or ""),
        "last_collected_on": str(row.collected_before or ""),
        "notice_days": str(row.notice_days),
    }


def _tell(brought: Brought, plan: ClientPlan, mended: Mapping[str, Sequence[Difference]]) -> None:
    """Count what a line comes to."""
    for thing, row, is_new in (
        (CLIENTS, plan.subscriber, plan.is_new),
        (MANDATES, plan.mandate, plan.mandate_is_new),
        (SUBSCRIPTIONS, plan.subscription, plan.subscription_is_new),
    ):
        if is_new:
            brought.counted[thing, NEW] += 1
        elif row is not None:
            brought.count(thing, plan, mended.get(thing, ()))


def _remark(brought: Brought, plan: ClientPlan, planner: Planner) -> None:
    """Say what to look at in a line that is right."""
    row, on = plan.mandate, plan.line.line
    if row is None or planner.profile is None:
        return
    if row.ended_on is not None:
        brought.remarks.append(f"Line {on}: the mandate {row.reference} has ended here")
    elif row.signed_on is not None:
        try:
            usable(mandates.read(row, planner.profile), max(planner.today, row.signed_on))
        except PaquetError as refused:
            brought.remarks.append(f"Line {on}: {refused.message}. {refused.hint}")


def _add(
    session: Session, planned: Sequence[ClientPlan], planner: Planner, when: tuple[date, Told]
) -> None:
    """Add all that is new, and its events; rows that need the numbers of others come after them."""
    today, told = when
    enrolled = [plan for plan in planned if plan.is_new]
    session.add_all(plan.subscriber for plan in enrolled)
    session.flush()
    session.add_all(identities.new(plan.subscriber, plan.person, today) for plan in enrolled)
    for plan in planned:
        if not plan.is_new and plan.subscriber.id not in planner.known.identities:
            identities.ensure(session, plan.subscriber, today)
    granted = [plan.mandate for plan in planned if plan.mandate and plan.mandate_is_new]
    session.add_all(granted)
    for plan in planned:
        if plan.subscription and plan.subscription_is_new:
            session.add(plan.subscription)
            if plan.subscriber.id not in planner.known.in_books:
                session.add(people.new_reference(plan.subscriber.id))
    session.flush()
    events = [(f"subscriber:{plan.subscriber.id}", WRITTEN) for plan in enrolled]
    events += [pair for row in granted for pair in mandates.events_of(row)]
    states.record_all(session, events, told)
