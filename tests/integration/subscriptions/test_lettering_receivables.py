from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.formats.books import fec_check
from provision.subscriptions.books import exporting, lettering
from provision.subscriptions.payments import paying, returns
from provision.subscriptions.payments.returns import CameBack
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import COLLECT_ON, TOLD, Said, open_till

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

YEAR = exporting.Period(date(2026, 1, 1), date(2026, 12, 31))
NAME = "732829320FEC20261231.txt"


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each."""
    made = open_till(shop)
    for subscriber in (shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
    shop.bill(START + timedelta(days=1))
    return made


def lettered(till: Till) -> dict[str, list[tuple[str, str]]]:
    """Return debit and credit of the lines under each code, with its day, as the FEC has them."""
    files = exporting.export(till.session, till.seller, YEAR, "fec", "fr")
    assert fec_check.check(NAME, files[NAME], YEAR.first_day).findings == ()
    found: dict[str, list[tuple[str, str]]] = {}
    for line in files[NAME].decode().splitlines()[1:]:
        fields = line.split("\t")
        if fields[13]:
            assert fields[4] == "411"
            found.setdefault(f"{fields[13]} {fields[14]}", []).append((fields[11], fields[12]))
    return found


def test_an_invoice_that_is_not_wholly_paid_has_no_letter(till: Till) -> None:
    (row,) = till.bank(Said(400))
    paying.pay(till.session, row, till.invoices()[:1], COLLECT_ON)
    assert lettered(till) == {}


def test_an_invoice_and_its_two_payments_have_one_letter_with_the_day_of_the_last(
    till: Till,
) -> None:
    for units, on in ((400, COLLECT_ON), (600, date(2026, 3, 1))):
        (row,) = till.bank(Said(units), on=on)
        paying.pay(till.session, row, till.invoices()[:1], on)
    assert lettered(till) == {"A 20260301": [("10,00", "0,00"), ("0,00", "4,00"), ("0,00", "6,00")]}


def test_a_transfer_for_two_and_a_credit_note_are_lettered_apart_and_the_codes_stay(
    till: Till,
) -> None:
    jeanne, luc = till.invoices()
    credit_notes.credit(till.session, luc.number, What(units=300), "Geste", COLLECT_ON)
    (row,) = till.bank(Said(700), on=date(2026, 2, 3))
    paying.pay(till.session, row, [one for one in till.invoices() if one != jeanne], COLLECT_ON)
    luc_alone = {"B 20260203": [("10,00", "0,00"), ("0,00", "3,00"), ("0,00", "7,00")]}
    assert lettered(till) == luc_alone
    (row,) = till.bank(Said(1000, text=jeanne.shown), on=date(2026, 2, 4))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    both = lettered(till)
    assert both == {"A 20260204": [("10,00", "0,00"), ("0,00", "10,00")], **luc_alone}


def test_a_credit_note_that_is_open_keeps_its_invoice_open_too(till: Till) -> None:
    jeanne = till.invoices()[0]
    till.bank(Said(1000, text=jeanne.shown))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    credit_notes.credit(till.session, jeanne.number, What(units=300), "Geste", COLLECT_ON)
    assert list(lettered(till)) == ["A 20260202"]
    assert len(till.invoices()) == 2


def test_what_is_paid_in_the_next_year_has_no_letter_in_either(till: Till) -> None:
    jeanne = till.invoices()[0]
    (row,) = till.bank(Said(1000), on=date(2027, 1, 4))
    paying.pay(till.session, row, [jeanne], date(2027, 1, 4))
    assert lettered(till) == {}
    assert (
        lettering.letters(till.session, till.seller.id, date(2027, 1, 1), date(2027, 12, 31)) == {}
    )


def test_the_file_of_a_year_stays_when_money_comes_back_in_the_next(till: Till) -> None:
    till.mandate(till.shop.jeanne)
    till.collect()
    till.bank(Said(1000, end_to_end="F2026-1-1"))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    written = exporting.export(till.session, till.seller, YEAR, "fec", "fr")[NAME]
    assert list(lettered(till)) == ["A 20260202"]
    next_year = date(2027, 1, 12)
    (back,) = till.bank(Said(-1000), on=next_year)
    returns.take_back(till.session, back, [CameBack("F2026-1-1", 1000)], (next_year, TOLD))
    assert exporting.export(till.session, till.seller, YEAR, "fec", "fr")[NAME] == written


@given(st.integers(1, 10**11), st.integers(1, 10**11))
def test_a_code_is_short_in_capitals_and_of_one_number(one: int, other: int) -> None:
    assert lettering.code(one).isalpha()
    assert len(lettering.code(one)) <= 8
    assert (lettering.code(one) == lettering.code(other)) == (one == other)


def test_codes_count_in_letters() -> None:
    assert [lettering.code(one) for one in (1, 26, 27, 52, 53, 702, 703)] == [
        *("A", "Z", "AA", "AZ", "BA", "ZZ", "AAA")
    ]
