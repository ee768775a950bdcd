from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.commands.books.settlement import settlement
from provision.commands.commons.debt import debt
from provision.commands.commons.exchange import exchange
from provision.commands.commons.fund import fund
from provision.commands.commons.hours import hours
from provision.commands.commons.reciprocity import reciprocity
from provision.commands.payments.payment import payment
from provision.errors import PaquetError, UsageRefused
from provision.subscriptions.books import verify
from provision.subscriptions.offers.contracts import Share
from tests.integration.subscriptions.commanding import ask, read, settled
from tests.integration.subscriptions.settling_shop import opened

if TYPE_CHECKING:
    from pathlib import Path

    import click

    from provision.commands.shared.context import Context

SHOP, FRIENDS = "Boutique Libre", "Les Amis du Libre"
DAY = ("--on", "2026-02-05")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """One sale of January, 20 parts for the association and 10 for its solidarity fund."""
    made = settled(tmp_path)
    with made.session() as session:
        shop = opened(session)
        pot = shop.fund(shop.supporter)
        shares = [
            Share(shop.supporter, 20),
            Share(shop.supporter, 10, fund=pot),
            Share(shop.seller, 70),
        ]
        shop.contract(shares=shares)
        shop.sell()
    return made


def euros(units: int) -> dict[str, object]:
    return {"commodity": "EUR", "units": units}


def whole(context: Context) -> None:
    with context.session() as session:
        assert verify.verify(session) == []


def test_a_month_is_settled_by_commands(context: Context) -> None:
    owed = read(context, settlement, "owed", "--to", "2026-01-31")
    assert {(row["role"], row["fund"], row["owed"]["units"]) for row in owed} == {
        ("service", None, 240),
        ("service", "Pot solidarity", 120),
        ("support", None, 100),
        ("support", "Pot solidarity", 50),
    }
    dry = read(context, settlement, "make", "--to", "2026-01-31", "--dry-run")
    assert [row["state"] for row in dry] == ["owed"]
    assert read(context, settlement, "list") == []
    (made,) = read(context, settlement, "make", "--to", "2026-01-31", "--yes")
    assert (made["settlement"], made["owed"]) == ("1-2-1", euros(510))
    invoiced = read(context, settlement, "invoice", "1-2-1", "--yes")
    assert (invoiced["state"], invoiced["document"][:1]) == ("invoiced", "F")
    (account,) = read(context, payment, "accounts", FRIENDS)
    assert (account["customer"], account["balance"]) == (SHOP, made["owed"])
    assert account["next"] == "paquet settlement list"
    assert read(context, settlement, "pay", "1-2-1", "--yes")["state"] == "settled"
    assert read(context, settlement, "make", "--to", "2026-01-31", "--yes") == []
    assert "Nothing is owed." in ask(context, settlement, "owed", "--to", "2026-01-31").stdout
    whole(context)


def test_a_mandate_is_given_listed_and_revoked(context: Context) -> None:
    words = (FRIENDS, SHOP, "--by", "Le bureau")
    ask(context, settlement, "mandate", "give", *words, "--from", "2026-01-01", "--yes")
    revoked = ("mandate", "revoke", *words, "--from", "2026-12-31", "--yes")
    ask(context, settlement, *revoked)
    listed = read(context, settlement, "mandate", "list", "--organisation", SHOP)
    assert [(row["from"], row["state"]) for row in listed] == [
        ("2026-12-31", "revoked"),
        ("2026-01-01", "given"),
    ]


def test_nobody_there_to_say_yes_writes_nothing(context: Context) -> None:
    with pytest.raises(UsageRefused, match="Nobody is there to say yes"):
        ask(context, settlement, "make", "--to", "2026-01-31")
    assert read(context, settlement, "list") == []


def test_a_list_is_narrowed_to_an_organisation_or_a_territory(context: Context) -> None:
    ask(context, settlement, "make", "--to", "2026-01-31", "--yes")
    assert len(read(context, settlement, "list", "--organisation", FRIENDS)) == 1
    assert read(context, settlement, "list", "--territory", "Calvados") == []
    assert read(context, fund, "list", "--organisation", SHOP) == []
    with pytest.raises(PaquetError, match="There is no organisation Personne"):
        ask(context, settlement, "list", "--organisation", "Personne")


def test_a_fund_pays_and_helps_by_commands(context: Context) -> None:
    ask(context, settlement, "make", "--to", "2026-01-31", "--yes")
    words = ("--by", "L'assemblée", "--purpose", "Un mois difficile")
    helped = ("Pot solidarity", "1.00", "--for", "jeanne@exemple.test")
    one = read(context, fund, "decide", *helped, *words, *DAY, "--yes")
    assert one["for"].startswith("person-")
    two = read(
        context, fund, "decide", "Pot solidarity", "0,70", "--for", FRIENDS, *words, *DAY, "--yes"
    )
    assert two["for"] == "organisation-2"
    given = (str(one["decision"]), SHOP, "F2026-000001", "1.00")
    done = read(context, fund, "help-subscriber", *given, "--yes")
    assert (done["holds"], done["open"]) == (euros(70), euros(1940))
    assert read(context, fund, "pay", str(two["decision"]), "0.70", "--yes")["holds"] == euros(0)
    assert read(context, fund, "pass-on", FRIENDS, SHOP, "--yes")["paid"] == euros(100)
    shown = read(context, fund, "show", "pot solidarity")
    assert [move["what"] for move in shown["movements"]] == ["share", "help", "payout"]
    assert [one["unpaid"] for one in shown["decisions"]] == [euros(0), euros(0)]
    assert "0,00\u00a0€" in ask(context, fund, "show", "Pot solidarity").stdout
    whole(context)


def test_a_fund_is_added_and_a_cost_is_shared(context: Context) -> None:
    words = ("--kind", "commons", "--custodian", FRIENDS, "--decider", "Les contributeurs")
    assert read(context, fund, "add", "Pot commun", *words, "--yes")["holds"] == euros(0)
    shared = read(context, fund, "share-cost", "600000", *[f"Instance {n}" for n in range(20)])
    assert {row["carries"]["units"] for row in shared} == {3_000_000}


def test_a_debt_is_recorded_and_paid(context: Context) -> None:
    words = ("--to", "Les fondateurs", "--for", "Le premier outil", "--minutes", "AG 2026")
    made = read(context, debt, "record", FRIENDS, "1000", *words, "--yes")
    assert read(context, debt, "pay", str(made["debt"]), "400", "--yes")["owed"] == euros(60_000)
    assert [row["owed"] for row in read(context, debt, "list")] == [euros(60_000)]
    with pytest.raises(UsageRefused, match="is owed of debt"):
        ask(context, debt, "pay", str(made["debt"]), "601", "--yes")
    whole(context)


def test_time_is_given_and_valued_apart(context: Context) -> None:
    ask(context, hours, "value", FRIENDS, "40", "--from", "2026-01-01", "--yes")
    words = ("--for", "Atelier", "--by", "jeanne@exemple.test")
    ask(context, hours, "give", FRIENDS, "1:30", *words, "--on", "2026-02-07", "--yes")
    (row,) = read(context, hours, "list", "--organisation", FRIENDS)
    assert row["time"] == {"commodity": "HOUR", "units": 5400}
    assert row["taken_for"] == euros(6000)
    assert "1:30" in ask(context, hours, "list").stdout
    whole(context)


def test_reciprocity_is_said_given_and_compared(context: Context) -> None:
    words = ("--basis-points", "300", "--from", "2026-01-01", "--contract", "Contrat 2026")
    ask(context, reciprocity, "add", SHOP, FRIENDS, *words, "--yes")
    ask(context, reciprocity, "give", SHOP, FRIENDS, "0.20", *DAY, "--yes")
    span = ("--from", "2026-01-01", "--to", "2026-12-31")
    found = read(context, reciprocity, "statement", SHOP, FRIENDS, *span)
    assert (found["revenue"], found["meant"]) == (euros(1700), euros(51))
    assert found["given"] == euros(20)
    assert len(read(context, reciprocity, "list")) == 1
    with pytest.raises(UsageRefused, match="before the first"):
        ask(context, reciprocity, "statement", SHOP, FRIENDS, *span[:2], "--to", "2025-01-01")
    whole(context)


def test_invoices_are_paid_in_kind(context: Context) -> None:
    ask(context, exchange, "add-currency", "MLCROLLON", "Rollon", "--issuer", FRIENDS, "--yes")
    assert [row["code"] for row in read(context, exchange, "currencies")] == ["MLCROLLON"]
    paid = ("local", SHOP, "F2026-000001", "5.00", "MLCROLLON")
    assert read(context, exchange, *paid, "--yes")["open"] == euros(1540)
    agreed = ("agree", SHOP, "jeanne@exemple.test", "2", "Pots de miel", "--each", "6.50")
    made = read(context, exchange, *agreed, "--yes")
    delivered = ("deliver", str(made["agreement"]), "F2026-000001", "1")
    assert read(context, exchange, *delivered, "--yes")["open"] == euros(890)
    assert [row["left"] for row in read(context, exchange, "agreements")] == [1]
    ask(context, hours, "value", SHOP, "30", "--from", "2026-01-01", "--yes")
    worked = read(context, exchange, "hours", SHOP, "F2026-000001", "0:10", *DAY, "--yes")
    assert (worked["paid"], worked["open"]) == (euros(500), euros(390))
    assert worked["time"] == {"commodity": "HOUR", "units": 600}
    whole(context)


@pytest.mark.parametrize(
    ("group", "words", "why"),
    [
        (settlement, ("pay", "1-2-9", "--yes"), "There is no settlement '1-2-9'"),
        (settlement, ("pay", "'; DROP", "--yes"), "There is no settlement"),
        (settlement, ("make", "--to", "2999-01-01", "--yes"), "cannot be the last day"),
        (fund, ("show", "Rien"), "There is no fund Rien"),
        (fund, ("pay", "7", "1", "--yes"), "There is no decision 7"),
        (debt, ("pay", "7", "1", "--yes"), "There is no debt 7"),
        (exchange, ("deliver", "7", "F2026-000001", "1", "--yes"), "There is no agreement 7"),
        (exchange, ("local", SHOP, "F2026-9", "1", "X", "--yes"), "is not the number of an"),
        (exchange, ("local", SHOP, "F2026-000009", "1", "X", "--yes"), "has no document"),
        (exchange, ("local", SHOP, "F2026-000001", "1", "X", "--yes"), "no local currency 'X'"),
        (hours, ("give", FRIENDS, "1.5", "--for", "x", "--yes"), "is not a time"),
    ],
)
def test_what_is_not_there_is_said_in_one_sentence(
    context: Context, group: click.Group, words: tuple[str, ...], why: str
) -> None:
    with pytest.raises(PaquetError, match=why):
        ask(context, group, *words)
