from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import UsageRefused
from provision.formats.sepa import identifiers
from tests.unit.formats.sepa.sepa_examples import BRITISH, FRENCH, IDENTIFIER

NUMBERS = st.integers(1, identifiers.MOST_NUMBER)
SERIES = st.from_regex(r"[A-Z0-9]([A-Z0-9-]{0,6}[A-Z0-9])?", fullmatch=True)


@pytest.mark.parametrize(
    "typed",
    [
        FRENCH,
        FRENCH.lower(),
        "FR76 3000 6000 0112 3456 7890 189",
        " fr76\u00a03000\u202f6000 0112 3456 7890 189\n",
    ],
)
def test_an_iban_is_taken_however_it_is_spaced(typed: str) -> None:
    assert identifiers.iban(typed) == FRENCH


@pytest.mark.parametrize("right", [FRENCH, "FR1420041010050500013M02606", BRITISH])
def test_an_iban_with_one_wrong_digit_is_refused(right: str) -> None:
    for place, digit in enumerate(right):
        for other in set("0123456789") - {digit}:
            with pytest.raises(UsageRefused):
                identifiers.iban(right[:place] + other + right[place + 1 :])


def test_an_iban_with_two_neighbours_swapped_is_refused() -> None:
    for place, (one, two) in enumerate(pairwise(FRENCH)):
        if one != two:
            with pytest.raises(UsageRefused):
                identifiers.iban(FRENCH[:place] + two + one + FRENCH[place + 2 :])


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("BR1800360305000010009795493C1", "outside the SEPA area"),
        ("TR330006100519786457841326", "outside the SEPA area"),
        ("XX0012345678", "no country of IBANs"),
        (FRENCH[:-1], "too long or too short for FR"),
        (FRENCH + "9", "too long or too short for FR"),
        ("FR7630006000011234567890188", "wrong letter or digit"),
        ("FR4930006000011234567890188", "wrong letter or digit"),  # right for ISO, not for France
        ("DE8937040044053201300X", "is not an IBAN"),
        ("", "is not an IBAN"),
        ("=cmd()", "is not an IBAN"),
        ("ﬁ7630006000011234567890189", "is not an IBAN"),
        ("FR763000600001123456789018٩", "is not an IBAN"),
        ("A" * 5000, "is not an IBAN|no country"),
    ],
)
def test_what_is_no_iban_of_sepa_is_refused_in_one_sentence(typed: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why) as refused:
        identifiers.iban(typed)
    assert len(refused.value.message) < 200
    assert "\n" not in refused.value.message


@pytest.mark.parametrize("country", ["AL47212110090000000235698741", "MD24AG000225100013104168"])
def test_the_countries_that_joined_lately_are_taken(country: str) -> None:
    assert identifiers.iban(country) == country


def test_an_account_outside_the_economic_area_is_known_as_such() -> None:
    assert identifiers.leaves_the_economic_area(BRITISH)
    assert not identifiers.leaves_the_economic_area(FRENCH)


def test_the_bank_of_an_iban_is_found_when_the_registers_know_it() -> None:
    assert identifiers.bic_of(FRENCH) == "AGRIFRPPXXX"
    assert identifiers.bic_of(BRITISH) == ""


@pytest.mark.parametrize("typed", ["AGRIFRPP", "agrifrppxxx ", "PSSTFRPPXXX"])
def test_a_bic_is_taken(typed: str) -> None:
    assert identifiers.bic(typed) == typed.strip().upper()


@pytest.mark.parametrize("typed", ["", "AGRIFRP", "AGRIFRPPXX", "AGR1FRPP", "ıGRIFRPP", "=cmd()aa"])
def test_what_is_no_bic_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused, match="is not a BIC"):
        identifiers.bic(typed)


@pytest.mark.parametrize(
    "typed", [IDENTIFIER, "fr72 zzz 123456", "FR72ABC123456", "DE98ZZZ09999999999"]
)
def test_a_creditor_identifier_is_taken(typed: str) -> None:
    assert identifiers.creditor_identifier(typed) == typed.replace(" ", "").upper()


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("FR73ZZZ123456", "wrong key"),
        ("FR72ZZZ123457", "wrong key"),
        ("FR72ZZZ12345", "is not a SEPA creditor"),
        ("FR72ZZZ1234567", "is not a SEPA creditor"),
        ("", "is not a SEPA creditor"),
        ("ﬀ72ZZZ123456", "is not a SEPA creditor"),
        ("FR72++()ZZZ123456", "is not a SEPA creditor"),
    ],
)
def test_what_is_no_creditor_identifier_is_refused(typed: str, why: str) -> None:
    with pytest.raises(UsageRefused, match=why):
        identifiers.creditor_identifier(typed)


def test_a_creditor_stays_the_same_under_another_business_code() -> None:
    assert identifiers.same_creditor("FR72ZZZ123456", "FR72ABC123456")
    assert not identifiers.same_creditor("FR72ZZZ123456", "FR72ZZZ123457")


def test_a_mandate_reference_is_made_of_the_code_and_the_number() -> None:
    assert identifiers.mandate_reference("topo", 42) == "TOPO-000042"
    assert len(identifiers.mandate_reference("A" * 20, identifiers.MOST_NUMBER)) <= 35


@pytest.mark.parametrize("code", ["", "-A", "A" * 21, "A B", "é", "A/", "=cmd()"])
def test_a_code_that_no_bank_would_take_is_refused(code: str) -> None:
    with pytest.raises(UsageRefused, match="cannot begin a mandate reference"):
        identifiers.mandate_reference(code, 1)


@pytest.mark.parametrize("number", [0, -1, 10**10, 10**20, True, 1.0, "1"])
def test_a_number_that_cannot_be_counted_is_refused(number: int) -> None:
    with pytest.raises(UsageRefused, match="is not the number of a mandate"):
        identifiers.mandate_reference("TOPO", number)
    with pytest.raises(UsageRefused, match="is not the number of a"):
        identifiers.end_to_end("F", 1, number)


def test_a_debit_that_is_tried_again_has_another_reference() -> None:
    assert identifiers.end_to_end("F2026", 123, 1) == "F2026-123-1"
    assert identifiers.end_to_end("F2026", 123, 2) == "F2026-123-2"


@given(st.tuples(SERIES, NUMBERS, NUMBERS), st.tuples(SERIES, NUMBERS, NUMBERS))
def test_two_debits_never_share_a_reference(
    one: tuple[str, int, int], other: tuple[str, int, int]
) -> None:
    assert (identifiers.end_to_end(*one) == identifiers.end_to_end(*other)) == (one == other)


def test_a_reference_that_would_be_too_long_is_refused() -> None:
    with pytest.raises(UsageRefused, match="cannot be the reference of a debit"):
        identifiers.end_to_end("S" * 30, 1000, 10)
