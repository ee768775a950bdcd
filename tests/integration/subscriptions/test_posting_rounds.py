"""A round of the post: what fails in it keeps nothing else from its turn, and no run is endless."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date, timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision import database
from provision.errors import PaquetError
from provision.jobs import engine as engines
from provision.jobs import owners, post, starting
from provision.post import outbox
from provision.post.models import Letter
from provision.post.outbox import Correspondent, NewLetter, Recipient
from provision.registry import findings, runs
from provision.registry.models import KnownFinding, RunLine, RunStep
from provision.workflows import posting, posting_gathering
from tests.integration.subscriptions.conftest import START
from tests.integration.subscriptions.paying_shop import open_till
from tests.integration.subscriptions.post_office import SENDER, open_office

if TYPE_CHECKING:
    from pathlib import Path

    from provision.workflows.control import Control
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.mail_keeper import Keeper
    from tests.integration.subscriptions.mail_taker import Taker
    from tests.integration.subscriptions.post_office import Office

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@pytest.fixture
def office(shop: Shop, tmp_path: Path, taker: Taker) -> Office:
    """Jeanne was billed."""
    opened = open_office(open_till(shop), tmp_path, taker)
    shop.subscribe(shop.jeanne)
    shop.bill(START)
    opened.till.session.close()
    return opened


def go_round(office: Office) -> tuple[str, list[str]]:
    """See a round through as a worker does; return its state, and its steps'."""
    run_id = starting.ask(office.control, post.round_of(SENDER))
    held = engines.take(office.control, run_id, owners.this_process())
    assert held is not None
    try:
        engines.carry_out(office.control, held, patient=True)
    except PaquetError as failed:
        assert "were not done" in failed.message  # noqa: PT017 (it may not fail at all)
    with office.control.reading() as session:
        run = runs.get(session, run_id)
        return run.state, [step.state for step in run.steps]


def troubles(office: Office) -> list[tuple[str, bool]]:
    with office.control.reading() as session:
        known = session.scalars(select(KnownFinding).order_by(KnownFinding.id))
        return [(finding.subject, finding.mended_at is None) for finding in known]


def test_a_mailbox_that_is_away_fails_its_step_and_the_next_round_looks_again(
    office: Office, keeper: Keeper
) -> None:
    keeper.is_away = True
    assert {(state, *steps) for state, steps in (go_round(office) for _ in range(4))} == {
        ("failed", "done", "done", "failed")
    }
    assert office.states() == ["sent"]
    assert troubles(office) == [("post:mailbox", True)]
    keeper.is_away = False
    assert go_round(office) == ("done", ["done"] * 3)
    assert troubles(office) == [("post:mailbox", False)]


@pytest.mark.usefixtures("keeper")
def test_a_sender_that_cannot_log_in_is_known_once(office: Office) -> None:
    office.taker.answers["AUTH"] = ["535 5.7.8 no"] * 2
    assert go_round(office)[1] == ["done", "failed", "done"]
    assert go_round(office)[1] == ["done", "failed", "done"]
    assert troubles(office) == [("post:sender", True)]
    assert go_round(office)[1] == ["done"] * 3
    with office.control.reading() as session:
        assert findings.still_wrong(session) == 0


@pytest.mark.usefixtures("keeper")
def test_what_cannot_be_gathered_keeps_nothing_from_leaving_and_is_gathered_later(
    office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    office.gather()

    def broken(_control: Control) -> None:
        raise PaquetError("a document is broken")

    with monkeypatch.context() as patch:
        patch.setattr(posting_gathering, "gather", broken)
        assert go_round(office) == ("failed", ["failed", "done", "done"])
    assert office.states() == ["sent"]
    write(office, "word:1")
    assert go_round(office) == ("done", ["done"] * 3)
    assert office.states() == ["sent", "sent"], "the steps that were done are done again"


@pytest.mark.usefixtures("keeper")
def test_a_job_keeps_what_a_server_said_and_the_address_of_nobody(office: Office) -> None:
    office.gather()
    office.taker.answers["RCPT"] = ["550 5.1.1 <jeanne@exemple.test>: User unknown"]
    assert go_round(office)[0] == "done"
    write(office, "word:1")
    with database.transaction(office.control.engine) as session:
        outbox.get(session, 2).email = "jeanne@@exemple.test"
    assert go_round(office)[0] == "done"
    with office.control.reading() as session:
        kept = [step.facts for step in session.scalars(select(RunStep)) if step.facts]
        lines = [line.text for line in session.scalars(select(RunLine))]
        answers = [letter.message for letter in session.scalars(select(Letter))]
    told = json.dumps([kept, lines, answers], ensure_ascii=False)
    assert "550 5.1.1 <…>: User unknown" in told
    assert "A letter cannot go there" in told
    assert "jeanne" not in told


def write(office: Office, key: str, *, urgent: bool = False) -> None:
    to = Recipient("Zoé", f"{key.replace(':', '')}@exemple.test")
    words = ("Bonjour", "Bonjour\n")
    letter = NewLetter(key, "word", date(2026, 1, 3), Correspondent("A"), to, *words, urgent=urgent)
    with database.transaction(office.control.engine) as session:
        outbox.write(session, letter, office.control.clock())


def test_what_is_urgent_leaves_before_all_that_waits_also_when_it_is_written_meanwhile(
    office: Office,
) -> None:
    for number in range(5):
        write(office, f"word:{number}")
    office.later(timedelta(minutes=1))
    write(office, "urgent:1", urgent=True)
    left: list[float] = []

    def pause(seconds: float) -> None:
        left.append(seconds)
        if len(left) == 2:
            write(office, "urgent:2", urgent=True)

    posting.send(office.control, pause)
    names = [to.partition("@")[0] for to, _content in office.taker.taken]
    assert names == ["urgent1", "word0", "urgent2", "word1", "word2", "word3", "word4"]


def test_sending_ends_after_its_turn_and_when_it_is_told_to_stop(office: Office) -> None:
    for number in range(5):
        write(office, f"word:{number}")
    start, told = office.control.clock(), list[str]()
    waited: list[float] = []
    control = replace(
        office.control,
        clock=lambda: start + 5 * len(waited) * timedelta(minutes=1),
        tell=told.append,
    )
    assert len(posting.send(control, waited.append)) == 2
    assert told[-1] == "3 letters wait for the next run"
    stopping: list[float] = []
    control = replace(office.control, stops=lambda: bool(stopping))
    assert len(posting.send(control, stopping.append)) == 1
    assert office.states() == ["sent"] * 3 + ["waiting"] * 2
