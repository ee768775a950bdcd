from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision import money
from provision.formats.books import plaintext_names
from provision.money import HOUR, Amount, Commodity, MoneyRefused


@pytest.mark.parametrize(
    ("written", "seconds"),
    [("2", 7200), ("1:30", 5400), ("0:45", 2700), (" 1:00:15 ", 3615), ("100", 360_000)],
)
def test_hours_are_read_with_minutes_and_seconds(written: str, seconds: int) -> None:
    assert money.parse(written, HOUR) == Amount(HOUR, seconds)


@pytest.mark.parametrize(
    "written",
    ["", "1:5", "1:60", "1.5", "1,5", ":30", "1:30:", "1:30:60", "-1:30", "1234567", "١:٣٠"],
)
def test_what_is_not_exactly_a_time_is_refused(written: str) -> None:
    with pytest.raises(MoneyRefused, match="time"):
        money.parse(written, HOUR)


@given(st.integers(-(10**9), 10**9))
def test_hours_that_are_written_plainly_read_back(seconds: int) -> None:
    amount = Amount(HOUR, seconds)
    assert money.parse(money.plain(amount), HOUR, negative=True) == amount


@pytest.mark.parametrize("language", ["fr", "en"])
def test_hours_are_shown_alike_in_both_languages(language: str) -> None:
    assert money.show(Amount(HOUR, 5400), language) == "1:30\u00a0h"
    assert money.show(Amount(HOUR, -3615), language) == "-1:00:15\u00a0h"


def test_a_local_currency_is_known_by_its_code_and_never_added_to_euros() -> None:
    rollon = money.find_commodity("MLCROLLON")
    assert rollon == Commodity("MLCROLLON", "ROLLON", 2)
    assert money.find_commodity("HOUR") == HOUR
    assert money.show(Amount(rollon, 1250), "fr") == "12,50\u00a0ROLLON"
    with pytest.raises(MoneyRefused, match="cannot be added up"):
        Amount(rollon, 1) + money.euros(1)


@pytest.mark.parametrize("code", ["MLC", "MLCx", "mlcrollon", "MLCROLLON1234567", "ROLLON"])
def test_other_codes_are_not_known(code: str) -> None:
    with pytest.raises(MoneyRefused, match="is not known"):
        money.find_commodity(code)


@pytest.mark.parametrize("code", ["MLCROLLON", "HOUR"])
def test_plain_text_journals_can_name_them(code: str) -> None:
    assert plaintext_names.written(money.find_commodity(code)).name in {"MLCROLLON", "SECOND"}
