from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from schwifty import IBAN

from provision.formats.bank import fields, reading, statements
from tests.unit.formats.bank.bank_examples import (
    ACCOUNT,
    CFONB,
    JANUARY,
    JEANNE,
    MT940,
    OFX_1,
    OFX_2,
    changed,
    every_sample,
    movements,
    read_one,
    why_refused,
)

if TYPE_CHECKING:
    from tests.unit.formats.bank.bank_examples import Sample

LINES = CFONB.splitlines(keepends=True)


@every_sample
def test_every_format_tells_the_same_january(sample: Sample) -> None:
    statement = read_one(sample.text, sample.mapping)
    assert (statement.account, statement.commodity) == (ACCOUNT, "EUR")
    assert (statement.opening, statement.closing) == (100_000, 103_410)
    assert [(one.booked_on, one.units) for one in statement.movements] == JANUARY
    assert [one.position for one in statement.movements] == [1, 2, 3]


def test_ofx_amounts_may_have_a_comma() -> None:
    assert "<TRNAMT>+36,00" in OFX_1
    assert movements(OFX_1)[0].units == 3600


def test_ofx_entities_and_cdata_are_text() -> None:
    assert movements(OFX_1)[1].counterparty == "PRLV IMPAYE NGUYEN & FILS"
    assert movements(OFX_2)[1].text == "PRLV IMPAYÉ NGUYỄN F-2026-0002-1 <retour>"


def test_an_empty_ofx_field_without_end_swallows_nothing() -> None:
    assert "<CHECKNUM>\n<NAME>" in OFX_1
    assert movements(OFX_1)[1].reference == "BANK-0002"


def test_two_cdata_sections_on_a_line_stay_apart() -> None:
    memo = "<NAME><![CDATA[a]]></NAME><MEMO><![CDATA[b]]></MEMO>"
    old = "<NAME>REMISE PRLV SEPA</NAME><MEMO>PAQUET-202601-1</MEMO>"
    assert movements(changed(OFX_2, old, memo))[0].text == "a b"


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("<CURDEF>EUR", "<CURDEF>USD", "in “USD”"),
        ("+36,00", "36.001", "is not an amount"),
        ("+36,00", "1,234", "is not an amount"),
        ("<TRNAMT>+36,00\n", "", "is not an amount"),
        ("<DTPOSTED>20260108", "<DTPOSTED>20261308", "is not a day"),
        ("</STMTTRN>", "", "is not whole OFX"),
        ("</OFX>", "", "is not whole OFX"),
        ("<STMTTRN>", "<CURRENCY>", "is not whole OFX"),
        ("VERSION:102\n", "", "is not whole OFX"),
        ("CHARSET:1252", "CHARSET:EBCDIC", "is not whole OFX"),
        ("<ACCTID>12345678901", "<ACCTID>1234567890", "neither an IBAN"),
        ("<BALAMT>1034,10", "<BALAMT>", "is not"),
        ("<CHECKNUM>\n", "<CURRENCY><CURSYM>USD<CURRATE>1</CURRENCY>", "in “USD”"),
        ("<MEMO>PAQUET-202601-1", "<MEMO><![CDATA[x", "is not whole OFX"),
    ],
)
def test_an_ofx_file_that_is_not_right_is_refused(old: str, new: str, why: str) -> None:
    assert why in why_refused(changed(OFX_1, old, new))


def test_a_card_is_refused_by_its_name() -> None:
    assert "of a payment card" in why_refused(OFX_1.replace("STMTRS>", "CCSTMTRS>"))


def test_a_nested_ofx_movement_is_not_lost() -> None:
    extra = "<X><STMTTRN><TRNAMT>5</TRNAMT></STMTTRN></X><DTSTART>"
    assert "outside the list" in why_refused(changed(OFX_2, "<DTSTART>", extra))


def test_mt940_reads_the_structured_words() -> None:
    _, returned, paid = movements(MT940)
    assert (returned.reason, returned.end_to_end) == ("MD06", "F-2026-0002-1")
    assert (returned.details[0].mandate, returned.text) == ("RUM-2", "PRELEVEMENT IMPAYE")
    assert (paid.counterparty, paid.iban) == ("MME MARTIN JEANNE", JEANNE)
    assert paid.text == "FACTURE F-2026-0004 MERCI"


def test_mt940_reads_the_german_words() -> None:
    german = f":86:166?00GUTSCHRIFT?20EREF+X-2026-1?21SVWZ+Rechnung 7?31{JEANNE}?32ANNA"
    lines = MT940.split(":86:/NAME/")
    text = f"{lines[0]}{german}\n:62F:{MT940.split(':62F:')[1]}"
    paid = movements(text)[2]
    assert (paid.end_to_end, paid.text, paid.iban) == ("X-2026-1", "Rechnung 7", JEANNE)
    assert paid.counterparty == "ANNA"


def test_a_reversed_credit_takes_money_away() -> None:
    text = changed(changed(MT940, "0120C10,10", "0120RC10,10"), "EUR1034,10", "EUR1013,90")
    last = movements(text)[2]
    assert (last.units, last.reversal) == (-1010, True)


def test_the_entry_day_of_mt940_may_be_of_another_year() -> None:
    text = changed(MT940, ":61:2601090108C", ":61:2601021231C")
    first = movements(text)[0]
    assert (first.booked_on, first.value_on) == (date(2025, 12, 31), date(2026, 1, 2))


def test_two_messages_in_one_mt940_file_are_two_statements() -> None:
    second = MT940.replace("C260101EUR1000,00", "C260201EUR1034,10").replace(":28C:7/1", ":28C:8/1")
    second = second.replace("C260131EUR1034,10", "C260228EUR1068,20")
    both = reading.read((MT940 + second).encode(), "sample")
    assert [one.number for one in both] == ["7/1", "8/1"]
    assert both[0].movements == read_one(MT940).movements


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        (":61:2601140114D", ":61:2602300114D", "is not a day"),
        (":61:2601140114D", ":61:2601140230D", "is not a day"),
        ("D12,00NRTI", "D12,00", "is not a movement"),
        ("D12,00NRTI", "D12.00NRTI", "is not a movement"),
        ("D12,00NRTI", "D12,001NRTI", "is not a movement"),
        ("D12,00NRTI", "X12,00NRTI", "is not a movement"),
        (":64:", ":99:", "the field 99"),
        (":62F:C260131EUR1034,10\n", "", "the field 62 0 times"),
        ("C260131EUR1034,10", "C260131USD1034,10", "in “USD”"),
        ("C260131EUR1034,10", "C260131EUR1034", "is not a balance"),
        (":20:REL-20260131\n", "", "neither camt.053"),
        (":25:FR76", ":25:FR77", "neither an IBAN"),
        ("-}", "-}\n:61:2601200120C10,10NTRFNONREF\n", "goes on after the end"),
    ],
)
def test_an_mt940_file_that_is_not_right_is_refused(old: str, new: str, why: str) -> None:
    assert why in why_refused(changed(MT940, old, new))


@pytest.mark.parametrize(
    "written",
    ["BNPAFRPPXXX/FR7630006000011234567890189", "30006/00001/12345678901", f"{ACCOUNT}EUR"],
)
def test_the_account_of_mt940_has_several_spellings(written: str) -> None:
    assert read_one(changed(MT940, f":25:{ACCOUNT}", f":25:{written}")).account == ACCOUNT


def test_cfonb_reads_the_complements() -> None:
    batch, returned, paid = movements(CFONB)
    assert (batch.text, batch.end_to_end) == ("REMISE PRLV SEPA 3 PRELEVEMENTS", "PAQUET-202601-1")
    assert (returned.reason, returned.reversal, returned.code) == ("MD06", True, "B3 52")
    assert (returned.end_to_end, returned.details[0].mandate) == ("F-2026-0002-1", "RUM-2")
    assert (paid.counterparty, paid.iban, paid.reference) == (
        "MME MARTIN JEANNE",
        JEANNE,
        "BANK-0003",
    )


def test_cfonb_never_takes_our_own_name_for_that_of_the_payer() -> None:
    assert (
        movements(CFONB.replace("NPYMME", "NBEMME").replace("CPYFR", "CBEFR"))[2].counterparty == ""
    )
    sent = CFONB.replace("NPYMME", "NBEMME").replace("0101{", "0101}").replace("10341{", "10139{")
    assert movements(sent)[2].counterparty == "MME MARTIN JEANNE"


def test_cfonb_may_lack_line_ends_or_the_spaces_before_them() -> None:
    expected = read_one(CFONB).movements
    assert read_one("".join(line.rstrip("\r\n") for line in LINES)).movements == expected
    assert read_one("\n".join(line.rstrip() for line in LINES)).movements == expected


@pytest.mark.parametrize(
    ("letters", "units"),
    [("0{", 0), ("0A", 1), ("0I", 9), ("1{", 10), ("0}", 0), ("0J", -1), ("0R", -9), ("1}", -10)],
)
def test_the_last_character_holds_digit_and_sign(letters: str, units: int) -> None:
    first = changed(LINES[0], "0000000010000{", letters.rjust(14, "0"))
    text = first + changed(LINES[-1], "0000000010341{", letters.rjust(14, "0"))
    assert read_one(text).opening == units


@pytest.mark.parametrize(
    ("decimals", "opening"), [("0", 10_000_000), ("1", 1_000_000), ("3", 10_000)]
)
def test_the_decimals_are_counted(decimals: str, opening: int) -> None:
    text = (LINES[0] + LINES[-1].replace("10341{", "10000{")).replace("EUR2", f"EUR{decimals}")
    assert read_one(text).opening == opening


@pytest.mark.parametrize(
    ("at", "old", "new", "why"),
    [
        (0, "01300", "03300", "neither camt.053"),
        (0, "EUR2", "USD2", "in “USD”"),
        (0, "EUR2", "EUR9", "amount “0000000010000{” of a CFONB record is none"),
        (0, "EUR2", "EUR4", "of a CFONB record is none"),
        (0, "10000{", "10000Z", "of a CFONB record is none"),
        (0, "010126", "310226", "is not a day"),
        (1, "360{", "360A", "the difference is -€0.01"),
        (1, "12345678901", "12345678902", "names two accounts"),
        (1, "0430006", "0930006", "Line 2 of the CFONB file, of kind “09”"),
        (2, "12345678901", "12345678902", "of another movement"),
        (13, "07300", "01300", "out of place"),
        (13, "\n", "X\n", "has 121 characters"),
    ],
)
def test_a_cfonb_file_that_is_not_right_is_refused(at: int, old: str, new: str, why: str) -> None:
    lines = [*LINES]
    lines[at] = changed(lines[at], old, new)
    assert why in why_refused("".join(lines))


def test_two_accounts_in_one_cfonb_file_are_two_statements() -> None:
    other = CFONB.replace("12345678901", "1234567890A")
    first, second = reading.read((CFONB + other).encode(), "sample")
    assert first.account == ACCOUNT != second.account
    assert first.digest == second.digest


@pytest.mark.parametrize("number", ["12345678901", "0000157841Z", "ABCDEFGHIJK", "00000000000"])
def test_the_iban_of_a_rib_is_what_schwifty_computes(number: str) -> None:
    expected = IBAN.generate("FR", bank_code="30006", account_code=number, branch_code="00001")
    assert fields.account(f"3000600001{number}") == expected.compact


def test_a_wrong_key_of_a_rib_is_refused() -> None:
    assert fields.account("30006000011234567890189") == ACCOUNT
    with pytest.raises(statements.StatementRefused, match="neither an IBAN"):
        fields.account("30006000011234567890188")
