"""Bring the documents of billed days in line with what a subscription has become."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision.formats.facturx import wording
from provision.languages import spoken
from provision.subscriptions.documents import deducting, issuing, reversals
from provision.subscriptions.documents.drafts import CREDIT_NOTE, Draft
from provision.subscriptions.offers import sharing
from provision.subscriptions.offers.catalogue import Catalogue
from provision.subscriptions.selling import charges, remainders, sides
from provision.subscriptions.selling.charges import base
from provision.subscriptions.selling.sides import Work

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import DraftLine
    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.documents.models import Invoice
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.selling.due import Due


@dataclass(frozen=True)
class Adjustment:
    """Billed `days` in the words of `before`, which are those of `after` from now on.

    Without `before` they are charged, without `after` they are given back. `key` is used once.
    """

    subscription: Due
    before: Due | None
    after: Due | None
    days: Term
    key: str
    reason: str


def adjust(session: Session, wanted: Adjustment, on: date) -> list[Number]:
    """Issue the documents of an adjustment `on` a day, and return their numbers.

    More is owed: an invoice that says what is taken back and what is charged. Less: a credit note
    of the invoice that billed these days, set against it if it is open. The same: nothing.
    """
    catalogue, dealer = Catalogue(session), sharing.load(session)
    numbers: list[Number] = []
    for piece in remainders.pieces(wanted.subscription, wanted.days):
        billing = charges.billing_of(session, wanted.subscription.subscription_id)
        work = Work(session, catalogue, dealer, on, billing)
        numbers += issue(work, list(_documents(work, wanted, piece)))
    sharing.save(session, dealer)
    return numbers


def worded(words: Mapping[str, str], day: date, language: str) -> str:
    """Return what a document says of a `day`, in the language of its reader."""
    known = spoken(language)
    return words[known].format(day=wording.day(day, known))


def issue(work: Work, drafts: list[Draft]) -> list[Number]:
    """Issue drafts: invoices deduct deposits, credit notes are set against their open invoices."""
    numbers = issuing.issue(work.session, drafts, work.catalogue, work.on)
    deducting.deduct(work.session, drafts, numbers, work.on)
    for draft, number in zip(drafts, numbers, strict=True):
        if draft.kind == CREDIT_NOTE:
            reversals.set_against(work.session, number, work.on)
    return numbers


def _documents(work: Work, wanted: Adjustment, piece: Term) -> Iterator[Draft]:
    """Yield the documents for days of one term."""
    drafted = sides.drafted(work, wanted.before, wanted.after, piece)
    drafts = [
        Draft(
            issuer,
            f"{wanted.key}:{piece.starts.isoformat()}:{place}",
            wanted.subscription.buyer,
            tuple(lines),
            reason=wanted.reason,
        )
        for place, (issuer, lines) in enumerate(drafted)
    ]
    for draft in drafts:
        yield from _drawn(work, _within(draft, _beyond(work, draft, piece)), piece)


def _beyond(work: Work, draft: Draft, days: Term) -> Cents:
    """Return by how much the draft would give back more than is left of its invoices."""
    left = sum(units for _invoice, units in _creditable(work, draft, days))
    return max(-(draft.net + draft.vat) - left, 0)


def _within(draft: Draft, beyond: Cents) -> Draft:
    """Let the VAT of the draft give way to some cents that are not left: those of its rounding.

    VAT of a price without it is rounded on every document, and parts may hold more than the whole.
    """
    if not 0 < beyond <= len(draft.lines):
        return draft
    place = next((at for at, line in enumerate(draft.lines) if line.vat <= -beyond), None)
    if place is None:
        return draft
    line = replace(draft.lines[place], vat=draft.lines[place].vat + beyond)
    return replace(draft, lines=(*draft.lines[:place], line, *draft.lines[place + 1 :]))


def _drawn(work: Work, draft: Draft, days: Term) -> Iterator[Draft]:
    """Yield the draft as an invoice, as credit notes, or as both when it moves money but no sum."""
    gross = draft.net + draft.vat
    if gross > 0:
        yield replace(draft, reason="")
    elif gross < 0:
        yield from _credit_notes(work, draft, days)
    elif _moves(draft.lines):
        back = [line for line in draft.lines if line.net + line.vat < 0]
        forth = [line for line in draft.lines if line.net + line.vat > 0]
        yield from _credit_notes(work, replace(draft, lines=tuple(back)), days)
        yield replace(draft, lines=tuple(forth), reason="")


def _credit_notes(work: Work, draft: Draft, days: Term) -> list[Draft]:
    lines = [reversals.negated(line) for line in draft.lines]
    return reversals.notes(lines, _creditable(work, draft, days), draft)


def _creditable(work: Work, draft: Draft, days: Term) -> list[tuple[Invoice, Cents]]:
    """Return the invoices of `days` with what is left of each, the latest first."""
    invoices = charges.creditable(work.session, draft.buyer, draft.issuer_id, days)
    return [(invoice, charges.left(work.session, invoice)[1]) for invoice in invoices]


def _moves(lines: tuple[DraftLine, ...]) -> bool:
    """Tell whether lines that add up to nothing change what is sold, or who gets it."""
    sums: Counter[tuple[str, str]] = Counter()
    for line in lines:
        sums[base(line.item.component), line.item.role] += line.net + line.vat
    return any(sums.values())
