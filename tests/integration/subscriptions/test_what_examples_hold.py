"""An organisation is described in its own words: what our example holds is refused."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision.commands.sales.organisation import organisation
from provision.errors import PaquetError
from provision.subscriptions.parties.models import OrganisationProfile
from tests.integration.subscriptions.commanding import ask, own_profile, settled

if TYPE_CHECKING:
    from provision.commands.shared.context import Context


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A registry without anybody."""
    return settled(tmp_path)


@pytest.mark.parametrize(
    ("left", "why"),
    [
        ({"iban": "FR76 0000 0000 0000 0000 0000 097"}, "iban is still that of the example"),
        ({"iban": "FR76 3000 6000 0112 3456 7890 189"}, "iban is still that of the example"),
        ({"vat_id": "fr 12 000 000 000"}, "vat_id is still that of the example"),
        ({"legal": "SAS, RCS Bayeux 000 000 000"}, "legal still holds the SIREN of the example"),
        ({"legal": "SAS, RCS Caen 732829320"}, "legal still holds the SIREN of the example"),
        ({"bic": "EXEMFRPP"}, "bic is still that of the example"),
        ({"email": "Bonjour@boutique-libre.example"}, "email is still that of the example"),
        ({"phone": "02.00.00.00.00"}, "phone is still that of the example"),
        ({"website": "https://boutique-libre.example"}, "website is still that of the example"),
    ],
)
def test_a_profile_that_still_holds_what_the_example_holds_is_refused(
    context: Context, tmp_path: Path, left: dict[str, str], why: str
) -> None:
    ask(context, organisation, "add", "Boutique", "--kind", "business", "--yes")
    with pytest.raises(PaquetError, match=why) as refused:
        ask(context, organisation, "describe", "Boutique", own_profile(tmp_path, **left), "--yes")
    assert "Write your own" in refused.value.hint
    with context.reading() as session:
        assert session.scalars(select(OrganisationProfile)).all() == []


def test_what_is_commented_out_in_the_example_is_nobodys_either(
    context: Context, tmp_path: Path
) -> None:
    ask(context, organisation, "add", "Amis", "--kind", "association", "--yes")
    file = Path(own_profile(tmp_path))
    head, receipts = file.read_text("utf-8").split("# [receipts]")
    given = re.sub("^# ", "", receipts, flags=re.MULTILINE)
    file.write_text(f"{head}[receipts]{given}", "utf-8")
    with pytest.raises(PaquetError, match="registration is still that of the example"):
        ask(context, organisation, "describe", "Amis", str(file), "--yes")
