"""Runs about bundles mean the bundle that was meant, whoever has its domain since."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.errors import PaquetError, UsageRefused
from provision.jobs import bundles, checks, starting
from provision.registry.models import Bundle, Subscriber

if TYPE_CHECKING:
    from provision.registry.runs import WantedRun
    from tests.integration.jobs.conftest import Trial

WORDS = {
    "domain": "jeanne.test",
    "cloud": "light",
    "server": "bundles1",
    "backup_server": "backup1",
    "quota_bytes": 1 << 30,
    "dkim_selector": "s",
    "dkim_public_key": "k",
}


@pytest.fixture
def twins(trial: Trial) -> tuple[Bundle, Bundle]:
    """An erased bundle, and the one that has its domain since."""
    with trial.control.session() as session:
        person = Subscriber(name="Jeanne", email="j@x.test", language="fr", created_at=trial.now)
        old, new = (
            Bundle(name=name, state=state, subscriber=person, created_at=trial.now, **WORDS)
            for name, state in (("bold", "erased"), ("bnew", "active"))
        )
        session.add_all([person, old, new])
    return old, new


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("bring", {"state": "suspended", "why": "unpaid"}),
        ("back up", {}),
        ("close", {"why": "x", "last_day": "2026-11-30", "on": "2026-11-30", "how": "letter"}),
    ],
)
def test_a_wish_about_an_erased_bundle_falls_on_nobody_else(
    trial: Trial, twins: tuple[Bundle, Bundle], kind: str, words: dict[str, object]
) -> None:
    old, _new = twins
    with pytest.raises(UsageRefused, match="The bundle bold is erased"):
        starting.see_through(trial.control, bundles.of_one(kind, old, **words, refund=False))
    with trial.control.reading() as session:
        states = dict(session.execute(select(Bundle.name, Bundle.state)).all())
    assert states == {"bold": "erased", "bnew": "active"}


def test_erasing_what_is_erased_already_is_done(trial: Trial, twins: tuple[Bundle, Bundle]) -> None:
    """Killed between the last word of the registry and that of its run."""
    old, _new = twins
    asked = bundles.of_one("erase", old, why="window over", hurry=False)
    assert starting.see_through(trial.control, asked).run_id


def test_other_bundles_of_a_server_are_another_wish(
    trial: Trial, twins: tuple[Bundle, Bundle]
) -> None:
    night = checks.of_server("bundles1", ["b1", "b2"])
    by_hand = checks.of_server("bundles1")
    assert starting.ask(trial.control, night) != starting.ask(trial.control, by_hand)
    (both,) = bundles.deployments(twins)
    (alone,) = bundles.deployments(twins[1:])
    assert len({both.subject, alone.subject}) == 2


def test_the_same_wish_with_other_words_is_refused_while_somebody_carries_it_out(
    trial: Trial, twins: tuple[Bundle, Bundle]
) -> None:
    _old, new = twins
    asked = bundles.of_one("bring", new, state="suspended", why="unpaid")
    number = starting.ask(trial.control, asked)
    assert trial.take(number) is not None
    back: WantedRun = bundles.of_one("bring", new, state="active", why="paid")
    with pytest.raises(PaquetError, match=f"Job {number} .* is about the same"):
        starting.ask(trial.control, back)
