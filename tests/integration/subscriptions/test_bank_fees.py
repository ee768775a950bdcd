"""A fee on a bank's statement, booked as a person does it: imported, looked at, said to be one."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.books.books import books
from provision.commands.payments.bank import bank
from provision.commands.payments.payment import payment
from provision.errors import UsageRefused
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations
from tests.integration.subscriptions.commanding import ask, read, selling
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.paying_shop import OURS, Said, camt

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 5)
SHOP = "Boutique Libre"


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """The bank took 12.50 for the account, gave 2.50 of it back, and took 3.00 for who knows."""
    made = selling(tmp_path)
    with made.session() as session:
        owner = organisations.get(session, SHOP)
        own = profile(SHOP, iban=OURS, bic="PSSTFRPPXXX")
        describing.describe(session, owner, own, date(2026, 1, 2))
    said = (
        Said(-1250, text="FRAIS TENUE DE COMPTE"),
        Said(250, text="REMBOURSEMENT FRAIS"),
        Said(-300, text="COM"),
    )
    file = tmp_path / "releve.xml"
    file.write_bytes(camt(1, TODAY, 100_000, said))
    ask(made, bank, "import", SHOP, str(file), "--yes")
    return made


def held(context: Context) -> dict[str, int]:
    rows = read(context, books, "balance", "--organisation", SHOP)
    return {row["account"]: row["balance"]["units"] for row in rows}


def test_a_fee_is_shown_as_unexplained_and_booked_once(context: Context) -> None:
    shown = read(context, payment, "reconcile", SHOP)
    assert [(row["text"], row["certainty"]) for row in shown] == [
        ("FRAIS TENUE DE COMPTE", ""),
        ("REMBOURSEMENT FRAIS", ""),
        ("COM", ""),
    ]
    read(context, payment, "park", SHOP, "1", "--fee", "--why", "Tenue de compte", "--yes")
    assert held(context) == {"512": -1250, "627": 1250}
    with pytest.raises(UsageRefused, match="Movement 1 is booked already, as fee"):
        ask(context, payment, "park", SHOP, "1", "--fee", "--why", "Encore", "--yes")
    assert [row["movement"] for row in read(context, payment, "reconcile", SHOP)] == [2, 3]
    assert read(context, books, "verify")["findings"] == []


def test_all_fees_of_a_statement_are_booked_in_one_go_or_none_is(context: Context) -> None:
    with pytest.raises(UsageRefused, match="There is no movement 4"):
        ask(context, payment, "park", SHOP, "1", "3", "4", "--fee", "--why", "Frais", "--yes")
    assert held(context) == {}
    told = read(context, payment, "park", SHOP, "1", "3", "--fee", "--why", "Frais", "--yes")
    assert [row["movement"] for row in told] == [1, 3]
    assert held(context) == {"512": -1550, "627": 1550}
    assert read(context, books, "verify")["findings"] == []


def test_a_fee_that_is_given_back_lowers_the_cost(context: Context) -> None:
    for movement in ("1", "2"):
        ask(context, payment, "park", SHOP, movement, "--fee", "--why", "Tenue de compte", "--yes")
    assert held(context) == {"512": -1000, "627": 1000}


def test_what_was_parked_first_can_be_said_to_be_a_fee_later(context: Context) -> None:
    ask(context, payment, "park", SHOP, "3", "--why", "À demander à la banque", "--yes")
    assert held(context) == {"471": 300, "512": -300}
    ask(context, payment, "park", SHOP, "3", "--fee", "--why", "Une commission", "--yes")
    assert held(context) == {"471": 0, "512": -300, "627": 300}
    assert read(context, books, "verify")["findings"] == []
