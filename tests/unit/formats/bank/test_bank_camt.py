from __future__ import annotations

import re
from datetime import date

import pytest

from tests.unit.formats.bank.bank_examples import (
    ACCOUNT,
    CAMT_2,
    CAMT_8,
    JEANNE,
    changed,
    movements,
    read_one,
    why_refused,
)

both_versions = pytest.mark.parametrize("text", [CAMT_2, CAMT_8], ids=["02", "08"])
PENDING = "<Sts>PDNG</Sts>"
DEBIT = "<CdtDbtInd>DBIT</CdtDbtInd>"
FIRST = '<Amt Ccy="EUR">36.00</Amt>'
ONE_DETAIL = '<AmtDtls><TxAmt><Amt Ccy="EUR">12.00</Amt></TxAmt></AmtDtls>'
OPENING = '<Bal><Tp><CdOrPrtry><Cd>OPBD</Cd></CdOrPrtry></Tp><Amt Ccy="EUR">1000.00</Amt>'


@both_versions
def test_a_batch_is_counted_once_and_its_parts_keep_what_the_bank_said(text: str) -> None:
    batch = movements(text)[0]
    assert batch.units == 3600
    assert [detail.units for detail in batch.details] == [None, 1200, 1200]
    assert [detail.mandate for detail in batch.details] == ["RUM-1", "RUM-2", "RUM-3"]
    assert batch.details[0].iban == JEANNE
    assert (batch.counterparty, batch.end_to_end) == ("", "")


@both_versions
def test_the_reason_of_a_return_survives(text: str) -> None:
    returned = movements(text)[1]
    assert (returned.units, returned.reason, returned.reversal) == (-1200, "MD06", True)
    assert returned.details[0].reason == "MD06"
    assert returned.end_to_end == "F-2026-0002-1"
    assert returned.counterparty == "Élodie Nguyễn"


@both_versions
def test_a_transfer_says_who_paid_and_why(text: str) -> None:
    paid = movements(text)[2]
    assert (paid.counterparty, paid.iban) == ("MME MARTIN JEANNE", JEANNE)
    assert paid.text == "Facture F-2026-0004 merci"
    assert (paid.reference, paid.end_to_end) == ("BANK-0003", "")
    assert (paid.booked_on, paid.code) == (date(2026, 1, 20), "PMNT-RCDT-ESCT")


@both_versions
def test_a_pending_entry_is_left_out(text: str) -> None:
    assert [movement.units for movement in movements(text)] == [3600, -1200, 1010]


@both_versions
def test_a_booked_entry_that_the_balances_do_not_know_is_refused(text: str) -> None:
    booked = re.sub("PDNG", "BOOK", text)
    assert "does not add up" in why_refused(booked)
    assert "the difference is €99.99" in why_refused(booked)


@pytest.mark.parametrize("version", ["02", "03", "04", "06", "08", "10", "13"])
def test_every_version_from_02_on_is_read(version: str) -> None:
    text = changed(CAMT_8, "camt.053.001.08", f"camt.053.001.{version}")
    assert read_one(text).account == ACCOUNT


@pytest.mark.parametrize(
    ("message", "why"),
    [
        ("camt.052.001.02", "camt.052, a report within the day"),
        ("camt.054.001.08", "camt.054, a notification of single movements"),
        ("camt.053.001.01", "older than camt.053.001.02"),
        ("pain.008.001.02", "not an ISO 20022 bank statement"),
    ],
)
def test_another_message_is_refused_by_its_name(message: str, why: str) -> None:
    assert why in why_refused(changed(CAMT_2, "camt.053.001.02", message))


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (ONE_DETAIL, ONE_DETAIL.replace("12.00", "30.00"), "payments of an entry make €42.00"),
        (FIRST, FIRST.replace("36.00", "36.001"), "36.001” is not an amount"),
        (FIRST, FIRST.replace("36.00", "3,6"), "is not an amount"),
        (FIRST, FIRST.replace("36.00", "-36.00"), "below zero, beside its CdtDbtInd"),
        (FIRST, FIRST.replace("36.00", "9" * 13), "more than 12 digits"),
        (FIRST, FIRST.replace("36.00", "36e2"), "is not an amount"),
        (FIRST, FIRST.replace("36.00", "٣٦"), "is not an amount"),
        (FIRST, FIRST.replace("EUR", "USD"), "in “USD”, and only euros"),
        (FIRST, "", "has no Amt"),
        (FIRST, FIRST + FIRST, "says Amt twice"),
        (DEBIT, f"{DEBIT}<CdtDbtInd>CRDT</CdtDbtInd>", "says CdtDbtInd twice"),
        (PENDING, f"{PENDING}<Sts>BOOK</Sts>", "says Sts twice"),
        ("<Sts>BOOK</Sts>", "<Sts>MAYBE</Sts>", "has the status “MAYBE”"),
        ("<Sts>BOOK</Sts>", "", "has the status “”"),
        ("<RvslInd>true", "<RvslInd>perhaps", "the RvslInd “perhaps”"),
        ("<BookgDt><Dt>2026-01-08</Dt></BookgDt>", "", "day of an entry “” is not a day"),
        ("2026-01-08", "2026-02-30", "“2026-02-30” is not a day"),
        ("2026-01-08", "1926-01-08", "1926-01-08 cannot be the day of an entry"),
        ("<Dt>2026-01-31</Dt>", "<Dt>2025-12-30</Dt>", "before it opens on"),
        ("OPBD", "XXXX", "no balance OPBD or PRCD"),
        ("CLBD", "XXXX", "no balance CLBD"),
        (ACCOUNT, ACCOUNT.replace("89", "88"), "neither an IBAN nor a French RIB"),
        ("<Ccy>EUR</Ccy>", "<Ccy>CHF</Ccy>", "in “CHF”"),
    ],
)
def test_what_a_bank_cannot_mean_is_refused(old: str, new: str, why: str) -> None:
    assert why in why_refused(changed(CAMT_2, old, new))


def test_charges_explain_why_parts_are_not_the_entry() -> None:
    text = changed(CAMT_2, ONE_DETAIL, f"{ONE_DETAIL.replace('12.00', '30.00')}<Chrgs/>")
    assert [detail.units for detail in movements(text)[0].details] == [None, None, None]


def test_the_only_payment_of_an_entry_has_its_amount() -> None:
    single = changed(
        CAMT_2, f"{ONE_DETAIL}\n          <RltdPties>\n            <Dbtr>", "<RltdPties><Dbtr>"
    )
    assert movements(single)[1].details[0].units == -1200


def test_an_amount_may_have_five_decimals_when_they_are_zeros() -> None:
    assert movements(changed(CAMT_2, ">36.00<", ">36.00000<"))[0].units == 3600


def test_a_comment_inside_an_amount_hides_no_digit() -> None:
    assert movements(changed(CAMT_2, ">36.00<", ">3<!-- 9 -->6.<?x?>00<"))[0].units == 3600


def test_two_opening_balances_must_agree() -> None:
    previous = OPENING.replace("OPBD", "PRCD")
    end = "<CdtDbtInd>CRDT</CdtDbtInd><Dt><Dt>2025-12-31</Dt></Dt></Bal>"
    assert read_one(changed(CAMT_2, OPENING, f"{previous}{end}{OPENING}")).opening == 100_000
    other = previous.replace("1000.00", "1000.01")
    why = why_refused(changed(CAMT_2, OPENING, f"{other}{end}{OPENING}"))
    assert "two different balances OPBD or PRCD" in why


def test_a_page_of_a_statement_ends_with_an_intermediate_balance() -> None:
    assert read_one(changed(CAMT_2, "CLBD", "ITBD")).closing == 103_410
    assert read_one(changed(CAMT_2, "OPBD", "ITBD")).opening == 100_000
    middle = changed(changed(CAMT_2, "OPBD", "ITBD"), "CLBD", "ITBD")
    assert (read_one(middle).opening, read_one(middle).closing) == (100_000, 103_410)


def test_a_balance_below_zero_is_a_debit() -> None:
    text = changed(CAMT_2, f"{OPENING}<CdtDbtInd>CRDT", f"{OPENING}<CdtDbtInd>DBIT")
    text = changed(text, "1034.10</Amt><CdtDbtInd>CRDT", "965.90</Amt><CdtDbtInd>DBIT")
    assert (read_one(text).opening, read_one(text).closing) == (-100_000, -96_590)
