from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa.mandates import MandateParty, last_day, usable
from tests.unit.formats.sepa.sepa_examples import DUE, FRENCH, MANDATE, SHOP

if TYPE_CHECKING:
    from provision.formats.sepa.mandates import Mandate

NEVER_COLLECTED = replace(MANDATE, last_collected_on=None)


def test_a_signed_mandate_is_usable() -> None:
    usable(MANDATE, DUE)
    usable(NEVER_COLLECTED, dt.date(2026, 1, 5))


@pytest.mark.parametrize(
    ("mandate", "why"),
    [
        (replace(MANDATE, signed_on=None), "is not signed"),
        (replace(MANDATE, signed_on=DUE + dt.timedelta(days=1)), "after 2026-12-15"),
        (replace(MANDATE, iban=""), "names no account"),
        (replace(MANDATE, kind="OOFF"), "was for one debit"),
    ],
)
def test_a_mandate_that_authorises_nothing_is_refused(mandate: Mandate, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        usable(mandate, DUE)


def test_a_one_off_mandate_is_usable_once() -> None:
    usable(replace(NEVER_COLLECTED, kind="OOFF"), DUE)


@pytest.mark.parametrize(
    ("since", "last"),
    [("2024-01-15", "2027-01-15"), ("2024-02-29", "2027-02-28"), ("2023-03-31", "2026-03-31")],
)
def test_a_mandate_lives_36_calendar_months(since: str, last: str) -> None:
    assert last_day(dt.date.fromisoformat(since)).isoformat() == last


@pytest.mark.parametrize(
    "mandate",
    [
        replace(MANDATE, signed_on=dt.date(2020, 5, 4), last_collected_on=dt.date(2024, 1, 15)),
        replace(NEVER_COLLECTED, signed_on=dt.date(2024, 1, 15)),
    ],
    ids=["since the last collection", "since the signature"],
)
def test_a_mandate_is_void_after_36_months_and_a_day(mandate: Mandate) -> None:
    usable(mandate, dt.date(2027, 1, 15))
    with pytest.raises(PaquetError, match="void since 2027-01-15"):
        usable(mandate, dt.date(2027, 1, 16))


@pytest.mark.parametrize("year", [1900, 9999])
def test_a_debit_of_another_century_is_refused(year: int) -> None:
    with pytest.raises(PaquetError, match="cannot be the day of a debit"):
        usable(MANDATE, dt.date(year, 1, 4))
    with pytest.raises(PaquetError, match="cannot be the last use"):
        usable(replace(MANDATE, last_collected_on=dt.date(year, 1, 4)), DUE)


def test_a_mandate_keeps_its_identifiers_compact() -> None:
    typed = replace(MANDATE, iban="fr76 3000 6000 0112 3456 7890 189", bic="agrifrpp")
    assert (typed.iban, typed.bic) == (FRENCH, "AGRIFRPP")


@pytest.mark.parametrize(
    "wrong",
    [
        {"iban": "FR7630006000011234567890188"},
        {"bic": "AGRI"},
        {"creditor_identifier": "FR73ZZZ123456"},
        {"reference": "a b"},
        {"reference": ""},
        {"scheme": "B2B"},
        {"kind": "FNAL"},
    ],
)
def test_a_mandate_that_no_bank_would_take_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageRefused):
        replace(MANDATE, **wrong)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "two\nlines"},
        {"name": "a\u202eb"},
        {"name": "x" * 200},
        {"street": "two\nlines"},
        {"postcode": "1" * 17},
        {"town": "x" * 36},
        {"country": "FRA"},
        {"country": "fr"},
        {"country": "١٢"},
    ],
)
def test_a_party_is_lines_that_a_person_can_read(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageRefused):
        replace(SHOP, **wrong)


def test_a_party_may_have_no_address_yet() -> None:
    assert MandateParty("Jeanne <x> =cmd() 🥕").country == "FR"
