"""Invoices before they have a number: what a subscription owes for some days, and who sells it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from provision.subscriptions.offers import contracts, sharing, tariffs, terms, vat
from provision.subscriptions.offers.catalogue import Asked
from provision.subscriptions.offers.sharing import Rule, Shared
from provision.subscriptions.offers.terms import Term
from provision.subscriptions.offers.vat import TreatmentRefused

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import date

    from provision.money import Cents
    from provision.subscriptions.offers.catalogue import Item
    from provision.subscriptions.offers.sharing import Agreement, Dealer
    from provision.subscriptions.offers.vat import Taxation, Taxed, Treatment

INVOICE, CREDIT_NOTE = "invoice", "credit"
DEPOSIT = "deposit"  # asks for money before anything is sold: type 386 of UNTDID 1001
CLAIMS = (INVOICE, DEPOSIT)  # what a subscriber is asked to pay
# Made by the buyer in the seller's name, under a mandate: types 389 and 261 of UNTDID 1001.
SELF_BILLED, SELF_BILLED_CREDIT = "self-billed", "self-billed-credit"
CREDITS = (CREDIT_NOTE, SELF_BILLED_CREDIT)
DISCOUNTED = "/discount"  # what the component of a discount ends with
REPLACES = "replaces:"  # begins the key of an invoice that is made again; then comes its number
ROUNDED = "/rounding"  # and that of a line which keeps what the VAT of a line had too much
IN_ADVANCE = "/deposit"  # the component of the line of a deposit, and of what gives it back


@dataclass(frozen=True)
class DraftLine:
    """One line as an invoice has it; `shares` are units by beneficiary and add up to `net`."""

    item: Item
    days: Term | None
    net: Cents
    vat: Cents
    treatment: Treatment
    contract_id: int | None = None
    carried: int = 0
    shares: tuple[tuple[Rule, Cents], ...] = ()


@dataclass(frozen=True)
class Buyer:
    """Who pays: the ledger's reference, and the row that says who that is."""

    party: str
    identity_id: int | None
    subscription_id: int | None


@dataclass(frozen=True)
class Draft:
    """What `issuer_id` invoices once per `key`; its lines are in the order of the document."""

    issuer_id: int
    key: str
    buyer: Buyer
    lines: tuple[DraftLine, ...]
    kind: str = INVOICE
    credits: tuple[str, int] | None = None
    reason: str = ""

    @property
    def net(self) -> Cents:
        """The sum of its lines without VAT."""
        return sum([line.net for line in self.lines])

    @property
    def vat(self) -> Cents:
        """The VAT of all its lines."""
        return sum([line.vat for line in self.lines])

    @property
    def is_advance(self) -> bool:
        """Tell whether it is about money for what is not sold yet."""
        return self.lines[0].item.component == IN_ADVANCE


@dataclass(frozen=True)
class Segment:
    """Days of one term under the same words: its items, its contract, its discount."""

    term: Term
    days: Term
    items: tuple[Item, ...]
    discount: int = 0
    reason: str = ""


def asked(segments: Sequence[Segment], discount_words: str) -> list[Asked]:
    """Return what is asked for the segments; a discount is a line of its own, below zero.

    `discount_words` is the label of such a line, with {percent} and {reason}.
    """
    lines = []
    for segment in segments:
        for item in segment.items:
            units = terms.prorated(item.units, segment.term, segment.days)
            lines.append(Asked(item, units, segment.days))
            whole = tariffs.part(item.units, segment.discount)
            less = terms.prorated(whole, segment.term, segment.days)
            if less:
                label = discount_words.format(
                    percent=_percent(segment.discount), reason=segment.reason
                )
                lines.append(Asked(_reduced(item, label), -less, segment.days))
    return [line for line in lines if line.units]


def drafted(
    lines: Sequence[Asked],
    agreement: Agreement,
    dealer: Dealer,
    how: Callable[[int], Taxation],
) -> Iterator[tuple[int, tuple[DraftLine, ...]]]:
    """Yield who sells which lines: the seller all, or each its own part under two contracts.

    `how` says of an organisation whether prices hold the VAT, and how it taxes this buyer.
    """
    if agreement.mode == contracts.TWO_CONTRACTS:
        yield from _each_its_own(lines, agreement, dealer, how)
        return
    taxing = how(agreement.seller_id)
    taxed = vat.asked([line.units for line in lines], taxing)
    draft_lines = []
    for line, taxed_line in zip(lines, taxed, strict=True):
        shared = dealer.deal(agreement, line.item.role, taxed_line.net)
        draft_lines.append(
            _line(line, taxed_line, taxing.treatment, (agreement.contract_id, shared))
        )
    yield agreement.seller_id, tuple(draft_lines)


def _each_its_own(
    lines: Sequence[Asked],
    agreement: Agreement,
    dealer: Dealer,
    how: Callable[[int], Taxation],
) -> Iterator[tuple[int, tuple[DraftLine, ...]]]:
    dealt = [dealer.deal(agreement, line.item.role, line.units) for line in lines]
    for issuer in agreement.issuers:
        own = [
            (replace(line, units=units), shared.carried)
            for line, shared in zip(lines, dealt, strict=True)
            if (units := sharing.part_of(issuer, shared.parts))
        ]
        if own:
            yield issuer, its_own(issuer, own, agreement, how)


def its_own(
    issuer: int,
    own: Sequence[tuple[Asked, int]],
    agreement: Agreement,
    how: Callable[[int], Taxation],
) -> tuple[DraftLine, ...]:
    """Return the lines of one of two sellers: its own part of each, and what was dealt by then."""
    if any(how(one_of_two).is_without for one_of_two in agreement.issuers):
        raise TreatmentRefused(
            "With two contracts each takes another VAT out of a price that holds it, so nobody "
            "knows what a buyer abroad pays",
            "Sell a plan of prices without VAT to them.",
        )
    taxing = how(issuer)
    taxed = vat.asked([line.units for line, _carried in own], taxing)
    draft_lines = []
    for (line, carried), taxed_line in zip(own, taxed, strict=True):
        alone = Shared(((Rule(issuer, None, 1), taxed_line.net),), carried)
        draft_lines.append(
            _line(line, taxed_line, taxing.treatment, (agreement.contract_id, alone))
        )
    return tuple(draft_lines)


def _line(line: Asked, taxed: Taxed, treatment: Treatment, under: tuple[int, Shared]) -> DraftLine:
    contract_id, shared = under
    return DraftLine(
        item=line.item,
        days=line.days,
        net=taxed.net,
        vat=taxed.vat,
        treatment=treatment,
        contract_id=contract_id,
        carried=shared.carried,
        shares=shared.parts,
    )


def segment_bounds(days: Term, cuts: Sequence[date]) -> Iterator[Term]:
    """Cut `days` at each day of `cuts` that lies inside."""
    starts = days.starts
    for cut in sorted({cut for cut in cuts if days.starts < cut < days.until}):
        yield Term(starts, cut)
        starts = cut
    yield Term(starts, days.until)


def _reduced(item: Item, label: str) -> Item:
    return replace(item, component=f"{item.component}{DISCOUNTED}", label=label)


def _percent(points: int) -> str:
    whole, rest = divmod(points, 100)
    return f"{whole}" if not rest else f"{whole},{rest:02d}".rstrip("0")
