from __future__ import annotations

import pytest

from provision.errors import UsageRefused
from provision.telephones import telephone


@pytest.mark.parametrize(
    "number",
    [
        "02 31 00 00 00",
        "02.31.00.00.00",
        "0231000000",
        "+33 2 31 00 00 00",
        "+33 (0)2 31 00 00 00",
        "0033 2 31 00 00 00",
        "+32 470 12 34 56",
        "+49 30/901820",
    ],
)
def test_a_number_that_can_be_dialled_stays_as_it_was_typed(number: str) -> None:
    assert telephone(number) == number


def test_spaces_are_made_single() -> None:
    assert telephone(" 02 31\t00  00 00 ") == "02 31 00 00 00"


@pytest.mark.parametrize(
    ("number", "hint"),
    [
        ("", "Write it like"),
        ("on request", "Write it like"),
        ("++33 2 31 00 00 00", "Write it like"),
        ("02 31 00 00 00 (mornings)", "Write it like"),
        ("02 31 00 00 00\x1b[2J", "Write it like"),
        ("٠٢ ٣١ ٠٠ ٠٠ ٠٠", "Write it like"),
        ("12", "6 to 15 digits"),
        ("02 31 00 00 00 02 31 00 00", "6 to 15 digits"),
        ("+33 2 31 00 00 0", "9 digits"),
        ("+33 (0)2 31 00 00 00 0", "9 digits"),
    ],
)
def test_what_nobody_can_dial_is_refused_with_a_hint(number: str, hint: str) -> None:
    with pytest.raises(UsageRefused, match="is not a telephone number") as refused:
        telephone(number)
    assert hint in refused.value.hint
