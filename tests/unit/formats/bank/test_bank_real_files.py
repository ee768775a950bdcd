"""Files as banks write them, which were refused once: each is read, to the cent."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.formats.bank import mappings, reading
from provision.formats.bank.statements import StatementRefused

if TYPE_CHECKING:
    from provision.formats.bank.statements import Statement

FILES = Path(__file__).parent / "files"
ACCOUNT = "FR7630006000011234567890189"


def read(name: str, old: str = "", new: str = "") -> Statement:
    content = (FILES / name).read_text("utf-8").replace(old, new, 1)
    mapping = FILES / Path(name).with_suffix(".toml").name
    (found,) = reading.read(
        content.encode(), name, mappings.read(mapping) if mapping.exists() else None
    )
    return found


def test_balances_of_cfonb_without_a_currency_are_euros() -> None:
    found = read("cfonb-no-currency.txt")
    assert (found.opening, found.closing) == (100_000, 110_000)
    assert [one.units for one in found.movements] == [10_000]
    assert found.movements[0].text == "VIR SEPA ABONNE F2026-000001"


def test_another_currency_in_cfonb_is_still_refused() -> None:
    with pytest.raises(StatementRefused, match="is in “USD”"):
        read("cfonb-no-currency.txt", "EUR2", "USD2")


def test_a_time_behind_a_day_of_a_csv_is_not_read() -> None:
    found = read("csv-date-with-time.csv")
    assert [(one.booked_on, one.units) for one in found.movements] == [(date(2026, 3, 1), 1200)]


@pytest.mark.parametrize(
    "written", ["01-03-2026T10:22", "01-03-2026 10h22", "01-03-2026, 10:22 UTC"]
)
def test_times_are_written_in_many_ways(written: str) -> None:
    found = read("csv-date-with-time.csv", "01-03-2026 10:22:11", written)
    assert found.movements[0].booked_on == date(2026, 3, 1)


@pytest.mark.parametrize("written", ["01-03-2026 soon", "01-03-202610:22", "01-03-2026 2"])
def test_what_is_no_time_is_refused(written: str) -> None:
    with pytest.raises(StatementRefused, match="is not written dd-mm-yyyy"):
        read("csv-date-with-time.csv", "01-03-2026 10:22:11", written)


def test_lines_that_a_rule_leaves_out_are_no_movements() -> None:
    rows = """Jour;Tiers;Montant;Statut
01/03/2026;Jean;12,00;completed
02/03/2026;Paul;99,00;Declined
"""
    mapping = """account = "FR7630006000011234567890189"
[columns]
booked = "Jour"
text = ["Tiers"]
amount = "Montant"
[balances]
opening = "0.00"
closing = "12.00"
[[leave_out]]
column = "Statut"
values = ["declined", "reverted"]
"""
    (found,) = reading.read(rows.encode(), "banque.csv", mappings.parse(mapping))
    assert [one.units for one in found.movements] == [1200]
    with pytest.raises(StatementRefused, match="0 columns “Status”"):
        reading.read(rows.encode(), "x", mappings.parse(mapping.replace("Statut", "Status")))


def test_a_line_of_a_text_may_begin_with_a_colon_in_mt940() -> None:
    found = read("mt940-wrapped-86.sta")
    assert (found.account, [one.units for one in found.movements]) == (ACCOUNT, [3000])
    assert "RENDEZ-VOUS 12" in found.movements[0].text
    assert "12:11 HEURES" in found.movements[0].text


@pytest.mark.parametrize("wrapped", [":20:30 HEURES", ":21:00 HEURES", ":13:05 HEURES", ":99:1"])
def test_a_time_that_looks_like_another_field_goes_on_with_the_text(wrapped: str) -> None:
    found = read("mt940-wrapped-86.sta", ":12:11 HEURES", wrapped)
    assert wrapped.strip(":").partition(" ")[0] in found.movements[0].text


def test_a_field_out_of_place_is_still_refused() -> None:
    with pytest.raises(StatementRefused, match="has the field 12"):
        read("mt940-wrapped-86.sta", ":28C:00001/001", ":12:00001/001")


def test_a_card_beside_an_account_is_left_out_in_ofx() -> None:
    found = read("ofx-bank-and-card.ofx")
    assert found.account == ACCOUNT
    assert [one.units for one in found.movements] == [100_000, -5230]
    assert (found.opening, found.closing) == (325_000, 419_770)
