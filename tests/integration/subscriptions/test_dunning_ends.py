"""What a run knows again after each step: what is open, until when all can be taken along."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from provision.registry import orders, states
from provision.subscriptions.dunning import policy, reminders
from provision.subscriptions.selling import credit_notes, opening
from provision.subscriptions.selling.credit_notes import What
from provision.workflows import dunning
from tests.integration.subscriptions.dunning_street import NOON, open_street, suspend
from tests.integration.subscriptions.paying_shop import TOLD

if TYPE_CHECKING:
    from datetime import date
    from pathlib import Path

    from sqlalchemy import Engine

    from provision.subscriptions.dunning.reminders import Reminder
    from provision.workflows.control import Control
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.dunning_street import Street

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def street(shop: Shop, engine: Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Street:
    return open_street(shop, engine, tmp_path, monkeypatch)


def letter_of(street: Street, days: int) -> str:
    (path,) = street.folder.glob(f"*-close-{street.day(days)}.txt")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize("units", [400, 1000])
def test_the_last_letter_asks_for_what_is_still_open_after_the_end(
    street: Street, monkeypatch: pytest.MonkeyPatch, units: int
) -> None:
    suspend(street)
    closes = dunning.ENDS[policy.CLOSE]

    def closes_and_credits(control: Control, reminder: Reminder, why: str, on: date) -> None:
        closes(control, reminder, why, on)
        with control.session() as session:
            credit_notes.credit(session, reminder.document.number, What(units), why, on)

    monkeypatch.setattr(dunning, "ENDS", {policy.CLOSE: closes_and_credits})
    assert street.run(105) == [("close", "")]
    if units == 1000:
        assert not list(street.folder.glob("*-close-*"))
    else:
        assert "6,00 €" in letter_of(street, 105).replace("\u202f", " ").replace("\xa0", " ")
        assert "10,00" not in letter_of(street, 105)
    assert street.run(106) == []


def test_what_an_earlier_step_of_the_day_settled_is_left_in_peace(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The end of one contract gives back what another invoice of it asks for."""
    for days in (5, 15, 30):
        street.run(days)
    street.till.shop.bill(street.day(1))
    by_step = {policy.SUSPEND: credit_everything}
    monkeypatch.setattr(dunning, "ENDS", by_step)
    assert [step for step, _held in street.due(45)] == ["suspend", "notice"]
    assert street.run(45) == [("suspend", "")]
    steps = [one.step for one in reminders.everything(street.till.session, street.till.seller.id)]
    assert steps == ["suspend", "formal", "reminder", "notice"]


def credit_everything(control: Control, _reminder: Reminder, why: str, on: date) -> None:
    with control.session() as session:
        one = opening.of_order(session, 1)
        assert one is not None
        credit_notes.credit_all(session, one, why, on)


def test_the_last_letter_names_the_day_until_which_all_can_be_taken_along(street: Street) -> None:
    suspend(street)
    noon = datetime.combine(street.day(105), NOON.timetz())
    street.control = replace(street.control, clock=lambda: noon)
    street.run(105)
    until = street.bundle().export_until
    assert until is not None
    assert f"jusqu’au {until:%d/%m/%Y}" in letter_of(street, 105)


def test_a_bundle_whose_erasing_began_is_not_closed_and_its_subscription_ends(
    street: Street,
) -> None:
    suspend(street)
    with street.control.session() as session:
        subject = f"bundle:{orders.get(session, 1).bundle.name}"
        states.record(session, subject, states.ERASING, TOLD)
    assert street.run(105) == [("close", "")]
    assert street.subscription().last_day == street.day(105)
    assert street.states() == ["suspended"]
