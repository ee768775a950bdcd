from __future__ import annotations

from collections import Counter
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import delete
from sqlalchemy.orm import Session

from provision.errors import PaquetError
from provision.subscriptions.books import vat_due, verify
from provision.subscriptions.commons import contributions, hours, reciprocity
from provision.subscriptions.documents import describing
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import PersonReference
from provision.subscriptions.payments.models import DunningStep
from provision.subscriptions.reports.facts import Income, Portion
from provision.subscriptions.reports.figures import figures
from provision.subscriptions.reports.months import last_day
from tests.integration.subscriptions.conftest import newcomer, profile
from tests.integration.subscriptions.reporting_shop import (
    ASSOCIATION,
    BUSINESS,
    START,
    UNTIL,
    again,
    build,
    by_kind,
    gathered,
    kept,
    year_begins,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Engine

    from tests.integration.subscriptions.reporting_shop import Counted

JANUARY, FEBRUARY, MARCH = (date(2026, month, 1) for month in (1, 2, 3))


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def built(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A registry in which nobody subscribed yet."""
    yield from kept(request, tmp_path_factory, build)


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def lived(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Engine]:
    """A registry in which the year has begun."""
    yield from kept(request, tmp_path_factory, lambda session: year_begins(build(session)))


@pytest.fixture
def world(built: Engine) -> Iterator[Counted]:
    with Session(built, expire_on_commit=False) as session:
        yield again(session)


@pytest.fixture
def begun(lived: Engine) -> Iterator[Counted]:
    with Session(lived, expire_on_commit=False) as session:
        yield again(session)


def test_each_euro_is_shared_as_the_contract_says(begun: Counted) -> None:
    """Paid: 12 + 12 + 120 + 5 + 7; of the 12 that came back nobody has anything."""
    facts = gathered(begun)
    assert facts.paid_cents == 15_600
    assert by_kind(facts) == {"association": 3_900, "business": 9_100, "tax": 2_600}
    assert verify.verify(begun.session) == []


def test_an_invoice_paid_in_parts_is_shared_to_the_cent_in_each_month(begun: Counted) -> None:
    """Of 5.00 of 12.00: VAT 0.83 of 2, association 1.25 of 3, business 2.92 of 7."""
    facts = gathered(begun)
    march = [one for one in facts.portions if one.month == MARCH]
    assert march == [
        Portion(MARCH, "association", ASSOCIATION, "service", "Orne", 300 - 125),
        Portion(MARCH, "business", BUSINESS, "service", "Calvados", 700 - 292),
        Portion(MARCH, "tax", "TVA", "tax", "", 200 - 83),
    ]
    february = {one.beneficiary_kind: one.cents for one in facts.portions if one.month == FEBRUARY}
    assert february == {"association": 3_000 + 125, "business": 7_000 + 292, "tax": 2_000 + 83}


@pytest.mark.parametrize("units", [3, 503, 1_197])
def test_a_report_and_a_vat_statement_of_the_same_sales_agree_to_the_cent(
    session: Session, units: int
) -> None:
    """Of 5.03 of 12.00, VAT is 0.838."""
    shop = build(session)
    shop.contract()
    for code in ("famille", "nuage"):  # of one line, and of two
        who = newcomer(session, code)
        shop.subscribe(who, FEBRUARY, plan=plans.get(session, code))
    shop.bill(FEBRUARY)
    for shown in ("F2026-000001", "F2026-000002"):
        shop.pay(shown, units, FEBRUARY)
        shop.pay(shown, 2, MARCH)
    told: Counter[date] = Counter()
    for one in gathered(shop).portions:
        told[one.month] += one.cents * (one.beneficiary_kind == "tax")
    for month in (FEBRUARY, MARCH):
        stated = vat_due.statement(session, shop.seller, month, last_day(month))
        assert told[month] == sum(row.due for row in stated.rows)


def test_income_is_what_was_received_without_vat(begun: Counted) -> None:
    shown = [
        (one.day, one.cents_received, one.months, one.recurring) for one in gathered(begun).incomes
    ]
    assert shown == [
        (JANUARY, 2_000, 1, True),
        (FEBRUARY, 417, 1, True),
        (FEBRUARY, 10_000, 12, True),
        (MARCH, 583, 1, True),
    ]
    assert {one.organisation for one in gathered(begun).incomes} == {BUSINESS}


def test_a_report_of_an_earlier_month_is_as_it_was_then(begun: Counted) -> None:
    facts = gathered(begun, date(2026, 2, 28))
    assert facts.paid_cents == 1_200 + 1_200 + 12_000 + 500
    assert [(one.invoice, one.cents_open) for one in facts.open_invoices] == [
        ("F2026-000003", 700),
        ("F2026-000005", 1_200),
    ]


def test_what_was_paid_before_the_twelve_months_is_in_none_of_them(begun: Counted) -> None:
    facts = gathered(begun, date(2027, 2, 28))
    assert {one.month for one in facts.portions} == {MARCH}
    assert facts.paid_cents == 700
    assert sum(one.cents_received for one in facts.incomes) == 13_000


def test_an_open_invoice_says_who_cannot_pay_and_who_will_not(begun: Counted) -> None:
    told = f"""
    [[fraud]]
    organisation = "{BUSINESS}"
    invoice = "F2026-000006"
    """
    lise, jeanne = gathered(begun, told=told).open_invoices
    assert (lise.invoice, lise.cents_open, lise.standing) == ("F2026-000005", 1_200, "non_profit")
    assert (jeanne.invoice, jeanne.cents_open, jeanne.standing) == ("F2026-000006", 1_200, "fraud")
    assert (lise.issued, lise.due) == (date(2026, 2, 15), date(2026, 3, 17))


def test_an_open_invoice_says_how_far_its_reminders_were_on_that_day(begun: Counted) -> None:
    owner = organisations.get(begun.session, BUSINESS).id
    steps = [("notice", MARCH), ("reminder", date(2026, 3, 20)), ("formal", date(2026, 4, 2))]
    for position, (step, day) in enumerate(steps, start=1):
        place = {"organisation_id": owner, "series": "F2026", "number": 5, "position": position}
        begun.session.add(DunningStep(**place, step=step, reached_on=day, actor="ana"))
    begun.session.flush()
    assert [one.dunning_step for one in gathered(begun).open_invoices] == [2, 0]
    assert [one.dunning_step for one in gathered(begun, date(2026, 2, 28)).open_invoices] == [0, 0]


def test_lives_and_rates_are_those_of_the_subscriptions(begun: Counted) -> None:
    facts = gathered(begun)
    jeanne, lise, karim = facts.lives
    assert (jeanne.first_day, jeanne.last_day) == (START, None)
    assert (lise.first_day, lise.last_day) == (date(2026, 1, 15), date(2026, 3, 14))
    assert (jeanne.seller, jeanne.supporter, jeanne.territory) == (
        BUSINESS,
        ASSOCIATION,
        "Calvados",
    )
    assert (karim.plan, karim.tier) == ("famille", "plein tarif")
    assert [(one.from_day, one.cents, one.months) for one in facts.rates] == [
        (START, 1_000, 1),
        (date(2026, 1, 15), 1_000, 1),
        (FEBRUARY, 10_000, 12),
    ]


def test_the_figures_of_the_small_world_are_those_of_a_hand_count(begun: Counted) -> None:
    found = figures(gathered(begun))
    assert [one.closing for one in found.movements[-3:]] == [2_000, 2_833, 1_833]
    assert [(one.joined, one.left) for one in found.movements[-3:]] == [(2, 0), (1, 0), (0, 1)]
    assert [one.paid for one in found.coverage[-3:]] == [2_000, 417 + 834, 583 + 834]
    assert [(one.kind, one.basis_points) for one in found.received] == [
        ("business", 5_833),
        ("association", 2_500),
        ("tax", 1_667),
    ]
    late = {one.age: (one.ordinary, one.non_profit) for one in found.unpaid}
    assert late["0-30"] == (1_200, 1_200)


def test_money_that_goes_back_is_taken_from_those_who_had_it(begun: Counted) -> None:
    begun.credit("F2026-000001", date(2026, 3, 20))
    begun.pay("A2026-000001", 1_200, date(2026, 3, 25), "refund")
    facts = gathered(begun)
    assert facts.paid_cents == 14_400
    assert by_kind(facts) == {"association": 3_600, "business": 8_400, "tax": 2_400}


@pytest.mark.parametrize("kind", ["credit", "loss", "fund", "barter"])
def test_what_nobody_paid_is_in_no_euro(begun: Counted, kind: str) -> None:
    begun.pay("F2026-000005", 1_200, date(2026, 3, 30), kind)
    facts = gathered(begun)
    assert facts.paid_cents == 15_600
    assert [one.invoice for one in facts.open_invoices] == ["F2026-000006"]


def test_a_local_currency_is_money(begun: Counted) -> None:
    begun.pay("F2026-000005", 1_200, date(2026, 3, 30), "local")
    assert gathered(begun).paid_cents == 16_800


def test_an_invoice_that_came_back_and_was_paid_again_is_counted_once(begun: Counted) -> None:
    """In parts, back, and then all at once: the month of all of it is a month of its own."""
    begun.pay("F2026-000005", 400, date(2026, 2, 20))
    begun.pay("F2026-000005", -400, date(2026, 3, 2), "return")
    begun.pay("F2026-000005", 1_200, date(2026, 4, 2))
    facts = gathered(begun, date(2026, 4, 30))
    assert facts.paid_cents == 16_800
    assert by_kind(facts) == {"association": 4_200, "business": 9_800, "tax": 2_800}


def test_nobody_is_a_subscriber_while_a_trial_lasts(world: Counted) -> None:
    world.contract()
    world.sold("Jeanne", START, plan="essai")
    left = world.sold("Lise", START, plan="essai")
    left.last_day = date(2026, 1, 20)
    world.session.flush()
    facts = gathered(world)
    assert [(one.first_day, one.last_day) for one in facts.lives] == [(date(2026, 1, 31), None)]
    assert [(one.from_day, one.cents) for one in facts.rates] == [(date(2026, 1, 31), 500)]


def test_an_order_counts_from_its_delivery_and_a_cancelled_one_never(world: Counted) -> None:
    world.contract()
    delivered, waiting, cancelled = (world.order(name, START) for name in ("a", "b", "c"))
    world.deliver(delivered, date(2026, 1, 9))
    world.cancel(cancelled, date(2026, 1, 9))
    world.session.flush()
    (life,) = gathered(world).lives
    assert (life.subscription, life.first_day) == (delivered.id, date(2026, 1, 9))
    assert waiting.state == "waiting"


def test_a_discount_lowers_what_is_paid_a_month_while_it_lasts(world: Counted) -> None:
    world.contract()
    one = world.sold("Jeanne", START)
    world.discount(one, date(2026, 2, 1), date(2026, 2, 28), 2_500)
    rates = [(rate.from_day, rate.cents) for rate in gathered(world).rates]
    assert rates == [(START, 1_000), (FEBRUARY, 750), (MARCH, 1_000)]


def test_a_tier_halves_the_price_and_is_named(world: Counted) -> None:
    world.contract()
    world.sold("Jeanne", START, tier="solidaire")
    facts = gathered(world)
    assert (facts.lives[0].tier, facts.rates[0].cents) == ("Solidaire", 500)
    assert gathered(world, language="en").lives[0].tier == "Solidarity"


def test_a_change_of_vat_regime_changes_what_is_left_of_a_price(world: Counted) -> None:
    world.contract()
    world.sold("Jeanne", START)
    describing.describe(world.session, world.seller, profile(BUSINESS, "franchise"), MARCH)
    rates = [(rate.from_day, rate.cents) for rate in gathered(world).rates]
    assert rates == [(START, 1_000), (MARCH, 1_200)]


def test_what_a_seller_settles_is_income_of_the_association_and_none_of_both(
    begun: Counted,
) -> None:
    """Sold by the end of March, paid or not: 150.00 without VAT; 30 of 100 parts are 45.00."""
    begun.settle(UNTIL)
    facts = gathered(begun)
    assert facts.incomes[-1] == Income(
        day=UNTIL,
        organisation=ASSOCIATION,
        kind="sale",
        recurring=True,
        cents_received=4_500,
        territory="Orne",
        between=True,
    )
    assert [(one.organisation, one.cents, one.between) for one in facts.costs] == [
        (BUSINESS, 4_500, True)
    ]
    found = figures(facts)
    assert (facts.paid_cents, found.dependency.sales) == (15_600, 13_000)
    watched = {(one.party, one.rule): one.received for one in found.watch}
    assert watched[ASSOCIATION, "franchise"] == 4_500


def test_a_gift_of_the_business_is_income_of_the_association_alone(begun: Counted) -> None:
    moment = Moment(date(2026, 3, 9), UNTIL)
    contributions.give(begun.session, begun.seller, begun.supporter, 5_000, moment)
    facts = gathered(begun)
    gift = facts.incomes[-1]
    assert (gift.day, gift.organisation, gift.kind) == (date(2026, 3, 9), ASSOCIATION, "gift")
    assert (gift.cents_received, gift.between, gift.recurring) == (5_000, True, False)
    assert figures(facts).dependency.gifts == 0
    alone = figures(gathered(begun, organisation_id=begun.supporter.id))
    assert alone.dependency.gifts == 5_000


def test_time_counts_for_whom_it_was_given_and_for_the_commons_by_its_purpose(
    begun: Counted,
) -> None:
    for seconds, purpose, day in (
        (3_600, "Code commun", date(2026, 3, 1)),
        (5_400, "Permanence", date(2026, 3, 2)),
        (9_999, "Permanence", date(2025, 3, 31)),
    ):
        gift = hours.HoursWorked("person-1", seconds, purpose)
        hours.give(begun.session, begun.supporter, gift, Moment(day, UNTIL))
    found = figures(gathered(begun, told='commons = ["Code commun"]'))
    (time,) = found.time
    assert (time.organisation, time.persons) == (ASSOCIATION, 1)
    assert (time.seconds, time.commons_seconds) == (9_000, 3_600)


def test_what_was_meant_to_be_given_back_stands_beside_what_was(begun: Counted) -> None:
    """Sold by the end of March: five invoices of 10.00 and one of 100.00; 10 % are 15.00."""
    terms = (START, "AG 2026")
    reciprocity.add(begun.session, begun.seller, begun.supporter, 1_000, terms)
    moment = Moment(date(2026, 3, 9), UNTIL)
    contributions.give(begun.session, begun.seller, begun.supporter, 900, moment)
    (one,) = gathered(begun).reciprocities
    assert (one.from_party, one.to_party, one.period) == (BUSINESS, ASSOCIATION, "2025-04/2026-03")
    assert (one.base_cents, one.due_cents, one.given_cents) == (15_000, 1_500, 900)


def test_a_report_of_one_organisation_has_what_is_its_own(begun: Counted) -> None:
    begun.settle(UNTIL)
    facts = gathered(begun, organisation_id=begun.supporter.id)
    assert [one.name for one in facts.parties] == [ASSOCIATION]
    assert [(one.cents_received, one.between) for one in facts.incomes] == [(4_500, False)]
    assert (len(facts.lives), facts.costs, facts.paid_cents) == (3, (), 15_600)


def test_a_report_of_a_territory_has_what_its_sellers_sell(begun: Counted) -> None:
    calvados = gathered(begun, territory="Calvados")
    assert (len(calvados.lives), calvados.paid_cents, len(calvados.open_invoices)) == (3, 15_600, 2)
    assert sum(one.cents for one in calvados.portions) == 15_600
    assert [one.name for one in calvados.parties] == [BUSINESS]
    orne = gathered(begun, territory="Orne")
    assert (orne.lives, orne.portions, orne.open_invoices, orne.incomes) == ((), (), (), ())


def test_a_territory_where_nobody_is_at_home_is_refused(begun: Counted) -> None:
    with pytest.raises(PaquetError, match="at home in Paris"):
        gathered(begun, territory="Paris")


def test_an_organisation_that_nobody_knows_is_refused(begun: Counted) -> None:
    told = '[[cash]]\norganisation = "Boutique libre"\namount = "1.00"\non = 2026-01-01'
    with pytest.raises(PaquetError, match="speak of Boutique libre, which is no organisation"):
        gathered(begun, told=told)


def test_what_a_file_tells_is_added_to_what_the_registry_knows(begun: Counted) -> None:
    told = f"""
    [[cost]]
    organisation = "{BUSINESS}"
    label = "Serveurs"
    kind = "infrastructure"
    amount = "25.00"
    from = 2026-02-10
    [[income]]
    organisation = "{ASSOCIATION}"
    kind = "grant"
    amount = "600.00"
    on = 2026-03-02
    [[rescrit]]
    organisation = "{ASSOCIATION}"
    on = 2026-02-20
    """
    found = figures(gathered(begun, told=told))
    assert [one.cost for one in found.coverage[-3:]] == [0, 2_500, 2_500]
    assert found.dependency.grants == 60_000
    assert [one.taxable for one in found.watch if one.party == ASSOCIATION] == [False]


def test_who_was_forgotten_still_counts(begun: Counted) -> None:
    begun.session.execute(delete(PersonReference))
    references = [one.subscriber_reference for one in gathered(begun).lives]
    assert references == ["forgotten-1", "forgotten-2", "forgotten-3"]
