"""Clients who have no e-mail address: named by number, billed, debited, reminded, erased."""

from __future__ import annotations

import csv
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from provision.commands.payments.dunning import dunning
from provision.commands.payments.mandate import mandate
from provision.commands.payments.payment import payment
from provision.commands.people.subscriber import subscriber
from provision.commands.sales.invoice import invoice
from provision.commands.sales.subscription import subscription
from provision.errors import UsageRefused
from provision.migrations import upgrades
from provision.registry import secrets, subscribers
from provision.registry.models import Subscriber
from provision.subscriptions.documents import describing
from provision.subscriptions.parties import identities, organisations, people
from provision.subscriptions.parties.identities import Person
from tests.integration.subscriptions.commanding import FIRM, SOLD, ask, read, selling
from tests.integration.subscriptions.conftest import newcomer, profile
from tests.integration.subscriptions.paying_shop import CREDITOR, OURS, THEIRS, TOLD
from tests.integration.subscriptions.test_upgrading_a_registry import registry_of

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context

TODAY = date(2026, 3, 10)
COLLECT_ON = "2026-04-13"
SHOP = "Boutique Libre"
STOOD_IN = '{"name":"Paul","email":"1@sans-courriel.invalid"}'
PORT = ("--street", "1 rue du Port", "--postcode", "14000", "--city", "Caen")


@pytest.fixture
def context(tmp_path: Path) -> Context:
    """A shop that may collect; Jeanne, its first subscriber, has an address."""
    made = selling(tmp_path)
    secrets.make_key_file(tmp_path / "paquet.key")
    with made.session() as session:
        words = {"iban": OURS, "creditor_identifier": CREDITOR}
        owner = organisations.get(session, SHOP)
        describing.describe(session, owner, profile(SHOP, **words), TODAY)
    return made


def paul(context: Context, *words: str) -> str:
    """Write Paul down, who has no e-mail address; return his number."""
    told = read(context, subscriber, "add", "Paul Durand", *PORT, *words, "--yes")
    assert told["email"] == ""
    return str(told["number"])


def test_as_many_as_there_are_have_no_address_and_one_address_is_of_one(session: Session) -> None:
    for name in ("Paul", "Anne"):
        subscribers.add(session, name, "", language="fr", told=TOLD)
    session.commit()
    missing = session.execute(text("SELECT email FROM subscriber ORDER BY id")).scalars().all()
    assert missing == [None, None]
    assert [row.email for row in session.query(Subscriber)] == ["", ""]
    assert subscribers.of_email(session, "") is None
    newcomer(session, "Jeanne")
    with pytest.raises(UsageRefused) as refused:
        subscribers.add(session, "J.", "JEANNE@exemple.test", language="fr", told=TOLD)
    assert refused.value.message == "Subscriber 3 has this e-mail address already"


def test_addresses_that_were_none_are_taken_away_from_givers(database_url: str) -> None:
    rows = (
        "INSERT INTO subscriber VALUES (1, 'Paul', '1@sans-courriel.invalid', 'fr', '2026-01-01')",
        "INSERT INTO subscriber VALUES (2, 'Jeanne', 'j@x.test', 'fr', '2026-01-01')",
        f"INSERT INTO identity VALUES (7, 1, '2026-01-01', '{STOOD_IN}')",  # noqa: S608 (our own)
    )
    with registry_of(database_url, "0017", rows) as engine:
        upgrades.upgrade(engine)
        with Session(engine) as session:
            emails = [row.email for row in session.query(Subscriber).order_by(Subscriber.id)]
            assert emails == ["", "j@x.test"]
            known = identities.ensure(session, session.get_one(Subscriber, 1), TODAY)
            assert identities.read(known) == Person(name="Paul")


def test_a_client_without_an_address_is_billed_debited_and_found_by_number(
    context: Context, tmp_path: Path
) -> None:
    number = paul(context)
    opened = read(context, subscription, "open", number, *SOLD, "--yes")
    assert opened["email"] == ""
    granted = read(context, mandate, "add", SHOP, number, "--yes")
    assert granted["subscriber"] == number
    words = ("--on", "2026-03-09", "--iban", THEIRS, "--yes")
    ask(context, mandate, "sign", SHOP, granted["reference"], *words)
    ask(context, invoice, "run", "--yes")
    assert read(context, invoice, "check", "--by", SHOP, "--since", "2026-01-01") == []
    ask(
        context,
        invoice,
        "write",
        "--by",
        SHOP,
        "--since",
        "2026-01-01",
        "--to",
        str(tmp_path),
        "--yes",
    )
    accounts = {row["customer"]: row for row in read(context, payment, "accounts", SHOP)}
    assert f"payment collect '{SHOP}'" in accounts[number]["next"]
    assert "dunning run" in accounts["jeanne@exemple.test"]["next"]
    out = tmp_path / "debits"
    ask(context, payment, "collect", SHOP, "--on", COLLECT_ON, "--to", str(out), "--yes")
    (letter,) = csv.DictReader(
        (out / "letters.csv").read_text("utf-8-sig").splitlines(), delimiter=";"
    )
    assert (letter["name"], letter["e_mail"], letter["city"]) == ("Paul Durand", "", "Caen")
    listed = {row["number"]: row["email"] for row in read(context, subscriber, "list")}
    assert listed == {1: "jeanne@exemple.test", int(number): ""}


def test_a_client_without_an_address_is_reminded_and_left_in_peace(context: Context) -> None:
    number = paul(context)
    ask(context, subscription, "open", number, *SOLD, "--yes")
    ask(context, invoice, "run", "--yes")
    due = read(context, dunning, "due", SHOP, "--on", "2026-05-20")
    assert {row["who"] for row in due} == {"jeanne@exemple.test", number}
    paused = read(context, dunning, "pause", SHOP, number, "--why", "asked", "--yes")
    assert paused["subscriber"] == int(number)
    ask(context, dunning, "resume", SHOP, number, "--yes")
    with pytest.raises(UsageRefused, match="Nothing is paused for this subscriber"):
        ask(context, dunning, "resume", SHOP, number, "--yes")


def test_a_client_without_an_address_is_exported_and_erased(
    context: Context, tmp_path: Path
) -> None:
    number = paul(context)
    ask(context, subscriber, "export", number, "--to", str(tmp_path / "paul"), "--yes")
    ask(context, subscriber, "erase", number, "--why", "asked by letter", "--yes")
    shown = {row["number"]: row for row in read(context, subscriber, "list")}[int(number)]
    assert (shown["name"], shown["email"]) == (f"erased-{number}", "")
    with pytest.raises(UsageRefused, match="Whoever had this number was erased"):
        ask(context, mandate, "add", SHOP, number, "--yes")
    assert "None" not in ask(context, subscriber, "show", number).stdout


def test_one_person_is_mended_by_hand_here_and_on_documents(context: Context) -> None:
    number = paul(context)
    words = ("--name", "Paul Dupont", "--email", "Paul@Exemple.test", "--postcode", "14200")
    told = read(context, subscriber, "change", number, *words, "--yes")
    assert [(row["what"], row["old"], row["new"]) for row in told] == [
        ("name", "Paul Durand", "Paul Dupont"),
        ("email", "", "paul@exemple.test"),
        ("postcode", "14000", "14200"),
    ]
    with context.session() as session:
        mended = people.subscriber_named(session, "paul@exemple.test")
        person = identities.read(identities.ensure(session, mended, TODAY))
        assert (mended.id, person.name, person.email) == (
            int(number), "Paul Dupont", "paul@exemple.test"
        )  # fmt: skip
    again = ask(context, subscriber, "change", number, *words)
    assert again.stdout == "Nothing of it is new.\n"
    firm = read(
        context, subscriber, "change", number, "--invoice-name", "Durand SARL", *FIRM, "--yes"
    )
    assert ("invoice_name", "", "Durand SARL") in [
        (row["what"], row["old"], row["new"]) for row in firm
    ]
    vies = ("--vies-consultation", "WAPIAAAAWbpWT9mN", "--vies-date", "2026-03-09")
    checked = read(context, subscriber, "change", number, *vies, "--yes")
    assert [row["what"] for row in checked] == ["vies_consultation", "vies_date"]
    # Who is called otherwise keeps the name of the company on documents.
    named = read(context, subscriber, "change", number, "--name", "Paule", "--email", "", "--yes")
    assert {row["what"]: row["new"] for row in named} == {"name": "Paule", "email": ""}


def test_an_address_that_somebody_has_is_not_given_to_another(context: Context) -> None:
    number = paul(context)
    for words in (("change", number), ("add", "Jeanne")):
        with pytest.raises(UsageRefused, match="Subscriber 1 has this e-mail address already"):
            ask(context, subscriber, *words, "--email", "jeanne@exemple.test", "--dry-run")


@pytest.mark.parametrize("who", ["nobody@exemple.test", "99", "@"])
def test_nobody_is_one_sentence_wherever_a_subscriber_is_named(context: Context, who: str) -> None:
    for group, *words in (
        (mandate, "add", SHOP, who),
        (subscription, "identify", who, "--city", "Caen"),
        (dunning, "pause", SHOP, who, "--why", "asked"),
        (subscriber, "change", who, "--name", "Paul"),
        (subscriber, "show", who),
    ):
        with pytest.raises(UsageRefused) as refused:
            ask(context, group, *words)
        assert refused.value.message == "Nobody here has this e-mail address or number"
