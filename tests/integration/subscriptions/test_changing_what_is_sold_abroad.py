"""What becomes of documents to buyers abroad: credited, changed, corrected, deducted from."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.commands.books.books import books
from provision.commands.payments.payment import payment
from provision.commands.sales.invoice import invoice
from provision.commands.sales.organisation import organisation
from provision.commands.sales.subscription import subscription
from provision.errors import PaquetError
from provision.subscriptions.offers.vat import TreatmentRefused
from tests.integration.subscriptions.abroad_shop import (
    BELGIAN,
    BELGIUM,
    CHECKED,
    RUE,
    SELLER,
    SWISS,
    account,
    billed,
    described,
    sums,
    trading,
    written,
)
from tests.integration.subscriptions.commanding import ask, identify, own_profile, read

if TYPE_CHECKING:
    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
AT_HOME = ("S", 2000, 833, 167)


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """Jeanne in France has subscribed; nothing is billed yet."""
    return trading(tmp_path)


@pytest.fixture
def belgian(context: Context) -> Context:
    """Jeanne is a Belgian company that owes its VAT itself, and was billed so."""
    identify(context, *BELGIAN, *CHECKED)
    billed(context, TODAY)
    return context


def test_a_credit_note_carries_the_reverse_charge(belgian: Context) -> None:
    words = ("credit", SELLER, "F2026-000001", "--reason", "panne", "--yes")
    ask(belgian, subscription, *words, "--amount", "5,00")
    ask(belgian, subscription, *words)
    _invoice, part, rest = written(belgian)
    assert sums(part) == [("AE", 0, 500, 0)]
    assert sums(rest) == [("AE", 0, 333, 0)]
    assert "Autoliquidation" in rest.groups[0].exemption_text
    assert account(belgian, "44571") == 0
    assert account(belgian, "706") == 0


def test_days_that_are_given_back_are_those_that_were_paid(belgian: Context) -> None:
    words = ("cancel", "1", "--last-day", "2026-03-10", "--reason", "x", "--refund", "--yes")
    ask(belgian, subscription, *words)
    whole, back = written(belgian)
    assert sums(whole) == [("AE", 0, 833, 0)]
    (gone,) = sums(back)
    home_price_less_one_day = 1000 - 32  # of 31 days, with VAT inside
    assert gone == ("AE", 0, home_price_less_one_day - round(home_price_less_one_day / 6), 0)


def test_a_change_costs_a_buyer_abroad_the_price_without_vat(belgian: Context) -> None:
    ask(belgian, subscription, "cancel", "1", "--reason", "x", "--refund", "--yes")
    ask(belgian, subscription, "keep", "1", "--yes")
    documents = written(belgian)
    assert {one.groups[0].category for one in documents} == {"AE"}
    assert account(belgian, "706") == -833


@pytest.mark.parametrize(
    "words",
    [
        ("cancel", "1", "--last-day", "2026-03-10", "--refund", "--reason", "x"),
        ("change", "1", "--users", "1"),
    ],
)
def test_what_is_given_back_names_the_buyer_of_its_invoice(
    belgian: Context, words: tuple[str, ...]
) -> None:
    identify(belgian, "--kind", "person", *RUE, "14000", "--city", "Caen", "--country", "FR")
    ask(belgian, subscription, *words, "--yes")
    whole, *_others = documents = written(belgian)
    (back,) = (one for one in documents if one.number.startswith("A"))
    assert (back.groups[0].category, back.buyer) == ("AE", whole.buyer)


def test_who_was_billed_with_vat_gets_it_back_as_it_was(context: Context) -> None:
    billed(context, TODAY)
    identify(context, *BELGIAN, *CHECKED)
    described(context, SELLER, date(2026, 3, 11), vat="liable", vat_id="FR44732829320")
    ask(context, subscription, "cancel", "1", "--reason", "x", "--refund", "--yes")
    ask(context, subscription, "keep", "1", "--yes")
    old, back, again = written(context)
    assert sums(old) == [AT_HOME]
    assert back.groups[0].category == "S"
    assert again.groups[0].category == "AE"
    assert again.totals.gross == back.net


def test_an_invoice_that_named_a_french_buyer_is_made_again_without_vat(context: Context) -> None:
    billed(context, TODAY)
    ask(context, payment, "record", SELLER, "F2026-000001", "10,00", "--slip", "R-1", "--yes")
    identify(context, *BELGIAN, *CHECKED)
    ask(context, invoice, "correct", "F2026-000001", "--by", SELLER, "--yes")
    old, note, new = written(context)
    assert [sums(one) for one in (old, note)] == [[AT_HOME], [AT_HOME]]
    assert sums(new) == [("AE", 0, 833, 0)]
    listed = {one["number"]: one["open"]["units"] for one in read(context, invoice, "list")}
    assert listed == {"F2026-000001": 0, "A2026-000001": -167, "F2026-000002": 0}
    identify(context, "--kind", "person", *BELGIUM)
    ask(context, invoice, "correct", "F2026-000002", "--by", SELLER, "--yes")
    assert sums(written(context)[-1]) == [AT_HOME]
    identify(context, "--city", "Lille", "--postcode", "59000", "--country", "France")
    ask(context, invoice, "correct", "F2026-000003", "--by", SELLER, "--yes")
    assert sums(written(context)[-1]) == [AT_HOME]
    stated = ("vat", SELLER, "--from", "2026-03-01", "--to", "2026-03-31")
    assert read(context, books, *stated)["union_consumers_cents"] == 0


def test_who_cannot_be_billed_can_still_leave(context: Context) -> None:
    identify(context, *BELGIAN)
    assert [*billed(context, TODAY).left_out] == [1]
    words = ("cancel", "1", "--last-day", "2026-03-10", "--reason", "x", "--refund", "--yes")
    ask(context, subscription, *words)
    assert written(context) == []
    with pytest.raises(TreatmentRefused, match="was not checked with VIES"):
        ask(context, invoice, "deposit", "1", "--amount", "5", "--yes")


def test_a_deposit_of_a_buyer_abroad_has_no_vat_and_is_deducted(context: Context) -> None:
    identify(context, *SWISS)
    ask(context, invoice, "deposit", "1", "--amount", "5", "--yes")
    ask(context, payment, "record", SELLER, "F2026-000001", "5,00", "--slip", "R-1", "--yes")
    billed(context, TODAY)
    deposit, final = written(context)
    assert sums(deposit) == [("O", 0, 500, 0)]
    assert sums(final) == [("O", 0, 833, 0)]
    assert final.totals.payable == 333
    assert account(context, "44571") == 0


def test_the_books_say_that_the_buyer_owes_the_vat(belgian: Context, tmp_path: Path) -> None:
    days = ("--from", "2026-01-01", "--until", "2026-12-31", "--to", str(tmp_path / "books"))
    ask(belgian, books, "export", SELLER, "--format", "fec", *days, "--yes")
    (file,) = (tmp_path / "books").glob("*FEC20261231.txt")
    rows = file.read_text(encoding="utf-8").splitlines()[1:]
    assert len(rows) == 2
    assert all("Facture F2026-000001, autoliquidation UE" in row for row in rows)


def test_a_platform_is_told_that_the_buyer_is_abroad(belgian: Context, tmp_path: Path) -> None:
    words = ("--by", SELLER, "--since", "2026-01-01", "--to", str(tmp_path / "outbox"))
    ask(belgian, invoice, "drop", *words, "--yes")
    (manifest,) = (tmp_path / "outbox").glob("*.json")
    assert json.loads(manifest.read_text("utf-8"))["processingRule"] == "B2BInt"


@pytest.mark.parametrize(
    ("place", "said"),
    [
        (("14000", "Belgique"), "is in Belgium, 14000, where nobody here knows the VAT"),
        (("97400", "France"), "is in France, 97400, where nobody here knows the VAT"),
        (("98000", "Monaco"), ""),
        (("14000", "france"), ""),
    ],
)
def test_a_seller_charges_vat_where_its_rates_are_known(
    context: Context, tmp_path: Path, place: tuple[str, str], said: str
) -> None:
    postcode, country = place
    file = Path(own_profile(tmp_path))
    mine = file.read_text("utf-8").replace('"14000"', f'"{postcode}"')
    file.write_text(mine.replace('"FR"', f'"{country}"'), "utf-8")
    words = ("describe", SELLER, str(file), "--from", "2026-03-09", "--yes")
    if said:
        with pytest.raises(PaquetError, match=said):
            ask(context, organisation, *words)
    else:
        ask(context, organisation, *words)
