"""Payouts beside the rest of the books: credit notes, receipts, exports, VAT, any order of days."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from random import Random
from typing import TYPE_CHECKING

import pytest

from provision.days import ONE_DAY
from provision.errors import UsageRefused
from provision.formats.payouts import providers, reading
from provision.subscriptions.books import exporting, vat_due, verify
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.payments import awaited_money, payout_lists
from provision.subscriptions.selling import credit_notes
from provision.subscriptions.selling.credit_notes import What
from provision.workflows import payouts as bringing
from provision.workflows import reconciling
from tests.integration.subscriptions import oracles
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.giving_shop import open_desk
from tests.integration.subscriptions.paying_shop import TOLD, Said, open_till
from tests.unit.formats.payouts.payout_examples import helloasso, stripe

if TYPE_CHECKING:
    from pathlib import Path

    from provision.subscriptions.parties.models import Organisation
    from provision.workflows.payouts import BroughtPayment
    from tests.integration.subscriptions.conftest import Shop, Within
    from tests.integration.subscriptions.paying_shop import Till

TODAY = START + 90 * ONE_DAY
YEAR = exporting.Period(date(2026, 1, 1), date(2026, 12, 31))
PAID = ("ch_1", "charge", "10.00", "0.40", "F2026-000001")

# What depends on the database is tested on both by test_payouts_booked.
pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne owes 10 euros, of which 1.67 are VAT."""
    made = open_till(shop, "liable", vat_id="FR44732829320")
    made.shop.subscribe(shop.jeanne)
    shop.bill(START + ONE_DAY)
    return made


def bring(
    side: Within, owner: Organisation, content: bytes, provider: str = "stripe"
) -> list[BroughtPayment]:
    given = reading.read(content, "file.csv", providers.of(provider))
    return bringing.bring_in(side.session, owner, given, TODAY).payments


def test_a_refund_pays_the_credit_note_back_that_waits_for_it(till: Till) -> None:
    """Who was refunded on purpose is not reminded of the invoice."""
    bring(till, till.seller, stripe(PAID))
    first = Number(till.seller.id, "F2026", 1)
    number = credit_notes.credit(till.session, first, What(units=400), "panne", TODAY)
    back = ("re_1", "refund", "-4.00", "0.00", "ch_1")
    (brought,) = bring(till, till.seller, stripe(back, payout="po_102"))
    assert (brought.kind, brought.pays) == ("refund", (number.shown,))
    rest = ("re_2", "dispute", "-6.00", "0.00", "ch_1")
    (brought,) = bring(till, till.seller, stripe(rest, payout="po_103"))
    assert (brought.kind, brought.pays) == ("return", ("F2026-000001",))
    assert [(item.shown, item.units) for item in till.invoices()] == [("F2026-000001", 600)]
    assert verify.verify(till.session) == []


def test_a_refund_that_names_a_credit_note_pays_it(till: Till) -> None:
    bring(till, till.seller, stripe(PAID))
    first = Number(till.seller.id, "F2026", 1)
    credit_notes.credit(till.session, first, What(), "panne", TODAY)
    back = ("re_1", "refund", "-10.00", "0.00", "A2026-000001")
    (brought,) = bring(till, till.seller, stripe(back, payout="po_102"))
    assert (brought.kind, brought.pays, till.invoices()) == ("refund", ("A2026-000001",), [])
    assert verify.verify(till.session) == []


@pytest.mark.parametrize("words", ["?", "A2026-000001"])
def test_what_paid_a_credit_note_back_goes_back_once(till: Till, words: str) -> None:
    """Explained by a person, or by the number that the provider wrote."""
    bring(till, till.seller, stripe(PAID))
    credit_notes.credit(till.session, Number(till.seller.id, "F2026", 1), What(), "panne", TODAY)
    bring(till, till.seller, stripe(("re_1", "refund", "-10.00", "0.00", words), payout="po_102"))
    for row in payout_lists.parked(till.session, till.seller.id):
        assert bringing.explain(till.session, row, ["A2026-000001"], TODAY) == ["A2026-000001"]
    again = ("re_2", "dispute", "-10.00", "0.00", "ch_1")
    (brought,) = bring(till, till.seller, stripe(again, payout="po_103"))
    assert (brought.kind, till.invoices()) == ("parked", [])
    assert verify.verify(till.session) == []


def test_a_credit_note_of_what_was_paid_elsewhere_is_paid_back_as_well(till: Till) -> None:
    credit_notes.credit(till.session, Number(till.seller.id, "F2026", 1), What(), "panne", TODAY)
    till.shop.subscribe(till.shop.jeanne)
    till.shop.bill(START + 2 * ONE_DAY)
    till.bank(Said(1000, text="F2026-000002"))
    reconciling.accept_certain(till.session, till.seller, TODAY, TOLD)
    number = credit_notes.credit(
        till.session, Number(till.seller.id, "F2026", 2), What(), "panne", TODAY
    )
    (brought,) = bring(
        till, till.seller, stripe(("re_1", "refund", "-10.00", "0.00", number.shown))
    )
    assert (brought.kind, till.invoices()) == ("refund", [])
    assert verify.verify(till.session) == []


def test_vat_is_due_on_the_day_of_the_payment_and_no_longer_when_it_went_back(till: Till) -> None:
    def due(day: date) -> int:
        found = vat_due.statement(till.session, till.seller, date(2026, 1, 1), day)
        assert found.unexplained == 0
        return sum(row.due for row in found.rows)

    bring(till, till.seller, stripe(PAID))
    assert (due(date(2026, 1, 31)), due(TODAY)) == (0, 167)
    bring(till, till.seller, stripe(("re_1", "refund", "-10.00", "0.00", "ch_1"), payout="po_102"))
    assert due(TODAY) == 0


def test_a_donation_that_was_written_down_is_what_the_platform_paid_out(shop: Shop) -> None:
    desk = open_desk(shop)
    desk.bank()
    desk.record(desk.gift(means="card"))
    desk.record(desk.fee(units=2_000))
    named = ("7", "Validé", "50,00", "R2026-000001")
    (brought,) = bring(desk, desk.association, helloasso(named), "helloasso")
    assert brought.kind == "awaited"
    assert desk.accounts() == {"5115": 5_000, "5301": 2_000, "7541": -5_000, "756": -2_000}
    assert verify.verify(desk.session) == []


def test_a_person_says_which_fees_and_donations_a_payment_was(shop: Shop) -> None:
    desk = open_desk(shop)
    desk.bank()
    desk.record(desk.gift(means="card"))
    content = helloasso(("7", "Validé", "50,00", "Don"), ("8", "Validé", "12,00", "Don"))
    bring(desk, desk.association, content, "helloasso")
    row, other = payout_lists.parked(desk.session, desk.association.id)
    with pytest.raises(UsageRefused, match=r"The payment is €12\.00, and €50\.00 are waited for"):
        bringing.explain(desk.session, other, ["R2026-000001"], TODAY)
    with pytest.raises(UsageRefused, match="Only a fee or a donation is paid by card"):
        bringing.explain(desk.session, row, ["payout-helloasso-day-2026-03-10"], TODAY)
    assert bringing.explain(desk.session, row, ["R2026-000001"], TODAY) == ["R2026-000001"]
    assert desk.accounts() == {"471": -1_200, "5115": 6_200, "7541": -5_000}
    assert verify.verify(desk.session) == []


def test_who_has_no_statements_says_that_a_payout_went_through_the_bank(till: Till) -> None:
    bring(till, till.seller, stripe(PAID))
    moment = Moment(TODAY, TODAY)
    awaited_money.remit(till.session, till.seller, ["payout-stripe-po_101"], moment)
    assert till.accounts() == {"44571": -167, "512": 960, "627": 40, "706": -833}
    assert payout_lists.everyone(till.session, till.seller.id)[0].waits == 0
    assert verify.verify(till.session) == []


@pytest.mark.parametrize("kind", ["beancount", "hledger"])
def test_other_programs_come_to_the_same_balances(till: Till, kind: str, tmp_path: Path) -> None:
    several(till)
    (name, content), *_ = exporting.export(till.session, till.seller, YEAR, kind, "fr").items()
    file = tmp_path / name
    file.write_bytes(content)
    held = {
        balance.account: balance.amount.units
        for balance in posting.balance(till.session, posting.Sight(till.seller.id))
    }
    assert {"5115", "627", "471"} <= set(held)
    assert oracles.balances(kind, file) == oracles.named(kind, held)


def test_the_fec_passes_the_checker(till: Till) -> None:
    several(till)
    files = exporting.export(till.session, till.seller, YEAR, "fec", "fr")
    assert exporting.problems(files, YEAR) == []
    written = next(iter(files.values())).decode()
    assert "\t5115\tCartes et paiements en ligne à encaisser\tpayout-stripe-po_101\t" in written


def several(till: Till) -> None:
    """Bring in what is paid, unknown, refunded and kept, and let the bank show one of two."""
    unknown = ("ch_2", "charge", "15.00", "0.50", "?")
    fee = ("fee_1", "fee", "-2.00", "0.00", "Radar")
    bring(till, till.seller, stripe(PAID, unknown, fee))
    bring(till, till.seller, stripe(("re_1", "refund", "-10.00", "0.00", "ch_1"), payout="po_102"))
    (row,) = till.bank(Said(2210))
    awaited_money.bank(till.session, row, ["payout-stripe-po_101"], TODAY)


@dataclass
class Provider:
    """What a provider does by chance: what can still be paid, and what can still go back."""

    chance: Random
    unpaid: list[str]
    paid: list[tuple[str, int]] = field(default_factory=list)

    def line(self, name: str) -> tuple[str, str, str, str, str]:
        """Return one line of a report."""
        what, fee = self.chance.choice(("charge", "refund", "fee", "?")), f"0.{name[-2:]}"
        if what == "charge" and self.unpaid:
            number = self.unpaid.pop(self.chance.randrange(len(self.unpaid)))
            self.paid.append((f"ch_{name}", 1000))
            return f"ch_{name}", "charge", "10.00", fee, number
        if what == "refund" and self.paid:
            charge, units = self.paid.pop(self.chance.randrange(len(self.paid)))
            part = self.chance.randint(1, units)
            if part < units:
                self.paid.append((charge, units - part))
            return f"re_{name}", "refund", f"-{part / 100:.2f}", fee, charge
        if what == "fee":
            return f"fee_{name}", "fee", f"-{fee}", "0.00", "Radar"
        return f"ch_{name}", "charge", "7.77", fee, "?"


@pytest.mark.parametrize("seed", range(3))
def test_whatever_a_provider_pays_out_the_waiting_account_comes_back_to_zero(
    till: Till, seed: int
) -> None:
    """Payments, refunds and fees in any payout, shown by the bank in any order, beside a sum."""
    chance = Random(seed)  # noqa: S311 (no secret: the same history each time)
    for _ in range(6):
        till.shop.subscribe(till.shop.jeanne)
    till.shop.bill(START + 2 * ONE_DAY)
    provider = Provider(chance, [item.shown for item in till.invoices()])
    for at in range(8):
        lines = [
            provider.line(f"{at}_{place}_{chance.randint(10, 99)}")
            for place in range(chance.randint(1, 3))
        ]
        bring(till, till.seller, stripe(*lines, payout=f"po_{at}_{seed}"))
        assert verify.verify(till.session) == []
    states = payout_lists.everyone(till.session, till.seller.id)
    assert sum(state.waits for state in states) == till.accounts()["5115"]
    chance.shuffle(states)
    for state in states:
        (row,) = till.bank(Said(state.waits))
        awaited_money.bank(till.session, row, [state.shown], TODAY)
    held = till.accounts()
    assert (held.get("5115", 0), held["512"]) == (0, sum(state.row.net for state in states))
    assert -held.get("471", 0) == sum(state.unexplained for state in states)
    assert verify.verify(till.session) == []
