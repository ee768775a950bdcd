from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from provision.subscriptions.documents.deducting import Deposit
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.offers.vat import GROSS, tax

CENTS = st.integers(1, 1_000_000)


def deposit(gross: int, rate: int, paid: int) -> Deposit:
    (taxed,) = tax([gross], GROSS, rate)
    return Deposit(Number(1, "F2026", 1), "person-1", taxed.net, taxed.vat, paid)


@given(CENTS, st.sampled_from([0, 550, 2000]), st.lists(CENTS, min_size=1, max_size=30))
def test_however_it_is_deducted_the_parts_are_the_deposit_to_the_cent(
    gross: int, rate: int, invoices: list[int]
) -> None:
    one = deposit(gross, rate, gross)
    parts = [one.take(most) for most in [*invoices, gross]]
    assert all(net >= 0 and vat >= 0 for net, vat in parts)
    assert all(net + vat <= most for (net, vat), most in zip(parts, invoices, strict=False))
    assert sum(net for net, _vat in parts) == one.net
    assert sum(vat for _net, vat in parts) == one.vat
    assert one.left == 0


@given(CENTS, st.data())
def test_no_more_is_deducted_than_was_paid(gross: int, data: st.DataObject) -> None:
    paid = data.draw(st.integers(0, gross))
    one = deposit(gross, 2000, paid)
    net, vat = one.take(gross)
    assert net + vat == paid
    assert one.take(gross) == (0, 0)


def test_the_odd_cents_of_vat_come_with_the_last_part() -> None:
    """17.77 and 3.55: a half of it holds 1.78 of VAT, half a cent up, and the other 1.77."""
    one = deposit(2132, 2000, 2132)
    assert [one.take(1066), one.take(1066)] == [(888, 178), (889, 177)]


def test_a_deposit_whose_payment_came_back_has_nothing_left() -> None:
    one = deposit(1000, 0, 0)
    one.deducted_net = 700
    assert one.left == 0
    assert one.take(100) == (0, 0)
