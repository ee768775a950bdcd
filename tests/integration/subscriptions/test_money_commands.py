from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import select

from provision import rendering
from provision.commands.context import Context
from provision.commands.money import money
from provision.commands.organisation import organisation
from provision.commands.subscription import subscription
from provision.errors import PaquetError
from provision.registry.models import Subscriber
from provision.subscriptions import organisations, plans, subscriptions
from provision.subscriptions.models import Plan
from provision.subscriptions.subscriptions import Sale

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
[registry]
url = "sqlite:///{path}"
"""
PARTS = ("--supporter-parts", "30", "--seller-parts", "70", "--from", "2026-01-01")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    config = tmp_path / "paquet.toml"
    config.write_text(SETTINGS.format(path=tmp_path / "paquet.db"), encoding="utf-8")
    return Context(config)


@pytest.fixture
def sold(context: Context) -> Context:
    """A registry in which Jeanne subscribed, all of it by commands but the order."""
    example = rendering.share("templates") / "plans.example.toml"
    ask(context, organisation, "add", "Boutique", "--kind", "business", "--siren", "732829320")
    ask(context, organisation, "add", "Les Amis", "--kind", "association")
    ask(context, subscription, "plans", "import", str(example))
    ask(context, subscription, "contract", "add", "Boutique", "Les Amis", *PARTS)
    moment = datetime(2026, 3, 31, tzinfo=UTC)
    with context.session() as session:
        jeanne = Subscriber(
            name="=cmd()", email="jeanne@exemple.test", language="fr", created_at=moment
        )
        session.add(jeanne)
        sale = Sale(
            plans.get(session, "famille"),
            organisations.get(session, "boutique"),
            organisations.get(session, "les amis"),
        )
        subscriptions.open_subscription(session, jeanne, sale, today=moment.date())
    return context


def ask(context: Context, group: click.Group, *words: str) -> Result:
    """Run a command; what it raises is raised here."""
    answer = CliRunner().invoke(group, words, obj=context, standalone_mode=False)
    if answer.exception is not None and not isinstance(answer.exception, SystemExit):
        raise answer.exception
    return answer


def read(context: Context, group: click.Group, *words: str) -> object:
    """Return what a command says in JSON."""
    found: object = json.loads(ask(context, group, *words, "--json").stdout)
    return found


def test_an_organisation_is_added_and_shown(context: Context) -> None:
    words = ["--kind", "association", "--territory", "Calvados"]
    ask(context, organisation, "add", "Les Amis", *words)
    expected = {"name": "Les Amis", "kind": "association", "siren": None, "territory": "Calvados"}
    assert read(context, organisation, "show", "LES AMIS") == expected
    assert read(context, organisation, "list") == [expected]


def test_a_dry_import_writes_nothing(context: Context) -> None:
    example = str(rendering.share("templates") / "plans.example.toml")
    said = ask(context, subscription, "plans", "import", example, "--dry-run").stdout
    assert "monthly price €10.00 from 2026-01-01" in said
    with context.session() as session:
        assert session.scalars(select(Plan)).all() == []


def test_an_import_again_says_that_nothing_is_new(sold: Context) -> None:
    example = str(rendering.share("templates") / "plans.example.toml")
    assert "Nothing is new." in ask(sold, subscription, "plans", "import", example).stdout


def test_plans_are_listed_and_shown_with_their_prices(sold: Context) -> None:
    listed = read(sold, subscription, "plans", "list")
    assert isinstance(listed, list)
    assert [plan["plan"] for plan in listed] == ["association", "famille", "solo"]
    shown = read(sold, subscription, "plans", "show", "famille")
    assert isinstance(shown, dict)
    assert shown["prices"][0] == {
        "from": "2026-01-01",
        "component": "bundle",
        "term": "monthly",
        "price": {"commodity": "EUR", "units": 1000},
    }
    assert "10,00\u00a0€" in ask(sold, subscription, "plans", "show", "famille").stdout


def test_contracts_are_listed(sold: Context) -> None:
    assert read(sold, subscription, "contract", "list") == [
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
    rows = read(sold, money, "balance", "--organisation", "les amis")
    zero, part = {"commodity": "EUR", "units": 0}, {"commodity": "EUR", "units": 300}
    assert rows == [
        {
            "organisation": "Les Amis",
            "account": "418",
            "label": "Clients, factures à établir",
            "debit": part,
            "credit": zero,
            "balance": part,
        },
        {
            "organisation": "Les Amis",
            "account": "487",
            "label": "Produits constatés d'avance",
            "debit": zero,
            "credit": part,
            "balance": {"commodity": "EUR", "units": -300},
        },
    ]
    assert "-3,00\u00a0€" in ask(sold, money, "balance").stdout
    assert read(sold, money, "balance", "--on", "2026-03-30") == []


def test_an_empty_ledger_says_so(context: Context) -> None:
    assert ask(context, money, "balance").stdout == "Nothing is posted yet.\n"
    assert read(context, money, "balance") == []


def test_verify_is_content_with_a_whole_ledger(sold: Context) -> None:
    answer = ask(sold, money, "verify")
    assert answer.exit_code == 0
    assert "All is as it must be." in answer.stdout
    found = read(sold, money, "verify")
    assert isinstance(found, dict)
    assert found["findings"] == []
    assert {head["organisation"]: head["entries"] for head in found["heads"]} == {
        "Boutique": 1,
        "Les Amis": 1,
    }


def test_verify_ends_with_five_when_something_was_changed(sold: Context) -> None:
    with sold.engine.begin() as connection:
        connection.exec_driver_sql("DROP TRIGGER ledger_posting_no_update")
        connection.exec_driver_sql("UPDATE ledger_posting SET party = 'organisation-9'")
    answer = ask(sold, money, "verify")
    assert answer.exit_code == 5
    assert "its content was changed after it was written" in " ".join(answer.stdout.split())


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["plans", "show", "gold"], "There is no plan gold"),
        (["plans", "show", "'; DROP"], "is not a code of a plan"),
        (["show", "nobody@exemple.test"], "There is no subscription of"),
        (
            ["contract", "add", "A", "B", *PARTS],
            "There is no organisation A",
        ),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(
    context: Context, words: list[str], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        ask(context, subscription, *words)


@pytest.mark.parametrize("parts", ["0.5", "half"])
def test_parts_are_whole_numbers(context: Context, parts: str) -> None:
    words = ["contract", "add", "A", "B", "--supporter-parts", "1", "--from", "2026-01-01"]
    with pytest.raises(click.UsageError):
        ask(context, subscription, *words, "--seller-parts", parts)
