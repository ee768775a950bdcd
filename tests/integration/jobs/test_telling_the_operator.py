"""What checks found: kept, told once, at once where it is severe, and told again when mended."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import PaquetError
from provision.post import outbox
from provision.post.models import Letter
from provision.post.outbox import Correspondent, NewLetter, Recipient
from provision.registry import findings, runs
from provision.registry.findings import LookedAt
from provision.workflows import posting_operator

if TYPE_CHECKING:
    from tests.integration.jobs.conftest import Trial

SERVER = "server:bundles1"


def row(check: str, result: str = "warning", message: str = "nine days left") -> dict[str, str]:
    return {"check": check, "result": result, "message": message, "hint": "LookedAt."}


@pytest.fixture
def told(trial: Trial) -> Trial:
    """A control machine that has a post since a while."""
    words = trial.control.settings.model_dump()
    words["post"] = {"since": date(2026, 1, 1)}
    settings = trial.control.settings.model_validate(words)
    trial.control = replace(trial.control, settings=settings)
    return trial


def look(
    trial: Trial, *rows: dict[str, str], subject: str = SERVER, is_whole: bool = True
) -> list[str]:
    """Note what a look found; return the checks of which it is new."""
    with trial.control.session() as session:
        new = findings.note(session, LookedAt(subject, rows, is_whole=is_whole), trial.now)
        posting_operator.at_once(trial.control, session, new)
        return [finding.check for finding in new]


def letters(trial: Trial) -> list[str]:
    with trial.control.reading() as session:
        return [
            f"{letter.subject}\n{letter.text}"
            for letter in session.scalars(select(Letter).order_by(Letter.id))
        ]


def test_a_finding_is_new_once_whatever_its_words_say_the_next_day(told: Trial) -> None:
    assert look(told, row("certificate")) == ["certificate"]
    told.later(days=1)
    assert look(told, row("certificate", message="eight days left")) == []
    assert look(told, row("certificate"), row("certificate")) == ["certificate"], "one more"


def test_only_what_changed_is_told_once_a_day(told: Trial) -> None:
    look(told, row("certificate"), row("disk", "ok"))
    assert posting_operator.daily(told.control) == 1
    told.later(days=1)
    look(told, row("certificate", message="eight days left"))
    assert posting_operator.daily(told.control) == 0
    told.later(days=1)
    look(told)
    assert posting_operator.daily(told.control) == 1
    first, second = letters(told)
    assert "bundles1 · certificate (warning, depuis le 2026-11-30)\n  nine days left" in first
    assert "disk" not in first
    assert "Réparé :" in second
    told.later(days=1)
    assert posting_operator.daily(told.control) == 0


def test_what_could_not_be_looked_at_is_not_mended(told: Trial) -> None:
    look(told, row("certificate"))
    posting_operator.daily(told.control)
    told.later(days=1)
    look(told, row("certificate", "skipped", "the server is away"))
    assert posting_operator.daily(told.control) == 0


def test_what_nobody_could_look_for_is_not_mended(told: Trial) -> None:
    look(told, row("disk"), row("ssh", "ok"))
    posting_operator.daily(told.control)
    told.later(days=1)
    look(told, row("ssh", "error", "the server is away"), is_whole=False)
    assert posting_operator.daily(told.control) == 0, "the disk is not looked at, ssh was told"
    told.later(days=1)
    assert look(told, row("disk"), row("ssh", "ok")) == []
    assert "ssh" in changed(told), "it is there again"


def changed(told: Trial) -> str:
    assert posting_operator.daily(told.control) == 1
    return letters(told)[-1]


def test_of_two_of_one_name_the_one_that_is_gone_is_mended(told: Trial) -> None:
    root, var = row("disk", message="/ is 96 % full"), row("disk", message="/var is 97 % full")
    look(told, root, var)
    posting_operator.daily(told.control)
    told.later(days=1)
    assert look(told, row("disk", message="/var is 98 % full")) == []
    with told.control.reading() as session:
        (over,) = findings.mended(session)
    assert over.message == "/ is 96 % full"


def test_what_is_severe_is_written_at_once_and_not_again_that_evening(told: Trial) -> None:
    look(told, row("web", "error", "no answer"), row("disk"))
    (letter,) = letters(told)
    assert "web (error" in letter
    assert "disk" not in letter
    look(told, row("web", "error", "no answer"), row("disk"))
    assert len(letters(told)) == 1
    assert posting_operator.daily(told.control) == 1
    assert "web" not in letters(told)[1]


def test_what_becomes_severe_is_told_again(told: Trial) -> None:
    look(told, row("disk"))
    posting_operator.daily(told.control)
    assert look(told, row("disk", "error", "it is full")) == ["disk"]
    assert "it is full" in letters(told)[1]


def test_what_eased_and_is_severe_again_on_one_day_is_written_again(told: Trial) -> None:
    for result in ("error", "warning", "error"):
        look(told, row("disk", result, f"it is {result}"))
        told.later(minutes=10)
    assert len(letters(told)) == 2


def test_what_could_not_be_written_at_once_is_told_by_the_letter_of_the_day(told: Trial) -> None:
    for result in ("error", "warning", "error"):  # all at one moment: the second has the same key
        look(told, row("disk", result, f"it is {result}"))
    assert len(letters(told)) == 1
    assert posting_operator.daily(told.control) == 1
    assert "disk (error" in letters(told)[1]


def test_letters_that_were_held_when_they_were_written_are_told_once(told: Trial) -> None:
    nobody = Recipient("Jeanne", None)
    letter = NewLetter("word:1", "word", date(2026, 11, 30), Correspondent("A"), nobody, "B", "B\n")
    with told.control.session() as session:
        outbox.write(session, letter, told.now)
    assert posting_operator.daily(told.control) == 1
    assert "Courriers qui vous attendent : 1" in letters(told)[1]
    told.later(days=1)
    assert posting_operator.daily(told.control) == 0


def test_a_part_of_the_post_that_fails_is_told_once_and_once_when_it_works_again(
    told: Trial,
) -> None:
    away = PaquetError("The mailbox cannot be read", "LookedAt.")
    for wrong in (away, away):
        posting_operator.note_trouble(told.control, "sender", None)
        posting_operator.note_trouble(told.control, "mailbox", wrong)
        told.later(minutes=10)
    assert posting_operator.daily(told.control) == 1
    assert "mailbox · post (warning" in letters(told)[0]
    told.later(days=1)
    posting_operator.note_trouble(told.control, "mailbox", away)
    assert posting_operator.daily(told.control) == 0
    posting_operator.note_trouble(told.control, "mailbox", None)
    assert posting_operator.daily(told.control) == 1
    assert "- mailbox · post" in letters(told)[1]


def test_a_job_that_stopped_is_told_once(told: Trial) -> None:
    number = told.ask()
    held = told.take(number)
    assert held is not None
    with told.control.session() as session:
        run = runs.owned(session, held)
        runs.end(session, run, runs.FAILED, told.now, "the server is away")
    assert posting_operator.daily(told.control) == 1
    assert f"paquet job retry {number}" in letters(told)[0]
    told.later(days=1)
    assert posting_operator.daily(told.control) == 0


def test_without_a_post_nothing_is_written_and_nothing_counts_as_told(trial: Trial) -> None:
    look(trial, row("web", "error", "no answer"))
    assert posting_operator.daily(trial.control) == 0
    assert letters(trial) == []
    with trial.control.reading() as session:
        assert [finding.told_at for finding in findings.untold(session)] == [None]


def test_what_was_found_in_an_erased_bundle_is_not_open_for_ever(told: Trial) -> None:
    look(told, row("web"), subject="bundle:gone")
    look(told, row("disk"))
    assert posting_operator.daily(told.control) == 1
    with told.control.reading() as session:
        assert findings.still_wrong(session) == 1


def test_of_jobs_about_the_same_that_stopped_the_newest_is_told(told: Trial) -> None:
    for _ in range(3):
        number = told.ask()
        held = told.take(number)
        assert held is not None
        with told.control.session() as session:
            runs.end(session, runs.owned(session, held), runs.FAILED, told.now, "away")
    assert posting_operator.daily(told.control) == 1
    assert letters(told)[0].count("paquet job retry") == 1
