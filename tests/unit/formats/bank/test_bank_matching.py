from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from provision.formats.bank.matching import Expected, propose
from provision.formats.bank.statements import Detail, Movement
from tests.unit.formats.bank.bank_examples import CAMT_2, CFONB, JEANNE, MT940, OFX_1, movements

if TYPE_CHECKING:
    from provision.formats.bank.candidates import Kind
    from provision.formats.bank.matching import Proposal

DAY = date(2026, 1, 8)


def invoice(reference: str, units: int, *names: str, ends: str = "") -> Expected:
    return Expected("invoice", reference, units, frozenset(ends.split()), names, "", DAY)


def batch(reference: str, units: int, ends: str = "", kind: Kind = "collection") -> Expected:
    return Expected(kind, reference, units, frozenset(ends.split()), (), "", DAY)


def paid(units: int, text: str = "", **more: str) -> Movement:
    return Movement(booked_on=DAY, units=units, text=text, **more)  # type: ignore[arg-type]


def only(movement: Movement, *expected: Expected) -> Proposal:
    (found,) = propose([movement], expected, returns={})
    return found


FIRST = invoice("F-2026-0001", 1200, "Jeanne Martin")
SECOND = invoice("F-2026-0002", 1200, "Élodie Nguyễn")
THIRD = invoice("F-2026-0003", 800, "Jeanne Martin")


@pytest.mark.parametrize(
    "text", ["F-2026-0001", "facture f-2026-0001.", "N°F-2026-0001/merci", "(F-2026-0001)"]
)
def test_a_number_as_a_whole_word_and_the_exact_amount_are_certain(text: str) -> None:
    assert only(paid(1200, text.replace("/", " / ")), FIRST, SECOND).certainty == "certain"
    assert only(paid(1200, text.replace("/", " / ")), FIRST, SECOND).expected == (FIRST,)


@pytest.mark.parametrize(
    "text",
    ["F-2026-00011", "F-2026-0001-2", "XF-2026-0001", "A-F-2026-0001", "F-2026-0001/3", "2026"],
)
def test_a_number_inside_another_word_is_not_a_name(text: str) -> None:
    assert only(paid(1200, text), FIRST).certainty == "unsure"


def test_a_short_number_is_never_an_identifier() -> None:
    assert (
        only(paid(1200, "2 kg le 12"), invoice("12", 1200), invoice("7", 1200)).certainty
        == "unsure"
    )


def test_our_end_to_end_id_and_the_exact_amount_are_certain() -> None:
    expected = invoice("F-2026-0009", 1200, ends="E2E-9")
    assert only(paid(1200, end_to_end="E2E-9"), expected, FIRST).certainty == "certain"


@pytest.mark.parametrize("units", [1199, 1201, -1200, 2400])
def test_another_amount_is_never_certain(units: int) -> None:
    found = only(paid(units, "F-2026-0001"), FIRST)
    assert (found.certainty, found.expected) == ("unsure", (FIRST,))


def test_two_numbers_in_one_text_are_not_certain() -> None:
    found = only(paid(1200, "F-2026-0001 ou F-2026-0002"), FIRST, SECOND)
    assert (found.certainty, set(found.expected)) == ("unsure", {FIRST, SECOND})


def test_a_batch_is_certain_by_its_name_and_by_the_payments_inside() -> None:
    whole = batch("PAQUET-202601-1", 3600, "F-2026-0001-1 F-2026-0002-1 F-2026-0003-1")
    part = replace(FIRST, end_to_ends=frozenset({"F-2026-0001-1"}))
    for text in (CAMT_2, CFONB, MT940, OFX_1):
        assert only(movements(text)[0], whole, part).certainty == "certain"
        assert only(movements(text)[0], whole, part).expected == (whole,)


def test_a_payment_that_the_batch_does_not_know_spoils_it() -> None:
    whole = batch("PAQUET-202601-1", 3600, "F-2026-0001-1 F-2026-0002-1")
    assert only(movements(CAMT_2)[0], whole).certainty == "unsure"


def test_a_settlement_that_we_pay_is_below_zero() -> None:
    owed = batch("S-2026-01", -5000, kind="settlement")
    assert only(paid(-5000, "REGLEMENT S-2026-01"), owed).certainty == "certain"
    assert only(paid(5000, "REGLEMENT S-2026-01"), owed).certainty == "unsure"


@pytest.mark.parametrize("name", ["MME MARTIN JEANNE", "jeanne martin", "M. et Mme Jeanne  MARTIN"])
def test_the_name_and_the_amount_are_likely(name: str) -> None:
    found = only(paid(1200, counterparty=name), FIRST, SECOND)
    assert (found.certainty, found.expected) == ("likely", (FIRST,))


def test_accents_are_no_part_of_a_name() -> None:
    assert only(paid(1200, counterparty="ELODIE NGUYEN"), FIRST, SECOND).expected == (SECOND,)


def test_the_account_is_as_good_as_the_name() -> None:
    found = only(paid(1200, iban=JEANNE), replace(SECOND, iban=JEANNE), FIRST)
    assert (found.certainty, found.expected[0].reference) == ("likely", "F-2026-0002")


def test_half_a_name_is_none() -> None:
    assert only(paid(1200, counterparty="PAUL MARTIN"), FIRST).certainty == "unsure"


def test_one_payment_for_two_invoices_of_one_payer_is_likely() -> None:
    for movement in (
        paid(2000, counterparty="Jeanne Martin"),
        paid(2000, "F-2026-0001 F-2026-0003"),
    ):
        found = only(movement, FIRST, SECOND, THIRD)
        assert (found.certainty, set(found.expected)) == ("likely", {FIRST, THIRD})


def test_invoices_of_two_payers_are_never_one_payment() -> None:
    assert only(paid(2000, "F-2026-0002 F-2026-0003"), SECOND, THIRD).certainty == "unsure"
    assert propose([paid(2000, counterparty="Nguyen Elodie")], [SECOND, THIRD], returns={}) == []


def test_a_batch_without_any_name_is_likely_around_its_day_only() -> None:
    whole = batch("PAQUET-1", 3600)
    assert only(paid(3600, "REMISE"), whole).certainty == "likely"
    late = replace(paid(3600, "REMISE"), booked_on=DAY + timedelta(30))
    assert only(late, whole).certainty == "unsure"
    assert only(paid(3600, "REMISE"), whole, batch("PAQUET-2", 3600)).certainty == "unsure"
    assert only(paid(3600, "REMISE"), whole, invoice("F-9", 3600)).certainty == "unsure"


def test_two_invoices_of_the_same_amount_and_name_are_unsure() -> None:
    twin = replace(FIRST, reference="F-2026-0007")
    found = only(paid(1200, counterparty="Jeanne Martin"), FIRST, twin)
    assert (found.certainty, set(found.expected)) == ("unsure", {FIRST, twin})


def test_an_invoice_or_a_sum_of_others_is_unsure() -> None:
    two = [
        invoice("F-2026-0010", 700, "Jeanne Martin"),
        invoice("F-2026-0011", 500, "Jeanne Martin"),
    ]
    found = only(paid(1200, counterparty="Jeanne Martin"), FIRST, *two)
    assert (found.certainty, set(found.expected)) == ("unsure", {FIRST, *two})
    assert found.why == "The name and the amount fit in 2 ways"


def test_the_amount_alone_is_unsure() -> None:
    assert only(paid(1200, "VIR"), FIRST).certainty == "unsure"


def test_where_all_pay_the_same_the_amount_lists_nobody() -> None:
    everybody = [invoice(f"F-2026-1{number:03}", 1200) for number in range(21)]
    found = only(paid(1200, "VIR"), *everybody)
    assert (found.certainty, found.expected) == ("unsure", ())
    assert "for 21 of what is expected" in found.why
    assert len(only(paid(1200, "VIR"), *everybody[:20]).expected) == 20


def test_more_than_twelve_open_invoices_are_paid_all_or_not_at_all() -> None:
    many = [invoice(f"F-2026-2{number:03}", 100, "Jeanne Martin") for number in range(13)]
    assert len(only(paid(1300, counterparty="Jeanne Martin"), *many).expected) == 13
    assert propose([paid(200, counterparty="Jeanne Martin")], many, returns={}) == []


def test_what_resembles_nothing_has_no_proposal() -> None:
    assert propose([paid(77, "COTISATION CARTE")], [FIRST], returns={}) == []


@pytest.mark.parametrize("text", ["F-2026-0001", "", "VIR"])
def test_two_movements_never_take_the_same_invoice(text: str) -> None:
    twice = [paid(1200, text, counterparty="Jeanne Martin")] * 2
    first, second = propose(twice, [FIRST], returns={})
    assert first.certainty == second.certainty == "unsure"
    assert first.expected == second.expected == (FIRST,)
    assert first.why == "More than one movement may belong to F-2026-0001"


def test_what_is_certain_is_not_offered_to_another() -> None:
    by_name = paid(1200, counterparty="Jeanne Martin")
    (found,) = propose([by_name, paid(1200, "F-2026-0001")], [FIRST], returns={})
    assert (found.certainty, found.movement.text) == ("certain", "F-2026-0001")


RETURNS = {"F-2026-0002-1": "F-2026-0002", "F-2026-0003-1": "F-2026-0003"}


@pytest.mark.parametrize("text", [CAMT_2, CFONB, MT940])
def test_a_return_is_matched_to_its_debit_and_never_to_what_is_expected(text: str) -> None:
    trap = batch("S-1", -1200, "F-2026-0002-1", "settlement")
    (found,) = propose([movements(text)[1]], [trap], returns=RETURNS)
    (back,) = found.expected
    assert (found.certainty, back.kind) == ("certain", "return")
    assert (back.reference, back.units) == ("F-2026-0002", -1200)
    assert "(MD06)" in found.why


def test_a_return_that_is_named_in_the_text_only_is_likely() -> None:
    (found,) = propose([movements(OFX_1)[1]], [], returns=RETURNS)
    assert (found.certainty, found.expected[0].reference) == ("likely", "F-2026-0002")


def test_a_return_of_a_debit_that_nobody_collected_is_unsure() -> None:
    (found,) = propose([movements(CAMT_2)[1]], [FIRST], returns={})
    assert (found.certainty, found.expected) == ("unsure", ())


def test_a_payment_of_ours_that_came_back_pays_no_invoice() -> None:
    (found,) = propose([paid(1200, "F-2026-0001", reason="AC04")], [FIRST], returns={})
    assert (found.certainty, found.expected) == ("unsure", ())


def test_returns_of_a_batch_are_certain_when_all_amounts_are_said() -> None:
    details = tuple(Detail(-1200, end, reason="AM04") for end in RETURNS)
    both = Movement(booked_on=DAY, units=-2400, reason="AM04", details=details)
    (found,) = propose([both], [], returns=RETURNS)
    assert (found.certainty, [one.units for one in found.expected]) == ("certain", [-1200, -1200])
    silent = replace(both, details=(replace(details[0], units=None), details[1]))
    assert propose([silent], [], returns=RETURNS)[0].certainty == "unsure"
    stranger = replace(both, details=(replace(details[0], end_to_end="X"), details[1]))
    assert propose([stranger], [], returns=RETURNS)[0].certainty == "unsure"


def test_a_debit_comes_back_once() -> None:
    twice = [movements(CAMT_2)[1]] * 2
    assert [one.certainty for one in propose(twice, [], returns=RETURNS)] == ["unsure"] * 2


def test_a_collected_debit_is_not_a_return() -> None:
    expected = invoice("F-2026-0002", 1200, ends="F-2026-0002-1")
    (found,) = propose([paid(1200, end_to_end="F-2026-0002-1")], [expected], returns=RETURNS)
    assert (found.certainty, found.expected) == ("certain", (expected,))


amounts = st.sampled_from([1200, 800, 2000, 3600, -1200])
texts = st.lists(
    st.sampled_from(["F-2026-0001", "F-2026-0002", "Jeanne", "Martin", "PAQUET-1", "VIR"]),
    max_size=4,
).map(" ".join)


@given(
    st.lists(st.tuples(amounts, texts, st.sampled_from(["", "F-2026-0002-1"])), max_size=8),
    st.lists(st.sampled_from([FIRST, SECOND, THIRD, batch("PAQUET-1", 3600)]), max_size=6),
)
@settings(deadline=None)
def test_no_expectation_is_taken_twice_and_certain_is_exact(
    given_movements: list[tuple[int, str, str]], expected: list[Expected]
) -> None:
    found = propose(
        [paid(units, text, end_to_end=end) for units, text, end in given_movements],
        expected,
        returns=RETURNS,
    )
    firm = [
        one for proposal in found if proposal.certainty != "unsure" for one in proposal.expected
    ]
    assert len({(one.kind, one.reference) for one in firm}) == len(firm)
    for proposal in found:
        if proposal.certainty != "unsure":
            assert sum(one.units for one in proposal.expected) == proposal.movement.units
    assert len(found) <= len(given_movements)


def settled(reference: str, units: int, name: str) -> Expected:
    """What is owed for a document that its issuer numbered L2026-000001."""
    return Expected(
        "settlement", reference, units, frozenset(), (name,), "", DAY, document="L2026-000001"
    )


@pytest.mark.parametrize(
    ("units", "text", "certainty", "references"),
    [
        (-300, "LES AMIS L2026-000001", "certain", {"1-2-1"}),
        (-300, "L2026-000001", "likely", {"1-2-1"}),
        (-300, "LE QUAI L2026-000001", "unsure", {"1-2-1", "1-3-1"}),
        (-400, "LES AMIS L2026-000001", "unsure", {"1-2-1", "1-3-1"}),
    ],
)
def test_of_documents_of_one_number_amount_and_name_must_speak_for_one(
    units: int, text: str, certainty: str, references: set[str]
) -> None:
    two = settled("1-2-1", -300, "Les Amis"), settled("1-3-1", -200, "Le Quai")
    found = only(paid(units, text), *two)
    assert found.certainty == certainty
    assert {one.reference for one in found.expected} == references


def test_two_equal_documents_of_one_number_are_unsure() -> None:
    two = settled("1-2-1", -300, "Les Amis"), settled("1-3-1", -300, "Le Quai")
    assert only(paid(-300, "LES AMIS L2026-000001"), *two).certainty == "unsure"


def debit(reference: str, units: int = 1200, mandate: str = "", day: date = DAY) -> Expected:
    return Expected("debit", reference, units, frozenset({reference}), (), "", day, mandate=mandate)


TWO = (
    invoice("F2026-000001", 1200, ends="F2026-1-1"),
    invoice("F2026-000002", 700, ends="F2026-2-1"),
)
RUNNING = (
    *TWO,
    batch("PAQ-1", 1900, "F2026-1-1 F2026-2-1"),
    debit("F2026-1-1", mandate="RUM-1"),
    debit("F2026-2-1", 700, mandate="RUM-2"),
)


def test_a_debit_that_the_bank_credits_alone_is_certain() -> None:
    found = only(paid(1200, end_to_end="F2026-1-1"), *RUNNING)
    assert (found.certainty, [one.reference for one in found.expected]) == (
        "certain",
        ["F2026-1-1"],
    )


@pytest.mark.parametrize(
    "movement",
    [
        paid(1199, end_to_end="F2026-1-1"),
        paid(700, end_to_end="F2026-1-1"),
        paid(1200, "F2026-1-1"),
        paid(1200, "F2026-000002", end_to_end="F2026-1-1"),
    ],
)
def test_a_debit_is_never_certain_by_halves(movement: Movement) -> None:
    assert only(movement, *RUNNING).certainty == "unsure"


def test_a_batch_of_one_debit_is_the_batch() -> None:
    alone = (TWO[0], batch("PAQ-1", 1200, "F2026-1-1"), debit("F2026-1-1"))
    found = only(paid(1200, end_to_end="F2026-1-1"), *alone)
    assert (found.certainty, [one.reference for one in found.expected]) == ("certain", ["PAQ-1"])


def under(mandate: str, units: int = 1200) -> Movement:
    return replace(paid(units), details=(Detail(units, mandate=mandate),))


def test_a_mandate_with_the_amount_and_the_day_tells_the_debit() -> None:
    found = only(under("RUM-1"), *RUNNING)
    assert (found.certainty, [one.reference for one in found.expected]) == (
        "certain",
        ["F2026-1-1"],
    )


@pytest.mark.parametrize(
    "others",
    [
        [debit("F2026-3-1", mandate="RUM-1")],
        [debit("F2026-1-1", mandate="RUM-1", day=DAY + timedelta(days=11))],
        [debit("F2026-1-1", 1100, mandate="RUM-1")],
    ],
)
def test_a_mandate_that_could_mean_another_debit_is_never_certain(others: list[Expected]) -> None:
    known = [debit("F2026-1-1", mandate="RUM-1")] if others[0].reference == "F2026-3-1" else []
    found = propose([under("RUM-1")], [*known, *others], returns={})
    assert all(one.certainty != "certain" for one in found)


def test_one_debit_is_not_credited_twice() -> None:
    twice = [paid(1200, end_to_end="F2026-1-1"), under("RUM-1")]
    found = propose(twice, RUNNING, returns={})
    assert [one.certainty for one in found] == ["unsure", "unsure"]


def test_a_batch_and_one_of_its_debits_do_not_both_come() -> None:
    both = [paid(1900, "PAQ-1"), paid(1200, end_to_end="F2026-1-1")]
    found = propose(both, RUNNING, returns={})
    assert [one.certainty for one in found] == ["unsure", "unsure"]
