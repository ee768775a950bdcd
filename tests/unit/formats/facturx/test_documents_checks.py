from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.formats.facturx.checks import check
from provision.formats.facturx.invoice import Kind, PaperLine, Preceding, References, Terms, Totals
from provision.formats.facturx.parties import Brand, PostalAddress, Transfer
from tests.unit.formats.facturx.document_examples import (
    ASSOCIATION,
    BUSINESS,
    COMPANY,
    CREDIT,
    DEBIT,
    ENGLISH,
    EXAMPLES,
    FRANCHISE,
    JEANNE,
    MANDATE,
    MONTH,
    OUTSIDE,
    PAID,
    PERSON,
    SELF_BILLED,
    vat_groups,
)

if TYPE_CHECKING:
    from provision.formats.facturx.invoice import PaperInvoice

BEFORE = date(2026, 10, 31)
LINE, GROUP = BUSINESS.lines[0], BUSINESS.groups[0]


@pytest.mark.parametrize("invoice", EXAMPLES.values(), ids=EXAMPLES)
def test_a_good_invoice_may_be_issued(invoice: PaperInvoice) -> None:
    check(invoice)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(BUSINESS, totals=Totals(13001, 13001)), "net and VAT are €130.00"),
        (replace(BUSINESS, totals=Totals(13000, 12999)), "does not follow from its total"),
        (replace(BUSINESS, totals=Totals(13000, 13001, 1, 1)), "does not follow from its total"),
        (replace(BUSINESS, groups=(replace(GROUP, basis=10832),)), "its lines have €108.33"),
        (replace(BUSINESS, groups=(replace(GROUP, vat=2168),)), "€21.68 cannot be the VAT"),
        (replace(BUSINESS, groups=(replace(GROUP, vat=2165),)), "€21.65 cannot be the VAT"),
        (replace(BUSINESS, groups=(GROUP, GROUP)), "not grouped like its lines"),
        (replace(BUSINESS, groups=(replace(GROUP, rate=1000),)), "not grouped like its lines"),
        (replace(BUSINESS, groups=()), "not grouped like its lines"),
        (replace(BUSINESS, seller=ASSOCIATION), "cannot charge"),
        (replace(FRANCHISE, groups=(replace(FRANCHISE.groups[0], exemption_text=""),)), "Why"),
        (replace(FRANCHISE, groups=(replace(FRANCHISE.groups[0], exemption_code=""),)), "Why"),
        (vat_groups(replace(MONTH, net=-833), vat=-167), "below zero"),
        (vat_groups(replace(MONTH, net=10**12 + 1)), "beyond belief"),
        (replace(BUSINESS, totals=Totals(13000, -1, 13001)), "what is to pay of it, is below"),
    ],
)
def test_sums_that_do_not_hold_are_refused(bad: PaperInvoice, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        check(bad)


def test_what_is_outside_vat_stands_on_an_invoice_of_its_own() -> None:
    both = replace(
        OUTSIDE,
        seller=BUSINESS.seller,
        lines=OUTSIDE.lines + BUSINESS.lines,
        groups=OUTSIDE.groups + BUSINESS.groups,
    )
    with pytest.raises(PaquetError, match="mixes what is outside VAT"):
        check(both)


@given(st.integers(min_value=0, max_value=10**9), st.sampled_from([210, 550, 850, 1000, 2000]))
def test_the_vat_out_of_a_price_with_vat_is_within_a_cent(gross: int, rate: int) -> None:
    """Gross × r/(100+r) rounded half up, as an inclusive price gives it."""
    vat = (2 * gross * rate + 10000 + rate) // (2 * (10000 + rate))
    line = replace(LINE, net=gross - vat, vat_rate=rate)
    group = replace(GROUP, rate=rate, basis=gross - vat, vat=vat)
    check(replace(BUSINESS, lines=(line,), groups=(group,), totals=Totals(gross, gross)))


@given(
    st.integers(min_value=0, max_value=10**9),
    st.sampled_from([210, 550, 1000, 2000]),
    st.sampled_from([-2, 2]),
)
def test_a_vat_that_is_two_cents_off_is_refused(net: int, rate: int, wrong: int) -> None:
    vat = (net * rate + 5000) // 10000 + wrong
    line, group = replace(LINE, net=net, vat_rate=rate), replace(GROUP, basis=net, rate=rate)
    bad = replace(BUSINESS, lines=(line,), groups=(replace(group, vat=vat),))
    with pytest.raises(PaquetError, match="cannot be the VAT"):
        check(replace(bad, totals=Totals(net + vat, net + vat)))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(PERSON, dates=replace(PERSON.dates, due=BEFORE)), "due before it is issued"),
        (replace(PERSON, dates=replace(PERSON.dates, ends=None)), "has only one end"),
        (replace(PERSON, dates=replace(PERSON.dates, ends=BEFORE)), "ends before it begins"),
        (replace(PERSON, dates=replace(PERSON.dates, issued=date(1999, 1, 1))), "cannot be"),
        (replace(PERSON, dates=replace(PERSON.dates, delivered=date(9999, 1, 1))), "cannot be"),
        (replace(PERSON, payment=replace(DEBIT, collected=BEFORE)), "collected before it is"),
        (replace(PERSON, payment=replace(DEBIT, collected=date(9999, 1, 1))), "cannot be"),
        (vat_groups(replace(MONTH, ends=BEFORE)), "line 1 of F2026-00042 ends before"),
        (vat_groups(replace(MONTH, starts=None)), "line 1 of F2026-00042 has only one end"),
    ],
)
def test_days_out_of_order_are_refused(bad: PaperInvoice, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        check(bad)


def test_what_is_paid_but_for_its_rounding_is_not_paid_yet() -> None:
    rounded = replace(PERSON, totals=Totals(gross=1000, payable=0, prepaid=999, rounding=-1))
    check(rounded)
    assert not rounded.is_paid


def test_what_is_paid_was_due_on_the_day_it_was_paid() -> None:
    assert PAID.dates.due < PAID.dates.issued
    check(PAID)


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(CREDIT, references=References()), "corrects no invoice"),
        (
            replace(CREDIT, references=References(preceding=(Preceding("F1", date(2026, 11, 2)),))),
            "of a later day",
        ),
        (
            replace(CREDIT, references=References(preceding=(Preceding("F1", BEFORE),) * 101)),
            "more than 100",
        ),
        (replace(CREDIT, payment=DEBIT), "asks for money"),
        (replace(SELF_BILLED, terms=Terms()), "only half told"),
        (replace(SELF_BILLED, kind=Kind.INVOICE), "only half told"),
        (
            replace(SELF_BILLED, terms=Terms(self_billing=replace(MANDATE, contest_days=0))),
            "0 days",
        ),
        (
            replace(
                SELF_BILLED,
                terms=Terms(self_billing=replace(MANDATE, mandated_on=date(2026, 11, 2))),
            ),
            "before the seller gave its mandate",
        ),
        (replace(BUSINESS, commodity="HOUR"), "'HOUR'"),
        (replace(BUSINESS, lines=()), "0 lines"),
        (replace(BUSINESS, lines=(LINE,) * 1001), "1001 lines"),
        (vat_groups(replace(MONTH, quantity=0)), "quantity of line 1"),
        (replace(BUSINESS, terms=Terms(notes=("x",) * 21)), "more than 20 notes"),
    ],
)
def test_a_kind_that_is_half_told_is_refused(bad: PaperInvoice, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        check(bad)


@pytest.mark.parametrize(
    "number", ["", "F 1", "F1 ", "É1", "F" * 36, "F1\n", "F1.2", "<b>", "\u202e1"]
)
def test_a_number_that_france_refuses_is_refused(number: str) -> None:
    with pytest.raises(PaquetError, match="cannot be the number"):
        check(replace(BUSINESS, number=number))


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (replace(PERSON, buyer=replace(JEANNE, name=" ")), "name of the buyer is empty"),
        (replace(PERSON, buyer=replace(JEANNE, name="x" * 301)), "longer than 300"),
        (replace(PERSON, seller=replace(PERSON.seller, siren="")), "has no SIREN"),
        (replace(PERSON, seller=replace(PERSON.seller, siren="732829321")), "not the SIREN"),
        (replace(PERSON, seller=replace(PERSON.seller, siren="732 829 320")), "not the SIREN"),
        (replace(PERSON, seller=replace(PERSON.seller, vat_id="FR 44")), "not the VAT number"),
        (replace(PERSON, payment=Transfer("FR1420041010050500013M02607")), "not an IBAN"),
        (replace(PERSON, payment=Transfer(DEBIT.debtor_iban, "PSST")), "not a BIC"),
        (replace(PERSON, payment=replace(DEBIT, creditor="FR73ZZZ123456")), "ICS"),
        (replace(PERSON, payment=replace(DEBIT, mandate="é")), "mandate"),
        (replace(PERSON, payment=replace(DEBIT, debtor_iban="FR14")), "not an IBAN"),
        (replace(PERSON, brand=Brand(colour="red")), "not a colour"),
        (replace(PERSON, brand=Brand(colour="#12345;")), "not a colour"),
        (replace(PERSON, brand=Brand(logo=b"<svg/>")), "neither a PNG nor a JPEG"),
        (replace(PERSON, brand=Brand(logo=b"\xff\xd8\xff" + b"0" * 10**6)), "larger than 1 MB"),
    ],
)
def test_who_cannot_be_named_or_paid_is_refused(bad: PaperInvoice, why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        check(bad)


@pytest.mark.parametrize("role", ["seller", "buyer"])
def test_nobody_owes_the_vat_in_the_place_of_another_without_both_numbers(role: str) -> None:
    check(ENGLISH)
    nameless = replace(getattr(ENGLISH, role), vat_id="")
    with pytest.raises(PaquetError, match="one of both has no VAT number"):
        check(replace(ENGLISH, **{role: nameless}))


@pytest.mark.parametrize(
    "address",
    [
        PostalAddress((), "14000", "Caen"),
        PostalAddress(("a", "b", "c", "d"), "14000", "Caen"),
        PostalAddress(("",), "14000", "Caen"),
        PostalAddress(("a",), "14000", ""),
        PostalAddress(("a",), "1" * 61, "Caen"),
        PostalAddress(("a",), "14000", "Caen", "France"),
    ],
)
def test_an_address_to_which_no_letter_goes_is_refused(address: PostalAddress) -> None:
    with pytest.raises(PaquetError, match=r"buyer|country"):
        check(replace(BUSINESS, buyer=replace(COMPANY, address=address)))
    with pytest.raises(PaquetError, match=r"delivery|country"):
        check(replace(BUSINESS, references=References(delivered_to=address)))


@pytest.mark.parametrize(
    "text", ["a\x00b", "a\nb", "a\tb", "a\x1bb", "a\x85b", "a\ud800b", "a\ufffeb", "a\u2028b"]
)
def test_what_xml_or_paper_cannot_carry_is_refused_not_dropped(text: str) -> None:
    for bad in (
        replace(PERSON, buyer=replace(JEANNE, name=text)),
        vat_groups(replace(MONTH, label=text)),
        replace(PERSON, references=References(order=text)),
        replace(PERSON, groups=(replace(GROUP, exemption_text=text),)),
    ):
        with pytest.raises(PaquetError, match="cannot be printed"):
            check(bad)


def test_only_notes_may_have_lines() -> None:
    check(replace(PERSON, terms=Terms(notes=("one\ntwo",))))
    check(vat_groups(replace(MONTH, note="one\ntwo")))
    with pytest.raises(PaquetError, match="cannot be printed"):
        check(replace(PERSON, terms=Terms(notes=("one\rtwo",))))


@given(st.integers(-(10**9), 10**9), st.integers(1, 10**6))
def test_price_times_quantity_is_exactly_the_net_amount(net: int, quantity: int) -> None:
    price, per = PaperLine("x", quantity, "piece", net, 2000, "S").price
    assert price >= 0
    assert price * quantity == abs(net) * per
