from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa import debit_files
from provision.formats.sepa.debits import MOST_UNITS, said_of
from provision.formats.sepa.mandates import MandateParty
from provision.money import MoneyRefused
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.payments import debit_proposals
from provision.subscriptions.payments.debit_proposals import DebitPart
from tests.unit.formats.sepa.sepa_examples import (
    BRITISH,
    CREDITOR,
    ELODIE,
    HAND_OVER,
    MANDATE,
    debit,
    mandate,
)

if TYPE_CHECKING:
    from provision.formats.sepa.mandates import Mandate

ABROAD = replace(MANDATE, iban=BRITISH, bic="BUKBGB22")


@pytest.mark.parametrize("units", [1, MOST_UNITS])
def test_the_smallest_and_the_largest_amount_are_taken(units: int) -> None:
    assert debit(1, units=units).units == units


@pytest.mark.parametrize("units", [0, -1, 9.9, 10.0, MOST_UNITS + 1, 10**20, True, "990", None])
def test_an_amount_that_no_debit_can_have_is_refused(units: int) -> None:
    with pytest.raises(MoneyRefused, match="cents is not possible"):
        debit(1, units=units)


def test_the_statement_shows_the_invoice_and_what_it_is_for() -> None:
    assert debit(7).remittance() == "F2026-7 Paquet decembre"
    assert replace(debit(7), text="Facture F2026-7").remittance() == "Facture F2026-7"
    assert replace(debit(7), text="see F2026-77").remittance() == "F2026-7 see F2026-77"
    assert len(replace(debit(7), text="x" * 140).remittance()) == 140


@pytest.mark.parametrize(
    "wrong",
    [
        {"text": "x" * 141},
        {"text": "Декабрь"},
        {"text": "a\x00b"},
        {"end_to_end": ""},
        {"end_to_end": "x" * 36},
        {"end_to_end": "=cmd()|"},
        {"mandate": replace(MANDATE, debtor=MandateParty("Иван"))},
        {"mandate": replace(MANDATE, debtor=MandateParty("🥕"))},
    ],
)
def test_a_debit_that_cannot_be_written_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageRefused):
        replace(debit(1), **wrong)


def test_a_debtor_abroad_is_written_with_address_and_bank() -> None:
    assert debit(1, ABROAD).foreign_address() == {
        "street_name": "2 rue des Ecoles",
        "postcode": "76000",
        "town": "Rouen",
        "country": "FR",
    }


@pytest.mark.parametrize(
    "lacking", [replace(ABROAD, bic=""), replace(ABROAD, debtor=replace(ELODIE, town=""))]
)
def test_a_debtor_abroad_without_address_or_bank_is_refused(lacking: Mandate) -> None:
    with pytest.raises(PaquetError, match="outside the European Economic Area"):
        debit(1, lacking)


def test_a_debtor_at_home_needs_neither_address_nor_bank() -> None:
    assert debit(1, replace(mandate(1), debtor=MandateParty("Jeanne"))).foreign_address() == {}


@pytest.mark.parametrize(
    "wrong", [{"iban": BRITISH + "1"}, {"bic": ""}, {"creditor_identifier": ""}, {"name": "🥕"}]
)
def test_a_creditor_that_no_bank_would_take_cannot_be_made(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageRefused):
        replace(CREDITOR, **wrong)


def test_a_debit_names_its_invoice_or_all_of_them() -> None:
    assert said_of(["F2026-000001"]) == "Facture F2026-000001"
    assert said_of(["F2026-000001", "F2026-000002"]) == "Factures F2026-000001 F2026-000002"


@given(st.integers(2, 400))
def test_what_does_not_fit_is_counted_and_never_cut_in_the_middle(count: int) -> None:
    invoices = [f"F2026-{number:06d}" for number in range(1, count + 1)]
    text = said_of(invoices)
    assert len(text) <= 140
    named = [word for word in text.split() if word.startswith("F2026-")]
    assert named == invoices[: len(named)]
    left = count - len(named)
    assert text.endswith({0: invoices[-1], 1: " et 1 autre"}.get(left, f" et {left} autres"))


def test_numbers_that_are_too_long_are_counted() -> None:
    assert said_of(["F" * 140, "G"]) == "2 factures"


def test_a_one_off_mandate_pays_all_of_a_day_by_its_one_debit() -> None:
    once = replace(MANDATE, kind="OOFF", last_collected_on=None)
    numbers = (Number(1, "F2026", 1), Number(1, "F2026", 2))
    parts = [DebitPart(one, 500, f"{one.series}-{one.number}-1") for one in numbers]
    made = debit_proposals.debit(parts[0].reference, parts, once)
    (file,) = debit_files.files([made], CREDITOR, HAND_OVER)
    assert (file.count, file.total) == (1, 1000)
    assert made.remittance() == "Factures F2026-000001 F2026-000002"
