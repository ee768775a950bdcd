"""What commands print: nothing that counts is ever broken, and a pipe gets all of it."""

from __future__ import annotations

import json
from datetime import datetime
from functools import partial

import click
import pytest
from rich.console import Console

from provision.commands.shared import tables
from provision.commands.shared.tables import show
from provision.money import euros

DIGEST = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
WIDE = {
    "number": "F2026-000001",
    "for": "Jeanne d'Arc-de-la-Très-Longue-Rue et fils, boulangerie de la place du marché",
    "email": "jeanne.tres.longue.adresse@exemple.example.test",
    "due": "2026-11-29",
    "gross": euros(123_456_789_00),
}


def printed(capsys: pytest.CaptureFixture[str]) -> list[str]:
    return [line.rstrip() for line in click.unstyle(capsys.readouterr().out).splitlines()]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest) -> None:
    """Let tables believe that they are shown to somebody, this many columns wide."""
    shown = partial(Console, force_terminal=True, no_color=True, width=request.param)
    monkeypatch.setattr(tables, "Console", shown)


def test_what_holds_others_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    where = {"lines": ("9 rue Haute", "B"), "note": "", "postcode": "14400", "none": None}
    facts = {"address": where, "days": ("2026-11-28",), "nobody": {"kind": ""}}
    show(facts, "fr", as_json=False)
    assert printed(capsys) == [
        "address  lines: 9 rue Haute, B, postcode: 14400",
        "days     2026-11-28",
        "nobody",
    ]


def test_a_list_within_a_thing_is_a_table_under_it(capsys: pytest.CaptureFixture[str]) -> None:
    rows = [{"step": "names", "seconds": 0.2}, {"step": "bundle", "seconds": 4.5}]
    show({"order": 1, "none": [], "steps": rows}, "fr", as_json=False)
    assert printed(capsys) == [
        "order  1",
        "none",
        "",
        "steps:",
        "step    seconds",
        "names   0.2",
        "bundle  4.5",
    ]


@pytest.mark.parametrize(
    ("language", "shown"), [("fr", "1\u202f234,50\u00a0€"), ("en", "€1,234.50")]
)
def test_amounts_are_written_one_way_in_a_language(
    capsys: pytest.CaptureFixture[str], language: str, shown: str
) -> None:
    deep = {"sum": euros(1234_50), "each": [{"sum": euros(1234_50)}]}
    show([deep], language, as_json=False)
    show(deep, language, as_json=False)
    assert capsys.readouterr().out.count(shown) == 4


def test_amounts_are_exact_in_json(capsys: pytest.CaptureFixture[str]) -> None:
    show({"each": [{"sum": euros(5)}]}, "fr", as_json=True)
    assert json.loads(capsys.readouterr().out) == {
        "each": [{"sum": {"commodity": "EUR", "units": 5}}]
    }


def test_a_pipe_gets_each_row_on_a_line_whole(capsys: pytest.CaptureFixture[str]) -> None:
    show([{**WIDE, "digest": DIGEST}], "fr", as_json=False)
    _titles, row = printed(capsys)
    assert all(word in row for word in (*str(WIDE["for"]).split(), DIGEST, str(WIDE["email"])))


@pytest.mark.parametrize("terminal", [110, 80, 40], indirect=True)
@pytest.mark.usefixtures("terminal")
def test_nothing_that_counts_is_broken_on_a_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    at = datetime.fromisoformat("2026-11-29T16:05:00+00:00")
    show([{**WIDE, "at": at}], "fr", as_json=False)
    lines = printed(capsys)
    for whole in (
        "F2026-000001",
        "jeanne.tres.longue.adresse@exemple.example.test",
        "2026-11-29 16:05",
        "123\u202f456\u202f789,00\u00a0€",
        "d'Arc-de-la-Très-Longue-Rue",
    ):
        assert any(whole in line for line in lines), whole


@pytest.mark.parametrize("terminal", [80], indirect=True)
@pytest.mark.usefixtures("terminal")
def test_prose_is_folded_between_its_words(capsys: pytest.CaptureFixture[str]) -> None:
    show([{"number": "F1", "why": "un mot après l'autre " * 8}], "fr", as_json=False)
    lines = printed(capsys)
    assert len(lines) > 2
    assert all(len(line) <= 80 for line in lines)
