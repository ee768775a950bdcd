from __future__ import annotations

import re
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import click
import pytest
from sqlalchemy import select

from provision import shipped
from provision.commands.books.books import books
from provision.commands.payments.dunning import dunning
from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.commands.sales.plan import plan
from provision.commands.sales.subscription import subscription
from provision.errors import PaquetError
from provision.money import euros
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import Entry, Line
from provision.subscriptions.offers.models import Plan
from provision.subscriptions.parties import organisations
from provision.subscriptions.parties.models import OrganisationProfile
from tests.integration.subscriptions.boutique_shop import sold_to_jeanne
from tests.integration.subscriptions.commanding import ask, own_profile, read, settled
from tests.integration.subscriptions.conftest import DAY

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

EXPORT = ("export", "Boutique", "--format", "beancount", "--to", "/dev/null/books")

PARTS = ("--supporter-parts", "30", "--seller-parts", "70", "--from", "2026-01-01")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    return settled(tmp_path)


@pytest.fixture
def sold(context: Context, tmp_path: Path) -> Context:
    """A plan sold to Jeanne and billed, by a business with an association."""
    return sold_to_jeanne(context, tmp_path)


def test_an_organisation_is_added_and_shown(context: Context) -> None:
    words = ["--kind", "association", "--territory", "Calvados"]
    ask(context, organisation, "add", "Les Amis", *words, "--yes")
    expected = {"name": "Les Amis", "kind": "association", "siren": None, "territory": "Calvados"}
    assert read(context, organisation, "show", "LES AMIS") == expected
    assert read(context, organisation, "list") == [expected]


def test_a_dry_import_writes_nothing(context: Context) -> None:
    example = str(shipped.share("templates") / "plans.example.toml")
    said = ask(context, plan, "import", example, "--dry-run").stdout
    assert re.search(r"famille +monthly price from 2026-01-01 +10,00\u00a0€", said)
    assert "€1" not in said  # amounts are written as the operator's language has them
    with context.session() as session:
        assert session.scalars(select(Plan)).all() == []


def test_an_import_again_says_that_nothing_is_new(sold: Context) -> None:
    example = str(shipped.share("templates") / "plans.example.toml")
    assert "Nothing is new." in ask(sold, plan, "import", example, "--yes").stdout


def test_plans_are_listed_and_shown_with_their_prices(sold: Context) -> None:
    listed = read(sold, plan, "list")
    assert isinstance(listed, list)
    assert {"association", "famille", "solo"} <= {plan["plan"] for plan in listed}
    shown = read(sold, plan, "show", "famille")
    assert isinstance(shown, dict)
    assert shown["prices"][0] == {
        "from": "2026-01-01",
        "component": "bundle",
        "term": "monthly",
        "price": {"commodity": "EUR", "units": 1000},
    }
    assert "10,00\u00a0€" in ask(sold, plan, "show", "famille").stdout


def test_contracts_are_listed(sold: Context) -> None:
    assert read(sold, contract, "list") == [
        {
            "from": "2026-01-01",
            "seller": "Boutique",
            "supporter": "Les Amis",
            "mode": "resale",
            "shares": "30 Les Amis, 70 Boutique",
        }
    ]


def test_a_subscription_shows_what_was_pinned(sold: Context) -> None:
    found = read(sold, subscription, "show", "jeanne@exemple.test")
    assert isinstance(found, list)
    (one,) = found
    assert one["price"] == {"commodity": "EUR", "units": 1000}
    assert (one["plan"], one["mode"], one["first_day"]) == ("famille", "resale", "2026-03-31")
    assert (one["users"], one["gib"], one["contract_from"]) == (5, 100, "2026-01-01")
    listed = read(sold, subscription, "list")
    assert isinstance(listed, list)
    assert listed[0].items() <= one.items()
    assert "10,00\u00a0€" in ask(sold, subscription, "show", "1").stdout


def test_the_balance_is_exact_in_json_and_french_on_the_terminal(sold: Context) -> None:
    rows = read(sold, books, "balance", "--organisation", "boutique")
    assert isinstance(rows, list)
    assert rows[0] == {
        "organisation": "Boutique",
        "account": "411",
        "label": "Clients",
        "debit": {"commodity": "EUR", "units": 1000},
        "credit": {"commodity": "EUR", "units": 0},
        "balance": {"commodity": "EUR", "units": 1000},
    }
    assert [(row["account"], row["balance"]["units"]) for row in rows[1:]] == [
        ("44571", -167),
        ("706", -833),
    ]
    assert "-8,33\u00a0€" in ask(sold, books, "balance").stdout
    assert read(sold, books, "balance", "--on", "2026-03-30") == []


def test_an_empty_ledger_says_so(context: Context) -> None:
    assert ask(context, books, "balance").stdout == "Nothing is posted yet.\n"
    assert read(context, books, "balance") == []


def test_verify_is_content_with_a_whole_ledger(sold: Context) -> None:
    answer = ask(sold, books, "verify")
    assert answer.exit_code == 0
    assert "All is as it must be." in answer.stdout
    found = read(sold, books, "verify")
    assert isinstance(found, dict)
    assert found["findings"] == []
    assert {head["organisation"]: head["entries"] for head in found["heads"]} == {
        "Boutique": 1,
        "Les Amis": 0,
    }


def test_verify_ends_with_five_when_something_was_changed(sold: Context) -> None:
    with sold.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER ledger_posting_no_update")
        connection.exec_driver_sql("UPDATE ledger_posting SET party = 'organisation-9'")
    answer = ask(sold, books, "verify")
    assert answer.exit_code == 5
    assert "its content was changed after it was written" in " ".join(answer.stdout.split())


QUARTER = ("--from", "2026-01-01", "--to", "2026-03-31")


def test_the_vat_of_a_quarter_is_shown_and_agrees_with_the_account(sold: Context) -> None:
    said = read(sold, books, "vat", "Boutique", *QUARTER)
    assert isinstance(said, dict)
    (row,) = said["rows"]
    assert (row["category"], row["rate"], said["unexplained_cents"]) == ("S", "20.00 %", 0)
    assert row["invoiced_vat"] == row["vat_waiting"] == {"commodity": "EUR", "units": 167}
    assert row["vat_due"]["units"] == 0
    shown = ask(sold, books, "vat", "Boutique", *QUARTER)
    assert "It agrees with 44571." in shown.stdout


def test_vat_that_is_on_no_document_ends_with_five(sold: Context) -> None:
    with sold.session() as session:
        owner = organisations.get(session, "Boutique").id
        lines = (Line("44571", euros(-100)), Line("706", euros(100)))
        on = date(2026, 3, 31)
        posting.post(session, Entry(owner, on, "Essai", "essai", lines), on)
    shown = ask(sold, books, "vat", "Boutique", *QUARTER)
    assert shown.exit_code == 5
    assert "that is on no document" in shown.stdout


def test_a_cut_off_done_again_enters_nothing(sold: Context) -> None:
    first = read(sold, books, "cut-off", "Boutique", "--on", "2026-03-31", "--yes")
    again = read(sold, books, "cut-off", "Boutique", "--on", "2026-03-31", "--yes")
    assert isinstance(first, dict)
    assert isinstance(again, dict)
    assert first["sold"] == first["entered_sold"] == again["sold"]
    assert again["entered_sold"]["units"] == 0


@pytest.mark.parametrize(
    ("group", "words", "why"),
    [
        (plan, ["show", "gold"], "There is no plan gold"),
        (plan, ["show", "'; DROP"], "is not a code of a plan"),
        (subscription, ["show", "nobody@exemple.test"], "There is no subscription of"),
        (contract, ["add", "A", "B", *PARTS], "There is no organisation A"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(
    context: Context, group: click.Group, words: list[str], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        ask(context, group, *words)


@pytest.mark.parametrize("parts", ["0.5", "half"])
def test_parts_are_whole_numbers(context: Context, parts: str) -> None:
    words = ["add", "A", "B", "--supporter-parts", "1", "--from", "2026-01-01"]
    with pytest.raises(click.UsageError):
        ask(context, contract, *words, "--seller-parts", parts)


def test_books_that_are_closed_take_no_more_entries(sold: Context) -> None:
    would = read(sold, books, "close", "boutique", "--to", "2026-03-31", "--dry-run")
    closed = read(sold, books, "close", "boutique", "--to", "2026-03-31", "--yes")
    assert would == closed
    assert isinstance(closed, dict)
    assert (closed["entries"], closed["debits_to_date"]["units"]) == (1, 1000)
    with pytest.raises(PaquetError, match="are closed up to 2026-03-31"):
        ask(sold, books, "close", "boutique", "--to", "2026-02-28", "--yes")


@pytest.mark.parametrize(
    ("right", "wrong", "why"),
    [
        ('vat = "liable"', 'vat = "exempt"', "vat: Input should be"),
        ('colour = "#1f4e5f"', 'colour = "blue"', "colour: String should match"),
        ("payment_days = 30", "payment_days = 90", "payment_days: "),
        ('postcode = "14000"', 'postcode = "<x>"', "address, postcode: "),
        ('email = "', 'email = "@', "is not an e-mail address"),
        ("[address]", "[adress]", "address: Field required"),
    ],
)
def test_a_wrong_profile_is_refused_in_one_sentence(
    context: Context, tmp_path: Path, right: str, wrong: str, why: str
) -> None:
    file = Path(own_profile(tmp_path))
    mine = file.read_text("utf-8")
    assert right in mine
    file.write_text(mine.replace(right, wrong, 1), encoding="utf-8")
    ask(context, organisation, "add", "Boutique", "--kind", "business", "--yes")
    with pytest.raises(PaquetError, match=why):
        ask(
            context,
            organisation,
            "describe",
            "Boutique",
            str(file),
            "--from",
            "2026-01-01",
            "--yes",
        )


def test_a_profile_and_a_contract_rule_from_today_unless_a_day_is_said(
    context: Context, tmp_path: Path
) -> None:
    ask(context, organisation, "add", "Boutique", "--kind", "business", "--yes")
    ask(context, organisation, "add", "Amis", "--kind", "association", "--yes")
    ask(context, organisation, "describe", "Boutique", own_profile(tmp_path), "--yes")
    shares = ("--seller-parts", "70", "--supporter-parts", "30")
    made = read(context, contract, "add", "Boutique", "Amis", *shares, "--yes")
    assert made["from"] == DAY.isoformat()
    with context.reading() as session:
        (profile,) = session.scalars(select(OrganisationProfile))
        assert profile.valid_from == DAY


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
@pytest.mark.parametrize(
    ("group", "words"),
    [
        (invoice, ("run", "--dry-run", "--on")),
        (dunning, ("due", "Boutique", "--on")),
        (books, ("vat", "Boutique", "--to", "2026-12-31", "--from")),
        (books, ("vat", "Boutique", "--from", "2026-01-01", "--to")),
        (books, (*EXPORT, "--from", "2026-01-01", "--until")),
        (books, (*EXPORT, "--until", "2026-12-31", "--from")),
    ],
)
def test_a_day_of_another_century_is_a_slip_of_the_pen(
    sold: Context, group: click.Group, words: tuple[str, ...], day: str
) -> None:
    with pytest.raises(PaquetError, match=f"{day} cannot be"):
        ask(sold, group, *words, day)


@pytest.mark.parametrize("year", ["0", "20261231", "9" * 20, "2026-02-30"])
def test_what_is_no_year_has_no_result(sold: Context, year: str) -> None:
    with pytest.raises(click.BadParameter, match="is neither a year nor a day"):
        ask(sold, books, "allocate", "Boutique", year, "--on", "2026-03-31", "--dry-run")
