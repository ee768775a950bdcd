"""The same person, the same plan, the same day: somebody is asked, and nobody pays twice."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import click
import pytest
from sqlalchemy import func, select

from provision.commands.bundles.order import order
from provision.commands.sales.invoice import invoice
from provision.commands.sales.subscription import subscription
from provision.commands.shared.asking import Declined
from provision.errors import UsageRefused
from provision.jobs import starting
from provision.registry import secrets
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.models import Subscription
from tests.integration.subscriptions.commanding import SOLD, ask, opened, read, selling
from tests.integration.subscriptions.dunning_street import INVENTORY

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 2)
JEANNE = ("open", "jeanne@exemple.test", *SOLD)
ORDER = ("place", "jeanne@exemple.test", "--name", "Jeanne", *SOLD, "--cloud", "light")


@pytest.fixture
def context(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Context:
    """Jeanne subscribed today; nobody is at the keyboard, and no server is there."""
    monkeypatch.setattr(starting, "deliver", lambda _control, _number: None)
    made = selling(tmp_path)
    made.settings.inventory.write_text(INVENTORY, "utf-8")
    secrets.make_key_file(made.settings.key_file)
    return made


def held(context: Context) -> int:
    with context.reading() as session:
        return session.scalar(select(func.count()).select_from(Subscription)) or 0


def someone_says(monkeypatch: pytest.MonkeyPatch, *, yes: bool) -> list[str]:
    """Let somebody sit at the keyboard; return what they are asked."""
    asked: list[str] = []

    def prompt(question: str, **_how: Any) -> str:  # noqa: ANN401 (click's own words)
        asked.append(question)
        return "y" if yes else "n"

    monkeypatch.setattr("provision.commands.shared.asking.someone_is_there", lambda: True)
    monkeypatch.setattr(click, "prompt", prompt)
    return asked


def test_the_same_plan_a_second_time_that_day_is_refused_to_a_script(context: Context) -> None:
    with pytest.raises(UsageRefused, match="subscription 1 of 2026-03-02") as refused:
        ask(context, subscription, *JEANNE, "--yes")
    assert "--again" in str(refused.value.hint)
    assert held(context) == 1


def test_who_means_it_says_again(context: Context) -> None:
    read(context, subscription, *JEANNE, "--again", "--yes")
    assert held(context) == 2


def test_a_person_is_asked_also_with_yes(context: Context, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = someone_says(monkeypatch, yes=False)
    with pytest.raises(Declined):
        ask(context, subscription, *JEANNE, "--yes")
    assert "subscription 1 of 2026-03-02" in asked[0]
    assert held(context) == 1
    someone_says(monkeypatch, yes=True)
    ask(context, subscription, *JEANNE, "--yes")
    assert held(context) == 2


def test_looking_asks_nothing(context: Context) -> None:
    assert read(context, subscription, *JEANNE, "--dry-run")["subscription"] == 2
    assert held(context) == 1


def test_another_day_another_person_and_what_is_over_are_no_twins(context: Context) -> None:
    read(context, subscription, *JEANNE, "--from", "2026-03-03", "--yes")
    opened(context, "paul")
    assert held(context) == 3
    with context.session() as session:
        one = session.get_one(Subscription, 1)
        opening.withdraw(session, one, TODAY)
    read(context, subscription, *JEANNE, "--yes")
    assert held(context) == 4


def test_an_order_of_that_plan_is_asked_about_too_and_its_twin_is_itself(context: Context) -> None:
    first = (*ORDER, "--domain", "jeanne.paquet.test", "--yes")
    with pytest.raises(UsageRefused, match="subscription 1 of 2026-03-02"):
        ask(context, order, *first)
    ask(context, order, *first, "--again")
    assert held(context) == 2
    ask(context, order, *first)
    assert held(context) == 2
    second = (*ORDER, "--domain", "autre.paquet.test", "--yes")
    with pytest.raises(UsageRefused, match="subscription 1 of 2026-03-02"):
        ask(context, order, *second)
    would = read(context, order, *second[:-1], "--dry-run")
    assert would["plan"] == "famille"
    ask(context, order, *second, "--again")
    assert held(context) == 3


def test_a_second_deposit_of_that_day_is_asked_about(context: Context) -> None:
    words = ("deposit", "1", "--amount", "30", "--yes")
    ask(context, invoice, *words)
    with pytest.raises(UsageRefused, match="F2026-000001 of 2026-03-02"):
        ask(context, invoice, *words)
    ask(context, invoice, "deposit", "1", "--amount", "31", "--yes")
    ask(context, invoice, *words, "--again")
    with context.reading() as session:
        assert session.scalar(select(func.count()).select_from(Invoice)) == 3
