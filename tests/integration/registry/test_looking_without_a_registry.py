"""Before there is a registry, looking makes none: the first command that writes does."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from provision.commands.bundles.order import order
from provision.commands.sales.plan import plan
from provision.shipped import share
from tests.integration.subscriptions.commanding import ask, read, settled

if TYPE_CHECKING:
    from pathlib import Path

    import click

PLANS = str(share("templates") / "plans.example.toml")
LOOKING: tuple[tuple[click.Group, tuple[str, ...]], ...] = (
    (order, ("list",)),
    (plan, ("import", PLANS, "--dry-run")),
)


@pytest.mark.parametrize(("group", "words"), LOOKING, ids=["reading", "dry run"])
def test_looking_makes_no_registry(
    tmp_path: Path, group: click.Group, words: tuple[str, ...]
) -> None:
    context = settled(tmp_path)
    before = set(tmp_path.iterdir())
    said = ask(context, group, *words, "--json")
    assert f"There is no registry yet at {tmp_path}/paquet.db" in said.stderr
    assert isinstance(json.loads(said.stdout), list)
    assert set(tmp_path.iterdir()) == before


def test_the_first_command_that_writes_makes_it_and_looking_sees_it_then(tmp_path: Path) -> None:
    context = settled(tmp_path)
    shown = read(context, plan, "import", PLANS, "--dry-run")
    assert read(context, plan, "list") == []
    assert read(context, plan, "import", PLANS, "--yes") == shown
    said = ask(context, plan, "list", "--json")
    assert said.stderr == ""
    assert json.loads(said.stdout)
