"""Sales, credits and settlements in any order: nothing is owed twice, and nothing is forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from provision.subscriptions.books import verify
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.settling import funds, owing, settlements
from provision.subscriptions.settling.funds import FundWish
from provision.subscriptions.settling.steps import INVOICED, OWED, state
from tests.integration.subscriptions.settling_shop import FIRST, at, opened

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.subscriptions.offers.models import Fund
    from tests.integration.subscriptions.settling_shop import Place

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
ACTIONS = st.lists(
    st.sampled_from(["sell", "credit", "settle", "invoice", "pay", "spend"]), max_size=14
)


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(ACTIONS)
def test_whatever_the_order_every_share_is_settled_once(
    engine: Engine, session: Session, actions: list[str]
) -> None:
    del engine
    try:
        _play(session, actions)
    finally:
        session.rollback()


def _play(session: Session, actions: list[str]) -> None:
    shop = opened(session, ("liable", "liable"))
    pot = shop.fund(shop.supporter)
    shop.contract(
        shares=[
            Share(shop.supporter, 20),
            Share(shop.supporter, 10, fund=pot),
            Share(shop.seller, 70),
        ]
    )
    day, net = FIRST, 0
    for action in ["sell", *actions]:
        day += timedelta(days=1)
        if action == "sell":
            net += shop.sell(day).net
        elif action == "credit" and net >= 1700:
            net -= shop.credit(1000, day).net
        _others(shop, pot, action, day)
        assert verify.verify(session, seals=False) == []
    settled = sum(one.units for one in settlements.everyone(session))
    owed = owing.owed(session, shop.seller, shop.supporter, day).units
    assert abs(settled + owed - net * 30 / 100) < 2  # a cent for each role at the most
    assert funds.balance(session, pot) >= 0
    shop.whole()


def _others(shop: Place, pot: Fund, action: str, day: date) -> None:
    session = shop.session
    if action == "settle":
        settlements.make(session, shop.seller, shop.supporter, day - timedelta(days=1), day)
    elif action == "spend" and (there := funds.balance(session, pot)):
        wish = FundWish("L'assemblée", "Des heures", "Framasoft", there)
        funds.pay(session, funds.decide(session, pot, wish, day), there, at(day, day))
    for one in settlements.everyone(session):
        if action == "invoice" and state(session, one) == OWED:
            settlements.invoice(session, one, day)
        elif action == "pay" and state(session, one) == INVOICED:
            settlements.pay(session, one, day, day)
