"""Whatever lists says so where there is nothing: in one sentence, in JSON as an empty list."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from provision.migrations import upgrades
from tests.integration.subscriptions.commanding import ask, settled
from tests.unit.test_every_command import EVERY, READERS

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

# What tells one thing, or is about machines.
OTHERS = {"books verify", "lab status", "report model", "report show"} | {
    "schedule list",
    "server list",
}


def listing(words: str) -> bool:
    """Tell whether a reader lists something, and can be called without a word."""
    return (
        not any(param.required for param in EVERY[f"paquet {words}"].params) and words not in OTHERS
    )


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A registry in which there is nothing."""
    made = settled(tmp_path, cache=str(tmp_path / "cache"))
    upgrades.upgrade(made.engine)
    return made


@pytest.mark.parametrize("words", sorted(filter(listing, READERS)))
def test_a_list_of_nothing_says_so(context: Context, words: str) -> None:
    command = EVERY[f"paquet {words}"]
    assert json.loads(ask(context, command, "--json").stdout) == []
    assert ask(context, command).stdout.endswith(".\n")
