"""The result stands on 120 or 129 until an assembly decides, and then where it said."""

from __future__ import annotations

import csv
import io
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest

from provision.commands.books.books import books
from provision.errors import UsageRefused
from provision.subscriptions.books import exporting, results, verify
from provision.subscriptions.books.exporting import Period
from provision.subscriptions.books.results import Decision
from provision.subscriptions.ledger import closings, posting
from provision.subscriptions.ledger.journal import Entry
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments.booking import line
from tests.integration.subscriptions.commanding import ask, read, selling

if TYPE_CHECKING:
    from provision.commands.shared.context import Context
    from provision.subscriptions.parties.models import Organisation
    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2028, 7, 1)
ENDS = {year: date(year, 12, 31) for year in (2026, 2027)}
ASSEMBLY = {year: date(year + 1, 6, 15) for year in (2026, 2027)}
only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def earn(shop: Shop, units: int, on: date) -> None:
    """Sell for cash, or lose where units are below zero."""
    account = "706" if units > 0 else "654"
    entry = Entry(
        organisation_id=shop.seller.id,
        effective_on=on,
        text="Vente",
        key=f"earned:{on}:{units}",
        lines=(line("5301", units), line(account, -units)),
    )
    posting.post(shop.session, entry, TODAY)


def closed(shop: Shop, year: int) -> None:
    closings.close(shop.session, shop.seller, ENDS[year], today=TODAY)


def decide(shop: Shop, year: int, **parts: int) -> dict[str, int]:
    """Let the assembly decide; return what is entered."""
    decision = Decision(ASSEMBLY[year], **parts)
    _found, lines = results.allocate(shop.session, shop.seller, ENDS[year], decision, TODAY)
    return {one.account: one.amount.units for one in lines}


def opened(shop: Shop, year: int) -> dict[str, int]:
    """Return what the balances at the opening of a year are."""
    period = Period(date(year, 1, 1), date(year, 12, 31))
    lines = exporting.opening(shop.session, shop.seller, period, "fr")
    return {one.account: one.units for one in lines}


def test_a_profit_stands_on_120_until_the_assembly_decides(shop: Shop) -> None:
    earn(shop, 10_000, date(2026, 3, 1))
    closed(shop, 2026)
    assert opened(shop, 2027) == {"5301": 10_000, "120": -10_000}
    assert opened(shop, 2028) == {"5301": 10_000, "120": -10_000}
    entered = decide(shop, 2026, carried=3_000, reserves=7_000)
    assert entered == {"120": 10_000, "110": -3_000, "1068": -7_000}
    assert opened(shop, 2027) == {"5301": 10_000, "120": -10_000}
    assert opened(shop, 2028) == {"5301": 10_000, "110": -3_000, "1068": -7_000}
    assert verify.verify(shop.session) == []


def test_each_year_has_its_own_result(shop: Shop) -> None:
    earn(shop, 10_000, date(2026, 3, 1))
    closed(shop, 2026)
    decide(shop, 2026, carried=10_000)
    earn(shop, -2_500, date(2027, 3, 1))
    assert opened(shop, 2028) == {"5301": 7_500, "110": -10_000, "129": 2_500}
    closed(shop, 2027)
    found = results.result(shop.session, shop.seller.id, ENDS[2027])
    assert (found.first_day, found.units) == (date(2027, 1, 1), -2_500)
    assert decide(shop, 2027, carried=2_500) == {"129": -2_500, "110": 2_500}
    assert opened(shop, 2029) == {"5301": 7_500, "110": -7_500}


def test_what_is_carried_makes_up_for_the_other_sign_first(shop: Shop) -> None:
    earn(shop, -1_000, date(2026, 3, 1))
    closed(shop, 2026)
    assert opened(shop, 2027) == {"5301": -1_000, "129": 1_000}
    assert decide(shop, 2026, carried=1_000) == {"129": -1_000, "119": 1_000}
    earn(shop, 4_000, date(2027, 3, 1))
    closed(shop, 2027)
    entered = decide(shop, 2027, carried=2_500, legal=200, dividends=1_300)
    assert entered == {"120": 4_000, "119": -1_000, "110": -1_500, "1061": -200, "457": -1_300}
    assert verify.verify(shop.session) == []


def test_a_loss_takes_from_the_reserves_what_they_hold(shop: Shop) -> None:
    earn(shop, 1_000, date(2026, 3, 1))
    closed(shop, 2026)
    decide(shop, 2026, reserves=1_000)
    earn(shop, -1_200, date(2027, 3, 1))
    closed(shop, 2027)
    with pytest.raises(UsageRefused, match=r"The reserves hold €10\.00, and €12\.00 would"):
        decide(shop, 2027, reserves=1_200)
    entered = decide(shop, 2027, reserves=1_000, carried=200)
    assert entered == {"129": -1_200, "1068": 1_000, "119": 200}


@only_sqlite
@pytest.mark.parametrize(
    ("parts", "why"),
    [
        ({"carried": 9_999}, r"profit to 2026-12-31 is €100\.00, .* adds up to €99\.99"),
        ({"carried": 10_000, "reserves": 1}, r"adds up to €100\.01"),
        ({}, r"adds up to €0\.00"),
    ],
)
def test_a_decision_is_about_all_of_the_result(shop: Shop, parts: dict[str, int], why: str) -> None:
    earn(shop, 10_000, date(2026, 3, 1))
    closed(shop, 2026)
    with pytest.raises(UsageRefused, match=why):
        decide(shop, 2026, **parts)


@only_sqlite
def test_a_result_is_allocated_once_and_only_when_its_books_are_closed(shop: Shop) -> None:
    earn(shop, 10_000, date(2026, 3, 1))
    with pytest.raises(UsageRefused, match="are not closed up to 2026-12-31"):
        decide(shop, 2026, carried=10_000)
    closed(shop, 2026)
    before = Decision(date(2026, 6, 1), carried=1)
    with pytest.raises(UsageRefused, match="There is no result to 2025-12-31"):
        results.allocate(shop.session, shop.seller, date(2025, 12, 31), before, TODAY)
    decide(shop, 2026, carried=10_000)
    with pytest.raises(UsageRefused, match="was allocated on 2027-06-15"):
        decide(shop, 2026, carried=10_000)


@only_sqlite
@pytest.mark.parametrize("year_end", [date(2026, 12, 31), date(2027, 6, 30)])
def test_what_a_later_decision_held_is_not_allocated_once_more(shop: Shop, year_end: date) -> None:
    earn(shop, 10_000, date(2026, 3, 1))
    earn(shop, 2_000, date(2027, 3, 1))
    closed(shop, 2027)
    decide(shop, 2027, carried=12_000)
    earlier = Decision(date(2028, 6, 16), carried=10_000)
    with pytest.raises(UsageRefused, match=f"result to {year_end} is in that to 2027-12-31"):
        results.allocate(shop.session, shop.seller, year_end, earlier, TODAY)
    assert opened(shop, 2029) == {"5301": 12_000, "110": -12_000}


@only_sqlite
@pytest.mark.parametrize("on", [date(2026, 12, 31), date(2028, 7, 2)])
def test_the_assembly_comes_after_the_year_and_not_in_the_future(shop: Shop, on: date) -> None:
    earn(shop, 100, date(2026, 3, 1))
    closed(shop, 2026)
    with pytest.raises(UsageRefused, match="decides on the result"):
        results.allocate(shop.session, shop.seller, ENDS[2026], Decision(on, carried=100), TODAY)


@only_sqlite
def test_losses_are_made_up_for_before_anything_is_distributed(shop: Shop) -> None:
    earn(shop, -500, date(2026, 3, 1))
    closed(shop, 2026)
    with pytest.raises(UsageRefused, match="Only the profit of a business"):
        decide(shop, 2026, dividends=500)
    decide(shop, 2026, carried=500)
    earn(shop, 600, date(2027, 3, 1))
    closed(shop, 2027)
    with pytest.raises(UsageRefused, match=r"Losses of €5\.00 are carried forward"):
        decide(shop, 2027, dividends=600)
    assert decide(shop, 2027, carried=500, dividends=100)["457"] == -100


@only_sqlite
def test_members_of_an_association_share_nothing(shop: Shop) -> None:
    owner: Organisation = shop.supporter
    entry = Entry(
        organisation_id=owner.id,
        effective_on=date(2026, 3, 1),
        text="Cotisation",
        key="earned",
        lines=(line("5301", 100), line("756", -100)),
    )
    posting.post(shop.session, entry, TODAY)
    closings.close(shop.session, owner, ENDS[2026], today=TODAY)
    for parts in ({"dividends": 100}, {"legal": 100}):
        decision = Decision(ASSEMBLY[2026], **parts)
        with pytest.raises(UsageRefused, match="Only the profit of a business"):
            results.allocate(shop.session, owner, ENDS[2026], decision, TODAY)


ALLOCATE = ("allocate", "Boutique Libre", "2026", "--carried", "60", "--reserves", "40,00")
ON = ("--on", "2027-06-15")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A sale of 100 euros in a year that is closed."""
    made = selling(tmp_path)
    with made.session() as session:
        owner = organisations.get(session, "Boutique Libre")
        sale = (line("5301", 10_000), line("706", -10_000))
        posting.post(session, Entry(owner.id, date(2026, 5, 1), "Vente", "one", sale), TODAY)
    ask(made, books, "close", "Boutique Libre", "--to", "2026-12-31", "--yes")
    return made


def holds(context: Context, *words: str) -> dict[str, int]:
    rows = read(context, books, "balance", "--organisation", "Boutique Libre", *words)
    return {row["account"]: row["balance"]["units"] for row in rows}


def test_the_command_looks_asks_and_writes(context: Context) -> None:
    would = read(context, books, *ALLOCATE, *ON, "--dry-run")
    assert would["result"]["units"] == 10_000
    assert [key for key in would if key.startswith("1")] == [
        "120 Résultat de l'exercice (bénéfice)",
        "110 Report à nouveau",
        "1068 Autres réserves",
    ]
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, books, *ALLOCATE, *ON)
    ask(context, books, *ALLOCATE, *ON, "--yes")
    held = holds(context)
    assert (held["120"], held["110"], held["1068"]) == (10_000, -6_000, -4_000)
    other = ("allocate", "Boutique Libre", "2027-06-30", *ALLOCATE[3:], *ON)
    with pytest.raises(UsageRefused, match="are not closed up to 2027-06-30"):
        ask(context, books, *other, "--yes")
    with pytest.raises(click.BadParameter, match="is neither a year nor a day"):
        ask(context, books, "allocate", "Boutique Libre", "hier", *ON, "--yes")


def test_a_year_begins_with_its_opening_in_the_balance_and_in_the_fec(
    context: Context, tmp_path: Path
) -> None:
    ask(context, books, *ALLOCATE, *ON, "--yes")
    decided = {"5301": 10_000, "110": -6_000, "1068": -4_000}
    for first, last, wanted in (
        ("2026-01-01", "2026-12-31", {"5301": 10_000, "706": -10_000}),
        ("2027-01-01", "2027-06-14", {"5301": 10_000, "120": -10_000}),
        ("2027-01-01", "2027-12-31", {**decided, "120": 0}),
        ("2028-01-01", "2028-06-30", decided),
    ):
        assert holds(context, "--from", first, "--on", last) == wanted
    with pytest.raises(UsageRefused, match="A year is of one organisation"):
        ask(context, books, "balance", "--from", "2027-01-01")
    year = ("--organisation", "Boutique Libre", "--from", "2027-01-01")
    with pytest.raises(UsageRefused, match="2026-12-31 is before 2027-01-01"):
        ask(context, books, "balance", *year, "--on", "2026-12-31")
    days = ("--from", "2028-01-01", "--until", "2028-12-31", "--to", str(tmp_path / "books"))
    exported = ("export", "Boutique Libre", "--format", "fec", "--yes", *days)
    with pytest.raises(UsageRefused, match="2027-12-31 is before 2028-01-01"):
        ask(context, books, *exported, "--until", "2027-12-31")
    (file, _description) = read(context, books, *exported)
    text = Path(file["file"]).read_text(encoding="utf-8")
    rows = csv.DictReader(io.StringIO(text), delimiter="\t")
    assert {row["CompteNum"] for row in rows} == decided.keys()
