"""Other people's programs read our journals: three ways to add up, which must agree to the cent."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest
from beancount import loader
from beancount.ops import summarize
from hypothesis import HealthCheck, given, settings

from provision.formats.books import beancount, hledger
from provision.formats.books.balances import trial_balance
from provision.formats.books.plaintext_names import SECONDS, written
from tests.unit.formats.books.export_examples import JOURNAL, journals

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provision.formats.books.booked import Booked
    from provision.money import Commodity

HLEDGER = shutil.which("hledger")
needs_hledger = pytest.mark.skipif(HLEDGER is None, reason="hledger is not installed")
slow = settings(deadline=None, max_examples=50, suppress_health_check=list(HealthCheck))

Balances = dict[tuple[str, str], Decimal]


class Refused(Exception):
    """The program does not accept the journal."""


@dataclass(frozen=True)
class Oracle:
    """A program that adds up: how we write for it, what it calls an account, how it reads."""

    write: Callable[[str, tuple[Booked, ...]], str]
    account_name: Callable[[str], str]
    read: Callable[[str], Balances]


def read_with_beancount(text: str) -> Balances:
    entries, errors, _ = loader.load_string(text)
    if errors:
        raise Refused(errors)
    balances: Balances = {}
    for account, inventory in summarize.balance_by_account(entries)[0].items():
        for position in inventory:
            assert position.cost is None
            balances[account, position.units.currency] = position.units.number
    return balances


def read_with_hledger(text: str) -> Balances:
    """Add up with `balance`; `check` wants every account and commodity declared."""
    _hledger(text, "check", "--strict")
    table = _hledger(text, "balance", "--flat", "--empty", "--no-total", "--layout=bare", "-Ocsv")
    rows = csv.DictReader(io.StringIO(table))
    return {(row["account"], row["commodity"].strip('"')): Decimal(row["balance"]) for row in rows}


def _hledger(text: str, *words: str) -> str:
    done = subprocess.run(
        [str(HLEDGER), "--file=-", *words],
        input=text.encode(),
        env={**os.environ, "LC_ALL": "C.UTF-8"},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise Refused(done.stderr.decode())
    return done.stdout.decode()


BEANCOUNT = Oracle(beancount.journal, beancount.account_name, read_with_beancount)
ORACLES = [
    pytest.param(BEANCOUNT, id="beancount"),
    pytest.param(
        Oracle(hledger.journal, hledger.account_name, read_with_hledger),
        id="hledger",
        marks=needs_hledger,
    ),
]
each_oracle = pytest.mark.parametrize("oracle", ORACLES)


def expected(oracle: Oracle, entries: tuple[Booked, ...]) -> Balances:
    return {
        (oracle.account_name(one.account), written(one.commodity).name): in_figures(
            one.commodity, one.units
        )
        for one in trial_balance(entries)
        if one.units
    }


def in_figures(commodity: Commodity, units: int) -> Decimal:
    """Return the exact number that stands for these minor units; hours are seconds."""
    return Decimal(units).scaleb(-written(commodity).decimals)


@each_oracle
@slow
@given(entries=journals())
def test_any_journal_comes_to_the_same_balances(
    oracle: Oracle, entries: tuple[Booked, ...]
) -> None:
    found = oracle.read(oracle.write('T"; *', entries))
    assert {place: number for place, number in found.items() if number} == expected(oracle, entries)


@each_oracle
def test_one_cent_more_in_a_posting_is_refused(oracle: Oracle) -> None:
    text = oracle.write("Essai", JOURNAL)
    with pytest.raises(Refused):
        oracle.read(text.replace("  300.01 EUR", "  300.02 EUR", 1))


@each_oracle
def test_a_cent_moved_to_another_account_is_refused(oracle: Oracle) -> None:
    """The transaction still balances: only our balances at the end can tell."""
    text = oracle.write("Essai", JOURNAL)
    moved = text.replace("  -10.00 EUR", "  -10.01 EUR", 1).replace("  -2.00 EUR", "  -1.99 EUR", 1)
    assert moved != text
    with pytest.raises(Refused):
        oracle.read(moved)


@each_oracle
def test_a_second_and_a_local_cent_are_as_exact_as_a_cent(oracle: Oracle) -> None:
    text = oracle.write("Essai", JOURNAL)
    for old, new in (("  5400 SECOND", "  5401 SECOND"), ("  -5.00 ", "  -5.01 ")):
        assert old in text
        with pytest.raises(Refused):
            oracle.read(text.replace(old, new, 1))


@each_oracle
def test_an_entry_that_is_missing_is_refused(oracle: Oracle) -> None:
    first = oracle.write("Essai", JOURNAL).split("\n\n")
    with pytest.raises(Refused):
        oracle.read("\n\n".join([*first[:1], *first[2:]]))


@each_oracle
def test_hours_are_read_as_seconds(oracle: Oracle) -> None:
    found = oracle.read(oracle.write("Essai", JOURNAL))
    assert found[oracle.account_name("864"), SECONDS] == 5400


def test_beancount_alone_would_forgive_what_our_balances_do_not() -> None:
    """Why every balance says `~ 0`: without it Beancount lets a whole cent go."""
    text = beancount.journal("Essai", JOURNAL)
    wrong = text.replace("balance Assets:512  12.00 ~ 0 EUR", "balance Assets:512  12.01 ~ 0 EUR")
    with pytest.raises(Refused):
        read_with_beancount(wrong)
    assert read_with_beancount(re.sub(" ~ 0 EUR", " EUR", wrong))


def test_the_journals_can_be_read_from_files(tmp_path: Path) -> None:
    path = tmp_path / "journal.beancount"
    path.write_text(beancount.journal("Essai", JOURNAL), encoding="utf-8")
    entries, errors, options = loader.load_file(str(path))
    assert not errors
    assert options["title"] == "Essai"
    assert len([entry for entry in entries if type(entry).__name__ == "Transaction"]) == 4
