from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from provision.errors import PaquetError, UsageRefused
from provision.registry import orders
from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.dunning import pauses, reminders
from provision.subscriptions.payments import returns
from provision.subscriptions.payments.returns import CameBack
from provision.workflows import dunning, plays, reconciling, reminding
from tests.integration.subscriptions.dunning_street import SELLER, open_street, pay_all, suspend
from tests.integration.subscriptions.paying_shop import TODAY, TOLD, Said

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from provision.servers.play import Play
    from provision.workflows.control import Control
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.dunning_street import Street

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def street(shop: Shop, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    return open_street(shop, engine, tmp_path, monkeypatch)


def test_the_steps_lead_from_a_notice_to_a_closed_contract_and_no_day_has_two(
    street: Street,
) -> None:
    assert street.due(4) == []
    assert street.due(5) == [("notice", "")]
    assert street.due(400) == [("notice", "")]
    assert street.run(5) == [("notice", "")]
    assert street.run(5) == []
    assert street.run(15) == [("reminder", "")]
    assert street.run(30) == [("formal", "")]
    assert street.played == []
    assert street.run(45) == [("suspend", "")]
    assert (street.bundle().state, street.states()) == ("suspended", ["suspended"])
    assert street.run(105) == [("close", "")]
    assert (street.bundle().state, street.states()[1:]) == ("closed", ["closed"])
    assert street.subscription().last_day == street.day(105)
    assert street.run(400) == []
    assert verify.verify(street.till.session) == []


@only_sqlite
def test_a_run_after_months_begins_with_the_first_step(street: Street) -> None:
    assert street.run(200) == [("notice", "")]
    assert street.run(201) == []
    assert street.run(210) == [("reminder", "")]


def test_the_database_refuses_two_steps_on_a_day(street: Street) -> None:
    street.run(5)
    again = text(
        "INSERT INTO dunning_step SELECT organisation_id, series, number, position + 1, "
        "'reminder', reached_on, letter, actor FROM dunning_step"
    )
    with pytest.raises(DatabaseError, match="an invoice reaches one step a day"):
        street.till.session.execute(again)


@only_sqlite
def test_letters_are_private_and_in_one_language_and_a_formal_notice_is_paper(
    street: Street,
) -> None:
    for days in (5, 15, 30):
        street.run(days)
    *names, listed = sorted(path.name for path in street.folder.iterdir())
    assert listed == "letters.csv"
    assert [name.split("-", 2)[2] for name in names] == [
        f"formal-{street.day(30)}.pdf",
        f"formal-{street.day(30)}.txt",
        f"notice-{street.day(5)}.txt",
        f"reminder-{street.day(15)}.txt",
    ]
    letter = (street.folder / names[1]).read_text(encoding="utf-8")
    assert "mettons en demeure" in letter
    assert "formal notice" not in letter
    assert "FR1420041010050500013M02606" in letter
    assert "indemnité" not in letter
    assert {path.stat().st_mode & 0o777 for path in street.folder.iterdir()} == {0o600}
    assert (street.folder / names[0]).read_bytes().startswith(b"%PDF-")


@only_sqlite
def test_who_is_paused_is_left_in_peace_until_the_last_day(street: Street) -> None:
    session, seller = street.till.session, street.till.seller
    jeanne = orders.get(session, 1).subscriber
    told = Told("ana", TOLD.at, "Waits for a grant")
    pauses.pause(session, seller, jeanne, (street.day(1), street.day(9)), (TODAY, told))
    assert street.due(9) == [("notice", "Paused: Waits for a grant")]
    assert street.run(9) == []
    assert street.due(10) == [("notice", "")]


@only_sqlite
def test_a_pause_without_end_is_resumed_by_hand(street: Street) -> None:
    session, seller = street.till.session, street.till.seller
    jeanne = orders.get(session, 1).subscriber
    told = Told("ana", TOLD.at, "Contests it")
    pauses.pause(session, seller, jeanne, (street.day(1), None), (TODAY, told))
    assert street.run(60) == []
    assert pauses.resume(session, seller, jeanne, street.day(60), told) == 1
    assert street.due(59) == [("notice", "Paused: Contests it")]
    assert street.run(60) == [("notice", "")]
    with pytest.raises(UsageRefused, match="Nothing is paused"):
        pauses.resume(session, seller, jeanne, street.day(61), told)


@only_sqlite
def test_hardship_gets_friendly_words_only_and_a_fraud_waits_for_a_person(street: Street) -> None:
    session, seller = street.till.session, street.till.seller
    jeanne = orders.get(session, 1).subscriber
    told = Told("ana", TOLD.at, "Lost the grant")
    pauses.mark(session, seller, jeanne, pauses.HARDSHIP, (TODAY, told))
    assert street.run(5) + street.run(15) == [("notice", ""), ("reminder", "")]
    assert street.due(300) == []
    pauses.mark(session, seller, jeanne, pauses.FRAUD, (TODAY, told))
    assert street.due(300) == [("formal", "Marked as fraud: for a person to judge")]
    pauses.mark(session, seller, jeanne, pauses.NONE, (TODAY, told))
    assert street.run(300) == [("formal", "")]


def test_what_is_paid_is_opened_again_once(street: Street) -> None:
    suspend(street)
    pay_all(street, 50)
    street.till.session.commit()
    found = reminding.due(street.control, SELLER, street.rules, street.day(50))
    assert [domain for _settled, domain in found.reopened] == ["jeanne.paquet.test"]
    assert street.bundle().state == "suspended"
    assert street.run(50) == [("resumed", "")]
    assert (street.bundle().state, street.states()) == ("active", ["suspended", "active"])
    assert street.run(51) == []


@only_sqlite
def test_a_bundle_that_could_not_be_opened_is_tried_again(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend(street)
    pay_all(street, 50)

    def fails(_control: Control, _play: Play) -> None:
        raise PaquetError("bundles1 does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(plays, "change", fails)
        assert street.run(50) == [("resumed", "bundles1 does not answer")]
    assert street.run(50) == [("resumed", "")]
    assert street.states() == ["suspended", "active"]
    assert street.run(51) == []


@only_sqlite
def test_two_runs_at_once_take_a_step_once(street: Street) -> None:
    street.till.session.commit()
    found = reminding.due(street.control, SELLER, street.rules, street.day(5))
    street.run(5)
    with pytest.raises(UsageRefused, match="reached a step on"):
        reminders.reach(street.till.session, found.reminders[0], "", street.day(5), TOLD)


@only_sqlite
def test_a_server_that_does_not_answer_leaves_the_step_to_be_taken(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    for days in (5, 15, 30):
        street.run(days)

    def fails(_control: Control, _play: Play) -> None:
        raise PaquetError("bundles1 does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(plays, "change", fails)
        assert street.run(45) == [("suspend", "bundles1 does not answer")]
    assert not list(street.folder.glob("*suspend*"))
    assert street.run(45) == [("suspend", "")]
    assert street.states() == ["suspended"]


def test_what_is_being_collected_is_not_reminded_and_a_return_begins_again(
    street: Street,
) -> None:
    street.run(5)
    session, till = street.till.session, street.till
    till.mandate(orders.get(session, 1).subscriber)
    till.collect()
    assert street.due(15) == [("reminder", "It is being collected")]
    (row,) = till.bank(Said(1000, text="REMISE P1-1-20260102T093000-0001"), on=street.day(16))
    (outcome,) = reconciling.accept_certain(session, till.seller, street.day(16), TOLD)
    assert outcome.refused == ""
    assert street.due(40) == []
    (row,) = till.bank(Said(-1000, text="REJET"), on=street.day(20))
    returns.take_back(session, row, [CameBack("F2026-1-1", 1000)], (street.day(20), TOLD))
    assert street.due(24) == []
    assert street.due(25) == [("notice", "")]


@only_sqlite
def test_no_step_is_recorded_for_an_invoice_that_is_paid(street: Street) -> None:
    pay_all(street, 1)
    assert street.run(60) == []
    assert reminders.everything(street.till.session, street.till.seller.id) == []


def test_what_is_paid_after_the_end_does_not_open_a_closed_bundle(street: Street) -> None:
    suspend(street)
    street.run(105)
    pay_all(street, 110)
    assert street.run(110) == []
    assert (street.bundle().state, street.states()) == ("closed", ["suspended", "closed"])


@only_sqlite
def test_a_server_that_does_not_answer_leaves_the_closing_to_be_taken_and_cancels_once(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend(street)

    def fails(_control: Control, _play: Play) -> None:
        raise PaquetError("bundles1 does not answer")

    with monkeypatch.context() as broken:
        broken.setattr(plays, "change", fails)
        assert street.run(105) == [("close", "bundles1 does not answer")]
    assert street.run(106) == [("close", "")]
    assert street.states() == ["suspended", "closed"]
    assert street.subscription().last_day == street.day(105)


@only_sqlite
def test_a_subscription_without_a_bundle_ends_with_its_contract(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    suspend(street)
    monkeypatch.setattr(dunning, "paid_bundle", lambda _session, _subscription: None)
    assert street.run(105) == [("close", "")]
    assert street.subscription().last_day == street.day(105)
    assert (street.bundle().state, street.states()) == ("suspended", ["suspended"])
