"""Settlements between a seller and those who share in its sales: owed, invoiced, settled, once."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import func, select

from provision.database import insert_many
from provision.days import sensible_day
from provision.errors import UsageRefused
from provision.subscriptions.documents.models import Settlement
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.offers.models import Fund
from provision.subscriptions.settling import funds, mandates, owing, paying, self_billing
from provision.subscriptions.settling.models import SettlementPart
from provision.subscriptions.settling.steps import (
    INVOICED,
    OWED,
    SETTLED,
    parts_of,
    reach,
    shown,
    state,
)

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy.orm import Session

    from provision.subscriptions.documents.issuing import Number
    from provision.subscriptions.parties.models import Organisation
    from provision.subscriptions.settling.owing import Owed

SHOWN = re.compile(r"([0-9]{1,9})-([0-9]{1,9})-([0-9]{1,9})")


def make(
    session: Session, seller: Organisation, beneficiary: Organisation, up_to: date, today: date
) -> Settlement | None:
    """Write what `seller` owes `beneficiary` up to a day, or return None when nothing was sold.

    Under a mandate the seller makes the beneficiary's invoice at once; else it is accrued until
    the beneficiary invoices it. What belongs to funds is put aside in the custodian's books. What
    a licensed provider has paid to both already is settled at once. An organisation with itself
    puts aside what its own sales give to the funds that it keeps.
    """
    _check_day(up_to, today)
    owed = owing.owed(session, seller, beneficiary, up_to)
    if not owed.parts:
        return None
    settlement = _write(session, seller, beneficiary, owed, today)
    _put_aside(session, beneficiary, settlement, today)
    if seller.id == beneficiary.id or not settlement.units:
        reach(session, settlement, SETTLED, today, "")
    elif mandates.ruling(session, beneficiary.id, seller.id, today) is None:
        self_billing.accrue(session, settlement, today)
    else:
        invoice(session, settlement, today)
    return settlement


def make_all(session: Session, up_to: date, today: date) -> list[Settlement]:
    """Make the settlement of every seller with every beneficiary to whom something is owed."""
    outcomes = [make(session, *pair, up_to, today) for pair in owing.parties(session)]
    return [settlement for settlement in outcomes if settlement is not None]


def invoice(session: Session, settlement: Settlement, today: date) -> Number:
    """Make the document of what is owed, in the beneficiary's name, and return its number.

    Below zero it is a credit note. Raises UsageRefused unless the settlement is owed.
    """
    _check_state(session, settlement, OWED, "invoiced")
    number = self_billing.issue_document(session, settlement, today)
    reach(session, settlement, INVOICED, today, number.shown)
    if paying.provider_paid(session, settlement):
        pay(session, settlement, today, today)
    return number


def pay(session: Session, settlement: Settlement, on: date, today: date) -> None:
    """Write that the document of the settlement was paid on a day. It is paid once.

    Raises UsageRefused unless the settlement is invoiced.
    """
    _check_state(session, settlement, INVOICED, "paid")
    paying.pay_document(session, settlement, Moment(on, today))
    reach(session, settlement, SETTLED, on, "")


def find(session: Session, typed: str) -> Settlement:
    """Return the settlement that is shown as "1-2-3": seller, beneficiary, number."""
    wanted = SHOWN.fullmatch(typed.strip())
    settlement = wanted and session.get(Settlement, tuple(map(int, wanted.groups())))
    if not settlement:
        raise UsageRefused(f"There is no settlement {typed[:40]!r}", "See: paquet settlement list")
    return settlement


def everyone(session: Session) -> list[Settlement]:
    """Return all settlements, the latest first."""
    settlement = Settlement
    order = (
        settlement.made_on.desc(),
        settlement.seller_id,
        settlement.beneficiary_id,
        settlement.number.desc(),
    )
    return list(session.scalars(select(settlement).order_by(*order)))


def _check_day(up_to: date, today: date) -> None:
    sensible_day(up_to, "the last day of a settlement")
    if up_to > today:
        raise UsageRefused(f"{up_to} is not over", "Settle what was sold, up to today at the most.")


def _check_state(session: Session, settlement: Settlement, wanted: str, verb: str) -> None:
    reached = state(session, settlement)
    if reached != wanted:
        raise UsageRefused(
            f"The settlement {shown(settlement)} is {reached}, it cannot be {verb}",
            f"Only one that is {wanted} can be {verb}. See: paquet settlement list",
        )


def _write(
    session: Session, seller: Organisation, beneficiary: Organisation, owed: Owed, today: date
) -> Settlement:
    last = session.scalar(
        select(func.max(Settlement.number)).where(
            Settlement.seller_id == seller.id, Settlement.beneficiary_id == beneficiary.id
        )
    )
    key: dict[str, object] = {
        "seller_id": seller.id,
        "beneficiary_id": beneficiary.id,
        "number": (last or 0) + 1,
    }
    rows = [
        {**key, "position": position, **vars(part)}
        for position, part in enumerate(owed.parts, start=1)
    ]
    insert_many(session, SettlementPart, rows)
    settlement = Settlement(
        **key,
        after_entry=owed.after_entry,
        last_entry=owed.last_entry,
        made_on=today,
        units=owed.units,
    )
    session.add(settlement)
    session.flush()
    reach(session, settlement, OWED, today, "")
    return settlement


def _put_aside(
    session: Session, custodian: Organisation, settlement: Settlement, today: date
) -> None:
    kept = {part.fund_id for part in parts_of(session, settlement) if part.fund_id is not None}
    for fund_id in sorted(kept):
        fund = session.get_one(Fund, fund_id)
        if fund.custodian_id != custodian.id:
            raise UsageRefused(
                f"{fund.name} is kept by {fund.custodian.name}, not by {custodian.name}",
                "Correct the contract from a new day on: a fund's share goes to its custodian.",
            )
        funds.put_aside(session, fund, shown(settlement), today)
