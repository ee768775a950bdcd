from __future__ import annotations

import stat
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from provision.errors import PaquetError, UsageRefused
from provision.formats.sepa import pain008
from provision.registry.models import Event
from provision.subscriptions.books import verify
from provision.subscriptions.payments import (
    answers,
    batches,
    collection_rows,
    debit_proposals,
    handing_over,
    mandates,
    paying,
    returns,
)
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.payments.returns import CameBack
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    TODAY,
    TOLD,
    Said,
    message_id,
    paid_by_debit,
    till_of_debits,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each, and gave a mandate."""
    return till_of_debits(shop)


def test_a_collection_holds_what_is_due_and_posts_nothing(till: Till) -> None:
    before = till.accounts()
    till.collect()
    assert till.accounts() == before
    assert [one.units for one in till.invoices()] == [1000, 1000]
    found = debit_proposals.propose(till.session, till.seller, COLLECT_ON, TODAY)
    assert {one.why for one in found.left_out} == {"It is being collected"}
    assert verify.verify(till.session) == []


def test_the_same_key_again_gives_the_same_collection_and_the_same_bytes(
    till: Till, tmp_path: Path
) -> None:
    made = till.collect()
    (first,) = handing_over.write(till.session, till.seller, made, Outbox(tmp_path / "a", "fr"))
    till.session.commit()
    again = till.collect()
    (second,) = handing_over.write(till.session, till.seller, again, Outbox(tmp_path / "b", "fr"))
    assert again.number == made.number
    assert first.read_bytes() == second.read_bytes()
    pain008.validate(first.read_bytes())
    assert stat.S_IMODE(first.stat().st_mode) == 0o600
    assert stat.S_IMODE(first.parent.stat().st_mode) == 0o700


@only_sqlite
def test_every_debtor_is_told_the_day_and_the_amount(till: Till, tmp_path: Path) -> None:
    handing_over.write(till.session, till.seller, till.collect(), Outbox(tmp_path, "en"))
    listed = (tmp_path / "letters.csv").read_text(encoding="utf-8").splitlines()
    assert len(listed) == 3
    assert listed[1].startswith("2026-01-02,,debit,Jeanne,")
    assert ",jeanne@exemple.test," in listed[1]
    assert listed[1].endswith(",10.00,F2026-000001,F2026-1-1.txt")
    letter = (tmp_path / "F2026-1-1.txt").read_text(encoding="utf-8")
    assert "F2026-000001" in letter
    assert "10,00" in letter


@only_sqlite
def test_a_debit_is_announced_fourteen_days_before_or_as_agreed(till: Till) -> None:
    mandates.everyone(till.session, till.seller.id)[0].notice_days = 5
    late = COLLECT_ON - timedelta(days=10)
    found = debit_proposals.propose(till.session, till.seller, COLLECT_ON, late)
    assert [one.document.subscriber_id for one in found.chosen] == [till.shop.jeanne.id]
    assert [one.why for one in found.left_out] == ["It must be announced 14 days before"]


@only_sqlite
def test_what_is_not_due_is_not_collected(till: Till) -> None:
    early = date(2026, 1, 20)
    found = debit_proposals.propose(till.session, till.seller, early, TODAY)
    assert found == debit_proposals.CollectionProposal((), ())


def test_the_database_refuses_an_invoice_in_two_collections(till: Till) -> None:
    till.collect()
    till.session.commit()
    again = text(
        "INSERT INTO collection_item (organisation_id, collection, position, end_to_end, series, "
        "invoice, units, mandate_id, file, announced_on) SELECT organisation_id, 2, position, "
        "end_to_end || 'x', series, invoice, units, mandate_id, file, announced_on "
        "FROM collection_item"
    )
    with pytest.raises(DatabaseError, match="an invoice is collected once at a time"):
        till.session.execute(again)


def test_a_batch_on_the_statement_pays_its_invoices_through_511(till: Till) -> None:
    made = till.collect()
    till.bank(Said(2000, text=f"REMISE {message_id(till, made)}"))
    (outcome,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert outcome.refused == ""
    assert till.accounts() == {"512": 2000, "706": -2000}
    assert till.invoices() == []
    assert answers.running(till.session, till.seller.id) == {}
    assert verify.verify(till.session) == []


@only_sqlite
def test_the_only_group_of_a_file_names_the_batch_too(till: Till) -> None:
    made = till.collect()
    till.bank(Said(2000, text=f"SEPA {message_id(till, made)}-1"))
    (outcome,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert (outcome.refused, till.invoices()) == ("", [])


@only_sqlite
def test_a_batch_of_another_amount_is_never_booked_by_itself(till: Till) -> None:
    made = till.collect()
    (row,) = till.bank(Said(1000, text=f"REMISE {message_id(till, made)}"))
    assert reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD) == []
    with pytest.raises(UsageRefused, match=r"add up to €20\.00"):
        batches.credit_batch(till.session, row, message_id(till, made), COLLECT_ON)


def test_a_debit_that_the_bank_refused_is_named_and_can_be_collected_again(till: Till) -> None:
    made = till.collect()
    (row,) = till.bank(Said(1000, text="REMISE"))
    paid = batches.credit_batch(
        till.session, row, message_id(till, made), COLLECT_ON, without={"F2026-2-1"}
    )
    assert paid == 1
    later = COLLECT_ON + timedelta(days=28)
    found = debit_proposals.propose(till.session, till.seller, later, COLLECT_ON)
    assert [(one.document.shown, one.attempt) for one in found.chosen] == [("F2026-000002", 2)]
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_person_may_say_that_a_movement_paid_the_invoice_of_a_debit(till: Till) -> None:
    till.collect()
    rows = till.bank(Said(1000, end_to_end="F2026-1-1"), Said(1000, end_to_end="F2026-2-1"))
    for row, one in zip(rows, till.invoices(), strict=True):
        paying.pay(till.session, row, [one], COLLECT_ON)
    assert answers.running(till.session, till.seller.id) == {}
    assert len(answers.paid(till.session, till.seller.id)) == 2


def test_debits_that_the_bank_credits_one_by_one_are_booked_by_their_end_to_end_id(
    till: Till,
) -> None:
    till.collect()
    till.bank(Said(1000, end_to_end="F2026-1-1"), Said(1000, end_to_end="F2026-2-1"))
    accepted = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert [one.refused for one in accepted] == ["", ""]
    assert till.invoices() == []
    assert answers.running(till.session, till.seller.id) == {}
    assert [till.accounts().get(one, 0) for one in ("512", "511", "411")] == [2000, 0, 0]
    assert verify.verify(till.session) == []


def test_a_debit_of_an_invoice_that_was_paid_by_transfer_too_is_the_customers_credit(
    till: Till,
) -> None:
    till.collect()
    till.bank(Said(1000, text="F2026-000001", name="Jeanne"), Said(1000, end_to_end="F2026-1-1"))
    transfer, _debit = reconciling.propose(till.session, till.seller)
    paying.pay(
        till.session,
        transfer.row,
        [one for one in till.invoices() if one.shown == "F2026-000001"],
        COLLECT_ON,
    )
    (accepted,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert accepted.refused == ""
    assert till.accounts()["4197"] == -1000
    assert verify.verify(till.session) == []


def test_a_return_opens_the_invoice_again(till: Till) -> None:
    paid_by_debit(till)
    day = COLLECT_ON + timedelta(days=5)
    till.bank(Said(-1000, end_to_end="F2026-1-1", reason="AM04"), on=day)
    (outcome,) = reconciling.accept_certain(till.session, till.seller, day, TOLD)
    assert outcome.refused == ""
    assert [(one.shown, one.units) for one in till.invoices()] == [("F2026-000001", 1000)]
    assert till.accounts() == {"411": 1000, "512": 1000, "706": -2000}
    assert mandates.everyone(till.session, till.seller.id)[0].ended_on is None
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_reason_that_passes_is_tried_again_and_another_is_asked_first(till: Till) -> None:
    paid_by_debit(till)
    day = COLLECT_ON + timedelta(days=5)
    till.bank(
        Said(-1000, end_to_end="F2026-1-1", reason="AM04"),
        Said(-1000, end_to_end="F2026-2-1", reason="MD06"),
        on=day,
    )
    reconciling.accept_certain(till.session, till.seller, day, TOLD)
    later = date(2026, 3, 2)
    found = debit_proposals.propose(till.session, till.seller, later, day)
    assert [one.document.shown for one in found.chosen] == ["F2026-000001"]
    assert [one.why for one in found.left_out] == ["Its debit came back (MD06): ask first"]
    asked = frozenset({"F2026-000002"})
    found = debit_proposals.propose(till.session, till.seller, later, day, asked)
    assert [one.attempt for one in found.chosen] == [2, 2]


@only_sqlite
def test_a_reason_that_ends_the_mandate_ends_it_with_an_event(till: Till) -> None:
    paid_by_debit(till)
    day = COLLECT_ON + timedelta(days=5)
    till.bank(Said(-1000, end_to_end="F2026-2-1", reason="AC04"), on=day)
    reconciling.accept_certain(till.session, till.seller, day, TOLD)
    row = mandates.everyone(till.session, till.seller.id)[1]
    assert (row.ended_on, row.ended_why) == (day, "AC04: Account closed")
    told = till.session.scalars(select(Event.what).where(Event.subject == f"mandate:{row.id}"))
    assert told.all() == ["written", f"signed on {START}", f"ended on {day}"]


@only_sqlite
def test_what_the_bank_takes_beyond_the_debit_is_a_fee(till: Till) -> None:
    paid_by_debit(till)
    day = COLLECT_ON + timedelta(days=5)
    (row,) = till.bank(Said(-1450, text="REJET PRLV"), on=day)
    assert reconciling.accept_certain(till.session, till.seller, day, TOLD) == []
    fee = returns.take_back(till.session, row, [CameBack("F2026-1-1", 1000, "MD06")], (day, TOLD))
    assert fee == 450
    assert till.accounts() == {"411": 1000, "512": 550, "627": 450, "706": -2000}
    assert verify.verify(till.session) == []


def test_a_return_before_its_batch_is_booked_waits(till: Till) -> None:
    till.collect()
    (row,) = till.bank(Said(-1000, end_to_end="F2026-1-1", reason="AM04"))
    (outcome,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert outcome.refused == "The debit 'F2026-1-1' is not one that was paid"
    assert [one.row.id for one in reconciling.propose(till.session, till.seller)] == [row.id]
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_debit_comes_back_once_and_whole(till: Till) -> None:
    paid_by_debit(till)
    first, second, third = till.bank(Said(-1000, text="A"), Said(-1000, text="B"), Said(-900))
    with pytest.raises(UsageRefused, match=r"was €10\.00, and €9\.00 came back"):
        returns.take_back(till.session, third, [CameBack("F2026-1-1", 900)], (COLLECT_ON, TOLD))
    debit = [CameBack("F2026-1-1", 500), CameBack("F2026-1-1", 500)]
    with pytest.raises(UsageRefused, match="named twice"):
        returns.take_back(till.session, first, debit, (COLLECT_ON, TOLD))
    debit = [CameBack("F2026-1-1", 1000)]
    returns.take_back(till.session, first, debit, (COLLECT_ON, TOLD))
    with pytest.raises(UsageRefused, match="is not one that was paid"):
        returns.take_back(till.session, second, debit, (COLLECT_ON, TOLD))


def test_who_paid_by_transfer_and_by_debit_has_credit_and_a_return_takes_it_back(
    till: Till,
) -> None:
    made = till.collect()
    till.bank(Said(1000, text="F2026-000001"), Said(2000, text=message_id(till, made)))
    outcomes = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert [one.refused for one in outcomes] == ["", ""]
    assert till.accounts() == {"4197": -1000, "512": 3000, "706": -2000}
    assert verify.verify(till.session) == []
    (row,) = till.bank(Said(-1000, text="rejet"))
    returns.take_back(till.session, row, [CameBack("F2026-1-1", 1000)], (COLLECT_ON, TOLD))
    assert till.accounts() == {"512": 2000, "706": -2000}
    assert till.invoices() == []
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_refused_day_or_profile_makes_no_collection(till: Till) -> None:
    with pytest.raises(PaquetError, match="a day on which banks are closed"):
        till.collect(on=date(2026, 2, 7))
    with pytest.raises(PaquetError, match="0 debits make no file"):
        till.collect(on=date(2026, 1, 20))
    assert collection_rows.everyone(till.session, till.seller.id) == []


@only_sqlite
def test_files_that_would_differ_are_not_written(till: Till, tmp_path: Path) -> None:
    made = till.collect()
    mandates.everyone(till.session, till.seller.id)[0].holder = "Another"
    with pytest.raises(PaquetError, match="would not be the one that was made"):
        handing_over.write(till.session, till.seller, made, Outbox(tmp_path / "a", "fr"))
    assert list((tmp_path / "a").iterdir()) == []


@only_sqlite
def test_an_association_without_creditor_identifier_cannot_collect(till: Till) -> None:
    with pytest.raises(PaquetError, match="lacks its IBAN or its creditor identifier"):
        mandates.add(
            till.session, till.shop.supporter, till.shop.jeanne, WantedMandate(), (TODAY, TOLD)
        )
