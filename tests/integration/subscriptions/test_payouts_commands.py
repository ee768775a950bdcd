"""A payout as a person brings it in: looked at, agreed to, explained, found at the bank."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest

from provision.commands.books.books import books
from provision.commands.payments.bank import bank
from provision.commands.payments.payment import payment
from provision.commands.people.subscriber import subscriber
from provision.commands.sales.invoice import invoice
from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import organisations
from provision.workflows.payouts import NO_TOTAL
from tests.integration.subscriptions.commanding import ask, read, selling
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.paying_shop import OURS, Said, camt
from tests.unit.formats.payouts.payout_examples import stripe, table

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 5)
SHOP = "Boutique Libre"
PAID = ("ch_1", "charge", "10.00", "0.40", "F2026-000001")
UNKNOWN = ("ch_2", "charge", "10.00", "0.40", "?")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Jeanne owes 10 euros, and Stripe paid them out with 10 euros of nobody knows whom."""
    made = selling(tmp_path)
    with made.session() as session:
        owner = organisations.get(session, SHOP)
        own = profile(SHOP, iban=OURS, bic="PSSTFRPPXXX")
        describing.describe(session, owner, own, date(2026, 1, 2))
    ask(made, invoice, "run", "--yes")
    (tmp_path / "stripe.csv").write_bytes(stripe(PAID, UNKNOWN))
    (tmp_path / "releve.xml").write_bytes(camt(1, TODAY, 100_000, [Said(1920, "po_101")]))
    return made


@pytest.fixture
def words(tmp_path: Path) -> tuple[str, ...]:
    return ("payout", str(tmp_path / "stripe.csv"), "--organisation", SHOP, "--from", "stripe")


def held(context: Context) -> dict[str, int]:
    rows = read(context, books, "balance", "--organisation", SHOP)
    return {row["account"]: row["balance"]["units"] for row in rows if row["balance"]["units"]}


def test_what_each_payment_pays_is_shown_before_anything_is_written(
    context: Context, words: tuple[str, ...]
) -> None:
    before = held(context)
    told = read(context, payment, *words, "--dry-run")
    rows = told["payments"]
    assert told["remarks"] == [{"remark": NO_TOTAL}]
    assert NO_TOTAL in ask(context, payment, *words, "--dry-run").output
    assert [(row["reference"], row["booked_as"], row["pays"]) for row in rows] == [
        ("ch_1", "payment", "F2026-000001"),
        ("ch_2", "parked", ""),
    ]
    assert rows[0]["gross"]["units"] - rows[0]["fee"]["units"] == rows[0]["net"]["units"] == 960
    assert held(context) == before
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, payment, *words)
    assert read(context, payment, "payouts", SHOP) == {"payouts": [], "to_explain": []}
    assert "There are no payouts." in ask(context, payment, "payouts", SHOP).output


def test_a_payout_is_brought_in_once_explained_and_shown_by_the_bank(
    context: Context, words: tuple[str, ...], tmp_path: Path
) -> None:
    rows = read(context, payment, *words, "--yes")["payments"]
    assert read(context, payment, *words, "--yes") == {}
    assert "Nothing of it is new." in ask(context, payment, *words, "--yes").output
    told = read(context, payment, "payouts", SHOP)
    (state,), (parked,) = told["payouts"], told["to_explain"]
    assert (state["payout"], state["waits_for_the_bank"]["units"]) == ("payout-stripe-po_101", 1920)
    assert (parked["payment"], parked["payer"]) == (rows[1]["payment"], "Jeanne Martin")
    assert "payout-stripe-po_101" in ask(context, payment, "awaited", SHOP).output
    ask(context, bank, "import", SHOP, str(tmp_path / "releve.xml"), "--yes")
    (booked,) = read(context, payment, "reconcile", SHOP, "--accept-certain", "--yes")
    assert (booked["may_be"], booked["booked"]) == ("payout-stripe-po_101", True)
    with pytest.raises(UsageRefused, match="Nothing is open on F2026-000001"):
        ask(context, payment, "explain", SHOP, str(parked["payment"]), "F2026-000001", "--yes")
    assert held(context) == {"471": -1000, "512": 1920, "627": 80, "706": -1000}
    assert read(context, books, "verify")["findings"] == []


def test_a_parked_payment_is_explained_by_a_person(
    context: Context, words: tuple[str, ...], tmp_path: Path
) -> None:
    (tmp_path / "stripe.csv").write_bytes(stripe(UNKNOWN))
    (row,) = read(context, payment, *words, "--yes")["payments"]
    said = ("explain", SHOP, str(row["payment"]), "F2026-000001")
    assert read(context, payment, *said, "--dry-run")["pays"] == "F2026-000001"
    assert held(context)["471"] == -1000
    assert read(context, payment, *said, "--yes")["pays"] == "F2026-000001"
    assert held(context) == {"5115": 960, "627": 40, "706": -1000}
    assert read(context, payment, "payouts", SHOP)["to_explain"] == []


def test_another_provider_is_a_table_and_no_code(context: Context, tmp_path: Path) -> None:
    own = tmp_path / "banc.toml"
    own.write_text(
        'provider = "banc"\nsource = "its export"\n[columns]\npaid_out = "Versé le"\n'
        'reference = "No"\ngross = "Brut"\nfee = "Frais"\nwhat = ["Motif"]\n',
        encoding="utf-8",
    )
    file = tmp_path / "banc.csv"
    file.write_bytes(
        table("No;Versé le;Brut;Frais;Motif", ["1;04/03/2026;10,00;0,10;F2026-000001"])
    )
    words = ("payout", str(file), "--organisation", SHOP)
    (row,) = read(context, payment, *words, "--csv", str(own), "--yes")["payments"]
    assert (row["payout"], row["pays"]) == ("day-2026-03-04", "F2026-000001")
    assert held(context) == {"5115": 990, "627": 10, "706": -1000}
    for ways in ((), ("--csv", str(own), "--from", "stripe")):
        with pytest.raises(UsageRefused, match="Whose file is it"):
            ask(context, payment, *words, *ways, "--yes")
    with pytest.raises(PaquetError, match="has 0 columns"):
        ask(context, payment, *words, "--from", "helloasso", "--yes")


def test_what_is_known_of_a_person_holds_their_payments_and_no_name_of_another(
    context: Context, words: tuple[str, ...], tmp_path: Path
) -> None:
    ask(context, payment, *words, "--yes")
    folder = tmp_path / "jeanne"
    ask(context, subscriber, "export", "jeanne@exemple.test", "--to", str(folder), "--yes")
    rows = (folder / "payout_payment.csv").read_text("utf-8-sig").splitlines()
    assert len(rows) == 2
    assert "ch_1" in rows[1]
    assert "ch_2" not in rows[1]
    assert (folder / "payout_booking.csv").exists()
