from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from pydantic import SecretStr
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from provision import settings
from provision.errors import PaquetError, UsageRefused
from provision.registry import fences, orders, secrets
from provision.registry.orders import DkimKey, Wish
from provision.registry.states import Told
from provision.subscriptions import subscriptions, verify
from provision.subscriptions.payments import (
    owed,
    pauses,
    policy,
    receipts,
    reconciling,
    reminders,
    returns,
)
from provision.subscriptions.payments.returns import CameBack
from provision.workflows import dunning, plays
from provision.workflows.control import Control
from provision.workflows.dunning import Campaign
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.paying_shop import TODAY, TOLD, Said, open_till

if TYPE_CHECKING:
    from datetime import date

    from sqlalchemy import Engine

    from provision.registry.models import Bundle
    from provision.servers.playbooks import Play
    from provision.subscriptions.payments.policy import Policy
    from provision.subscriptions.subscription_models import Subscription
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.paying_shop import Till

only_sqlite = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RULES = Path(__file__).parents[3] / "templates/money/dunning.example.toml"
SELLER = "Boutique Libre"
NOON = datetime(2026, 2, 1, 12, tzinfo=UTC)
SETTINGS = """
[operator]
name = "Les Amis"
zone = "paquet.test"
language = "fr"
contact = "aide@paquet.test"
"""
INVENTORY = """
all:
  children:
    bundles:
      hosts:
        bundles1:
          ansible_host: 192.0.2.10
          server_name: bundles1.example.org
          backup_server: backup1
    backup:
      hosts:
        backup1:
          ansible_host: 192.0.2.20
          server_name: backup1.example.org
"""
WISH = Wish(
    email="jeanne@exemple.test",
    name="Jeanne",
    login="jeanne",
    language="fr",
    plan="famille",
    domain="jeanne.paquet.test",
    cloud="light",
    cloud_version="",
    server="bundles1",
    backup_server="backup1",
    sold_by=SELLER,
    supported_by="Les Amis du Libre",
    device="Téléphone",
    kind="android",
    quota_bytes=1 << 30,
)


@dataclass
class Street:
    """Jeanne has a bundle and an unpaid invoice; only the servers are not there."""

    till: Till
    control: Control
    folder: Path
    played: list[Play] = field(default_factory=list)

    @property
    def rules(self) -> Policy:
        return policy.read(RULES)

    def day(self, days: int) -> date:
        """Return the day so many days after the due date."""
        return START + timedelta(days=30 + days)

    def due(self, days: int) -> list[tuple[str, str]]:
        """Return the steps of a day, and why they are held."""
        self.till.session.commit()
        found = dunning.due(self.control, SELLER, self.rules, self.day(days))
        return [(one.step, one.held) for one in found.reminders]

    def run(self, days: int) -> list[tuple[str, str]]:
        """Run a day; return the steps that were taken, and why they were not."""
        self.till.session.commit()
        campaign = Campaign(SELLER, self.rules, self.day(days), self.folder)
        return [(one.step, one.refused) for one in dunning.run(self.control, campaign)]

    def bundle(self) -> Bundle:
        self.till.session.rollback()
        self.till.session.expire_all()
        return orders.get(self.till.session, 1).bundle

    def subscription(self) -> Subscription:
        """Return the subscription of the order as it is now."""
        self.bundle()
        found = subscriptions.of_order(self.till.session, 1)
        assert found is not None
        return found

    def states(self) -> list[object]:
        """Return the states that servers were asked to bring about."""
        return [dict(play.variables["bundle"])["state"] for play in self.played]  # type: ignore[call-overload]


@pytest.fixture
def street(shop: Shop, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    till, config = open_till(shop), tmp_path / "paquet.toml"
    config.write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    secrets.make_key_file(tmp_path / "paquet.key")
    control = Control(settings.load(config), engine, "ana", lambda: NOON)
    fences.known_server(till.session, "bundles1")
    order = orders.place(
        till.session, WISH, dkim=DkimKey("p", "public"), steps=("bundle",), told=TOLD
    )
    safe = control.safe(till.session)
    for name in plays.BUNDLE_SECRETS:
        safe.put(f"bundle:{order.bundle.name}", name, SecretStr("throw-away"))
    begun = subscriptions.open_for_order(till.session, order, START)
    subscriptions.begin(till.session, begun, START)
    shop.bill(START)
    order.state = "delivered"
    made = Street(till, control, tmp_path / "letters")
    monkeypatch.setattr(plays, "change", lambda _control, play: made.played.append(play))
    return made


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
def test_letters_are_private_and_in_both_languages_and_a_formal_notice_is_paper(
    street: Street,
) -> None:
    for days in (5, 15, 30):
        street.run(days)
    names = sorted(path.name for path in street.folder.iterdir())
    assert [name.split("-", 2)[2] for name in names] == [
        f"formal-{street.day(30)}.pdf",
        f"formal-{street.day(30)}.txt",
        f"notice-{street.day(5)}.txt",
        f"reminder-{street.day(15)}.txt",
    ]
    letter = (street.folder / names[1]).read_text(encoding="utf-8")
    assert letter.index("mettons en demeure") < letter.index("give you formal notice")
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


def pay_all(street: Street, days: int) -> None:
    session = street.till.session
    (row,) = street.till.bank(Said(1000), on=street.day(days))
    (one,) = [one for one in owed.everything(session, street.till.seller.id) if one.units]
    receipts.pay(session, row, [one], street.day(days))


def suspend(street: Street) -> None:
    for days in (5, 15, 30, 45):
        street.run(days)


def test_what_is_paid_is_opened_again_once(street: Street) -> None:
    suspend(street)
    pay_all(street, 50)
    street.till.session.commit()
    found = dunning.due(street.control, SELLER, street.rules, street.day(50))
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
    found = dunning.due(street.control, SELLER, street.rules, street.day(5))
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
    monkeypatch.setattr(dunning, "_bundle", lambda _session, _subscription: None)
    assert street.run(105) == [("close", "")]
    assert street.subscription().last_day == street.day(105)
    assert (street.bundle().state, street.states()) == ("suspended", ["suspended"])
