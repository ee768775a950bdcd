"""A seller that was added without its SIREN gets it later; then its documents can be written."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.sales.contract import contract
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.errors import PaquetError, UsageRefused
from tests.integration.subscriptions.commanding import (
    SOLD,
    ask,
    founders,
    opened,
    own_profile,
    read,
    settled,
)
from tests.integration.subscriptions.conftest import PLANS

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from provision.commands.shared.context import Context

SELLER, SUPPORTER = SOLD[3], SOLD[5]
TODAY = date(2026, 3, 10)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A shop whose SIREN nobody typed, and one invoice of it that was issued."""
    made = settled(tmp_path)
    with made.session() as session:
        trade = founders(session, seller="", supporter="732829320")
        trade.bring(PLANS)
        trade.contract()
    opened(made, "jeanne")
    ask(made, invoice, "run", "--yes")
    return made


def test_documents_of_before_are_written_once_the_siren_is_known(
    context: Context, tmp_path: Path
) -> None:
    out = str(tmp_path / "out")
    words = ("write", "--by", SELLER, "--since", "2026-03-10", "--to", out, "--yes")
    with pytest.raises(PaquetError) as refused:
        ask(context, invoice, *words)
    assert "paquet organisation identify" in refused.value.hint
    read(context, organisation, "identify", SELLER, "--siren", "552 100 554", "--dry-run")
    assert read(context, organisation, "show", SELLER)["siren"] is None
    read(context, organisation, "identify", SELLER, "--siren", "552 100 554", "--yes")
    assert read(context, organisation, "show", SELLER)["siren"] == "552100554"
    ask(context, invoice, *words)
    assert list((tmp_path / "out").glob("*.pdf"))


def test_a_siren_that_documents_carry_is_no_other_later(context: Context) -> None:
    for _ in range(2):
        read(context, organisation, "identify", SELLER, "--siren", "552100554", "--yes")
    with pytest.raises(UsageRefused, match="has the SIREN 552100554"):
        read(context, organisation, "identify", SELLER, "--siren", "303265045", "--yes")


def test_a_siren_of_another_or_of_nobody_is_refused(context: Context) -> None:
    with pytest.raises(UsageRefused, match="belongs to another"):
        read(context, organisation, "identify", SELLER, "--siren", "732829320", "--yes")
    with pytest.raises(UsageRefused, match="123456789"):
        read(context, organisation, "identify", SELLER, "--siren", "123456789", "--yes")


def test_a_dry_run_of_what_sets_a_shop_up_writes_nothing(context: Context, tmp_path: Path) -> None:
    described = own_profile(tmp_path)
    parts = ("--seller-parts", "60", "--supporter-parts", "40", "--from", "2026-04-01")
    commands: list[tuple[click.Group, *tuple[str, ...]]] = [
        (organisation, "add", "Un de plus", "--kind", "business"),
        (organisation, "describe", SELLER, described, "--from", "2026-04-01"),
        (contract, "add", SELLER, SUPPORTER, *parts),
    ]
    for group, *words in commands:
        before = written(tmp_path)
        read(context, group, *words, "--dry-run")
        assert written(tmp_path) == before
        read(context, group, *words, "--yes")
        assert written(tmp_path) != before


def written(folder: Path) -> list[str]:
    """Return all that the registry holds, as SQL."""
    with closing(sqlite3.connect(folder / "paquet.db")) as registry:
        return list(registry.iterdump())
