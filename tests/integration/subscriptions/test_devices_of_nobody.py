"""A device for an address that nobody has: the hint is the command that gives it."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.bundles.phone import phone
from provision.errors import PaquetError
from provision.registry import secrets
from provision.workflows import ordering
from tests.integration.subscriptions.commanding import ask, selling
from tests.integration.subscriptions.test_who_a_customer_is import INVENTORY, placed

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
WORDS = {
    "enrol": ("--device", "Téléphone", "--for", "android"),
    "revoke": ("--device", "Téléphone"),
    "list": (),
}


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """The bundle of paul.paquet.test, which is paul@'s alone."""
    made = selling(tmp_path)
    made.settings.inventory.write_text(INVENTORY, "utf-8")
    secrets.make_key_file(made.settings.key_file)
    wish = ordering.check(made.control(), ordering.Words(**placed("paul.paquet.test")))
    ordering.place(made.control(), wish)
    return made


@pytest.mark.parametrize("verb", WORDS)
def test_an_unknown_person_of_a_bundle_is_added_first(context: Context, verb: str) -> None:
    with pytest.raises(PaquetError, match="Nobody here has the address anna@") as refused:
        ask(context, phone, verb, "Anna@paul.paquet.test", *WORDS[verb])
    assert "paquet user add paul.paquet.test anna --name" in refused.value.hint
    assert "paquet user list paul.paquet.test" in refused.value.hint


@pytest.mark.parametrize("verb", WORDS)
def test_an_unknown_domain_is_told_by_itself(context: Context, verb: str) -> None:
    with pytest.raises(
        PaquetError, match=r"No bundle has the domain else\.paquet\.test"
    ) as refused:
        ask(context, phone, verb, "anna@else.paquet.test", *WORDS[verb])
    assert "paquet bundle list" in refused.value.hint
