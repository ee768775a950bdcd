from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision import shipped
from provision.errors import PaquetError
from provision.formats.bank import mappings
from tests.unit.formats.bank.bank_examples import (
    ACCOUNT,
    COLUMNS,
    CSV,
    WITH_BALANCES,
    WITH_COLUMN,
    changed,
    movements,
    read_one,
    why_refused,
)

if TYPE_CHECKING:
    from pathlib import Path

SIGNED = f"""
account = "{ACCOUNT}"
separator = ","
decimal = "."
date = "yyyy-mm-dd"
skip = 1
header = false
[columns]
booked = 1
text = [2, 3]
amount = 4
[balances]
opening = "0"
closing = "-3.50"
"""
ROWS = "Compte courant\n2026-01-02,loyer,local,-13.50\n2026-01-03,don,,10\n"


def test_the_newest_movement_may_stand_first() -> None:
    assert CSV.splitlines()[1].startswith("20/01/2026")
    statement = read_one(CSV, WITH_COLUMN)
    assert [one.units for one in statement.movements] == [3600, -1200, 1010]
    assert (statement.opening, statement.closing) == (100_000, 103_410)


def test_the_oldest_movement_may_stand_first() -> None:
    header, *rows = CSV.splitlines()
    turned = "\n".join([header, *rows[::-1]])
    assert read_one(turned, WITH_COLUMN).movements == read_one(CSV, WITH_COLUMN).movements


def test_columns_may_be_numbers_and_amounts_signed() -> None:
    rent, gift = movements(ROWS, mappings.parse(SIGNED))
    assert (rent.units, rent.text, gift.units) == (-1350, "loyer local", 1000)


@pytest.mark.parametrize(
    ("pattern", "written"),
    [
        ("dd/mm/yyyy", "02/01/2026"),
        ("dd/mm/yy", "02/01/26"),
        ("dd-mm-yyyy", "02-01-2026"),
        ("dd.mm.yyyy", "02.01.2026"),
        ("yyyy-mm-dd", "2026-01-02"),
        ("yyyymmdd", "20260102"),
        ("mm/dd/yyyy", "01/02/2026"),
    ],
)
def test_every_way_to_write_a_day_is_read(pattern: str, written: str) -> None:
    mapping = mappings.parse(SIGNED.replace("yyyy-mm-dd", pattern))
    rows = ROWS.replace("2026-01-02", written).replace("2026-01-03", written)
    assert {one.booked_on for one in movements(rows, mapping)} == {date(2026, 1, 2)}


def test_the_example_that_we_ship_reads_the_sample() -> None:
    example = shipped.share("templates") / "bank-csv.example.toml"
    text = example.read_text(encoding="utf-8").replace('"1018.00"', '"1034.10"')
    account = mappings.parse(text).account
    own = text.replace("FR76 0000 0000 0000 0000 0000 097", ACCOUNT)
    assert read_one(CSV, mappings.parse(own)).movements == read_one(CSV, WITH_COLUMN).movements
    with pytest.raises(PaquetError, match="account is still that of the example") as refused:
        mappings.read(example)
    assert account != ACCOUNT
    assert refused.value.hint


def test_a_csv_without_mapping_is_refused_with_the_way_out() -> None:
    assert "neither camt.053, OFX, MT940 nor CFONB 120" in why_refused(CSV)


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("1 034,10", "1 034,11", "running balance"),
        (";10,10;", ";10,11;", "running balance"),
        (";;10,10;", ";-1,00;10,10;", "not exactly one of debit and credit"),
        (";;10,10;", ";;;", "not exactly one of debit and credit"),
        (";;10,10;", ";;-10,10;", "not exactly one of debit and credit"),
        (";;10,10;", ";;10.10;", "“10.10” is not an amount"),
        (";;10,10;", ";;1 0,10;", "is not an amount"),
        (";;10,10;", ";;=1+1;", "is not an amount"),
        (";;10,10;", ";;10,10;;", "has 7 columns instead of 6"),
        ("20/01/2026", "01-20-2026", "is not written dd/mm/yyyy"),
        ("20/01/2026", "31/02/2026", "is not a day"),
        ("20/01/2026", "20/01/1926", "1926-01-20 cannot be"),
        ("Débit", "Debit", "0 columns “Débit”"),
        ("Libellé", "Débit", "2 columns “Débit”"),
        ('"VIR', "VIR", "has 7 columns"),
        ('0004";', '0004"x;', "expected after"),
    ],
)
def test_a_csv_that_is_not_right_is_refused(old: str, new: str, why: str) -> None:
    assert why in why_refused(changed(CSV, old, new), WITH_COLUMN)


def test_a_row_that_is_missing_is_noticed() -> None:
    lines = CSV.splitlines()
    assert "running balance" in why_refused("\n".join(lines[:2] + lines[3:]), WITH_COLUMN)
    assert "does not add up" in why_refused("\n".join(lines[:3]), WITH_BALANCES)


def test_the_wrong_encoding_is_said() -> None:
    assert "is not written in utf-8" in why_refused(CSV.encode("cp1252"), WITH_COLUMN)
    windows = mappings.parse(f'encoding = "cp1252"\n{COLUMNS}balance = "Solde"\n')
    assert read_one(CSV, WITH_COLUMN).opening == 100_000
    assert "0 columns" in why_refused(CSV, windows)


def test_another_currency_is_refused() -> None:
    lines = CSV.splitlines()
    text = "\n".join([f"{lines[0]};Devise", *(f"{line};USD" for line in lines[1:])])
    mapping = mappings.parse(f'{COLUMNS}balance = "Solde"\ncurrency = "Devise"\n')
    assert "in “USD”" in why_refused(text, mapping)
    assert read_one(text.replace("USD", "EUR"), mapping).closing == 103_410


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (ACCOUNT, "FR00", "account: The account “FR00” is neither"),
        ('booked = "Date"', "", "columns, booked: Field required"),
        ('credit = "Crédit"', "", "give either amount, or debit and credit"),
        ('credit = "Crédit"', 'credit = "Crédit"\namount = 3', "give either amount"),
        ('text = ["Libellé"]', "text = []", "columns, text: "),
        ("[columns]", "header = false\n[columns]", "the columns have numbers only"),
        ("[columns]", "colour = 1\n[columns]", "colour: "),
        ("[columns]", 'date = "%d"\n[columns]', "date: "),
        ("[columns]", 'encoding = "utf-7"\n[columns]', "encoding: "),
        ("[columns]", "[columns", "this is not TOML"),
        ('"Date"', "0", "columns, booked"),
    ],
)
def test_each_mistake_in_a_mapping_gets_one_sentence(old: str, new: str, why: str) -> None:
    text = f'{COLUMNS}balance = "Solde"\n'
    with pytest.raises(PaquetError, match=why) as refused:
        mappings.parse(changed(text, old, new))
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("end", ["", 'balance = "Solde"\n[balances]\nopening="0"\nclosing="0"\n'])
def test_the_balances_come_from_exactly_one_place(end: str) -> None:
    with pytest.raises(PaquetError, match="either a balance column or"):
        mappings.parse(COLUMNS + end)


def test_a_balance_is_written_in_quotes() -> None:
    with pytest.raises(PaquetError, match="balances, opening: write it in quotes"):
        mappings.parse(f'{COLUMNS}[balances]\nopening = 1000.0\nclosing = "1"\n')


def test_a_mapping_that_is_no_text_is_refused_by_its_name(tmp_path: Path) -> None:
    file = tmp_path / "bank.toml"
    file.write_bytes(b"\xff\xfe")
    with pytest.raises(PaquetError, match=r"bank\.toml cannot be read"):
        mappings.read(file)
