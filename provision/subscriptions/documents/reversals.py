"""Turn lines that give money back into credit notes, each within what is left of its invoice."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision.money import apportion
from provision.subscriptions.documents import allocating, deducting, open_items
from provision.subscriptions.documents.drafts import CREDIT_NOTE, DEPOSIT, INVOICE
from provision.subscriptions.documents.models import Invoice

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import Draft, DraftLine
    from provision.subscriptions.documents.issuing import Number

CREDIT = "credit"


def negated(line: DraftLine) -> DraftLine:
    """Return the line with the other sign, its shares too."""
    shares = tuple((rule, -units) for rule, units in line.shares)
    return replace(line, net=-line.net, vat=-line.vat, shares=shares)


def notes(
    lines: Sequence[DraftLine], invoices: Sequence[tuple[Invoice, Cents]], draft: Draft
) -> list[Draft]:
    """Return credit notes like `draft` of `lines`, whose sum is above zero.

    `invoices` are those that may be credited, with the gross cents that are left of each: one that
    holds all of it is taken, else as many as are needed, and never more than is left of them all.
    Each names its buyer as its invoice does: who moved since had other numbers then.
    """
    wanted = sum(line.net + line.vat for line in lines)
    enough = [(invoice, most) for invoice, most in invoices if most >= wanted]
    drafts: list[Draft] = []
    rest = sorted(lines, key=lambda line: line.net + line.vat > 0)  # charges first: they make room
    some = [(invoice, most) for invoice, most in invoices if most > 0]
    for invoice, most in enough[:1] or some:
        taken, rest = _taken(rest, most)
        if taken:
            key = f"{draft.key}:{len(drafts) + 1}"
            drafts.append(
                replace(
                    draft,
                    key=key,
                    buyer=replace(draft.buyer, identity_id=invoice.identity_id),
                    lines=tuple(taken),
                    kind=CREDIT_NOTE,
                    credits=(invoice.series, invoice.number),
                )
            )
    return drafts


def set_against(session: Session, number: Number, on: date) -> Cents:
    """Set a credit note against its invoice as far as that one is open; return the cents.

    That of a deposit is then set against the open invoices of the same subscription, the oldest
    first: what was paid is not asked for again. What is left stays open on the credit note: it is
    refunded, or set against another invoice.
    """
    note = session.get_one(Invoice, tuple(number.columns.values()))
    credited = session.get_one(
        Invoice, (note.organisation_id, note.credited_series, note.credited_number)
    )
    units = _set(session, note, credited, CREDIT, on)
    if credited.kind == DEPOSIT and open_items.left_on(session, note):
        for invoice in _open(session, note, on):
            units += _set(session, note, invoice, deducting.REST, on)
    return units


def move(session: Session, note: Invoice, number: Number, on: date) -> Cents:
    """Set what is open on a credit note against the invoice that is in the place of its own."""
    invoice = session.get_one(Invoice, tuple(number.columns.values()))
    return _set(session, note, invoice, CREDIT, on)


def _set(session: Session, note: Invoice, invoice: Invoice, kind: str, on: date) -> Cents:
    """Set as much of a credit note as both have open against an invoice; return the cents."""
    units = min(open_items.left_on(session, document) for document in (note, invoice))
    if units <= 0:
        return 0
    for document in (invoice, note):
        allocating.allocate(session, document, units, kind, (note.entry_number, on))
    return units


def _open(session: Session, note: Invoice, on: date) -> Sequence[Invoice]:
    """Return the open invoices under the subscription of a credit note, the oldest first."""
    query = (
        select(Invoice)
        .where(
            Invoice.organisation_id == note.organisation_id,
            Invoice.subscription_id == note.subscription_id,
            Invoice.party == note.party,
            Invoice.kind == INVOICE,
            Invoice.issued_on <= on,
            open_items.left() > 0,
        )
        .order_by(Invoice.due_on, Invoice.entry_number)
    )
    return session.scalars(query).all()


def _taken(lines: Sequence[DraftLine], most: Cents) -> tuple[list[DraftLine], list[DraftLine]]:
    """Return the lines that fit into `most` gross cents, and the rest; one line may be cut."""
    taken: list[DraftLine] = []
    rest: list[DraftLine] = []
    for line in lines:
        gross = line.net + line.vat
        if gross <= most:
            taken.append(line)
            most -= gross
        elif most > 0:
            first, second = _cut(line, most)
            taken.append(first)
            rest.append(second)
            most = 0
        else:
            rest.append(line)
    return taken, rest


def _cut(line: DraftLine, gross: Cents) -> tuple[DraftLine, DraftLine]:
    """Cut a line in two, the first of `gross` cents; days are given back once, by the first."""
    vat, net = apportion((line.vat, line.net), gross)
    units = apportion([part for _rule, part in line.shares], net)
    shares = tuple((rule, part) for (rule, _all), part in zip(line.shares, units, strict=True))
    first = replace(line, net=net, vat=vat, shares=shares)
    parts = zip(line.shares, first.shares, strict=True)
    second = replace(
        line,
        days=None,
        net=line.net - net,
        vat=line.vat - vat,
        shares=tuple((rule, units - part) for (rule, units), (_rule, part) in parts),
    )
    return first, second
