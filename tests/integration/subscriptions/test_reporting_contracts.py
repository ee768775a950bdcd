from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.subscriptions.offers.contracts import Share
from provision.subscriptions.reports.factsfile import FactsFile
from provision.subscriptions.reports.figures import figures
from provision.subscriptions.reports.gather_scope import Scope, month_over
from provision.subscriptions.reports.gathering import gather
from tests.integration.subscriptions.reporting_shop import (
    ASSOCIATION,
    BUSINESS,
    START,
    UNTIL,
    build,
    by_kind,
    gathered,
)

if TYPE_CHECKING:
    from sqlalchemy.orm import Session


def test_under_two_contracts_each_is_taxed_for_its_own_part(session: Session) -> None:
    """12.00 = 8.40 of the business (7.00 + 1.40 of VAT) + 3.60 of the association, without VAT."""
    world = build(session)
    world.contract(mode="two_contracts")
    world.sold("Jeanne", START)
    world.bill(START)
    world.pay("F2026-000001", 840, date(2026, 1, 9))
    world.pay("F2026-000001", 360, date(2026, 1, 9), issuer=world.supporter)
    facts = gathered(world)
    assert by_kind(facts) == {"association": 360, "business": 700, "tax": 140}
    assert [(one.organisation, one.cents_received) for one in facts.incomes] == [
        (BUSINESS, 700),
        (ASSOCIATION, 360),
    ]
    assert [rate.cents for rate in facts.rates] == [1_060]


def test_funds_and_machines_are_told_apart_from_who_keeps_them(session: Session) -> None:
    """Of 10.00 a tenth goes to a coordination fund; 5.00 of hosting are the business's machines."""
    world = build(session)
    fund = world.fund("Caisse commune", "coordination")
    world.contract(
        shares=[
            Share(world.supporter, 20),
            Share(world.supporter, 10, fund=fund),
            Share(world.seller, 70),
            Share(world.seller, 1, role="hosting"),
        ]
    )
    world.sold("Jeanne", START, plan="nuage")
    world.bill(START)
    world.pay("F2026-000001", 1_800, date(2026, 1, 9))
    shown = {
        (one.beneficiary_kind, one.beneficiary, one.role, one.territory): one.cents
        for one in gathered(world).portions
    }
    assert shown == {
        ("association", ASSOCIATION, "service", "Orne"): 200,
        ("fund", "Caisse commune", "coordination", "Orne"): 100,
        ("business", BUSINESS, "service", "Calvados"): 700,
        ("infrastructure", BUSINESS, "hosting", "Calvados"): 500,
        ("tax", "TVA", "tax", ""): 300,
    }


def test_without_a_profile_no_price_without_vat_is_known(session: Session) -> None:
    world = build(session, described=False)
    world.contract()
    world.sold("Jeanne", START)
    with pytest.raises(PaquetError, match="Nobody knows yet how organisation 1 is taxed"):
        gathered(world)


def test_an_empty_registry_gives_an_empty_report(session: Session) -> None:
    facts = gather(session, Scope(UNTIL), FactsFile())
    assert (facts.paid_cents, facts.lives, facts.parties) == (0, (), ())
    assert figures(facts).received == ()


@pytest.mark.parametrize("until", [date(2026, 3, 30), date(2026, 2, 1)])
def test_a_report_ends_with_a_month(until: date) -> None:
    with pytest.raises(PaquetError, match="is not the last day of a month"):
        Scope(until)


@pytest.mark.parametrize(
    ("today", "over"),
    [
        (date(2026, 3, 30), date(2026, 2, 28)),
        (date(2026, 3, 31), date(2026, 3, 31)),
        (date(2026, 1, 1), date(2025, 12, 31)),
    ],
)
def test_the_last_month_that_is_over_ends_today_at_the_latest(today: date, over: date) -> None:
    assert month_over(today) == over


def test_what_the_seller_keeps_is_all_his_under_mecenat(session: Session) -> None:
    world = build(session)
    world.contract("mecenat")
    world.sold("Jeanne", START)
    world.bill(START)
    world.pay("F2026-000001", 1_200, date(2026, 1, 9))
    assert by_kind(gathered(world)) == {"business": 1_000, "tax": 200}
