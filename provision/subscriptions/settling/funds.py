"""Funds: the custodian keeps them apart, the decider alone says what they pay.

An association keeps them as dedicated funds (195, ANC 2018-06, art. 132-1 and following), a
business as money held for others (467).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision import edges
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.money import euros, show_euros
from provision.subscriptions.ledger import chart, journal, posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers.models import Fund, FundDecision
from provision.subscriptions.parties.people import fund_reference
from provision.subscriptions.settling.models import FundMovement, SettlementPart

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.money import Cents
    from provision.subscriptions.ledger.journal import Moment
    from provision.subscriptions.parties.models import Organisation

COMMONS, SOLIDARITY, RESERVE, COORDINATION = "commons", "solidarity", "reserve", "coordination"
KINDS = (COMMONS, SOLIDARITY, RESERVE, COORDINATION)
SHARE, PAYOUT, HELP = "share", "payout", "help"


@dataclass(frozen=True)
class FundWish:
    """What was decided to pay: by whom, what for, to whom (a reference or words), in cents."""

    decided_by: str
    purpose: str
    beneficiary: str
    units: Cents


def add(session: Session, name: str, kind: str, custodian: Organisation, decider: str) -> Fund:
    """Write a new fund. Raises UsageRefused when its custodian would decide."""
    if kind not in KINDS:
        raise UsageRefused(f"{kind[:40]!r} is not a kind of fund", f"Use {'|'.join(KINDS)}.")
    checked = edges.person_name(name, "name of the fund")
    if any(fund.name.casefold() == checked.casefold() for fund in everyone(session)):
        raise UsageRefused(f"There is a fund {checked} already", "Choose another name.")
    fund = Fund(
        name=checked,
        kind=kind,
        custodian=custodian,
        decider=_apart(custodian, edges.person_name(decider, "decider of the fund")),
    )
    session.add(fund)
    session.flush()
    return fund


def get(session: Session, name: str) -> Fund:
    """Return the fund of this name, whatever its capitals, or raise UsageRefused."""
    wanted = edges.person_name(name, "name of the fund")
    for fund in everyone(session):
        if fund.name.casefold() == wanted.casefold():
            return fund
    raise UsageRefused(f"There is no fund {wanted}", "See: paquet fund list")


def everyone(session: Session) -> list[Fund]:
    """Return all funds by name."""
    return list(session.scalars(select(Fund).order_by(Fund.name)))


def balance(session: Session, fund: Fund) -> Cents:
    """Return what is in the fund, in cents."""
    return _moved(session, FundMovement.fund_id == fund.id)


def movements(session: Session, fund: Fund) -> list[FundMovement]:
    """Return what came and went, in order."""
    query = select(FundMovement).where(FundMovement.fund_id == fund.id)
    return list(session.scalars(query.order_by(FundMovement.number)))


def decide(session: Session, fund: Fund, wish: FundWish, day: date) -> FundDecision:
    """Write what the decider of the fund decided on `day`; it is paid later, or in parts."""
    sensible_day(day, "the day of a decision")
    if wish.units <= 0:
        raise UsageRefused("A decision of nothing", "Give an amount above zero.")
    decided_by = edges.person_name(wish.decided_by, "who decided")
    fund_decision = FundDecision(
        fund=fund,
        decided_on=day,
        decided_by=_apart(fund.custodian, decided_by),
        purpose=edges.person_name(wish.purpose, "purpose"),
        beneficiary=edges.person_name(wish.beneficiary, "beneficiary"),
        units=wish.units,
    )
    session.add(fund_decision)
    session.flush()
    return fund_decision


def decision(session: Session, number: int) -> FundDecision:
    """Return the decision of this number, or raise UsageRefused."""
    fund_decision = session.get(FundDecision, number)
    if fund_decision is None:
        raise UsageRefused(f"There is no decision {number}", "See: paquet fund show NAME")
    return fund_decision


def decisions(session: Session, fund: Fund) -> list[FundDecision]:
    """Return what was decided about the fund, in order."""
    query = select(FundDecision).where(FundDecision.fund_id == fund.id)
    return list(session.scalars(query.order_by(FundDecision.id)))


def open_of(session: Session, decided: FundDecision) -> Cents:
    """Return what is open of a decision, in cents."""
    return decided.units + _moved(session, FundMovement.decision_id == decided.id)


def put_aside(session: Session, fund: Fund, piece: str, today: date) -> Cents:
    """Bring the fund to what all settlements gave it, and return what that moved, in cents.

    What a credit takes back is taken as far as the fund has it: what was spent stays spent, and
    the next shares make up for it first.
    """
    given = session.scalar(
        select(func.sum(SettlementPart.units)).where(SettlementPart.fund_id == fund.id)
    )
    before = _moved(session, FundMovement.fund_id == fund.id, FundMovement.kind == SHARE)
    units = max(int(given or 0) - before, -balance(session, fund))
    if units:
        business = fund.custodian.kind == "business"
        cost = chart.TO_FUNDS if business else chart.TO_DEDICATED_FUNDS
        held = Line(held_on(fund), euros(-units), fund_reference(fund.id))
        entry = Entry(
            organisation_id=fund.custodian_id,
            effective_on=today,
            text=f"Part du fonds {fund.id}, règlement {piece}",
            key=next_key(session, fund),
            lines=(Line(cost, euros(units)), held),
            piece=piece,
        )
        number = posting.post(session, entry, today).number
        move(session, fund, FundMovement(kind=SHARE, units=units, moved_on=today), number)
    return units


def pay(session: Session, decided: FundDecision, units: Cents, moment: Moment) -> None:
    """Write that the custodian paid `units` of a decision, which also may be paid in parts."""
    check_payable(session, decided, units, moment.on)
    fund = decided.fund
    entry = Entry(
        organisation_id=fund.custodian_id,
        effective_on=moment.on,
        text=f"Versement du fonds {fund.id}, décision {decided.id}",
        key=next_key(session, fund),
        lines=spent(fund, Line(chart.BANK, euros(-units))),
        journal=journal.BANK,
        piece=f"D{decided.id}",
    )
    number = posting.post(session, entry, moment.today).number
    moved = FundMovement(kind=PAYOUT, units=-units, decision_id=decided.id, moved_on=moment.on)
    move(session, fund, moved, number)


def check_payable(session: Session, decided: FundDecision, units: Cents, day: date) -> None:
    """Raise UsageRefused unless `units` were decided by `day`, are not paid, and are there."""
    if day < decided.decided_on:
        raise UsageRefused(
            f"Decision {decided.id} is of {decided.decided_on}", "It is paid on that day or later."
        )
    left = open_of(session, decided)
    if not 0 < units <= left:
        raise UsageRefused(
            f"{show_euros(units)} cannot be paid: "
            f"{show_euros(left)} is left of decision {decided.id}",
            "The decider of the fund can decide more: paquet fund decide --help",
        )
    there = balance(session, decided.fund)
    if units > there:
        raise UsageRefused(
            f"{decided.fund.name} holds {show_euros(there)}, not {show_euros(units)}",
            "Pay a part, or wait for the next settlement.",
        )


def spent(fund: Fund, line: Line) -> tuple[Line, ...]:
    """Return the lines of money that leaves the fund by `line`, a credit.

    An association spends what it put aside: its income of then, and help that it gives now.
    """
    out = Line(held_on(fund), -line.amount, fund_reference(fund.id))
    if fund.custodian.kind == "business":
        return out, line
    income = Line(chart.FROM_DEDICATED_FUNDS, line.amount)
    return out, income, Line(chart.HELP_GIVEN, -line.amount), line


def held_on(fund: Fund) -> str:
    """Return the account on which the custodian keeps the fund."""
    return chart.FUNDS_HELD if fund.custodian.kind == "business" else chart.DEDICATED_FUNDS


def next_key(session: Session, fund: Fund) -> str:
    """Return the key of the fund's next ledger entry."""
    return f"{fund_reference(fund.id)}:{_next(session, fund)}"


def move(session: Session, fund: Fund, moved: FundMovement, entry_number: int) -> None:
    """Write a movement under the fund's next number, with its ledger entry."""
    moved.fund_id, moved.number = fund.id, _next(session, fund)
    moved.entry_number = entry_number
    session.add(moved)
    session.flush()


def _next(session: Session, fund: Fund) -> int:
    last = session.scalar(
        select(func.max(FundMovement.number)).where(FundMovement.fund_id == fund.id)
    )
    return (last or 0) + 1


def _moved(session: Session, *which: object) -> Cents:
    total = session.scalar(select(func.sum(FundMovement.units)).where(*which))  # type: ignore[arg-type]
    return int(total or 0)


def _apart(custodian: Organisation, decider: str) -> str:
    if decider.casefold() == custodian.name.casefold():
        raise UsageRefused(
            f"{custodian.name} keeps the fund, it does not decide about it",
            "Name who decides: for example the members' assembly.",
        )
    return decider
