"""The two sides of an adjustment: what is given back of billed days, and what they cost now."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import chain
from typing import TYPE_CHECKING

from provision.subscriptions.documents import drafts
from provision.subscriptions.offers import sharing, treatments
from provision.subscriptions.offers.treatments import Taxing
from provision.subscriptions.offers.vat import GROSS, Taxation
from provision.subscriptions.selling import charges, remainders
from provision.subscriptions.selling.charges import base

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from datetime import date
    from typing import TypeAlias

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.documents.drafts import DraftLine
    from provision.subscriptions.offers.catalogue import Asked, Catalogue
    from provision.subscriptions.offers.sharing import Agreement, Dealer, Shared
    from provision.subscriptions.offers.terms import Term
    from provision.subscriptions.selling.charges import Billed, Billing
    from provision.subscriptions.selling.due import Due

    Dealt: TypeAlias = dict[tuple[int, Asked], Shared]  # by contract and line


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
    """Lines of one seller (below zero: given back), under which contract, and who taxes how.

    `left` is how much more can be given back than is charged (`sign` is -1): what is not credited
    yet. Or how much can be charged again (1): what was given back. `carried` is what two contracts
    had dealt by each line, when the lines are the seller's own part.
    """

    issuer_id: int
    lines: list[Asked]
    agreement: Agreement
    how: Callable[[int], Taxation]
    left: Cents | None = None
    sign: int = -1
    carried: tuple[int, ...] = ()

    @property
    def short(self) -> Cents:
        """How much more its lines give back, or charge again, than is left."""
        units = self.sign * sum(asked.units for asked in self.lines)
        return 0 if self.left is None else max(units - self.left, 0)

    def is_like(self, other: Side) -> bool:
        """Tell whether both can stand on one document: same contract, same VAT."""
        same = self.agreement.contract_id == other.agreement.contract_id
        return same and self.how(self.issuer_id) == other.how(self.issuer_id)


def drafted(
    work: Work, before: Due | None, after: Due | None, piece: Term
) -> Iterator[tuple[int, list[DraftLine]]]:
    """Yield who sells which lines: days of one term in the words of `before`, now of `after`.

    Each of two sellers gives back what stands on invoices of its own, whatever the other did.
    """
    agreements = [
        work.catalogue.agreement(words.version_on(piece.starts).contract_id)
        for words in (before, after)
        if words is not None
    ]
    issuers = dict.fromkeys(issuer for agreement in agreements for issuer in agreement.issuers)
    every = [_of_one(work, issuer, (before, after), piece) for issuer in issuers]
    dealt = _dealt(work.dealer, chain.from_iterable(every))
    own = [[_own(side, dealt) for side in sides] for sides in every]
    for issuer, sides in zip(issuers, _evened(own), strict=True):
        for lines in _drafted(work, issuer, [_at_most(side) for side in sides]):
            yield issuer, lines


def _of_one(
    work: Work, issuer: int, words: tuple[Due | None, Due | None], piece: Term
) -> list[Side]:
    """Return the sides of one seller that have lines, as one where a document can hold both."""
    before, after = words
    back = [_taken(work, issuer, before, piece)] if before else []
    forth = [_given(work, issuer, after, piece)] if after else []
    if after and not before:
        forth = [_again(work, side, after, piece) for side in forth]
    sides = [side for side in (*back, *forth) if side.lines and issuer in side.agreement.issuers]
    if len(sides) > 1 and sides[0].is_like(sides[1]):
        lines = _difference(sides[0].lines, sides[1].lines)
        sides = [replace(sides[1], lines=lines, left=sides[0].left)]
    return [side for side in sides if side.lines]


def _taken(work: Work, issuer: int, before: Due, piece: Term) -> Side:
    """Return what is given back, of days that stand on an invoice, taxed as it was then."""
    version = before.version_on(piece.starts)
    agreement = work.catalogue.agreement(version.contract_id)
    basis = work.catalogue.plan(version.plan_id).basis
    asked_lines = [
        replace(asked, units=-asked.units)
        for asked in remainders.charged(before, piece, work.catalogue, work.billing.cuts())
        if _is_charged(work, issuer, agreement, asked)
    ]
    now = Taxing(work.catalogue, before.person, work.on).of_basis(basis)

    def how(organisation_id: int) -> Taxation:
        then = work.billing.latest(organisation_id, piece.starts)
        return now(organisation_id) if then is None else _as_then(work, then, basis)

    left = None
    if asked_lines:
        invoices = charges.creditable(work.session, before.buyer, issuer, piece)
        rest = sum(charges.left(work.session, invoice)[basis == GROSS] for invoice in invoices)
        left = how(issuer).priced(rest)
    return Side(issuer, asked_lines, agreement, how, left)


def _is_charged(work: Work, issuer: int, agreement: Agreement, asked: Asked) -> bool:
    """Tell whether these days stand on an invoice of the seller.

    Or on one of the other alone: of some cents one of two may have had no part, and no line.
    """
    place = (asked.item.component, asked.days.starts)
    if work.billing.charged(issuer, *place):
        return True
    return not work.billing.knows(issuer, *place) and any(
        work.billing.charged(other, *place) for other in agreement.issuers if other != issuer
    )


def _given(work: Work, issuer: int, after: Due, piece: Term) -> Side:
    """Return what the days cost in the words of `after`, taxed as on the day of the document."""
    version = after.version_on(piece.starts)
    basis = work.catalogue.plan(version.plan_id).basis
    how = Taxing(work.catalogue, after.person, work.on).of_basis(basis)
    lines = remainders.charged(after, piece, work.catalogue, work.billing.cuts())
    return Side(issuer, lines, work.catalogue.agreement(version.contract_id), how)


def _again(work: Work, side: Side, after: Due, piece: Term) -> Side:
    """Return of what the days cost what a cancellation gave back: the rest stands as it is."""
    basis = work.catalogue.plan(after.version_on(piece.starts).plan_id).basis
    lines = [
        asked
        for asked in side.lines
        if work.billing.refunded(side.issuer_id, asked.item.component, asked.days.starts)
    ]
    left = None
    if lines:
        rest = charges.refunded(work.session, after.buyer, side.issuer_id)[basis == GROSS]
        left = side.how(side.issuer_id).priced(rest)
    return replace(side, lines=lines, left=left, sign=1)


def _dealt(dealer: Dealer, sides: Iterable[Side]) -> Dealt:
    """Deal each line of two contracts once, whether both or one of the sellers has it."""
    dealt: Dealt = {}
    for side in sides:
        agreement = side.agreement
        for asked in side.lines if len(agreement.issuers) > 1 else ():
            if (agreement.contract_id, asked) not in dealt:
                shared = dealer.deal(agreement, asked.item.role, asked.units)
                dealt[agreement.contract_id, asked] = shared
    return dealt


def _own(side: Side, dealt: Dealt) -> Side:
    """Return the side with its seller's part of each line, where two sell."""
    if len(side.agreement.issuers) == 1:
        return side
    shares = [dealt[side.agreement.contract_id, asked] for asked in side.lines]
    lines = [
        replace(asked, units=sharing.part_of(side.issuer_id, shared.parts))
        for asked, shared in zip(side.lines, shares, strict=True)
    ]
    return replace(side, lines=lines, carried=tuple(shared.carried for shared in shares))


def _evened(every: Sequence[Sequence[Side]]) -> list[list[Side]]:
    """Let one seller give back, or charge again, the odd cents that the other cannot.

    Each split has its own odd cent: what one took last month may be a cent less than its part now.
    More than a cent a line is none: of that one, somebody credited a part already.
    """
    odd = [sum(side.short for side in sides if side.short <= len(side.lines)) for sides in every]
    return [
        [_with_more(side, sum(odd) - own) for side in sides]
        for own, sides in zip(odd, every, strict=True)
    ]


def _with_more(side: Side, units: Cents) -> Side:
    sign, lines = side.sign, side.lines
    place = next((at for at, asked in enumerate(lines) if sign * asked.units > 0), None)
    if side.left is None or place is None or sign * sum(asked.units for asked in lines) <= 0:
        return side
    more = replace(lines[place], units=lines[place].units + sign * units)
    return replace(side, lines=[*lines[:place], more, *lines[place + 1 :]])


def _at_most(side: Side) -> Side:
    """Leave away what the lines together would give back, or charge again, above what is left.

    Somebody credited a part of it already.
    """
    beyond = side.short
    cut = []
    for asked in side.lines:
        less = min(beyond, max(side.sign * asked.units, 0))
        beyond -= less
        cut.append(replace(asked, units=asked.units - side.sign * less))
    return replace(side, lines=cut)


def _drafted(work: Work, issuer: int, sides: Sequence[Side]) -> Iterator[list[DraftLine]]:
    """Yield the lines of each document of one seller.

    Nothing remains of a price of some cents on the last day of a term, so nothing is given back;
    what is charged for that day then goes without it, since a day stands on one invoice. And what
    is given back of days that the other of two sellers charged alone.
    """

    def is_charged(asked: Asked) -> bool:
        return work.billing.charged(issuer, asked.item.component, asked.days.starts)

    whole = [
        asked
        for side in sides
        for asked in side.lines
        if asked.item.component == base(asked.item.component)
    ]
    returned = [asked for asked in whole if asked.units < 0 and is_charged(asked)]
    without = frozenset(
        (asked.item.component, asked.days.starts, asked.units > 0)
        for asked in whole
        if (asked.units > 0) == is_charged(asked)
        and not any(_meet(asked, other) for other in returned)
    )
    return ([_without(line, without) for line in _lines(work, side)] for side in sides)


def _lines(work: Work, side: Side) -> Sequence[DraftLine]:
    if len(side.agreement.issuers) == 1:
        lines = [asked for asked in side.lines if asked.units]
        ((_seller, draft_lines),) = drafts.drafted(lines, side.agreement, work.dealer, side.how)
        return draft_lines
    dealt = zip(side.lines, side.carried, strict=True)
    own = [(asked, carried) for asked, carried in dealt if asked.units]
    return drafts.its_own(side.issuer_id, own, side.agreement, side.how)


def _difference(back: list[Asked], forth: list[Asked]) -> list[Asked]:
    """Return the lines of both without those that one gives back and the other charges again."""
    again = [replace(asked, units=-asked.units) for asked in back]
    kept = [asked for asked in forth if asked not in again]
    return [asked for asked, same in zip(back, again, strict=True) if same not in forth] + kept


def _without(line: DraftLine, places: frozenset[tuple[str, date, bool]]) -> DraftLine:
    """Return the line without its days at one of these places: component, first day, is charged."""
    component = base(line.item.component)
    is_charge = (line.net > 0) == (line.item.component == component)  # a discount is below zero
    if line.days is None or (component, line.days.starts, is_charge) not in places:
        return line
    return replace(line, days=None)


def _meet(asked: Asked, other: Asked) -> bool:
    same = asked.item.component == other.item.component
    return same and other.days.starts <= asked.days.starts < other.days.until


def _as_then(work: Work, then: Billed, basis: str) -> Taxation:
    """Return how a line that was billed is taxed; a price without VAT was one of its day."""
    issuer, day = then.number.organisation_id, then.issued_on
    if not treatments.is_elsewhere(then.treatment):
        return Taxation(basis, then.treatment, then.treatment.rate)
    home = treatments.of(work.catalogue.profile(issuer, day), day)
    return Taxation(basis, then.treatment, home.rate)
