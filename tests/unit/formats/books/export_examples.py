"""The journals that the tests of the exports share: one to look at, and any number drawn."""

from __future__ import annotations

import os
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import strategies as st

from provision.formats.books.booked import Booked, BookedLine
from provision.formats.books.fec import Exercise
from provision.money import EUR, Amount, Commodity

GOLDEN = Path(__file__).parents[3] / "golden" / "money" / "exports"
HOUR = Commodity("HOUR", "h", 0)  # counted in whole seconds
CAIRN = Commodity("CAIRN38", "c", 2)
JEANNE, SHOP, FUND = f"person-{'0a' * 12}", "organisation-3", "fund-2"
EXERCISE = Exercise("732829320", date(2026, 1, 1), date(2026, 12, 31))


def line(account: str, units: int, party: str = "", commodity: Commodity = EUR) -> BookedLine:
    """Return a line whose labels are those of the account and the party."""
    labels = {"411": "Clients", "706": "Prestations de services", "44571": "TVA collectée"}
    parties = {JEANNE: "Jeanne Lefèvre", SHOP: "L'atelier du Trièves", FUND: "Fonds commun"}
    label = labels.get(account, f"Compte {account}")
    return BookedLine(account, label, party, parties.get(party, ""), commodity, units)


def entry(number: int, journal: str, day: date, lines: tuple[BookedLine, ...]) -> Booked:
    """Return an entry of this day, recorded the same day, with a piece of its number."""
    return Booked(
        number, journal, day, day, f"F2026-{number:04}", day, f"Abonnement {number}", lines
    )


OPENING = (line("512", 150_000), line("411", 0), line("110", -150_000))
JOURNAL = (
    entry(
        1,
        "VT",
        date(2026, 1, 31),
        (
            replace(line("411", 1200, JEANNE), letter="A", lettered_on=date(2026, 2, 5)),
            line("706", -1000),
            line("44571", -200),
        ),
    ),
    entry(
        2,
        "BQ",
        date(2026, 2, 5),
        (
            line("512", 1200),
            replace(line("411", -1200, JEANNE), letter="A", lettered_on=date(2026, 2, 5)),
        ),
    ),
    entry(3, "OD", date(2026, 2, 28), (line("864", 5400, "", HOUR), line("875", -5400, "", HOUR))),
    entry(
        4,
        "AC",
        date(2026, 3, 31),
        (
            replace(line("604", 30001), foreign=Amount(Commodity("CHF", "CHF", 2), 29000)),
            line("401", -30001, SHOP),
            line("530", -500, "", CAIRN),
            line("411", 500, JEANNE, CAIRN),
        ),
    ),
)

# What a name may hold that could become a field, a line, a posting, a comment or a formula.
HOSTILE = [
    "=1+1",
    "\t",
    "\r\n",
    "|",
    ";",
    '"',
    "\\",
    "; date:2020-01-01",
    "[2020-01-01]",
    "\n2026-01-01 * x\n  Assets:411  1 EUR\n  Income:706\n",
    "\n    assets:411  5.00 EUR\n",
    "\u202eevil",
    "\u2028",
    "\x00",
    "\x85",
    "\ud800",
    "é" * 200,
    "e\u0301",
    "{{ 7 * 7 }}",
    "* ! (x) =2026-02-02 ",
]
TEXTS = st.lists(st.one_of(st.sampled_from(HOSTILE), st.text(max_size=6)), max_size=4).map("".join)
ACCOUNTS = st.sampled_from(
    [
        *("101", "164", "194", "218", "401", "409", "411", "4191", "44566", "44571", "467", "487"),
        *("486", "512", "5191", "530", "604", "6411", "706", "7561", "864", "875"),
    ]
)
PARTIES = st.sampled_from(["", JEANNE, SHOP, FUND])
DAYS = st.dates(EXERCISE.first_day, EXERCISE.last_day)
UNITS = st.one_of(st.integers(1, 9), st.integers(1, 10**12)).flatmap(
    lambda units: st.sampled_from([units, -units])
)


LETTERS = st.sampled_from([("", None), ("A", date(2026, 2, 5)), ("AB", date(2026, 12, 31))])


@st.composite
def balanced_lines(draw: st.DrawFn, commodity: Commodity, text: str) -> tuple[BookedLine, ...]:
    """Draw lines of one commodity that come to zero; the last one makes up for the others."""
    amounts = draw(st.lists(UNITS, min_size=1, max_size=3))
    amounts += [-sum(amounts)] if sum(amounts) else [7, -7]
    return tuple(
        BookedLine(draw(ACCOUNTS), text, draw(PARTIES), text, commodity, units, *draw(LETTERS))
        for units in amounts
    )


@st.composite
def _entries(draw: st.DrawFn, number: int) -> Booked:
    commodities = draw(st.sampled_from([[EUR], [EUR], [HOUR], [EUR, CAIRN], [HOUR, CAIRN, EUR]]))
    text = draw(TEXTS)
    return Booked(
        number=number,
        journal=draw(st.sampled_from(["VT", "AC", "BQ", "OD"])),
        effective_on=draw(DAYS),
        recorded_on=date(2026, 1, 1) + timedelta(days=number),
        piece=text[::-1],
        piece_on=date(2025, 12, 31),
        text=text,
        lines=tuple(one for each in commodities for one in draw(balanced_lines(each, text))),
    )


@st.composite
def journals(draw: st.DrawFn) -> tuple[Booked, ...]:
    """Draw up to five entries that balance, in the order in which they were validated."""
    count = draw(st.integers(1, 5))
    return tuple(draw(_entries(number)) for number in range(1, count + 1))


def assert_golden(name: str, content: bytes) -> None:
    """Compare with the golden file; PAQUET_GOLDEN=write writes it, and still fails once."""
    path = GOLDEN / name
    there = path.read_bytes() if path.exists() else None
    if os.environ.get("PAQUET_GOLDEN") == "write" and there != content:
        path.write_bytes(content)
        pytest.fail(f"{path} was written: read the difference, then run again without it")
    assert there is not None, f"{path} is missing: write it with PAQUET_GOLDEN=write"
    assert content == there
