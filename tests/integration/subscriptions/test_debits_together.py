"""One debit a mandate and day: it is announced, paid, refused and taken back for all it pays."""

from __future__ import annotations

import csv
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from lxml import etree
from sqlalchemy import text

from provision.errors import UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.documents import open_items
from provision.subscriptions.parties import identities
from provision.subscriptions.payments import (
    answers,
    batches,
    collecting,
    collection_rows,
    debit_proposals,
    handing_over,
    paying,
    returns,
)
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.payments.returns import CameBack
from provision.workflows import correcting, reconciling
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import COLLECT_ON, TODAY, TOLD, Said, open_till

if TYPE_CHECKING:
    from pathlib import Path

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
TOGETHER, ALONE = "F2026-1-1", "F2026-3-1"
BATCH = "P1-1-20260102T093000-0001"


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne owes two invoices, Luc one; both gave a mandate."""
    made = open_till(shop)
    luc = newcomer(made.session, "Luc")
    for subscriber in (shop.jeanne, shop.jeanne, luc):
        made.shop.subscribe(subscriber)
    for subscriber in (shop.jeanne, luc):
        made.mandate(subscriber)
    shop.bill(START + timedelta(days=1))
    return made


def debits(till: Till) -> list[dict[str, str]]:
    """Return what the bank reads of each debit in the file of the collection."""
    (made,) = collecting.files(till.session, till.seller, till.collect())
    root = etree.fromstring(made.content)
    return [
        {
            "id": one.findtext(".//{*}EndToEndId") or "",
            "amount": one.findtext("{*}InstdAmt") or "",
            "text": one.findtext(".//{*}Ustrd") or "",
        }
        for one in root.iterfind(".//{*}DrctDbtTxInf")
    ]


def open_units(till: Till) -> list[int]:
    return [one.units for one in till.invoices()]


def came_back(till: Till, said: Said, *debits: CameBack) -> None:
    (row,) = till.bank(said, on=COLLECT_ON + timedelta(days=3))
    returns.take_back(till.session, row, debits, (COLLECT_ON + timedelta(days=3), TOLD))


def paid(till: Till) -> None:
    """The bank credits the whole batch."""
    till.collect()
    (row,) = till.bank(Said(3000, text=f"REMISE {BATCH}"))
    (one,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert (one.refused, one.seen.row) == ("", row)


def test_a_mandate_is_debited_once_a_day_for_all_that_is_due(till: Till) -> None:
    first, second = debits(till)
    assert first == {
        "id": TOGETHER,
        "amount": "20.00",
        "text": "Factures F2026-000001 F2026-000002",
    }
    assert second == {"id": ALONE, "amount": "10.00", "text": "Facture F2026-000003"}
    assert verify.verify(till.session) == []


def test_the_same_collection_is_made_again_byte_by_byte(till: Till) -> None:
    made = till.collect()
    (first,) = collecting.files(till.session, till.seller, made)
    till.session.commit()
    till.session.expire_all()
    (second,) = collecting.files(till.session, till.seller, till.collect())
    assert first == second
    assert (first.count, first.total) == (2, 3000)


@only_sqlite
def test_the_letter_tells_the_sum_and_names_every_invoice(till: Till, tmp_path: Path) -> None:
    handing_over.write(till.session, till.seller, till.collect(), Outbox(tmp_path, "fr"))
    assert sorted(path.stem for path in tmp_path.glob("*.txt")) == [TOGETHER, ALONE]
    letter = (tmp_path / f"{TOGETHER}.txt").read_text(encoding="utf-8")
    assert "Nous prélèverons 20,00\xa0€" in letter
    assert "- F2026-000001 : 10,00\xa0€" in letter
    assert "- F2026-000002 : 10,00\xa0€" in letter
    listed = (tmp_path / "letters.csv").read_text(encoding="utf-8-sig").splitlines()
    rows = list(csv.DictReader(listed, delimiter=";"))
    assert [(row["sum"], row["invoices"]) for row in rows] == [
        ("20,00", "F2026-000001 F2026-000002"),
        ("10,00", "F2026-000003"),
    ]


def test_a_batch_that_is_paid_pays_every_invoice(till: Till) -> None:
    paid(till)
    assert open_units(till) == []
    assert verify.verify(till.session) == []


def test_a_return_opens_every_invoice_of_the_debit_again(till: Till) -> None:
    paid(till)
    came_back(till, Said(-2080, text="REJET"), CameBack(TOGETHER, 2000, "AM04"))
    assert open_units(till) == [1000, 1000]
    assert till.accounts()["627"] == 80
    assert verify.verify(till.session) == []
    later = COLLECT_ON + timedelta(days=21)
    again = debit_proposals.propose(
        till.session, till.seller, later, COLLECT_ON + timedelta(days=4)
    )
    assert [one.attempt for one in again.chosen] == [2, 2]


def test_a_return_that_the_bank_names_is_certain(till: Till) -> None:
    paid(till)
    till.bank(Said(-2000, end_to_end=TOGETHER, reason="MD06"), on=COLLECT_ON + timedelta(days=3))
    (one,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert one.refused == ""
    assert one.seen.proposal is not None
    assert "F2026-000001 F2026-000002" in one.seen.proposal.why
    assert open_units(till) == [1000, 1000]


@only_sqlite
def test_a_debit_comes_back_whole(till: Till) -> None:
    paid(till)
    with pytest.raises(UsageRefused, match=r"was €20\.00, and €10\.00 came back"):
        came_back(till, Said(-1000, text="REJET"), CameBack(TOGETHER, 1000, "AM04"))
    (row,) = till.bank(Said(-1000, text="REJET"), on=COLLECT_ON + timedelta(days=4))
    debit = CameBack("F2026-2-1", 1000, "AM04")
    with pytest.raises(UsageRefused, match="is not one that was paid"):
        returns.take_back(till.session, row, [debit], (COLLECT_ON, TOLD))


@only_sqlite
def test_a_debit_that_the_bank_credits_alone_pays_all_of_it(till: Till) -> None:
    till.collect()
    till.bank(Said(2000, end_to_end=TOGETHER), on=COLLECT_ON)
    (one,) = reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert one.refused == ""
    assert open_units(till) == [1000]
    assert [item.reference for item in answers.paid(till.session, till.seller.id)] == [TOGETHER] * 2


@only_sqlite
def test_what_the_bank_refuses_is_refused_for_all_of_it(till: Till) -> None:
    till.collect()
    (row,) = till.bank(Said(1000, text="REMISE"))
    assert batches.credit_batch(till.session, row, BATCH, COLLECT_ON, {TOGETHER}) == 1
    assert open_units(till) == [1000, 1000]
    proposal = debit_proposals.propose(till.session, till.seller, COLLECT_ON, TODAY)
    assert [one.attempt for one in proposal.chosen] == [2, 2]
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_person_refuses_a_debit_by_its_name(till: Till) -> None:
    till.collect()
    answers.refuse(till.session, till.seller.id, TOGETHER, (COLLECT_ON, "no such account"))
    running = answers.running(till.session, till.seller.id)
    assert [item.reference for items in running.values() for item in items] == [ALONE]


@only_sqlite
def test_what_was_paid_by_transfer_meanwhile_is_credit_and_comes_back_from_it(till: Till) -> None:
    till.collect()
    (row,) = till.bank(Said(1000, text="F2026-000001"), on=START + timedelta(days=5))
    paying.pay(till.session, row, [till.invoices()[0]], TODAY)
    till.bank(Said(3000, text=f"REMISE {BATCH}"))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)
    assert till.accounts()["4197"] == -1000
    came_back(till, Said(-2000, text="REJET"), CameBack(TOGETHER, 2000, "AM04"))
    assert open_units(till) == [1000]
    assert "4197" not in till.accounts()
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_person_who_matches_one_invoice_of_a_debit_answers_all_of_it(till: Till) -> None:
    till.collect()
    (row,) = till.bank(Said(2000, end_to_end=TOGETHER), on=COLLECT_ON)
    paying.pay(till.session, row, [till.invoices()[1]], COLLECT_ON)
    running = answers.running(till.session, till.seller.id)
    assert [item.reference for items in running.values() for item in items] == [ALONE]
    came_back(till, Said(-2000, text="REJET"), CameBack(TOGETHER, 2000))
    assert open_units(till) == [1000, 1000, 1000]
    assert verify.verify(till.session) == []


@only_sqlite
def test_what_was_announced_before_debits_were_put_together_stays_as_it_was(till: Till) -> None:
    """A collection of two debits under one mandate, as it was written then."""
    made = till.collect()
    till.session.commit()
    till.session.execute(text("DROP TRIGGER collection_item_no_update"))
    till.session.execute(text("UPDATE collection_item SET debit = ''"))
    till.session.expire_all()
    names = [item.reference for item, _row in collection_rows.items_of(till.session, made)]
    assert names == ["F2026-1-1", "F2026-2-1", "F2026-3-1"]
    assert open_items.find(till.session, till.seller.id, "F2026-000001").units == 1000


@only_sqlite
def test_an_invoice_is_not_made_again_while_the_bank_debits_it(till: Till) -> None:
    """The new one would be collected beside it: the customer paid twice."""
    till.collect()
    jeanne = till.shop.jeanne
    known = identities.ensure(till.session, jeanne, TODAY)
    person = identities.changed(identities.read(known), {"name": "Jeanne Martin"})
    identities.write(till.session, jeanne, person, TODAY)
    wrong = till.invoices()[1].number
    with pytest.raises(UsageRefused, match=f"a debit for {wrong.shown}, {TOGETHER}"):
        correcting.correct(till.session, wrong, "", TODAY)
    assert open_units(till) == [1000, 1000, 1000]
    answers.refuse(till.session, till.seller.id, TOGETHER, (TODAY, ""))
    assert len(correcting.correct(till.session, wrong, "", TODAY)) == 2
    assert verify.verify(till.session) == []
