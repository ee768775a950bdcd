from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from sqlalchemy.orm import Session

from provision.commands.books.report import report
from provision.commands.shared.context import Context
from provision.commands.shared.sections import COMMANDS
from provision.errors import PaquetError
from provision.shipped import share
from tests.integration.subscriptions.commanding import ask, settled
from tests.integration.subscriptions.reporting_shop import build, year_begins

if TYPE_CHECKING:
    from pathlib import Path


UNTIL = ("--until", "2026-03-31")


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> Context:
    """A registry in which the year has begun; reports only read it."""
    folder = tmp_path_factory.mktemp("reports")
    made = settled(folder)
    with Session(made.engine, expire_on_commit=False) as session:
        world = build(session)
        world.supporter.name = "=cmd()"
        year_begins(world)
    return made


def test_all_figures_are_shown_as_exact_numbers(context: Context) -> None:
    found = json.loads(ask(context, report, "show", *UNTIL, "--json").stdout)
    assert found["received"][0] == {
        "kind": "business",
        "beneficiary": "Boutique Libre",
        "role": "service",
        "cents": 9_100,
        "basis_points": 5_833,
    }
    assert found["movements"][-1]["closing_cents"] == 1_833
    assert found["pledges"] == []


def test_one_figure_is_shown_in_the_words_of_people(context: Context) -> None:
    words = ("show", *UNTIL, "--section", "received")
    said = ask(context, report, *words).stdout
    assert said.splitlines()[1] == "received"
    assert "91,00\u00a0€" in said
    assert "58,3\u202f%" in said
    assert "movements" not in said
    english = ask(context, report, *words, "--language", "en").stdout
    assert "€91.00" in english


def test_a_share_of_what_left_is_shown_as_percent(context: Context) -> None:
    said = ask(context, report, "show", *UNTIL, "--section", "churn").stdout
    assert "35,3\u202f%" in said  # 10.00 of 28.33 € left with Lise


def test_each_figure_is_a_file_in_which_no_name_is_a_formula(
    context: Context, tmp_path: Path
) -> None:
    ask(context, report, "csv", *UNTIL, "--to", str(tmp_path / "out"), "--yes")
    content = (tmp_path / "out" / "received.csv").read_text(encoding="utf-8-sig")
    assert content.splitlines() == [
        "kind;beneficiary;role;eur;basis_points",
        "business;Boutique Libre;service;91,00;5833",
        "association;'=cmd();service;39,00;2500",
        "tax;TVA;tax;26,00;1667",
    ]
    assert not (tmp_path / "out" / "pledges.csv").exists()
    assert (tmp_path / "out" / "received.csv").stat().st_mode & 0o777 == 0o600


def test_an_english_file_has_commas_and_points(context: Context, tmp_path: Path) -> None:
    ask(context, report, "csv", *UNTIL, "--to", str(tmp_path), "--language", "en", "--yes")
    content = (tmp_path / "received.csv").read_bytes()
    assert b"association,'=cmd(),service,39.00,2500\r\n" in content
    assert b"VAT" in content


def test_the_page_is_whole_and_needs_nothing_else(context: Context, tmp_path: Path) -> None:
    facts = tmp_path / "facts.toml"
    facts.write_text('title = "Le <b>Paquet</b>"', encoding="utf-8")
    file = tmp_path / "new" / "report.html"
    words = [*UNTIL, "--to", str(file), "--facts", str(facts), "--json"]
    said = json.loads(ask(context, report, "page", *words, "--yes").stdout)
    page = file.read_text(encoding="utf-8")
    assert said == {"file": str(file), "bytes": len(page.encode())}
    assert page.rstrip().endswith("</html>")
    assert "Le &lt;b&gt;Paquet&lt;/b&gt;" in page
    assert "156,00\u00a0€" in page
    assert "http://" not in page.replace("http://www.w3.org", "")


def test_without_a_title_the_operator_signs(context: Context, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    ask(context, report, "page", *UNTIL, "--to", str(file), "--language", "en", "--yes")
    assert "· Les Amis</title>" in file.read_text(encoding="utf-8")


def test_a_model_is_solved_without_a_registry(tmp_path: Path) -> None:
    nowhere = Context(tmp_path / "none.toml")
    example = str(share("templates") / "model.example.toml")
    found = json.loads(ask(nowhere, report, "model", example, "--json").stdout)
    assert found["model"][0]["cost_cents"] == 250_000
    assert found["model"][0]["break_even"] == 427
    assert "€2,500.00" in ask(nowhere, report, "model", example).stdout


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("show", "--until", "2026-03-30"), "is not the last day of a month"),
        (("show", "--section", "gold"), "There is no figure 'gold'"),
        (("show", "--organisation", "Gold"), "There is no organisation Gold"),
        (("show", "--territory", "Gold"), "at home in Gold"),
        (("page", "--yes", "--to", "/dev/null/page"), "/dev/null/page cannot be written"),
        (("csv", "--yes", "--to", "/dev/null/tables"), "cannot be written"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_sentence(
    context: Context, words: tuple[str, ...], why: str
) -> None:
    more = () if "--until" in words else UNTIL
    with pytest.raises(PaquetError, match=why):
        ask(context, report, *words, *more)


def loaded(pytestconfig: pytest.Config, modules: str) -> set[str]:
    """Return which big libraries come with modules of ours."""
    big = ("matplotlib", "weasyprint", "lxml", "schwifty")
    question = f"import sys, {modules}; print(*(one for one in {big} if one in sys.modules))"
    command = [sys.executable, "-c", question]
    answer = subprocess.run(
        command, check=True, cwd=pytestconfig.rootpath, capture_output=True, text=True
    )
    return set(answer.stdout.split())


@pytest.mark.parametrize("name", ["report", "books", "subscription", "settlement"])
def test_tables_wait_for_no_charts_papers_or_statements(
    pytestconfig: pytest.Config, name: str
) -> None:
    assert loaded(pytestconfig, f"provision.commands.{COMMANDS[name].module}") == set()


def test_only_the_page_and_rehearsals_wait_for_charts(pytestconfig: pytest.Config) -> None:
    others = [one.module for name, one in COMMANDS.items() if name != "rehearse"]
    modules = ", ".join(f"provision.commands.{module}" for module in others)
    assert "matplotlib" not in loaded(pytestconfig, modules)
