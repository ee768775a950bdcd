"""Which invoices can be collected on a day, under which mandate, and why others cannot."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.errors import PaquetError
from provision.formats.bank import reasons
from provision.formats.sepa import identifiers
from provision.formats.sepa.debits import Debit, said_of
from provision.formats.sepa.mandates import usable
from provision.subscriptions.documents import open_items
from provision.subscriptions.documents.drafts import CLAIMS
from provision.subscriptions.parties import profiles
from provision.subscriptions.payments import mandates
from provision.subscriptions.payments.models import CollectionAnswer, CollectionItem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.formats.sepa.mandates import Mandate
    from provision.money import Cents
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.documents.open_items import OpenItem
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.parties.profiles import Profile
    from provision.subscriptions.payments.models import MandateRow

MOST_ATTEMPTS = 3


@dataclass(frozen=True)
class Chosen:
    """An invoice that can be collected: what is open on it, and the mandate."""

    document: OpenItem
    row: MandateRow
    mandate: Mandate
    attempt: int

    @property
    def part(self) -> DebitPart:
        """What it is in a debit."""
        number = self.document.number
        reference = identifiers.end_to_end(number.series, number.number, self.attempt)
        return DebitPart(number, self.document.units, reference)


@dataclass(frozen=True)
class LeftOut:
    """An invoice that is not collected, and why in one sentence."""

    document: OpenItem
    why: str


@dataclass(frozen=True)
class CollectionProposal:
    """What would be collected, and what would not."""

    chosen: tuple[Chosen, ...]
    left_out: tuple[LeftOut, ...]


def propose(
    session: Session,
    organisation: Organisation,
    collect_on: date,
    today: date,
    again: frozenset[str] = frozenset(),
) -> CollectionProposal:
    """Return the open invoices that are due by `collect_on` under a usable mandate.

    What came back is collected again only for a reason that passes (insufficient funds), and at
    most three times; others only where `again` has their number, since a person asked.
    """
    known = _Known(session, organisation, collect_on, today)
    chosen: list[Chosen] = []
    left_out: list[LeftOut] = []
    for document in open_items.everything(session, organisation.id):
        if document.kind not in CLAIMS or document.due_on > collect_on:
            continue
        verdict = known.judge(document, again)
        if isinstance(verdict, Chosen):
            chosen.append(verdict)
        else:
            left_out.append(LeftOut(document, verdict))
    return CollectionProposal(tuple(chosen), tuple(left_out))


@dataclass(frozen=True)
class DebitPart:
    """An invoice in a debit: its number, its cents, and its own reference."""

    number: Number
    units: Cents
    reference: str


def debit(reference: str, parts: Sequence[DebitPart], mandate: Mandate) -> Debit:
    """Return the debit of one or more invoices, or raise PaquetError."""
    shown = [part.number.shown for part in parts]
    units = sum(part.units for part in parts)
    return Debit(reference, units, mandate, said_of(shown), shown[0])


def together(chosen: Sequence[Chosen]) -> list[list[Chosen]]:
    """Return what is collected by one debit: all of a mandate, in the order of their first."""
    by_mandate: dict[int, list[Chosen]] = {}
    for choice in chosen:
        by_mandate.setdefault(choice.row.id, []).append(choice)
    return list(by_mandate.values())


class _Known:
    """What decides whether an invoice can be collected, read once."""

    def __init__(
        self, session: Session, organisation: Organisation, collect_on: date, today: date
    ) -> None:
        self.collect_on, self.today = collect_on, today
        self.profile: Profile = profiles.needed(session, organisation, today)
        self.collected = mandates.last_collected(session, organisation.id)
        self.of_subscriber: dict[int, MandateRow] = {}
        rows = [row for row in mandates.everyone(session, organisation.id) if row.ended_on is None]
        # The newest that is signed: the next one may still wait for its signature.
        for row in sorted(rows, key=lambda row: row.signed_on is not None):
            self.of_subscriber[row.subscriber_id] = row
        self.attempts, self.last = _attempts(session, organisation.id)

    def judge(self, document: OpenItem, again: frozenset[str]) -> Chosen | str:
        """Return the invoice with its mandate, or why it is left out."""
        key = (document.number.series, document.number.number)
        attempts = self.attempts[key]
        why = self._answered(self.last.get(key, "") if attempts else None, attempts)
        if why and not (document.shown in again and attempts and self.last.get(key)):
            return why
        row = self.of_subscriber.get(document.subscriber_id or 0)
        if row is None:
            return "There is no mandate"
        if self.today + timedelta(days=row.notice_days) > self.collect_on:
            return f"It must be announced {row.notice_days} days before"
        mandate = mandates.read(row, self.profile, self.collected.get(row.id))
        try:
            usable(mandate, self.today)
            usable(mandate, self.collect_on)
            chosen = Chosen(document, row, mandate, attempts + 1)
            debit(chosen.part.reference, [chosen.part], mandate)
        except PaquetError as refused:
            return refused.message
        return chosen

    @staticmethod
    def _answered(state: str | None, attempts: int) -> str:
        """Return why an invoice with this last answer is not collected again, or ''."""
        if state is None:
            return ""
        if not state:
            return "It is being collected"
        if state == "paid":
            return "Its debit was paid"
        if state != "refused" and reasons.explain(state).action != reasons.RETRY:
            return f"Its debit came back ({state}): ask first"
        if attempts >= MOST_ATTEMPTS:
            return f"It was collected {attempts} times"
        return ""


def _attempts(
    session: Session, organisation_id: int
) -> tuple[Counter[tuple[str, int]], Mapping[tuple[str, int], str]]:
    """Return how often each invoice was collected, and what became of the last time.

    That is '' while nobody answered, 'paid', 'refused', or the reason of the return.
    """
    counted: Counter[tuple[str, int]] = Counter()
    last: dict[tuple[str, int], str] = {}
    rows = session.execute(
        select(
            CollectionItem.series,
            CollectionItem.invoice,
            CollectionItem.collection,
            CollectionAnswer.state,
            CollectionAnswer.reason,
        )
        .outerjoin(
            CollectionAnswer,
            (CollectionAnswer.organisation_id == CollectionItem.organisation_id)
            & (CollectionAnswer.end_to_end == CollectionItem.end_to_end),
        )
        .where(CollectionItem.organisation_id == organisation_id)
        .order_by(CollectionItem.collection, CollectionAnswer.position)
    )
    seen = set()
    for series, invoice, collection, state, reason in rows:
        key = (series, invoice)
        counted[key] += (*key, collection) not in seen
        seen.add((*key, collection))
        last[key] = (reason or "returned") if state == "returned" else (state or "")
    return counted, last
