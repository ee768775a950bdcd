from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision import strict
from provision.errors import PaquetError
from provision.formats.payouts import providers, reading
from provision.formats.payouts.payouts import Payout, PayoutRefused, ProviderPayment, checked
from provision.formats.payouts.providers import ProviderMapping
from provision.shipped import share
from tests.unit.formats.payouts.payout_examples import helloasso, stripe, sumup, table

CHARGE = ("ch_1", "charge", "10.00", "0.40", "F2026-000001")
REFUND = ("re_1", "refund", "-10.00", "0.00", "ch_1")
OWN = """
provider = "banc"
source = "mine"
separator = ","
decimal = "."
date = "yyyy-mm-dd"
[columns]
payout = "p"
paid_out = "day"
reference = "r"
what = ["w"]
"""


def read(provider: str, content: bytes) -> tuple[Payout, ...]:
    return reading.read(content, "file.csv", providers.of(provider))


def own(*words: str) -> ProviderMapping:
    return strict.parse(OWN + "\n".join(words), ProviderMapping, providers.EXAMPLE)


def test_a_report_of_stripe_is_one_payout_with_its_payments_and_fees() -> None:
    fee = ("fee_1", "fee", "-2.00", "0.00", "Radar")
    (payout,) = read("stripe", stripe(CHARGE, REFUND, fee))
    assert (payout.provider, payout.reference, payout.day) == ("stripe", "po_101", date(2026, 2, 5))
    assert (payout.gross, payout.fees, payout.net) == (0, 240, -240)
    charge, refund, alone = payout.payments
    assert (charge.reference, charge.gross, charge.fee, charge.net) == ("ch_1", 1000, 40, 960)
    assert (charge.payer, charge.day) == ("Jeanne Martin", date(2026, 2, 1))
    assert "F2026-000001" in charge.what
    assert (refund.reference, refund.gross, refund.fee) == ("re_1", -1000, 0)
    assert "ch_1" in refund.what.split()
    assert (alone.gross, alone.fee) == (0, 200)


def test_payments_of_helloasso_are_paid_out_together_by_day_and_without_a_fee() -> None:
    content = helloasso(("11", "Validé", "12,50", "F2026-000001"), ("12", "Payé", "1 200,00", ""))
    waiting = helloasso(("13", "Validé", "5,00", ""), day="")
    (payout,) = read("helloasso", content + waiting.split(b"\r\n", 1)[1])
    assert (payout.reference, payout.day, payout.net) == (
        "day-2026-03-10",
        date(2026, 3, 10),
        121_250,
    )
    assert [payment.fee for payment in payout.payments] == [0, 0]
    assert payout.payments[0].payer == "Jeanne Martin"
    assert not payout.has_total


def test_what_sumup_takes_back_has_the_code_of_its_sale() -> None:
    content = sumup(("T1", "PAYOUT", "9.83", "0.17"), ("T1", "REFUND_DEDUCTION", "9.83", "0.17"))
    (payout,) = read("sumup", content)
    assert [(one.reference, one.gross, one.fee) for one in payout.payments] == [
        ("T1", 1000, 17),
        ("T1", -1000, -17),
    ]
    assert payout.net == 0


def test_a_line_that_does_not_add_up_is_named() -> None:
    wrong = stripe(CHARGE, REFUND).replace(b",9.60,", b",9.70,")
    with pytest.raises(PayoutRefused, match=r"“file.csv”: Line 2: €10\.00 less a fee of €0\.40"):
        read("stripe", wrong)


def test_a_payout_that_is_not_what_its_payments_come_to_is_named() -> None:
    total = ("po_101", "payout", "-9.60", "0.00", "STRIPE PAYOUT")
    (payout,) = read("stripe", stripe(CHARGE, total))
    assert (payout.net, len(payout.payments), payout.has_total) == (960, 1, True)
    with pytest.raises(PayoutRefused, match=r"Line 4: the payout po_101 is €9\.60, and"):
        read("stripe", stripe(CHARGE, ("ch_2", "charge", "1.00", "0.00", ""), total))


@pytest.mark.parametrize(
    ("before", "after", "why"),
    [
        ("charge,", "topup,", "Line 2: nobody knows what “topup” is"),
        (",eur,", ",usd,", "Line 2 is in “usd”, and only euros"),
        ("10.00", "ten", "Line 2 of the CSV file: The amount “ten”"),
        ("2026-02-05", "05/02/2026", "is not written yyyy-mm-dd"),
        ("po_101", "po 101", "Line 2: 'po 101' is no reference"),
        ("source_id", "source", "has 0 columns “source_id”"),
    ],
)
def test_what_nobody_can_be_sure_of_is_refused(before: str, after: str, why: str) -> None:
    with pytest.raises(PayoutRefused, match=why):
        read("stripe", stripe(CHARGE).replace(before.encode(), after.encode()))


def test_a_payout_of_two_days_and_a_file_without_words_are_refused() -> None:
    two = stripe(CHARGE, REFUND).split(b"\r\n")
    two[2] = two[2].replace(b"2026-02-05 00:00:00", b"2026-02-06 00:00:00", 1)
    with pytest.raises(PayoutRefused, match="Line 3: its payout is of 2026-02-05, and not of"):
        read("stripe", b"\r\n".join(two))
    with pytest.raises(PayoutRefused, match="has no column w"):
        reading.read(table("p,day,r,g", ["1,2026-02-05,2,3.00"]), "x", own('gross = "g"'))


def test_what_one_column_does_not_say_is_computed_from_the_others() -> None:
    ways = {
        ('gross = "a"', 'net = "b"'): "10.00,9.60",
        ('gross = "a"', 'fee = "b"'): "10.00,0.40",
        ('net = "a"', 'fee = "b"'): "9.60,0.40",
    }
    for words, cells in ways.items():
        content = table("p,day,r,w,a,b", [f"P,2026-02-05,R,F2026-000001,{cells}"])
        (payout,) = reading.read(content, "x", own(*words))
        assert (payout.gross, payout.fees, payout.net) == (1000, 40, 960)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "give gross, or fee and net"),
        (('net = "n"',), "give gross, or fee and net"),
        (('gross = "g"', 'kind = "k"'), "kind and .kinds. together"),
        (('gross = "g"', "[kinds]", 'payments = ["x"]'), "kind and .kinds. together"),
        (
            ('gross = "g"', 'kind = "k"', "[kinds]", 'payments = ["x"]', 'taken = ["X"]'),
            "two meanings",
        ),
        (('gross = "g"', 'colour = "red"'), "colour"),
    ],
)
def test_a_table_that_leaves_something_open_is_refused(words: tuple[str, ...], why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        own(*words)


def test_every_table_that_is_shipped_says_what_it_rests_on_and_is_read() -> None:
    assert providers.shipped() == ("helloasso", "stripe", "sumup")
    for name in providers.shipped():
        mapping = providers.of(name)
        assert mapping.provider == name
        assert "November 2026" in mapping.source
        assert mapping.own_numbers is (name == "stripe")
    providers.read(share("templates") / "payouts.example.toml")


@pytest.mark.parametrize("status", ["Remboursé", "Contesté"])
def test_a_status_of_helloasso_that_may_be_of_the_payment_itself_is_refused(status: str) -> None:
    with pytest.raises(PayoutRefused, match=f"Line 3: nobody knows what “{status}” is"):
        read("helloasso", helloasso(("7", "Validé", "12,50", ""), ("8", status, "10,00", "")))


def test_the_digest_is_of_the_money_and_not_of_the_order_or_of_names() -> None:
    (payout,) = read("stripe", stripe(CHARGE, REFUND))
    turned = replace(payout, payments=payout.payments[::-1])
    renamed = replace(payout, payments=tuple(replace(p, payer="X") for p in payout.payments))
    dearer = replace(payout, payments=(replace(payout.payments[0], fee=41), payout.payments[1]))
    mended = replace(payout, payments=tuple(replace(p, what="X") for p in payout.payments))
    assert payout.digest == turned.digest == renamed.digest == mended.digest != dearer.digest


@given(
    st.lists(st.tuples(st.integers(-10_000, 10_000), st.integers(-100, 100)), min_size=1),
    st.integers(-2, 2),
    st.integers(-2, 2),
)
def test_a_payout_is_believed_exactly_when_its_payments_come_to_it(
    amounts: list[tuple[int, int]], more: int, dearer: int
) -> None:
    day = date(2026, 2, 5)
    payments = tuple(
        ProviderPayment(f"p{at}", "", day, gross, fee, "")
        for at, (gross, fee) in enumerate(amounts)
    )
    gross, fees = sum(one.gross for one in payments) + more, sum(one.fee for one in payments)
    payout = Payout("banc", "x", day, gross, fees + dearer, gross - fees - dearer, payments)
    if more or dearer:
        with pytest.raises(PayoutRefused, match="Line 7"):
            checked(payout, 7)
    else:
        assert checked(payout, 7) is payout
