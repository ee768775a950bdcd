"""What all tests share: a seed that is told, and a place for what was measured."""

from __future__ import annotations

import json
import os
import secrets
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

if TYPE_CHECKING:
    from collections.abc import Callable

SEED = "PAQUET_TEST_SEED"
SEEDS = 1_000_000

# Speed is measured by `make bench`; a busy machine must not fail a property.
settings.register_profile("paquet", deadline=None)
settings.load_profile("paquet")


def pytest_configure() -> None:
    """Choose the seed of this run, for its workers too, unless one was given."""
    os.environ.setdefault(SEED, str(secrets.randbelow(SEEDS)))


def pytest_report_header() -> str:
    """Tell the seed, so that a run can be had again."""
    return f"seed: {SEED}={os.environ[SEED]}"


@pytest.fixture(scope="session")
def seed() -> int:
    """The seed of this run."""
    return int(os.environ[SEED])


@pytest.fixture
def tell(record_property: Callable[[str, object], None]) -> Callable[[str, object, object], None]:
    """Return what notes a line (what, seen, wanted) for the table that `make test-long` prints."""

    def note(what: str, seen: object, wanted: object = "") -> None:
        record_property("line", json.dumps([what, str(seen), str(wanted)], ensure_ascii=False))

    return note
