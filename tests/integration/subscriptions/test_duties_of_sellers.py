"""`paquet organisation duties`: who must use an approved platform, and from when on."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.sales.organisation import organisation
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations
from tests.integration.subscriptions.commanding import ask, read, settled
from tests.integration.subscriptions.conftest import START, profile

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 9, 1)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    made = settled(tmp_path)
    for name, kind in (("Boutique", "business"), ("Amis", "association")):
        ask(made, organisation, "add", name, "--kind", kind, "--yes")
    return made


def describe(context: Context, name: str, vat: str) -> None:
    with context.session() as session:
        found = organisations.get(session, name)
        describing.describe(session, found, profile(name, vat), START)


def test_a_small_seller_must_receive_first_and_emit_a_year_later(context: Context) -> None:
    describe(context, "Boutique", "franchise")
    found = read(context, organisation, "duties", "Boutique", "--size", "micro")
    assert [(one["duty"], one["from"], one["now"]) for one in found] == [
        ("receive", "2026-09-01", "yes"),
        ("emit", "2027-09-01", "not yet"),
        ("report", "2027-09-01", "not yet"),
    ]
    assert found[0]["latest"] == "2026-12-01"
    assert "2023-1322" in found[0]["source"]


def test_without_a_size_each_is_told_with_its_days(context: Context) -> None:
    found = read(context, organisation, "duties", "Boutique")
    emit = {one["sizes"]: one["from"] for one in found if one["duty"] == "emit"}
    assert emit == {"micro, small or medium": "2027-09-01", "intermediate, large": "2026-09-01"}


@pytest.mark.parametrize("vat", ["association_accessory", "outside_scope"])
def test_who_is_not_subject_to_vat_has_none(context: Context, vat: str) -> None:
    describe(context, "Amis", vat)
    assert read(context, organisation, "duties", "Amis") == []
    said = ask(context, organisation, "duties", "Amis").stdout
    assert said.endswith(f"Amis has none of these duties while its VAT regime is {vat}.\n")
