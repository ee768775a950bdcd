"""The labs of the tests: one for the whole run, and others for tests that take theirs apart."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.commands import lab as lab_command
from provision.commands.context import Context
from provision.lab.lab import what_this_computer_lacks

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from provision.lab.lab import Lab

PROCESS_IDS = 100_000


def new_lab(prefix: str) -> Lab:
    """Return a lab, not yet up, whose name no other test run has."""
    if lacking := what_this_computer_lacks():
        pytest.skip(f"no lab here: {lacking}")
    name = f"{prefix}{os.getpid() % PROCESS_IDS}"
    return lab_command.chosen(Context(Path("paquet.toml")), name)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """The lab of this test run, up, with bare servers; do not stop its machines."""
    made = new_lab("t")
    try:
        made.up()
        yield made
    finally:
        made.down()


@pytest.fixture
def another_lab() -> Iterator[Callable[[str], Lab]]:
    """Return a maker of labs for one test, by a prefix of one or two letters; not yet up."""
    made: list[Lab] = []

    def make(prefix: str) -> Lab:
        made.append(new_lab(prefix))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.down()
