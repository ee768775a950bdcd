"""What is typed becomes values: days, and one frozen dataclass per command."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

import click
import pytest
from click.testing import CliRunner

from provision.commands.shared.words import day_type, name_type, typed


@dataclass(frozen=True)
class Visit:
    who: str
    on: date | None
    again: bool = False


@click.command()
@click.argument("who")
@click.option("--on", type=day_type)
@typed(Visit, "visit")
def command(visit: Visit) -> None:
    click.echo(repr(visit))


def said(*words: str) -> str:
    return CliRunner().invoke(command, words).output


def test_what_is_typed_is_one_value() -> None:
    assert said("Jeanne", "--on", "2026-01-31") == f"{Visit('Jeanne', date(2026, 1, 31))!r}\n"
    assert said("Jeanne") == f"{Visit('Jeanne', None)!r}\n"


@pytest.mark.parametrize(
    "wrong", ["2026-02-30", "20260131", "2026-W05-6", "31.1.2026", "tomorrow", "", "2026-01-31x"]
)
def test_what_is_no_day_is_refused_with_an_example(wrong: str) -> None:
    assert "is not a day: write it like 2026-01-31." in said("Jeanne", "--on", wrong)


@pytest.mark.parametrize("empty", ["", "  "])
def test_a_name_is_not_empty(empty: str) -> None:
    @click.command()
    @click.option("--sold-by", type=name_type)
    def sell(sold_by: str | None) -> None:
        click.echo(sold_by)

    refused = CliRunner().invoke(sell, ["--sold-by", empty])
    assert refused.exit_code == 2
    assert "'--sold-by': it is empty: give a name, or leave the option out." in refused.output
    assert CliRunner().invoke(sell, ["--sold-by", "Boutique"]).output == "Boutique\n"
