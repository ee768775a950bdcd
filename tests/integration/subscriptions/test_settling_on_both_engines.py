from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from provision.subscriptions.commons import helping
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.settling import funds, settlements
from provision.subscriptions.settling.funds import FundWish
from provision.subscriptions.settling.steps import SETTLED, state
from tests.integration.subscriptions.settling_shop import LATER, TODAY, at, opened

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def test_a_month_is_settled_paid_and_helps_somebody(session: Session) -> None:
    shop = opened(session, ("liable", "liable"))
    pot, reserve = shop.fund(shop.supporter), shop.fund(shop.seller, "reserve")
    shop.contract(
        shares=[
            Share(shop.supporter, 20),
            Share(shop.supporter, 10, fund=pot),
            Share(shop.seller, 5, fund=reserve),
            Share(shop.seller, 65),
        ]
    )
    shop.mandate()
    sold = shop.sell()
    made = settlements.make(session, shop.seller, shop.supporter, LATER, TODAY)
    own = settlements.make(session, shop.seller, shop.seller, LATER, TODAY)
    assert made is not None
    assert own is not None
    settlements.pay(session, made, TODAY, TODAY)
    assert (made.units, own.units) == (510, 85)
    assert [state(session, one) for one in settlements.everyone(session)] == [SETTLED, SETTLED]
    wish = FundWish("L'assemblée", "Un mois difficile", shop.party, 150)
    decided = funds.decide(session, pot, wish, TODAY)
    helping.help_subscriber(session, decided, sold, 150, at())
    assert (funds.balance(session, pot), funds.balance(session, reserve)) == (20, 85)
    shop.whole()


REFUSED = {
    "INSERT INTO settlement_step VALUES (1, 2, 1, 'settled', '2026-02-05', '')": "invoiced before",
    "INSERT INTO settlement_part VALUES (1, 2, 1, 9, 'resale', '', NULL, 5)": "no more parts",
    "INSERT INTO settlement VALUES (1, 2, 2, 0, 9, '2026-02-05', 0)": "begins where",
    "INSERT INTO settlement VALUES (1, 2, 2, 1, 9, '2026-02-05', 1)": "sum of its parts",
    "INSERT INTO settlement_step VALUES (1, 2, 2, 'invoiced', '2026-02-05', '')": "is owed",
    "INSERT INTO fund_movement VALUES (1, 3, 'share', 1, NULL, 1, '2026-02-05')": "no gaps",
    "INSERT INTO fund_movement VALUES (1, 2, 'share', -511, NULL, 1, '2026-02-05')": "than it has",
    "INSERT INTO fund_movement VALUES (1, 2, 'payout', -1, NULL, 1, '2026-02-05')": "was decided",
    "INSERT INTO fund_movement VALUES (1, 2, 'payout', -101, 1, 1, '2026-02-05')": "was decided",
    "INSERT INTO fund_movement VALUES (1, 2, 'payout', 1, 1, 1, '2026-02-05')": "was decided",
    "INSERT INTO debt_payment VALUES (1, 1, 1001, 1, '2026-02-05')": "than promised_debt allows",
    "INSERT INTO debt_payment VALUES (1, 2, 1, 1, '2026-02-05')": "no gaps",
    "INSERT INTO barter_delivery VALUES (1, 1, 6, 1, '2026-02-05')": "than barter_agreement",
    "INSERT INTO hour_value VALUES (1, '2026-02-05', 2999)": "ck_hour_value_units",
    "UPDATE settlement_part SET units = 0": "only ever added",
    "UPDATE promised_debt SET units = 0": "only ever added",
    "DELETE FROM fund_movement": "only ever added",
    "DELETE FROM self_billing_mandate": "only ever added",
}
GIVEN = (
    "INSERT INTO promised_debt VALUES (1, 1, 'x', 'x', 1000, 'x', '2026-02-05')",
    "INSERT INTO barter_agreement VALUES (1, 1, 'x', 'x', 5, 100, '2026-02-05')",
)


def test_the_database_itself_refuses_what_must_not_be(session: Session) -> None:
    shop = opened(session)
    pot = shop.fund(shop.supporter)
    shop.contract(shares=[Share(shop.supporter, 30, fund=pot), Share(shop.seller, 70)])
    shop.sell()
    settlements.make(session, shop.seller, shop.supporter, LATER, TODAY)
    shop.mandate()
    funds.decide(session, pot, FundWish("L'assemblée", "Rien", "x", 100), TODAY)
    for row in GIVEN:
        session.execute(text(row))
    session.commit()
    for refused, why in REFUSED.items():
        with pytest.raises(DBAPIError, match=why):
            session.execute(text(refused))
        session.rollback()
