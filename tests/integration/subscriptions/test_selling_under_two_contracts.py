from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.errors import UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.offers import contracts
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.parties import organisations
from provision.subscriptions.selling import opening
from provision.subscriptions.selling import two_contracts as pairs
from provision.subscriptions.settling import funds
from tests.integration.subscriptions.changes_shop import bring_plans
from tests.integration.subscriptions.conftest import START

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop

FINDING = "what each of two sellers invoiced is not what their contract gives"


@pytest.fixture
def sold(shop: Shop) -> Shop:
    """Three months of plans with and without VAT in their prices, in odd cents."""
    shop.contract("two_contracts", supporter=1, seller=2)
    plans = bring_plans(shop)
    for plan, users in (("team", 5), ("net", 1)):
        sale = shop.sale(plan=plans[plan], users=users)
        opening.open_subscription(shop.session, shop.jeanne, sale, today=START)
    shop.bill(date(2026, 3, 31))
    return shop


def unguarded(shop: Shop, statement: str) -> None:
    """Change what nobody can change: the guards of its table are taken away first."""
    query = "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'invoice_line'"
    for name in shop.session.scalars(text(query)).all():
        shop.session.execute(text(f'DROP TRIGGER "{name}"'))
    shop.session.execute(text(statement))


def test_each_part_of_three_months_is_what_the_contract_gives(sold: Shop) -> None:
    assert verify.verify(sold.session) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize(
    "change",
    [
        "UPDATE invoice_line SET net = net + 5 WHERE rowid = (SELECT MIN(rowid) FROM invoice_line)",
        "UPDATE invoice_line SET carried = carried + 1 WHERE organisation_id = 1",
        "DELETE FROM invoice_line WHERE organisation_id = 2 AND number = 2",
    ],
)
def test_a_part_that_is_not_what_the_contract_gives_is_found(sold: Shop, change: str) -> None:
    sold.session.execute(text("PRAGMA defer_foreign_keys = ON"))
    unguarded(sold, change)
    assert FINDING in {one.what for one in pairs.broken_splits(sold.session)}


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_contracts_never_feed_a_fund(shop: Shop) -> None:
    fund = funds.add(shop.session, "Pot", "solidarity", shop.supporter, "L'assemblée")
    shares = [
        *contracts.two(shop.seller, shop.supporter, (70, 20)),
        Share(shop.supporter, 10, fund=fund),
    ]
    with pytest.raises(UsageRefused, match="Two contracts cannot feed the fund Pot"):
        contracts.add(
            shop.session, shop.seller, shop.supporter, shares, terms=("two_contracts", START)
        )


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_two_contracts_have_no_third_part(shop: Shop) -> None:
    third = organisations.add(shop.session, "Le Quai", "association")
    shares = [*contracts.two(shop.seller, shop.supporter, (70, 20)), Share(third, 10)]
    with pytest.raises(UsageRefused, match="Le Quai sells nothing under these two contracts"):
        contracts.add(
            shop.session, shop.seller, shop.supporter, shares, terms=("two_contracts", START)
        )
