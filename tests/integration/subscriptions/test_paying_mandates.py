from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import UsageRefused, WordRefused
from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.parties import profiles
from provision.subscriptions.payments import (
    collecting,
    debit_proposals,
    mandate_papers,
    mandates,
)
from provision.subscriptions.payments.mandates import WantedMandate
from provision.subscriptions.payments.models import CollectionFile
from tests.integration.subscriptions.paying_shop import (
    COLLECT_ON,
    NOW,
    OURS,
    THEIRS,
    TODAY,
    TOLD,
    paid_by_debit,
    till_of_debits,
)

if TYPE_CHECKING:
    from provision.subscriptions.payments.models import MandateRow
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def till(shop: Shop) -> Till:
    """Jeanne and Luc owe 10 euros each, and gave a mandate."""
    return till_of_debits(shop)


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
    found = debit_proposals.propose(till.session, till.seller, COLLECT_ON, TODAY)
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
def test_a_mandate_that_is_not_signed_or_has_ended_collects_nothing(till: Till) -> None:
    rows = mandates.everyone(till.session, till.seller.id)
    mandates.end(till.session, rows[0], TODAY, TOLD)
    rows[1].signed_on = None
    found = debit_proposals.propose(till.session, till.seller, COLLECT_ON, TODAY)
    whys = [one.why for one in found.left_out]
    assert whys == ["There is no mandate", f"The mandate {rows[1].reference} is not signed"]


@only_sqlite
def test_a_mandate_dies_36_months_after_its_last_debit(till: Till) -> None:
    rows = mandates.everyone(till.session, till.seller.id)
    rows[0].collected_before = date(2023, 2, 1)
    rows[1].collected_before = date(2023, 2, 2)
    found = debit_proposals.propose(till.session, till.seller, COLLECT_ON, TODAY)
    assert [one.row.id for one in found.chosen] == [rows[1].id]


@only_sqlite
def test_a_last_debit_is_never_put_before_the_signature_or_a_later_debit(till: Till) -> None:
    first, second = mandates.everyone(till.session, till.seller.id)
    signed_on = second.signed_on
    assert signed_on == date(2026, 1, 1)

    def refused(row: MandateRow, last: date) -> str:
        with pytest.raises(WordRefused) as caught, till.session.begin_nested():
            mandates.correct(till.session, row, {"collected_before": last}, (COLLECT_ON, TOLD))
        assert caught.value.word == "last_collected_on"
        return caught.value.message

    early = "The last debit, on 2025-12-31, is before the signature of 2026-01-01"
    assert refused(second, date(2025, 12, 31)) == early
    for last in (signed_on, TODAY):
        otherwise = {"collected_before": last}
        mandates.correct(till.session, second, otherwise, (COLLECT_ON, TOLD))
    assert refused(second, signed_on) == f"There was a later debit, on {TODAY}"
    till.collect()
    assert refused(first, TODAY) == f"There was a later debit, on {COLLECT_ON}"
    mandates.correct(till.session, second, {"notice_days": 5}, (COLLECT_ON, TOLD))


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
    found = debit_proposals.propose(till.session, till.seller, COLLECT_ON, TODAY)
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
