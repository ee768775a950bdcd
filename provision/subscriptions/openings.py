"""What the first day of a subscription writes in whose books, by legal mode. Pure.

On that day the first term is due in advance and nothing of it has been served: the customer owes
it (418, the invoice follows) and all of it is deferred revenue (487). Where the seller sells the
association's work too, the association's part is owed from the same day (408 with the seller,
418 with the association) and deferred on both sides (486, 487). No result is touched: revenue and
expense come with the days of service. docs/money.md says the same to a treasurer.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.subscriptions import chart, contracts
from provision.subscriptions.journal import Entry, Line
from provision.subscriptions.people import organisation_reference

if TYPE_CHECKING:
    from datetime import date

    from provision.money import Amount


@dataclass(frozen=True)
class Opening:
    """The first term of a subscription: what it costs, and which part is the association's."""

    subscription_id: int
    first_day: date
    person: str
    price: Amount
    supporter_part: Amount

    @property
    def seller_part(self) -> Amount:
        """What remains with the seller."""
        return self.price - self.supporter_part


@dataclass(frozen=True)
class Parties:
    """Who sells and who supports (organisation numbers), in which legal mode."""

    seller_id: int
    supporter_id: int
    mode: str


def entries(opening: Opening, parties: Parties) -> list[Entry]:
    """Return the entries of each organisation's journal; a free term needs none.

    resale and licensed: the seller sells all and owes the association its part (monthly, or by
    the licensed provider on payment). two_contracts: each sells its own part to the subscriber.
    mecenat: the seller sells all; a gift is owed to nobody before it is given.
    """
    seller, supporter = parties.seller_id, parties.supporter_id
    if parties.mode == contracts.TWO_CONTRACTS:
        books = {
            seller: _deferred_sale(opening.seller_part, opening.person),
            supporter: _deferred_sale(opening.supporter_part, opening.person),
        }
    elif parties.mode == contracts.MECENAT:
        books = {seller: _deferred_sale(opening.price, opening.person)}
    else:
        part = opening.supporter_part
        bought = _deferred_purchase(part, organisation_reference(supporter))
        books = {
            seller: [*_deferred_sale(opening.price, opening.person), *bought],
            supporter: _deferred_sale(part, organisation_reference(seller)),
        }
    return [_entry(opening, owner, lines) for owner, lines in books.items() if lines]


def _deferred_sale(amount: Amount, customer: str) -> list[Line]:
    if not amount.units:
        return []
    return [
        Line(chart.CUSTOMER_INVOICES_TO_ISSUE, amount, customer),
        Line(chart.DEFERRED_REVENUE, -amount, customer),
    ]


def _deferred_purchase(amount: Amount, supplier: str) -> list[Line]:
    if not amount.units:
        return []
    return [
        Line(chart.PREPAID_EXPENSE, amount, supplier),
        Line(chart.SUPPLIER_INVOICES_TO_COME, -amount, supplier),
    ]


def _entry(opening: Opening, organisation_id: int, lines: list[Line]) -> Entry:
    return Entry(
        organisation_id=organisation_id,
        effective_on=opening.first_day,
        text=f"Abonnement {opening.subscription_id}, première échéance",
        key=key(opening.subscription_id),
        lines=tuple(lines),
    )


def key(subscription_id: int) -> str:
    """Return the idempotency key of a subscription's opening."""
    return f"subscription:{subscription_id}:opening"
