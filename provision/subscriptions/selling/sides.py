"""The two sides of an adjustment: what is given back of billed days, and what they cost now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision.subscriptions.documents import drafts
from provision.subscriptions.offers import contracts, treatments
from provision.subscriptions.offers.treatments import Taxing
from provision.subscriptions.offers.vat import GROSS, Taxation
from provision.subscriptions.selling import charges, remainders
from provision.subscriptions.selling.charges import base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import DraftLine
    from provision.subscriptions.offers.catalogue import Asked, Catalogue
    from provision.subscriptions.offers.sharing import Agreement, Dealer
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.selling.charges import Billed, Billing
    from provision.subscriptions.selling.due import Due


@dataclass(frozen=True)
class Work:
    """What the documents of an adjustment, issued `on` a day, are made with."""

    session: Session
    catalogue: Catalogue
    dealer: Dealer
    on: date
    billing: Billing


@dataclass(frozen=True)
class Side:
    """Lines (below zero: given back), how they are shared, and how each seller taxes them.

    `left` is how much more can be given back than is charged: what is not credited yet.
    """

    lines: list[Asked]
    agreement: Agreement
    how: Callable[[int], Taxation]
    left: Cents | None = None

    def is_like(self, other: Side) -> bool:
        """Tell whether both can stand on one document: same contract, same VAT."""
        parties = (self.agreement.seller_id, self.agreement.supporter_id)
        issuers = parties if self.agreement.mode == contracts.TWO_CONTRACTS else parties[:1]
        return self.agreement.contract_id == other.agreement.contract_id and all(
            self.how(issuer) == other.how(issuer) for issuer in issuers
        )


def taken(work: Work, before: Due, piece: Term) -> Side:
    """Return what is given back, of days that stand on an invoice, taxed as it was then."""
    version = before.version_on(piece.starts)
    agreement = work.catalogue.agreement(version.contract_id)
    basis = work.catalogue.plan(version.plan_id).basis
    asked_lines = [
        asked
        for asked in remainders.remaining(before, piece, work.catalogue)
        if work.billing.charged(asked.item.component, asked.days.starts)
    ]
    now = Taxing(work.catalogue, before.person, work.on).of_basis(basis)

    def how(organisation_id: int) -> Taxation:
        then = work.billing.latest(organisation_id, piece.starts)
        return now(organisation_id) if then is None else _as_then(work, then, basis)

    left = None
    if asked_lines and agreement.mode != contracts.TWO_CONTRACTS:
        invoices = charges.creditable(work.session, before.buyer, agreement.seller_id, piece)
        rest = sum(charges.left(work.session, invoice)[basis == GROSS] for invoice in invoices)
        left = how(agreement.seller_id).priced(rest)

    return Side([replace(asked, units=-asked.units) for asked in asked_lines], agreement, how, left)


def given(work: Work, after: Due, piece: Term) -> Side:
    """Return what the days cost in the words of `after`, taxed as on the day of the document."""
    version = after.version_on(piece.starts)
    basis = work.catalogue.plan(version.plan_id).basis
    how = Taxing(work.catalogue, after.person, work.on).of_basis(basis)
    lines = remainders.charged(after, piece, work.catalogue)
    return Side(lines, work.catalogue.agreement(version.contract_id), how)


def together(sides: Sequence[Side]) -> list[Side]:
    """Return the sides that have lines, as one where both can stand on one document.

    Never more is given back than is left: somebody credited a part of it already.
    """
    wanted = [side for side in sides if side.lines]
    if len(wanted) > 1 and wanted[0].is_like(wanted[1]):
        lines = _difference(wanted[0].lines, wanted[1].lines)
        wanted = [replace(wanted[1], lines=lines, left=wanted[0].left)]
    return [replace(side, lines=_at_most(side.lines, side.left)) for side in wanted]


def drafted(work: Work, sides: Sequence[Side]) -> Iterator[tuple[int, list[DraftLine]]]:
    """Yield who sells which lines.

    Nothing remains of a price of some cents on the last day of a term, so nothing is given back;
    what is charged for that day then goes without it, since a day stands on one invoice.
    """
    returned = [asked for side in sides for asked in side.lines if asked.units < 0]
    without = frozenset(
        (base(asked.item.component), asked.days.starts)
        for side in sides
        for asked in side.lines
        if asked.units > 0
        and work.billing.charged(asked.item.component, asked.days.starts)
        and not any(_meet(asked, other) for other in returned)
    )
    for side in sides:
        for issuer, lines in drafts.drafted(side.lines, side.agreement, work.dealer, side.how):
            yield issuer, [_without(line, without) for line in lines]


def _difference(back: list[Asked], forth: list[Asked]) -> list[Asked]:
    """Return the lines of both without those that one gives back and the other charges again."""
    again = [replace(asked, units=-asked.units) for asked in back]
    kept = [asked for asked in forth if asked not in again]
    return [asked for asked, same in zip(back, again, strict=True) if same not in forth] + kept


def _without(line: DraftLine, places: frozenset[tuple[str, date]]) -> DraftLine:
    if line.days is None or (base(line.item.component), line.days.starts) not in places:
        return line
    return replace(line, days=None)


def _meet(asked: Asked, other: Asked) -> bool:
    same = base(asked.item.component) == base(other.item.component)
    return same and other.days.starts <= asked.days.starts < other.days.until


def _as_then(work: Work, then: Billed, basis: str) -> Taxation:
    """Return how a line that was billed is taxed; a price without VAT was one of its day."""
    issuer, day = then.number.organisation_id, then.issued_on
    if not treatments.is_elsewhere(then.treatment):
        return Taxation(basis, then.treatment, then.treatment.rate)
    home = treatments.of(work.catalogue.profile(issuer, day), day)
    return Taxation(basis, then.treatment, home.rate)


def _at_most(lines: list[Asked], most: Cents | None) -> list[Asked]:
    """Give less back where the lines together would give back more than `most`."""
    beyond = 0 if most is None else max(-sum(asked.units for asked in lines) - most, 0)
    cut = []
    for asked in lines:
        less = min(beyond, max(-asked.units, 0))
        beyond -= less
        cut.append(replace(asked, units=asked.units + less))
    return [asked for asked in cut if asked.units]
