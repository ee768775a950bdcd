"""The result of an exercise, and what the assembly decides of it.

Source: plan comptable général, article 941-12: account 12 holds the result (120 a profit, 129 a
loss) until a decision allocates it; what is neither distributed nor a reserve goes to 11 (110 a
credit, 119 a debit). Associations have the same numbers (ANC 2018-06); their members share nothing.

Classes 6 and 7 are never emptied by an entry: their sum, less what was allocated, is the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from sqlalchemy import func, or_, select

from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.money import EUR, Amount, show_euros
from provision.subscriptions.ledger import chart, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.ledger.models import LedgerPosting, LedgerTransaction

if TYPE_CHECKING:
    from sqlalchemy import Select
    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.parties.models import Organisation

RESULTS = (chart.PROFIT, chart.LOSS)
KEY = "allocation:"
BUSINESS = "business"


@dataclass(frozen=True)
class YearResult:
    """What an exercise brought, in cents: a profit is above zero. Its days, both inside.

    `first_day` is None where no result was allocated before: then it is all since the beginning.
    """

    first_day: date | None
    last_day: date
    units: Cents

    @property
    def shown(self) -> str:
        """The result in words."""
        since = f"from {self.first_day} " if self.first_day else ""
        kind = "profit" if self.units > 0 else "loss"
        return f"{kind} {since}to {self.last_day} is {show_euros(abs(self.units))}"


@dataclass(frozen=True)
class Decision:
    """How the assembly of a day allocated a result: cents, which add up to it.

    `carried` is put to 110 or 119; `reserves` are 1068, of a loss taken from it; a business may
    have `legal` (1061) and `dividends` (457) too.
    """

    on: date
    carried: Cents = 0
    reserves: Cents = 0
    legal: Cents = 0
    dividends: Cents = 0

    @property
    def units(self) -> Cents:
        """All of it."""
        return self.carried + self.reserves + self.legal + self.dividends


def result(session: Session, organisation_id: int, last_day: date) -> YearResult:
    """Return the result of the exercise that ends on a day: all since the one allocated before."""
    allocated = _allocated(session, organisation_id)
    before = max((day for day in allocated if day < last_day), default=None)
    first_day = before + timedelta(days=1) if before else None
    query = _euros(organisation_id).where(
        or_(*(LedgerPosting.account.startswith(digit) for digit in chart.RESULT_CLASSES)),
        LedgerTransaction.effective_on <= last_day,
    )
    if first_day:
        query = query.where(LedgerTransaction.effective_on >= first_day)
    return YearResult(first_day, last_day, -int(session.scalar(query) or 0))


def allocate(
    session: Session, organisation: Organisation, last_day: date, decision: Decision, today: date
) -> tuple[YearResult, tuple[Line, ...]]:
    """Enter what the assembly decided of the result of the exercise that ended on `last_day`.

    Returns the result, and what was entered. Raises UsageRefused unless the books of the exercise
    are closed, and the decision is the first about its result, and about all of it: years are
    allocated in their order, since the first decision is about all that came before.
    """
    there = posting.find(session, organisation.id, f"{KEY}{last_day}")
    if there is not None:
        raise UsageRefused(
            f"The result to {last_day} was allocated on {there.effective_on}",
            f"See entry {there.number} of the journal: nothing was written.",
        )
    later = max(_allocated(session, organisation.id), default=last_day)
    if later > last_day:
        raise UsageRefused(
            f"The result to {last_day} is in that to {later}, which was allocated",
            "Nothing was written: an assembly decided on it already.",
        )
    year_result = result(session, organisation.id, last_day)
    _check(session, organisation, year_result, decision, today)
    lines = _lines(session, organisation.id, year_result, decision)
    entry = Entry(
        organisation_id=organisation.id,
        effective_on=decision.on,
        text=f"Affectation du résultat au {last_day:%d/%m/%Y}",
        key=f"{KEY}{last_day}",
        lines=lines,
        piece=f"AG {decision.on}",
    )
    posting.post(session, entry, today)
    return year_result, lines


def _check(
    session: Session,
    organisation: Organisation,
    year_result: YearResult,
    decision: Decision,
    today: date,
) -> None:
    sensible_day(decision.on, "the day of an assembly")
    closed = posting.closed_to(session, organisation.id)
    if closed is None or closed < year_result.last_day:
        raise UsageRefused(
            f"The books of {organisation.name} are not closed up to {year_result.last_day}",
            "Close them first, so that the result stays as it was decided: paquet books close",
        )
    if not year_result.last_day < decision.on <= today:
        raise UsageRefused(
            f"No assembly of {decision.on} decides on the result to {year_result.last_day}",
            "Give the day of the assembly, after that exercise and not to come: --on",
        )
    if not year_result.units:
        raise UsageRefused(
            f"There is no result to {year_result.last_day}", "Nothing is to be allocated."
        )
    if decision.units != abs(year_result.units):
        raise UsageRefused(
            f"The {year_result.shown}, "
            f"and what was decided adds up to {show_euros(decision.units)}",
            "Say where all of it goes, such as --carried and --reserves.",
        )
    shared = decision.legal or decision.dividends
    if shared and (organisation.kind != BUSINESS or year_result.units < 0):
        raise UsageRefused(
            "Only the profit of a business gives a legal reserve or dividends",
            "Members of an association share nothing: use --carried and --reserves.",
        )


def _lines(
    session: Session, organisation_id: int, year_result: YearResult, decision: Decision
) -> tuple[Line, ...]:
    """Return the entry: 12 is emptied; what is carried first makes up for the other sign."""
    sign = 1 if year_result.units > 0 else -1
    held = {
        account: _held(session, organisation_id, account, decision.on)
        for account in chart.OWN_ACCOUNTS
    }
    other, same = chart.CARRIED_LOSS, chart.CARRIED_FORWARD
    if sign < 0:
        other, same = same, other
        if decision.reserves > -held[chart.RESERVES]:
            raise UsageRefused(
                f"The reserves hold {show_euros(max(-held[chart.RESERVES], 0))}, and "
                f"{show_euros(decision.reserves)} would be taken from them",
                "Carry the rest of the loss forward: --carried",
            )
    if decision.dividends and decision.carried < held[chart.CARRIED_LOSS]:
        raise UsageRefused(
            f"Losses of {show_euros(held[chart.CARRIED_LOSS])} are carried forward",
            "A profit makes up for them before anything is distributed (Code de commerce L232-11).",
        )
    makes_up = min(decision.carried, max(sign * held[other], 0))
    parts = (
        (chart.PROFIT if sign > 0 else chart.LOSS, -abs(year_result.units)),
        (other, makes_up),
        (same, decision.carried - makes_up),
        (chart.LEGAL_RESERVE, decision.legal),
        (chart.RESERVES, decision.reserves),
        (chart.DIVIDENDS, decision.dividends),
    )
    return tuple(Line(account, Amount(EUR, -sign * units)) for account, units in parts if units)


def _allocated(session: Session, organisation_id: int) -> list[date]:
    """Return the last days of the exercises whose result was allocated."""
    keys = session.scalars(
        select(LedgerTransaction.idempotency_key).where(
            LedgerTransaction.organisation_id == organisation_id,
            LedgerTransaction.idempotency_key.startswith(KEY),
        )
    )
    return [date.fromisoformat(key.removeprefix(KEY)) for key in keys]


def _held(session: Session, organisation_id: int, account: str, on: date) -> Cents:
    query = _euros(organisation_id).where(
        LedgerPosting.account == account, LedgerTransaction.effective_on <= on
    )
    return int(session.scalar(query) or 0)


def _euros(organisation_id: int) -> Select[int]:
    """Return the question for the sum of an organisation's postings in euros."""
    return (
        select(func.sum(LedgerPosting.units))
        .join(
            LedgerTransaction,
            (LedgerTransaction.organisation_id == LedgerPosting.organisation_id)
            & (LedgerTransaction.number == LedgerPosting.number),
        )
        .where(
            LedgerPosting.organisation_id == organisation_id, LedgerPosting.commodity == EUR.code
        )
    )
