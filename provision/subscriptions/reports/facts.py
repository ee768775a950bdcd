"""The rows that reports are made of: what happened, each row as one query can give it.

All money is whole cents. Persons are only known by their ledger reference.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, TypeAlias

if TYPE_CHECKING:
    from datetime import date

    from provision.money import Cents

PartyKind: TypeAlias = Literal["association", "business"]
BeneficiaryKind: TypeAlias = Literal[
    "association", "business", "fund", "infrastructure", "upstream", "tax"
]
IncomeKind: TypeAlias = Literal["sale", "dues", "gift", "grant", "other"]
CostKind: TypeAlias = Literal["infrastructure", "service", "upstream", "pay", "other"]
Standing: TypeAlias = Literal["ordinary", "non_profit", "fraud"]


@dataclass(frozen=True)
class ReportParty:
    """An organisation of the cooperation; `rescrit_on` is the day of the tax office's answer."""

    name: str
    kind: PartyKind
    rescrit_on: date | None = None


@dataclass(frozen=True)
class Life:
    """A subscription from its first day to its last, both served; None while it goes on."""

    subscription: int
    subscriber_reference: str
    seller: str
    supporter: str
    territory: str
    plan: str
    tier: str
    first_day: date
    last_day: date | None = None


@dataclass(frozen=True)
class Rate:
    """What a subscription pays from a day on: `cents`, net of VAT, for `months` (1 or 12)."""

    subscription: int
    from_day: date
    cents: Cents
    months: int = 1


@dataclass(frozen=True)
class Portion:
    """What one beneficiary got of what subscribers paid in a month (its first day), VAT included.

    The VAT itself is a portion of the kind `tax`.
    """

    month: date
    beneficiary_kind: BeneficiaryKind
    beneficiary: str
    role: str
    territory: str
    cents: Cents


@dataclass(frozen=True)
class Income:
    """Money that came in on a day, net of VAT; `months` says for how many months it was paid.

    `between` marks what one party of the cooperation paid to another: it is income of the one
    who got it, and no income of all together.
    """

    day: date
    organisation: str
    kind: IncomeKind
    recurring: bool
    cents_received: Cents
    territory: str = ""
    months: int = 1
    between: bool = False


@dataclass(frozen=True)
class Cost:
    """What an organisation paid on a day, net of deductible VAT.

    `incompressible` costs come each month whatever is sold. `between` is as in Income.
    """

    day: date
    organisation: str
    label: str
    kind: CostKind
    cents: Cents
    incompressible: bool
    between: bool = False


@dataclass(frozen=True)
class Open:
    """An invoice that is open: what is open on it, and why as far as it is known.

    `dunning_step` is how far its reminders are: a place in `open_invoices.STEPS`.
    """

    invoice: str
    subscriber_reference: str
    issued: date
    due: date
    cents_open: Cents
    non_profit: bool
    dunning_step: int
    fraud: bool = False

    @property
    def standing(self) -> Standing:
        """Fraud is fraud whoever does it; a non-profit that cannot pay is another matter."""
        if self.fraud:
            return "fraud"
        return "non_profit" if self.non_profit else "ordinary"


@dataclass(frozen=True)
class Given:
    """Time that a person gave to an organisation; `commons` when it went into common code."""

    day: date
    person_reference: str
    organisation: str
    seconds: int
    commons: bool


@dataclass(frozen=True)
class Reciprocity:
    """A voluntary contract to give back: hundredths of a percent of a base, due and given."""

    from_party: str
    to_party: str
    rate_basis_points: int
    base_cents: Cents
    due_cents: Cents
    given_cents: Cents
    period: str


@dataclass(frozen=True)
class Pledge:
    """What a source promised, and what came of it."""

    source: str
    promised_cents: Cents
    received_cents: Cents


@dataclass(frozen=True)
class CashAtHand:
    """What an organisation had at hand on a day."""

    organisation: str
    cents: Cents
    on: date


@dataclass(frozen=True)
class Facts:
    """All rows of one report about the twelve months that end with the month of `until`.

    `paid_cents` is what subscribers paid in these months, VAT included: the portions must add
    up to it. Rows of other months do no harm, except portions. Lives and rates go back to the
    beginning, else somebody who comes back would look new.
    """

    title: str
    until: date
    paid_cents: Cents = 0
    parties: tuple[ReportParty, ...] = ()
    lives: tuple[Life, ...] = ()
    rates: tuple[Rate, ...] = ()
    portions: tuple[Portion, ...] = ()
    incomes: tuple[Income, ...] = ()
    costs: tuple[Cost, ...] = ()
    open_invoices: tuple[Open, ...] = ()
    given: tuple[Given, ...] = ()
    reciprocities: tuple[Reciprocity, ...] = ()
    pledges: tuple[Pledge, ...] = ()
    cash: tuple[CashAtHand, ...] = ()
