"""`paquet bundle close` and `erase`, as a person types them."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from provision.commands.bundles.bundle import bundle
from provision.errors import UnsafeChange, UsageRefused
from provision.workflows import control
from tests.integration.subscriptions.commanding import ask, settled
from tests.integration.subscriptions.leaving_shop import leave
from tests.integration.subscriptions.privacy_shop import DOMAIN, FILE, KEY, TODAY

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provision.commands.shared.context import Context
    from tests.integration.subscriptions.leaving_shop import Leaving

UNTIL = TODAY + timedelta(days=30)


@pytest.fixture
def context(tmp_path: Path) -> Iterator[Context]:
    made = settled(tmp_path, FILE, key_file=KEY)
    yield made
    made.engine.dispose()


@pytest.fixture
def leaving(context: Context, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Leaving:
    return leave(context.engine, tmp_path, monkeypatch)


def run(context: Context, *words: str) -> str:
    """Run a command and return what it prints; what it raises is raised here."""
    return ask(context, bundle, *words).stdout


def read(context: Context, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    return json.loads(run(context, *words, "--json"))


def test_a_dry_run_shows_the_closing_and_writes_nothing(context: Context, leaving: Leaving) -> None:
    would = read(context, "close", DOMAIN, "--why", "moves", "--dry-run")
    assert would["export_until"] == UNTIL.isoformat()
    assert (would["subscription"], would["last_day"]) == (1, TODAY.isoformat())
    assert (leaving.bundle().state, leaving.subscription().last_day) == ("active", None)
    assert leaving.played == []


@pytest.mark.parametrize("words", [("close", DOMAIN, "--why", "x"), ("erase", DOMAIN)])
def test_nothing_ends_without_a_yes(
    context: Context, leaving: Leaving, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    if words[0] == "erase":
        run(context, "close", DOMAIN, "--why", "moves", "--yes")
        after = UNTIL + timedelta(days=1)
        monkeypatch.setattr(control.Control, "today", lambda _control: after)
    before = (leaving.bundle().state, len(leaving.played))
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        run(context, *words)
    assert (leaving.bundle().state, len(leaving.played)) == before


def test_a_bundle_is_closed_on_a_day_and_shown_with_its_window(
    context: Context, leaving: Leaving
) -> None:
    day = TODAY - timedelta(days=2)
    words = ("--why", "moves", "--on", day.isoformat(), "--how", "counter", "--yes")
    assert read(context, "close", DOMAIN, *words)["last_day"] == day.isoformat()
    shown = read(context, "show", DOMAIN)
    assert (shown["state"], shown["export_until"]) == ("closed", UNTIL.isoformat())
    assert leaving.told() == [("bundle.yml", "closed")]


def test_erasing_in_the_window_needs_now_and_a_reason(context: Context, leaving: Leaving) -> None:
    run(context, "close", DOMAIN, "--why", "moves", "--yes")
    with pytest.raises(UnsafeChange):
        run(context, "erase", DOMAIN, "--yes")
    with pytest.raises(UsageRefused, match="--now needs a reason"):
        run(context, "erase", DOMAIN, "--now", "--yes")
    assert leaving.bundle().state == "closed"


def test_a_dry_run_of_erasing_says_what_is_lost(context: Context, leaving: Leaving) -> None:
    run(context, "close", DOMAIN, "--why", "moves", "--yes")
    told = run(context, "erase", DOMAIN, "--now", "--why", "has all", "--dry-run")
    for lost in ("mail of 1 people", "all snapshots on backup1", "remove these by hand", " MX "):
        assert lost in told
    assert leaving.bundle().state == "closed"


def test_what_was_erased_is_told_with_its_records(context: Context, leaving: Leaving) -> None:
    run(context, "close", DOMAIN, "--why", "moves", "--yes")
    told = read(context, "erase", DOMAIN, "--now", "--why", "has all", "--yes")
    assert (told["domain"], told["devices"]) == (DOMAIN, 1)
    assert {row["action"] for row in told["records"]} == {"delete"}
    assert leaving.bundle().state == "erased"
    rows = read(context, "list")
    assert [(row["domain"], row["state"]) for row in rows] == [(DOMAIN, "erased")]
