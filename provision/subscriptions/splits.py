"""Share an amount under a contract, exactly, and remember it: the next one goes on from there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import insert, select

from provision import money
from provision.money import Amount, find_commodity
from provision.subscriptions.journal import LedgerRefused
from provision.subscriptions.models import SplitPart, SplitRecord

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from provision.subscriptions.models import Subscription


def share(
    session: Session, subscription: Subscription, amount: Amount, key: str
) -> dict[int, Amount]:
    """Return each organisation's part of `amount`, by its number; once per `key`.

    Remainders are carried over all subscriptions of a contract, so that neither side is ever a
    whole cent away from what the contract gives it.
    """
    there = session.scalar(select(SplitRecord).where(SplitRecord.idempotency_key == key))
    if there is not None:
        return _recorded(session, there, subscription, amount)
    contract = subscription.contract
    number, carried = _end(session, contract.id, amount.commodity.code)
    done = money.split(amount.units, [share.parts for share in contract.shares], carried)
    owners = [share.organisation_id for share in contract.shares]
    place = {"contract_id": contract.id, "number": number}
    parts = dict(zip(owners, done.parts, strict=True))
    session.execute(
        insert(SplitPart),
        [{**place, "organisation_id": owner, "units": units} for owner, units in parts.items()],
    )
    session.add(
        SplitRecord(
            **place,
            subscription_id=subscription.id,
            idempotency_key=key,
            commodity=amount.commodity.code,
            units=amount.units,
            carried=done.carried,
        )
    )
    session.flush()
    return {owner: Amount(amount.commodity, units) for owner, units in parts.items()}


def _recorded(
    session: Session, there: SplitRecord, subscription: Subscription, amount: Amount
) -> dict[int, Amount]:
    asked = (subscription.id, amount.commodity.code, amount.units)
    if (there.subscription_id, there.commodity, there.units) != asked:
        raise LedgerRefused(
            f"The key {there.idempotency_key} was used for a different split",
            "A split is never rewritten: record a correction under its own key.",
        )
    parts = session.scalars(
        select(SplitPart).where(
            SplitPart.contract_id == there.contract_id, SplitPart.number == there.number
        )
    )
    commodity = find_commodity(there.commodity)
    return {part.organisation_id: Amount(commodity, part.units) for part in parts}


def _end(session: Session, contract_id: int, commodity: str) -> tuple[int, int]:
    """Return the next number of the contract's splits, and what was shared of this commodity."""
    of_contract = select(SplitRecord).where(SplitRecord.contract_id == contract_id)
    latest = of_contract.order_by(SplitRecord.number.desc()).limit(1)
    last = session.scalar(latest)
    last_of_kind = session.scalar(latest.where(SplitRecord.commodity == commodity))
    return (last.number + 1 if last else 1), (last_of_kind.carried if last_of_kind else 0)
