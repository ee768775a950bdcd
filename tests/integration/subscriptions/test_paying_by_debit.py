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
from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.parties import profiles
from provision.subscriptions.payments import (
    answers,
    batches,
    collectable,
    collected,
    collecting,
    handing_over,
    mandate_papers,
    mandates,
    paying,
    returns,
)
from provision.subscriptions.payments.mailing import Outbox
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.payments.models import CollectionFile
from provision.subscriptions.payments.returns import CameBack
from provision.workflows import reconciling
from tests.integration.subscriptions.conftest import START, newcomer
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    NOW,
    OURS,
    THEIRS,
    TODAY,
    TOLD,
    Said,
    open_till,
)

if TYPE_CHECKING:
    from pathlib import Path

    from provision.subscriptions.payments.models import Collection
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each, and gave a mandate."""
    made = open_till(shop)
    for subscriber in (shop.jeanne, newcomer(made.session, "Luc")):
        made.shop.subscribe(subscriber)
        made.mandate(subscriber)
    shop.bill(START + timedelta(days=1))
    return made


def message_id(till: Till, made: Collection) -> str:
    found = till.session.scalars(
        select(CollectionFile.message_id).where(CollectionFile.collection == made.number)
    )
    return found.one()


def test_a_collection_holds_what_is_due_and_posts_nothing(till: Till) -> None:
    before = till.accounts()
    till.collect()
    assert till.accounts() == before
    assert [one.units for one in till.invoices()] == [1000, 1000]
    found = collectable.propose(till.session, till.seller, COLLECT_ON, TODAY)
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
@pytest.mark.parametrize(
    ("account", "bic"),
    [("CH9300762011623852957", "KBBECH22XXX"), ("MC5811222000010123456789030", "CMCIFRPPXXX")],
)
def test_a_mandate_that_no_bank_would_take_stops_no_other(
    till: Till, account: str, bic: str
) -> None:
    luc = mandates.everyone(till.session, till.seller.id)[1]
    luc.iban, luc.bic = account, ""
    found = collectable.propose(till.session, till.seller, COLLECT_ON, TODAY)
    assert [one.document.units for one in found.chosen] == [1000]
    (left_out,) = found.left_out
    assert "lacks the BIC or the debtor's town (paquet mandate complete)" in left_out.why
    bank = {"bic": bic.lower(), "town": "Genève", "country": account[:2]}
    mandates.complete(till.session, luc, bank, (TODAY, TOLD))
    (made,) = collecting.files(till.session, till.seller, till.collect())
    assert made.count == 2
    written = made.content.decode()
    assert f"<BICFI>{bic}</BICFI>" in written
    assert f"<PstlAdr><TwnNm>Geneve</TwnNm><Ctry>{account[:2]}</Ctry></PstlAdr>" in written


@only_sqlite
@pytest.mark.parametrize(
    ("printed", "bank", "kept"),
    [("FR7630006000011234567890189", {}, ""), ("", {"bic": "UBSWCHZH80A"}, "UBSWCHZH80A")],
)
def test_an_account_that_is_written_by_hand_has_the_bank_that_was_told_of_it(
    till: Till, printed: str, bank: dict[str, str], kept: str
) -> None:
    """That of the account which the form showed is another one."""
    wanted = WantedMandate(iban=printed, bank=bank)
    row = mandates.add(till.session, till.seller, till.shop.jeanne, wanted, (TODAY, TOLD))
    mandates.sign(till.session, row, TODAY, "CH9300762011623852957", (TODAY, TOLD))
    assert (row.iban, row.bic) == ("CH9300762011623852957", kept)


@only_sqlite
def test_the_account_of_the_creditor_is_no_debtors(till: Till) -> None:
    with pytest.raises(UsageRefused, match="is the account of Boutique Libre itself"):
        mandates.add(
            till.session, till.seller, till.shop.jeanne, WantedMandate(iban=OURS), (TODAY, TOLD)
        )


@only_sqlite
def test_a_debit_is_announced_fourteen_days_before_or_as_agreed(till: Till) -> None:
    mandates.everyone(till.session, till.seller.id)[0].notice_days = 5
    late = COLLECT_ON - timedelta(days=10)
    found = collectable.propose(till.session, till.seller, COLLECT_ON, late)
    assert [one.document.subscriber_id for one in found.chosen] == [till.shop.jeanne.id]
    assert [one.why for one in found.left_out] == ["It must be announced 14 days before"]


@only_sqlite
def test_what_is_not_due_is_not_collected(till: Till) -> None:
    early = date(2026, 1, 20)
    found = collectable.propose(till.session, till.seller, early, TODAY)
    assert found == collectable.CollectionProposal((), ())


@only_sqlite
def test_a_mandate_that_is_not_signed_or_has_ended_collects_nothing(till: Till) -> None:
    rows = mandates.everyone(till.session, till.seller.id)
    mandates.end(till.session, rows[0], TODAY, TOLD)
    rows[1].signed_on = None
    found = collectable.propose(till.session, till.seller, COLLECT_ON, TODAY)
    whys = [one.why for one in found.left_out]
    assert whys == ["There is no mandate", f"The mandate {rows[1].reference} is not signed"]


@only_sqlite
def test_a_mandate_dies_36_months_after_its_last_debit(till: Till) -> None:
    rows = mandates.everyone(till.session, till.seller.id)
    rows[0].collected_before = date(2023, 2, 1)
    rows[1].collected_before = date(2023, 2, 2)
    found = collectable.propose(till.session, till.seller, COLLECT_ON, TODAY)
    assert [one.row.id for one in found.chosen] == [rows[1].id]


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
    with pytest.raises(UsageRefused, match=r"add up to 20\.00 EUR"):
        batches.credit_batch(till.session, row, message_id(till, made), COLLECT_ON)


def test_a_debit_that_the_bank_refused_is_named_and_can_be_collected_again(till: Till) -> None:
    made = till.collect()
    (row,) = till.bank(Said(1000, text="REMISE"))
    paid = batches.credit_batch(
        till.session, row, message_id(till, made), COLLECT_ON, without={"F2026-2-1"}
    )
    assert paid == 1
    later = COLLECT_ON + timedelta(days=28)
    found = collectable.propose(till.session, till.seller, later, COLLECT_ON)
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


def paid_by_debit(till: Till) -> None:
    made = till.collect()
    till.bank(Said(2000, text=f"REMISE {message_id(till, made)}"))
    reconciling.accept_certain(till.session, till.seller, COLLECT_ON, TOLD)


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
    found = collectable.propose(till.session, till.seller, later, day)
    assert [one.document.shown for one in found.chosen] == ["F2026-000001"]
    assert [one.why for one in found.left_out] == ["Its debit came back (MD06): ask first"]
    asked = frozenset({"F2026-000002"})
    found = collectable.propose(till.session, till.seller, later, day, asked)
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
    with pytest.raises(UsageRefused, match=r"was 10\.00 EUR, and 9\.00 EUR came back"):
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
    assert collected.everyone(till.session, till.seller.id) == []


@only_sqlite
def test_files_that_would_differ_are_not_written(till: Till, tmp_path: Path) -> None:
    made = till.collect()
    mandates.everyone(till.session, till.seller.id)[0].holder = "Another"
    with pytest.raises(PaquetError, match="would not be the one that was made"):
        handing_over.write(till.session, till.seller, made, Outbox(tmp_path / "a", "fr"))
    assert list((tmp_path / "a").iterdir()) == []


@only_sqlite
def test_a_signed_mandate_is_never_signed_again(till: Till) -> None:
    row = mandates.everyone(till.session, till.seller.id)[0]
    with pytest.raises(UsageRefused, match="is signed since 2026-01-01"):
        mandates.sign(till.session, row, TODAY, THEIRS, (TODAY, TOLD))
    mandates.end(till.session, row, TODAY, Told("ana", TOLD.at, "asked"))
    with pytest.raises(UsageRefused, match="has ended"):
        mandates.sign(till.session, row, TODAY, THEIRS, (TODAY, TOLD))


def test_an_erased_mandate_keeps_its_reference_alone(till: Till) -> None:
    paid_by_debit(till)
    told = Told("ana", TOLD.at, "asked to be forgotten")
    assert mandates.erase(till.session, till.shop.jeanne.id, COLLECT_ON, told) == 1
    row = mandates.everyone(till.session, till.seller.id)[0]
    assert (row.reference, row.holder, row.iban) == ("BOUTIQUELIBR-000001", "erased", "")
    assert row.ended_on == COLLECT_ON
    assert verify.verify(till.session) == []


@only_sqlite
def test_a_mandate_is_not_erased_while_its_debit_runs(till: Till) -> None:
    till.collect()
    with pytest.raises(UsageRefused, match="waits for the bank's answer"):
        mandates.erase(till.session, till.shop.jeanne.id, COLLECT_ON, TOLD)


@only_sqlite
def test_a_mandate_that_waits_for_its_signature_does_not_hide_the_one_before(till: Till) -> None:
    mandates.add(till.session, till.seller, till.shop.jeanne, WantedMandate(), (TODAY, TOLD))
    found = collectable.propose(till.session, till.seller, COLLECT_ON, TODAY)
    assert len(found.chosen) == 2


@only_sqlite
def test_references_are_made_or_brought_along_and_unique(till: Till) -> None:
    rows = mandates.everyone(till.session, till.seller.id)
    assert [row.reference for row in rows] == ["BOUTIQUELIBR-000001", "BOUTIQUELIBR-000002"]
    brought = WantedMandate(reference="ANCIEN/17")
    mandates.add(till.session, till.seller, till.shop.jeanne, brought, (TODAY, TOLD))
    with pytest.raises(UsageRefused, match="There is a mandate ANCIEN/17 already"):
        mandates.add(till.session, till.seller, till.shop.jeanne, brought, (TODAY, TOLD))


@only_sqlite
def test_the_page_to_sign_is_a_pdf(till: Till) -> None:
    row = mandates.everyone(till.session, till.seller.id)[0]
    assert till.session.scalar(select(CollectionFile)) is None
    profile = profiles.needed(till.session, till.seller, NOW.date())
    assert mandate_papers.form(row, profile).startswith(b"%PDF-")


@only_sqlite
def test_a_wrong_account_is_refused(till: Till) -> None:
    with pytest.raises(UsageRefused, match="wrong letter or digit"):
        mandates.add(
            till.session,
            till.seller,
            till.shop.jeanne,
            WantedMandate(iban=THEIRS[:-1] + "8"),
            (TODAY, TOLD),
        )


@only_sqlite
def test_an_association_without_creditor_identifier_cannot_collect(till: Till) -> None:
    with pytest.raises(PaquetError, match="lacks its IBAN or its creditor identifier"):
        mandates.add(
            till.session, till.shop.supporter, till.shop.jeanne, WantedMandate(), (TODAY, TOLD)
        )
