from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.commons import contributions
from provision.subscriptions.commons.receipts import recording
from provision.subscriptions.documents import describing, numbering
from provision.subscriptions.ledger import closings
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.parties import profiles
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.giving_shop import (
    ELIGIBLE,
    ON,
    SIGNED,
    STREET,
    TODAY,
    YEAR,
    open_desk,
)
from tests.integration.subscriptions.paying_shop import Said

if TYPE_CHECKING:
    from provision.subscriptions.documents.receipt_models import Receipt
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.giving_shop import Desk


@pytest.fixture
def desk(shop: Shop) -> Desk:
    return open_desk(shop)


def shown(receipt: Receipt) -> str:
    return numbering.shown(receipt.series, receipt.number)


def test_a_fee_is_income_where_its_money_is(desk: Desk) -> None:
    means = ("cash", "cheque", "transfer", "debit", "card")
    made = [desk.record(desk.fee(2_000 + at, one)) for at, one in enumerate(means)]
    assert [one.number for one in made] == [1, 2, 3, 4, 5]
    assert (shown(made[0]), made[0].received_on, made[0].issued_on) == ("R2026-000001", ON, TODAY)
    assert desk.accounts() == {"5301": 2_000, "5112": 2_001, "512": 6_009, "756": -10_010}
    assert verify.verify(desk.session) == []


def test_a_donation_is_a_gift_of_a_person_or_of_a_company(desk: Desk) -> None:
    association = desk.giver("-", name="Chorale", kind="non-profit", address=STREET)
    company = desk.giver("-", name="Four SARL", kind="company", address=STREET)
    for units, giver in ((1, desk.giver()), (20, association), (300, company)):
        desk.record(desk.gift(units, giver=giver))
    assert desk.accounts() == {"512": 321, "7541": -21, "7542": -300}
    assert verify.verify(desk.session) == []


def test_the_same_again_writes_nothing_and_another_key_does(desk: Desk) -> None:
    first = desk.record(desk.gift())
    assert desk.record(desk.gift()) is first
    second = desk.record(desk.gift(key="second envelope"))
    assert [shown(one) for one in (first, second)] == ["R2026-000001", "R2026-000002"]
    assert desk.accounts()["7541"] == -10_000
    with pytest.raises(UsageRefused, match="R2026-000002, which says something else"):
        desk.record(desk.gift(6_000, key="second envelope"))


def test_numbers_begin_anew_every_year_apart_from_invoices(desk: Desk, shop: Shop) -> None:
    desk.record(desk.gift())
    later = Moment(date(2027, 1, 5), date(2027, 1, 5))
    made = recording.record(shop.session, desk.association, desk.gift(), later, None)
    assert shown(made) == "R2027-000001"
    earlier = Moment(ON, TODAY)
    asked = desk.gift(7_000)
    assert recording.record(shop.session, desk.association, asked, earlier, None).number == 2


def test_a_clock_that_goes_back_stops_the_series(desk: Desk) -> None:
    desk.record(desk.gift())
    before = Moment(ON, TODAY - timedelta(days=1))
    with pytest.raises(UsageRefused, match="is before 2026-03-02"):
        recording.record(desk.session, desk.association, desk.gift(7_000), before, None)


def test_a_business_receives_neither_fees_nor_donations(desk: Desk, shop: Shop) -> None:
    with pytest.raises(UsageRefused, match="is a business"):
        recording.record(shop.session, shop.seller, desk.gift(), Moment(ON, TODAY), None)


def test_a_receipt_is_about_something_and_a_membership_ends_after_it_begins(desk: Desk) -> None:
    with pytest.raises(UsageRefused, match="above zero"):
        desk.record(desk.gift(0))
    with pytest.raises(UsageRefused, match="before it begins"):
        desk.record(replace(desk.fee(), period=(YEAR[1], YEAR[0])))
    assert desk.accounts() == {}


def test_what_is_received_in_closed_books_is_entered_on_the_first_open_day(desk: Desk) -> None:
    closings.close(desk.session, desk.association, date(2026, 2, 28), today=TODAY)
    made = desk.record(desk.gift(), on=date(2026, 2, 3))
    assert made.received_on == date(2026, 2, 3)
    assert desk.accounts()["512"] == 5_000
    assert verify.verify(desk.session) == []


class TestTax:
    def test_a_donor_with_an_address_gets_the_articles_that_are_theirs(self, desk: Desk) -> None:
        person = desk.giver(address=STREET)
        assert desk.record(desk.gift(giver=person, tax=True)).articles == "200"
        company = desk.giver("-", name="Four SARL", kind="company", address=STREET)
        assert desk.record(desk.gift(giver=company, tax=True)).articles == "238 bis"
        chorus = desk.giver("-", name="Chorale", kind="non-profit", address=STREET)
        with pytest.raises(UsageRefused, match="lowers the tax of a non-profit"):
            desk.record(desk.gift(giver=chorus, tax=True))

    def test_without_the_word_the_receipt_lowers_no_tax(self, desk: Desk) -> None:
        assert desk.record(desk.gift()).articles == ""

    @pytest.mark.parametrize(
        ("receipts", "allowed"),
        [(SIGNED, True), (ELIGIBLE, False)],
        ids=["no source", "not allowed"],
    )
    def test_no_right_no_tax_receipt(
        self, shop: Shop, receipts: dict[str, object], *, allowed: bool
    ) -> None:
        desk = open_desk(shop, receipts, tax_receipts=allowed)
        with pytest.raises(UsageRefused, match="may not issue tax receipts"):
            desk.record(desk.gift(giver=desk.giver(address=STREET), tax=True))
        assert desk.record(desk.gift()).articles == ""

    def test_no_address_no_tax_receipt(self, desk: Desk) -> None:
        with pytest.raises(UsageRefused, match="needs the address"):
            desk.record(desk.gift(tax=True))

    def test_nobody_signs_without_a_description(self, shop: Shop) -> None:
        desk = open_desk(shop, receipts=None)
        with pytest.raises(UsageRefused, match="Nobody knows yet who signs"):
            desk.record(desk.gift())


def test_what_documents_said_on_a_day_is_not_changed_after_a_receipt(desk: Desk) -> None:
    desk.record(desk.gift())
    again = profile(desk.association.name)
    with pytest.raises(UsageRefused, match="has a document of 2026-03-02"):
        describing.describe(desk.session, desk.association, again, TODAY)


def test_invoices_and_receipts_share_no_series(desk: Desk) -> None:
    same = profile(desk.association.name, receipt_prefix="F")
    with pytest.raises(UsageRefused, match="have the same prefix"):
        describing.describe(desk.session, desk.association, same, TODAY)


def test_no_later_description_swaps_the_series_of_invoices_and_receipts(desk: Desk) -> None:
    desk.record(desk.gift())
    later = date(2026, 4, 1)
    for prefixes in (
        {"invoice_prefix": "R", "receipt_prefix": "Q"},
        {"credit_prefix": "R", "receipt_prefix": "Q"},
        {"invoice_prefix": "G", "receipt_prefix": "F"},
    ):
        swapped = profile(desk.association.name, **prefixes)
        with pytest.raises(UsageRefused, match="has the prefix"):
            describing.describe(desk.session, desk.association, swapped, later)
    other = profile(desk.association.name, receipt_prefix="Q")
    describing.describe(desk.session, desk.association, other, later)
    swapped = profile(desk.association.name, invoice_prefix="Q", receipt_prefix="S")
    with pytest.raises(UsageRefused, match="has the prefix Q for receipts"):
        describing.describe(desk.session, desk.association, swapped, date(2026, 3, 15))


def test_a_business_gives_no_receipts_and_may_have_their_prefix(shop: Shop) -> None:
    free = profile(shop.seller.name, invoice_prefix="R", receipt_prefix="Q")
    made = describing.describe(shop.session, shop.seller, free, date(2026, 4, 1))
    assert profiles.on(shop.session, shop.seller.id, made.valid_from) == free


def test_a_fee_is_the_same_on_any_day_and_another_one_has_a_key(desk: Desk) -> None:
    first = desk.record(desk.fee())
    tomorrow = TODAY + timedelta(days=1)
    undated = replace(desk.fee(), is_dated=False)
    moment = Moment(tomorrow, tomorrow)
    again = recording.record(desk.session, desk.association, undated, moment, None)
    assert again is first
    with pytest.raises(UsageRefused, match="which says something else"):
        desk.record(desk.fee(), on=date(2026, 2, 1))
    second = replace(undated, key="her brother's")
    made = recording.record(desk.session, desk.association, second, moment, None)
    assert shown(made) == "R2026-000002"
    assert desk.accounts()["756"] == -4_000


def test_a_fee_that_is_there_is_not_written_again_for_its_movement(desk: Desk) -> None:
    desk.bank()
    desk.record(desk.fee(means="transfer"))
    (row,) = desk.bank(Said(2_000))
    asked = replace(desk.fee(means="transfer"), is_dated=False)
    with pytest.raises(UsageRefused, match="This fee was written down as R2026-000001"):
        desk.record(asked, row, on=row.booked_on)


def test_a_fee_of_a_movement_is_not_written_again_without_it(desk: Desk) -> None:
    (row,) = desk.bank(Said(2_000))
    asked = replace(desk.fee(means="transfer"), is_dated=False)
    made = desk.record(asked, row, on=row.booked_on)
    assert desk.record(asked) is made
    desk.cancel(made)
    assert desk.record(asked, made).number == 2  # its money becomes another receipt
    assert desk.record(asked).number == 2


class TestCancelling:
    def test_the_books_take_it_back_and_the_number_stays(self, desk: Desk) -> None:
        for means in ("cash", "cheque", "transfer"):
            desk.cancel(desk.record(desk.gift(means=means)))
            assert desk.accounts() == {}
        assert shown(desk.record(desk.gift(6_000))) == "R2026-000004"
        assert verify.verify(desk.session) == []

    def test_once_and_for_a_reason(self, desk: Desk) -> None:
        made = desk.record(desk.gift())
        with pytest.raises(PaquetError, match="reason is empty"):
            recording.cancel(desk.session, made, " ", TODAY)
        desk.cancel(made)
        with pytest.raises(UsageRefused, match="cancelled already"):
            desk.cancel(made)
        with pytest.raises(UsageRefused, match="R2026-000001, which is cancelled"):
            desk.record(desk.gift())

    def test_money_that_the_bank_has_shown_becomes_another_receipt(self, desk: Desk) -> None:
        (row,) = desk.bank(Said(5_000))
        first = desk.record(desk.gift(), row)
        desk.cancel(first)
        assert desk.accounts() == {"512": 5_000, "580": -5_000}
        with pytest.raises(UsageRefused, match=r"€50\.00 are left of R2026-000001"):
            desk.record(desk.gift(6_000), first)
        second = desk.record(desk.gift(), first)
        assert desk.accounts() == {"512": 5_000, "7541": -5_000}
        with pytest.raises(UsageRefused, match=r"€0\.00 are left of R2026-000001"):
            desk.record(desk.gift(key="again"), first)
        desk.cancel(second)
        assert desk.accounts() == {"512": 5_000, "580": -5_000}
        assert verify.verify(desk.session) == []


class TestGiftsBetweenOrganisations:
    def test_a_gift_in_both_books_gets_one_receipt(self, desk: Desk, shop: Shop) -> None:
        units = 30_000
        contributions.give(desk.session, shop.seller, desk.association, units, Moment(ON, TODAY))
        before = desk.accounts()
        asked = desk.gift(units, giver=desk.giver("Boutique Libre"), tax=True)
        made = desk.record(asked)
        assert (made.articles, desk.accounts()) == ("238 bis", before)
        with pytest.raises(UsageRefused, match=r"No gift of €300\.00 of 2026-03-01"):
            desk.record(replace(asked, key="again"))
        desk.cancel(made)
        assert desk.accounts() == before
        assert desk.record(replace(asked, key="again")).number == 2
        assert verify.verify(desk.session) == []

    def test_what_was_not_given_has_no_receipt(self, desk: Desk) -> None:
        (row,) = desk.bank(Said(5_000))
        with pytest.raises(UsageRefused, match="is in the books already"):
            desk.record(desk.gift(giver=desk.giver("Boutique Libre")), row)
        with pytest.raises(UsageRefused, match=r"No gift of €50\.00"):
            desk.record(desk.gift(giver=desk.giver("Boutique Libre")))
        with pytest.raises(UsageRefused, match="both their books"):
            desk.record(replace(desk.fee(), giver=desk.giver("Boutique Libre")))


def test_the_database_keeps_receipts_as_they_were_written(desk: Desk) -> None:
    desk.cancel(desk.record(desk.gift()))
    desk.session.execute(text("INSERT INTO receipt_copy VALUES (2, 'R2026', 1, 1, '2026-03-02')"))
    for sentence in (
        "UPDATE receipt SET units = 1",
        "DELETE FROM receipt",
        "UPDATE receipt_cancellation SET why = ''",
        "DELETE FROM receipt_cancellation",
        "DELETE FROM receipt_copy",
    ):
        with pytest.raises(DBAPIError, match="only ever added"), desk.session.begin_nested():
            desk.session.execute(text(sentence))


INSERT = (
    "INSERT INTO receipt VALUES ({owner}, 'R2026', {number}, 'donation', 'other', '{day}', "
    "'2026-03-01', 'person-x', NULL, 5000, 'cash', NULL, NULL, '', 1, '')"
)


def test_the_database_takes_no_gap_and_no_day_that_goes_back(desk: Desk) -> None:
    made = desk.record(desk.gift())
    for number, day, why in ((3, "2026-03-02", "have no gaps"), (2, "2026-03-01", "go forwards")):
        sentence = INSERT.format(owner=made.organisation_id, number=number, day=day)
        with pytest.raises(DBAPIError, match=why), desk.session.begin_nested():
            desk.session.execute(text(sentence))


def test_verify_finds_what_the_ledger_does_not_know(desk: Desk) -> None:
    made = desk.record(desk.gift())
    sentence = INSERT.format(owner=made.organisation_id, number=2, day="2026-03-02")
    desk.session.execute(text(sentence))
    found = {(one.where, one.what) for one in verify.verify(desk.session)}
    owner = made.organisation_id
    assert found == {
        (
            f"organisation {owner}, receipt R2026-000002",
            "the ledger has another amount, giver or kind",
        ),
        (f"journal {owner}, entry 1", "it is the income of two receipts that count"),
        (
            f"organisation {owner}, receipt R2026-000002",
            "the ledger has the seal of another receipt",
        ),
        (
            f"organisation {owner}, receipt R2026-000002",
            "its content was changed after it was issued",
        ),
    }


def test_verify_finds_a_cancellation_that_the_ledger_does_not_know(desk: Desk) -> None:
    desk.record(desk.gift())
    gone = "INSERT INTO receipt_cancellation VALUES (2, 'R2026', 1, '2026-03-02', 'x', NULL)"
    desk.session.execute(text(gone))
    (found,) = verify.verify(desk.session)
    assert found.what == "it is cancelled, and the ledger did not take it back"
