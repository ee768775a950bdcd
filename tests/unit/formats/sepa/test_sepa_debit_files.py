from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lxml import etree
from sepaxml.validation import try_valid_xml

from provision.errors import PaquetError
from provision.formats.sepa import debit_files
from provision.formats.sepa.debit_files import HandOver, files
from provision.formats.sepa.mandates import MandateParty
from provision.formats.sepa.pain008 import NEW, OLD, SCHEMAS
from tests.unit.formats.sepa.sepa_examples import (
    BRITISH,
    CREDITOR,
    DUE,
    HAND_OVER,
    MANDATE,
    NOW,
    assert_golden,
    debit,
    mandate,
    many_debits,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.formats.sepa.debit_files import DebitFile
    from provision.formats.sepa.debits import Debit

ABROAD = replace(mandate(3, BRITISH), bic="BUKBGB22")
ONE_OFF = replace(mandate(2), kind="OOFF")
MIXED = [debit(1), debit(2, ONE_OFF, 5000), debit(3, ABROAD, 1), debit(4, mandate(4), 12345)]


def made(some: Sequence[Debit], hand_over: HandOver = HAND_OVER) -> list[DebitFile]:
    return list(files(some, CREDITOR, hand_over))


def texts(file: DebitFile, path: str) -> list[str]:
    root = etree.fromstring(file.content)
    return [
        found.text for found in root.iterfind("/".join(f"{{*}}{tag}" for tag in path.split("/")))
    ]


@pytest.mark.parametrize("schema", SCHEMAS)
def test_the_file_is_the_golden_one(schema: str) -> None:
    (file,) = made(MIXED, replace(HAND_OVER, schema=schema))
    assert_golden(f"{schema}.xml", file.content.decode())


@pytest.mark.parametrize("schema", SCHEMAS)
def test_another_reader_of_schemas_takes_the_file(schema: str) -> None:
    (file,) = made(MIXED, replace(HAND_OVER, schema=schema))
    try_valid_xml(file.content, schema)


def test_the_same_debits_give_the_same_bytes_whatever_else_was_written() -> None:
    first = made(MIXED)
    made(MIXED, replace(HAND_OVER, schema=NEW))
    assert made(MIXED) == first


def test_each_sequence_type_is_a_group_with_its_sum() -> None:
    (file,) = made(MIXED)
    group = "CstmrDrctDbtInitn/PmtInf/"
    assert texts(file, group + "PmtTpInf/SeqTp") == ["RCUR", "OOFF"]
    assert texts(file, group + "CtrlSum") == ["133.36", "50.00"]
    assert texts(file, group + "NbOfTxs") == ["3", "1"]
    assert texts(file, group + "BtchBookg") == ["true", "true"]
    assert texts(file, "CstmrDrctDbtInitn/GrpHdr/CtrlSum") == ["183.36"]
    assert (file.count, file.total) == (4, 18336)


def test_the_first_debit_of_a_mandate_is_announced_as_first_only_on_demand() -> None:
    some = [debit(1), debit(4, mandate(4)), debit(5, mandate(4)), debit(2, ONE_OFF)]
    (plain,), (marked,) = made(some), made(some, replace(HAND_OVER, announces_first=True))
    kinds = "CstmrDrctDbtInitn/PmtInf/PmtTpInf/SeqTp"
    assert texts(plain, kinds) == ["RCUR", "OOFF"]
    assert texts(marked, kinds) == ["RCUR", "FRST", "OOFF"]
    assert texts(marked, "CstmrDrctDbtInitn/PmtInf/NbOfTxs") == ["2", "1", "1"]


def test_what_people_wrote_is_data_and_never_markup() -> None:
    jeanne = replace(mandate(9), debtor=MandateParty("Jeanne <x> =cmd() & 🥕"))
    (file,) = made([debit(9, jeanne)])
    names = texts(file, "CstmrDrctDbtInitn/PmtInf/DrctDbtTxInf/Dbtr/Nm")
    assert names == ["Jeanne (x) .cmd() + ."]


def test_a_debtor_abroad_has_a_structured_address_and_one_at_home_has_none() -> None:
    (file,) = made(MIXED)
    root = etree.fromstring(file.content)
    (address,) = root.iterfind(".//{*}Dbtr/{*}PstlAdr")
    assert [etree.QName(part).localname for part in address] == ["StrtNm", "PstCd", "TwnNm", "Ctry"]


@pytest.mark.parametrize(("count", "sizes"), [(5000, [5000]), (5001, [5000, 1])])
def test_a_file_holds_at_most_5000_debits(count: int, sizes: list[int]) -> None:
    some = many_debits()[:count]
    result = made(some)
    assert [file.count for file in result] == sizes
    assert sum(file.total for file in result) == sum(one.units for one in some)


def test_10001_debits_are_three_files_and_each_debit_is_in_one() -> None:
    some = many_debits()
    result = made(some, replace(HAND_OVER, schema=NEW))
    assert [file.count for file in result] == [5000, 5000, 1]
    assert len({file.message_id for file in result}) == 3
    references = "CstmrDrctDbtInitn/PmtInf/DrctDbtTxInf/PmtId/EndToEndId"
    written = [text for file in result for text in texts(file, references)]
    assert written == [one.end_to_end for one in some]


@given(st.lists(st.integers(1, 10**9), min_size=1, max_size=30), st.integers(1, 7))
def test_no_cent_is_lost_between_debits_and_files(amounts: list[int], most: int) -> None:
    some = [debit(number, units=units) for number, units in enumerate(amounts)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(debit_files, "MOST_DEBITS", most)
        result = made(some)
    assert sum(file.total for file in result) == sum(amounts)
    assert all(file.count <= most for file in result)
    stated = [texts(file, "CstmrDrctDbtInitn/GrpHdr/CtrlSum")[0] for file in result]
    assert [int(sum_.replace(".", "")) for sum_ in stated] == [file.total for file in result]


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"collect_on": dt.date(2026, 12, 13)}, "banks are closed"),  # a Sunday
        ({"collect_on": dt.date(2026, 12, 25)}, "banks are closed"),
        ({"collect_on": NOW.date()}, "too soon"),
        ({"collect_on": dt.date(2026, 11, 30)}, "too soon"),
        ({"collect_on": dt.date(2026, 12, 7), "lead": 5}, "too soon"),
        ({"collect_on": dt.date(1900, 1, 4)}, "too soon"),
        ({"collect_on": dt.date(9999, 12, 31)}, "cannot be a day of payments"),
        ({"schema": "pain.008.001.99"}, "is not a format"),
        ({"schema": "../../x"}, "is not a format"),
        ({"message_prefix": ""}, "cannot begin the name"),
        ({"message_prefix": "../x"}, "cannot begin the name"),
        ({"message_prefix": "A" * 13}, "cannot begin the name"),
    ],
)
def test_a_hand_over_that_the_bank_would_refuse_is_refused(
    changes: dict[str, Any], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        files(MIXED, CREDITOR, replace(HAND_OVER, **changes))


def test_a_closed_day_is_answered_with_the_next_that_is_open() -> None:
    with pytest.raises(PaquetError) as refused:
        files(MIXED, CREDITOR, HandOver(dt.date(2026, 12, 25), NOW, "TOPO"))
    assert refused.value.hint == "The next possible day is 2026-12-28."


@pytest.mark.parametrize(
    ("some", "why"),
    [
        ([], "0 debits make no file"),
        ([debit(1), debit(1, mandate(5))], "debit F2026-1-1 is there twice"),
        ([debit(1, ONE_OFF), debit(2, ONE_OFF)], "one-off mandate TOPO-000002 is there twice"),
        ([debit(1), debit(2, replace(mandate(5), signed_on=None))], "is not signed"),
        ([debit(1, replace(mandate(5), signed_on=dt.date(2026, 12, 2)))], "after 2026-12-01"),
        ([debit(1, replace(mandate(5), signed_on=dt.date(2023, 12, 14)))], "is void since"),
        (
            [debit(1, replace(MANDATE, creditor_identifier="DE98ZZZ09999999999"))],
            "was given to DE98",
        ),
        ([debit(1, replace(mandate(5), iban=""))], "names no account"),
    ],
)
def test_nothing_is_made_when_one_debit_is_wrong(some: list[Debit], why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        files(some, CREDITOR, HAND_OVER)


def test_the_longest_that_people_write_still_fits() -> None:
    long = MandateParty("Œ" * 64, "œ" * 64, "œ" * 16, "œ" * 35, "GB")
    widest = replace(ABROAD, reference="R" * 35, debtor=long)
    for schema in (OLD, NEW):
        hand_over = replace(HAND_OVER, schema=schema, message_prefix="P" * 12)
        longest = replace(debit(1, widest), text="œ" * 140, end_to_end="E" * 35)
        (file,) = made([longest], hand_over)
        assert len(file.message_id) <= 35
        assert texts(file, "CstmrDrctDbtInitn/PmtInf/PmtInfId")[0].startswith(file.message_id)


def test_a_mandate_with_two_debits_on_a_day_is_no_mistake() -> None:
    (file,) = made([debit(1), debit(2)])
    assert file.count == 2
    assert file.name == "TOPO-20261201T101500-0001.xml"
    assert texts(file, "CstmrDrctDbtInitn/PmtInf/ReqdColltnDt") == [DUE.isoformat()]
