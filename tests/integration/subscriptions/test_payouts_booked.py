"""What a card provider pays out, from its file to the movement of the bank that shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.days import ONE_DAY
from provision.errors import PaquetError, UsageRefused
from provision.formats.payouts import providers, reading
from provision.formats.payouts.payouts import PayoutRefused
from provision.subscriptions.books import verify
from provision.subscriptions.documents import open_items
from provision.subscriptions.ledger import closings
from provision.subscriptions.payments import awaited_money, payout_lists, payouts
from provision.workflows import payouts as bringing
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import TOLD, Said, open_till
from tests.unit.formats.payouts.payout_examples import helloasso, stripe, sumup

if TYPE_CHECKING:
    from provision.workflows.payouts import BroughtPayment
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

TODAY = START + 90 * ONE_DAY
ONE = ("ch_1", "charge", "10.00", "0.40", "F2026-000001")
TWO = ("ch_2", "charge", "10.00", "0.35", "Facture F2026-000002.")


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each, and the bank's statements are brought in."""
    made = open_till(shop)
    for subscriber in (shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
    shop.bill(START + ONE_DAY)
    return made


def bring(till: Till, content: bytes, provider: str = "stripe") -> list[BroughtPayment]:
    given = reading.read(content, "file.csv", providers.of(provider))
    return bringing.bring_in(till.session, till.seller, given, TODAY).payments


def became(brought: list[BroughtPayment]) -> list[tuple[str, str, tuple[str, ...]]]:
    return [(one.said.reference, one.kind, one.pays) for one in brought]


def open_on(till: Till) -> dict[str, int]:
    return {item.shown: item.units for item in till.invoices()}


def test_each_payment_pays_its_invoice_and_the_bank_ends_it(till: Till) -> None:
    assert became(bring(till, stripe(ONE, TWO))) == [
        ("ch_1", "payment", ("F2026-000001",)),
        ("ch_2", "payment", ("F2026-000002",)),
    ]
    assert till.accounts() == {"5115": 1925, "627": 75, "706": -2000}
    assert (open_on(till), verify.verify(till.session)) == ({}, [])
    (state,) = payout_lists.everyone(till.session, till.seller.id)
    assert (state.shown, state.payments, state.waits) == ("payout-stripe-po_101", 2, 1925)
    till.bank(Said(1925, text="STRIPE TECHNOLOGY po_101"))
    (outcome,) = reconciling.accept_certain(till.session, till.seller, TODAY, TOLD)
    assert outcome.refused == ""
    assert till.accounts() == {"512": 1925, "627": 75, "706": -2000}
    (state,) = payout_lists.everyone(till.session, till.seller.id)
    assert (state.waits, verify.verify(till.session)) == (0, [])


def test_a_transfer_that_only_names_the_provider_is_proposed_and_booked_by_a_person(
    till: Till,
) -> None:
    bring(till, stripe(ONE))
    (row,) = till.bank(Said(960, name="STRIPE PAYMENTS EUROPE", text="VIR SEPA"))
    (seen,) = reconciling.propose(till.session, till.seller)
    assert seen.proposal is not None
    assert (seen.proposal.certainty, seen.proposal.expected[0].reference) == (
        "likely",
        "payout-stripe-po_101",
    )
    assert reconciling.accept_certain(till.session, till.seller, TODAY, TOLD) == []
    assert awaited_money.names(till.session, till.seller.id, ["payout-stripe-po_101"])
    awaited_money.bank(till.session, row, ["payout-stripe-po_101"], TODAY)
    assert "5115" not in till.accounts()
    assert verify.verify(till.session) == []


def test_a_payout_of_another_sum_than_the_bank_shows_still_waits(till: Till) -> None:
    bring(till, stripe(ONE))
    (row,) = till.bank(Said(961, text="po_101"))
    with pytest.raises(UsageRefused, match=r"is €9\.61, and €9\.60 are waited for"):
        awaited_money.bank(till.session, row, ["payout-stripe-po_101"], TODAY)
    assert closings.waiting(till.session, till.seller.id, TODAY)["5115"].units == 960


def test_the_same_payouts_again_write_nothing(till: Till) -> None:
    content = stripe(ONE)
    bring(till, content)
    before = till.accounts()
    assert bring(till, content) == []
    later = stripe(TWO, payout="po_102").split(b"\r\n", 1)[1]
    assert became(bring(till, content + later)) == [("ch_2", "payment", ("F2026-000002",))]
    assert bring(till, content + later) == []
    assert before["5115"] == 960
    assert till.accounts()["5115"] == 960 + 965


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (stripe(("ch_1", "charge", "11.00", "0.40", "F2026-000001")), "other payments when it was"),
        (stripe(ONE, TWO), "other payments when it was"),
        (stripe(ONE, payout="po_102"), "Line 2: the payment ch_1 was paid out before"),
        (stripe(TWO, TWO, payout="po_102"), "Line 3: the payment ch_2 was paid out before"),
    ],
)
def test_a_payout_that_changed_or_pays_twice_is_refused(
    till: Till, content: bytes, why: str
) -> None:
    bring(till, stripe(ONE))
    before = till.accounts()
    with pytest.raises(PayoutRefused, match=why):
        bring(till, content)
    assert till.accounts() == before


def test_a_payout_that_changed_is_told_and_stops_no_other(till: Till) -> None:
    bring(till, stripe(ONE))
    changed = stripe(("ch_1", "charge", "11.00", "0.40", "F2026-000001"))
    content = changed + stripe(TWO, payout="po_102").split(b"\r\n", 1)[1]
    given = reading.read(content, "file.csv", providers.of("stripe"))
    told = bringing.bring_in(till.session, till.seller, given, TODAY)
    assert became(told.payments) == [("ch_2", "payment", ("F2026-000002",))]
    assert told.remarks[0] == (
        f"The payout po_101 of stripe was €9.60 with other payments when it was brought in on "
        f"{TODAY}"
    )
    assert till.accounts()["5115"] == 960 + 965


@pytest.mark.parametrize("category", ["refund", "fee"])
def test_what_is_taken_is_taken_once(till: Till, category: str) -> None:
    bring(till, stripe(ONE))
    taken = ("x_1", category, "-4.00", "0.00", "ch_1")
    bring(till, stripe(taken, payout="po_102"))
    before = till.accounts()
    with pytest.raises(PayoutRefused, match="Line 2: the payment x_1 was paid out before"):
        bring(till, stripe(taken, payout="po_103"))
    assert till.accounts() == before
    other = ("x_1", category, "-5.00", "0.00", "ch_1")
    assert bring(till, stripe(other, payout="po_103"))


def test_two_parts_that_go_back_under_the_number_of_their_sale_are_two(till: Till) -> None:
    bring(till, sumup(("T1", "PAYOUT", "9.83", "0.17")), "sumup")
    for payout in ("P-2", "P-3"):
        content = sumup(("T1", "REFUND_DEDUCTION", "2.00", "0.00"), payout=payout)
        assert bring(till, content, "sumup")
    assert till.accounts()["5115"] == 983 - 400


def test_a_payout_of_tomorrow_is_not_there_yet(till: Till) -> None:
    late = stripe(ONE).replace(b"2026-02-05", str(TODAY + ONE_DAY).encode())
    with pytest.raises(PayoutRefused, match="it is not there yet"):
        bring(till, late)


def test_what_nobody_can_explain_is_parked_until_a_person_says_what_it_pays(till: Till) -> None:
    unknown = ("ch_3", "charge", "15.00", "0.50", "Don")
    (brought,) = bring(till, stripe(unknown))
    assert (brought.kind, brought.pays) == ("parked", ())
    assert till.accounts() == {"411": 2000, "471": -1500, "5115": 1450, "627": 50, "706": -2000}
    (row,) = payout_lists.parked(till.session, till.seller.id)
    assert (row.payer, row.gross) == ("Jeanne Martin", 1500)
    assert payout_lists.everyone(till.session, till.seller.id)[0].unexplained == 1500
    assert verify.verify(till.session) == []
    assert bringing.explain(till.session, row, ["F2026-000001"], TODAY) == ["F2026-000001"]
    assert till.accounts() == {"411": 1000, "4197": -500, "5115": 1450, "627": 50, "706": -2000}
    assert payout_lists.parked(till.session, till.seller.id) == []
    with pytest.raises(UsageRefused, match="is booked already"):
        bringing.explain(till.session, row, ["F2026-000002"], TODAY)
    assert verify.verify(till.session) == []


def test_who_paid_is_forgotten_once_it_is_known_what_was_paid(till: Till) -> None:
    bring(till, stripe(ONE, ("ch_3", "charge", "7.00", "0.00", "?")))
    rows = till.session.execute(
        text("SELECT reference, payer, party, what FROM payout_payment ORDER BY id")
    ).all()
    invoice = open_items.find(till.session, till.seller.id, "F2026-000001")
    assert tuple(rows[0]) == ("ch_1", "", invoice.party, "")
    assert rows[1].payer == "Jeanne Martin"
    assert rows[1].party == ""


def test_a_name_and_an_amount_alone_are_no_proof(till: Till) -> None:
    (brought,) = bring(till, helloasso(("7", "Validé", "10,00", "Abonnement")), "helloasso")
    assert brought.kind == "parked"
    assert brought.proposal is not None
    assert brought.proposal.expected


def test_another_amount_than_is_open_pays_nothing_by_itself(till: Till) -> None:
    part = ("ch_1", "charge", "9.00", "0.40", "F2026-000001")
    assert became(bring(till, stripe(part))) == [("ch_1", "parked", ())]
    assert open_on(till)["F2026-000001"] == 1000


@pytest.mark.parametrize("category", ["refund", "dispute"])
def test_what_goes_back_opens_the_invoice_again(till: Till, category: str) -> None:
    bring(till, stripe(ONE))
    back = ("re_1", category, "-10.00", "15.00", "ch_1")
    assert became(bring(till, stripe(back, TWO, payout="po_102"))) == [
        ("re_1", "return", ("F2026-000001",)),
        ("ch_2", "payment", ("F2026-000002",)),
    ]
    assert open_on(till) == {"F2026-000001": 1000}
    assert till.accounts() == {"411": 1000, "5115": 960 - 2500 + 965, "627": 1575, "706": -2000}
    assert verify.verify(till.session) == []
    (row,) = till.bank(Said(-1535, text="STRIPE po_102"))
    (outcome,) = reconciling.accept_certain(till.session, till.seller, TODAY, TOLD)
    assert (outcome.seen.row, outcome.refused) == (row, "")
    assert till.accounts()["5115"] == 960
    assert verify.verify(till.session) == []


def test_a_refund_in_the_payout_of_its_payment_is_undone_after_it(till: Till) -> None:
    back = ("re_1", "refund", "-10.00", "0.00", "ch_1")
    assert became(bring(till, stripe(back, ONE)))[0] == ("re_1", "return", ("F2026-000001",))
    assert open_on(till)["F2026-000001"] == 1000
    assert till.accounts() == {"411": 2000, "5115": -40, "627": 40, "706": -2000}
    assert verify.verify(till.session) == []


def test_a_refund_that_has_the_number_of_its_payment_or_of_its_invoice_is_known(
    till: Till,
) -> None:
    paid = [("7", "Validé", "10,00", "F2026-000001"), ("8", "Validé", "10,00", "F2026-000002")]
    bring(till, helloasso(*paid), "helloasso")
    back = [("7", "Validé", "-10,00", ""), ("9", "Validé", "-4,00", "F2026-000002")]
    brought = bring(till, helloasso(*back, day="01/03/2026"), "helloasso")
    assert [one.kind for one in brought] == ["return", "return"]
    assert open_on(till) == {"F2026-000001": 1000, "F2026-000002": 400}
    assert verify.verify(till.session) == []


def test_no_more_goes_back_than_was_paid(till: Till) -> None:
    bring(till, stripe(ONE))
    part, rest, more = (
        (f"re_{at}", "refund", amount, "0.00", "ch_1")
        for at, amount in enumerate(("-4.00", "-6.00", "-0.01"))
    )
    assert became(bring(till, stripe(part, rest, more, payout="po_102"))) == [
        ("re_0", "return", ("F2026-000001",)),
        ("re_1", "return", ("F2026-000001",)),
        ("re_2", "parked", ()),
    ]
    (row,) = payout_lists.parked(till.session, till.seller.id)
    with pytest.raises(UsageRefused, match=r"No payment of stripe paid €0\.01 of F2026-000001"):
        bringing.explain(till.session, row, ["F2026-000001"], TODAY)
    assert verify.verify(till.session) == []


def test_a_refund_that_names_nothing_is_explained_by_a_person(till: Till) -> None:
    bring(till, stripe(ONE, TWO))
    bring(till, stripe(("re_1", "refund", "-10.00", "0.00", "?"), payout="po_102"))
    (row,) = payout_lists.parked(till.session, till.seller.id)
    assert till.accounts()["471"] == 1000
    with pytest.raises(UsageRefused, match="is of one document"):
        bringing.explain(till.session, row, ["F2026-000001", "F2026-000002"], TODAY)
    assert bringing.explain(till.session, row, ["F2026-000002"], TODAY) == ["F2026-000002"]
    assert open_on(till) == {"F2026-000002": 1000}
    assert till.accounts() == {"411": 1000, "5115": 925, "627": 75, "706": -2000}
    assert verify.verify(till.session) == []


def test_what_had_been_too_much_goes_back_first(till: Till) -> None:
    bring(till, stripe(("ch_3", "charge", "25.00", "0.00", "?")))
    (row,) = payout_lists.parked(till.session, till.seller.id)
    bringing.explain(till.session, row, ["F2026-000001"], TODAY)
    back = [
        ("re_1", "refund", "-9.00", "0.00", "ch_3"),
        ("re_2", "refund", "-16.00", "0.00", "ch_3"),
    ]
    bring(till, stripe(back[0], payout="po_102"))
    assert till.accounts()["4197"] == -600
    assert "F2026-000001" not in open_on(till)
    bring(till, stripe(back[1], payout="po_103"))
    assert "4197" not in till.accounts()
    assert open_on(till)["F2026-000001"] == 1000
    assert verify.verify(till.session) == []


def test_one_payment_of_two_invoices_goes_back_from_the_last_on(till: Till) -> None:
    till.shop.subscribe(till.shop.jeanne)
    till.shop.bill(START + 2 * ONE_DAY)
    bring(till, stripe(("ch_3", "charge", "20.00", "0.00", "?")))
    (row,) = payout_lists.parked(till.session, till.seller.id)
    bringing.explain(till.session, row, ["F2026-000001", "F2026-000003"], TODAY)
    bring(till, stripe(("re_1", "refund", "-12.00", "0.00", "ch_3"), payout="po_102"))
    opened = open_on(till)
    assert (opened["F2026-000001"], opened["F2026-000003"]) == (200, 1000)
    assert verify.verify(till.session) == []


def test_a_payment_that_nobody_explained_and_its_refund_make_up_for_each_other(
    till: Till,
) -> None:
    bring(till, stripe(("ch_3", "charge", "15.00", "0.50", "?")))
    (row,) = payout_lists.parked(till.session, till.seller.id)
    bring(till, stripe(("re_1", "refund", "-15.00", "0.00", "ch_3"), payout="po_102"))
    assert payout_lists.parked(till.session, till.seller.id) == []
    assert "471" not in till.accounts()
    with pytest.raises(UsageRefused, match="is booked already"):
        bringing.explain(till.session, row, ["F2026-000001"], TODAY)
    assert verify.verify(till.session) == []


def test_a_fee_alone_is_a_cost(till: Till) -> None:
    assert became(bring(till, stripe(("fee_1", "fee", "-2.00", "0.00", "Radar")))) == [
        ("fee_1", "fee", ())
    ]
    assert till.accounts() == {"411": 2000, "5115": -200, "627": 200, "706": -2000}
    assert verify.verify(till.session) == []


def test_a_payment_of_a_closed_month_is_entered_on_the_first_open_day(till: Till) -> None:
    closings.close(till.session, till.seller, START + 35 * ONE_DAY, today=TODAY)
    bring(till, stripe(ONE))
    assert "F2026-000001" not in open_on(till)
    assert verify.verify(till.session) == []


def test_verify_sees_a_payout_that_was_changed(till: Till) -> None:
    bring(till, stripe(ONE))
    drop = "DROP TRIGGER payout_payment_pinned"
    if till.session.connection().dialect.name == "postgresql":
        drop += " ON payout_payment"
    till.session.execute(text(drop))
    till.session.execute(text("UPDATE payout_payment SET fee = 41"))
    found = {one.what for one in verify.verify(till.session)}
    assert found == {
        "it is not the sum of its payments",
        "the ledger has another amount, or another fee",
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "UPDATE payout SET net = 1",
        "DELETE FROM payout",
        "UPDATE payout_booking SET kind = 'parked'",
        "UPDATE payout_payment SET gross = 1",
        """INSERT INTO payout_booking (payment_id, position, organisation_id, kind, entry_number,
        booked_on) SELECT payment_id, 2, organisation_id, 'fee', entry_number, booked_on
        FROM payout_booking""",
        """INSERT INTO payout_payment (id, payout_id, organisation_id, provider, position,
        reference,
        paid_on, gross, fee) SELECT 99, payout_id, organisation_id, provider, 2, reference,
        paid_on, gross, fee FROM payout_payment""",
    ],
)
def test_the_database_keeps_what_was_written(till: Till, sentence: str) -> None:
    bring(till, stripe(ONE))
    till.session.commit()
    with pytest.raises(Exception, match=r"only ever added|never changed|booked once|paid out once"):
        till.session.execute(text(sentence))
    till.session.rollback()


def test_a_payment_of_another_organisation_is_not_there(till: Till) -> None:
    (brought,) = bring(till, stripe(("ch_3", "charge", "7.00", "0.00", "?")))
    with pytest.raises(UsageRefused, match="There is no payment"):
        payouts.get(till.session, till.shop.supporter.id, brought.number)
    row = payouts.get(till.session, till.seller.id, brought.number)
    with pytest.raises(PaquetError, match="is not the number of an invoice"):
        bringing.explain(till.session, row, ["ch_1"], TODAY)
