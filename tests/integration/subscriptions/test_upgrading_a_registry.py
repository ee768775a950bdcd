from __future__ import annotations

import json
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from provision import database, migrations
from provision.migrations import upgrades
from provision.money import euros
from provision.subscriptions.books import papers, verify
from provision.subscriptions.documents import describing
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.offers import plans
from provision.subscriptions.parties import identities, organisations, profiles
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.selling import billing, opening
from provision.subscriptions.selling.opening import Sale
from tests.integration.subscriptions.conftest import profile

BILLED = date(2026, 3, 1)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sqlalchemy import Engine

# What the schema of before held: a subscription with its price, its contract and its opening.
BEFORE = (
    "INSERT INTO organisation VALUES (1, 'Boutique', 'business', NULL, '')",
    "INSERT INTO organisation VALUES (2, 'Amis', 'association', NULL, '')",
    "INSERT INTO plan VALUES (1, 'famille', 'Famille', 'Family', 5, 100)",
    "INSERT INTO price VALUES (1, 1, 'monthly', 'EUR', 1000, '2026-01-01')",
    "INSERT INTO split_contract VALUES (1, 1, 2, 'resale', '2026-01-01')",
    "INSERT INTO split_share VALUES (1, 0, 2, 30)",
    "INSERT INTO split_share VALUES (1, 1, 1, 70)",
    "INSERT INTO subscriber VALUES (1, 'Jeanne d''Arc', 'j@x.test', 'fr', '2026-01-01 00:00:00')",
    "INSERT INTO person_reference VALUES ('person-00', 1, 'sel')",
    "INSERT INTO subscription VALUES (1, 1, NULL, 1, 1, '2026-01-31', 'active')",
    "INSERT INTO subscription VALUES (2, 1, NULL, 1, 1, '2026-01-31', 'ended')",
    "INSERT INTO split_part VALUES (1, 1, 2, 300)",
    "INSERT INTO split_part VALUES (1, 1, 1, 700)",
    "INSERT INTO split VALUES (1, 1, 1, 'subscription:1:opening', 'EUR', 1000, 1000)",
)
PORT = {"lines": ["1 rue du Port"], "postcode": "14 000", "city": "Caen", "country": "FR"}
# Who somebody is, as it was typed before it was brought into one way of writing.
FIRM = {
    "name": "Jeanne SARL",
    "email": "j@x.test",
    "kind": "company",
    "siren": "552 100 554",
    "vat_id": "FR 96 552 100 554",
    "address": PORT,
}
NOBODY = {"name": "Paul", "email": "p@x.test", "vat_id": "?", "order_reference": "BC 1\n" * 20}
SHOP = {
    "name": "Boutique",
    "legal": "SARL",
    "address": PORT,
    "email": "b@x.test",
    "vat": "franchise",
    "iban": "FR14 2004 1010 0505 0001 3M02 606",
    "bic": "psst frpp",
}


@pytest.fixture
def old(database_url: str) -> Iterator[Engine]:
    """A registry of the schema before invoices, with one subscription of each state."""
    with registry_of(database_url, "0002", BEFORE) as engine:
        yield engine


@contextmanager
def registry_of(url: str, revision: str, rows: Iterable[str]) -> Iterator[Engine]:
    """A registry of an older schema that holds `rows`."""
    engine = database.connect(url)
    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        for sentence in rows:
            connection.execute(text(sentence))
    yield engine
    engine.dispose()


def test_subscriptions_keep_their_price_and_contract_and_are_billed(old: Engine) -> None:
    upgrades.upgrade(old)
    with Session(old) as session:
        running, ended = opening.everyone(session)
        assert (running.state, running.billed_to, running.last_day) == (
            "active",
            date(2026, 1, 31),
            None,
        )
        assert (ended.state, ended.last_day) == ("ended", date(2026, 1, 31))
        assert opening.price_of(session, running, date(2026, 1, 31)) == euros(1000)
        shares = running.versions[0].contract.shares
        assert [(share.organisation.name, share.parts) for share in shares] == [
            ("Amis", 30),
            ("Boutique", 70),
        ]
        seller = organisations.get(session, "Boutique")
        describing.describe(session, seller, profile("Boutique"), date(2026, 1, 1))
        sale = Sale(plans.get(session, "famille"), seller, organisations.get(session, "Amis"))
        opening.open_subscription(
            session, running.subscriber, sale, today=date(2026, 3, 31)
        )  # its number is free, also where rows were carried over
        session.commit()
    assert billing.bill(old, date(2026, 2, 28)).documents == 2
    with Session(old) as session:
        assert verify.verify(session) == []
        (first, _second) = papers.every(session, select(Invoice))
        assert (first.number, first.buyer.name) == ("F2026-000001", "Jeanne d'Arc")


def test_what_was_typed_in_another_way_is_mended_and_kept_from_then_on(database_url: str) -> None:
    with registry_of(database_url, "0012", BEFORE[:1]) as engine:
        with engine.begin() as connection:
            for place, person in enumerate((FIRM, NOBODY), start=1):
                connection.execute(
                    text(
                        "INSERT INTO subscriber VALUES (:n, 'J', :n, 'fr', '2026-01-01 00:00:00')"
                    ),
                    {"n": place},
                )
                connection.execute(
                    text("INSERT INTO identity VALUES (:n, :n, '2026-01-01', :content)"),
                    {"n": place, "content": json.dumps(person)},
                )
            connection.execute(
                text("INSERT INTO organisation_profile VALUES (1, '2026-01-01', :content)"),
                {"content": json.dumps(SHOP)},
            )
        upgrades.upgrade(engine)
        with Session(engine) as session:
            jeanne, paul = (
                identities.read(row) for row in session.scalars(select(Identity).order_by("id"))
            )
            assert (jeanne.siren, jeanne.vat_id) == ("552100554", "FR96552100554")
            assert jeanne.address is not None
            assert jeanne.address.postcode == "14000"
            assert (paul.vat_id, paul.order_reference) == ("", ("BC 1 " * 12)[:60])
            shop = profiles.needed(session, organisations.get(session, "Boutique"), BILLED)
            assert (shop.iban, shop.bic) == ("FR1420041010050500013M02606", "PSSTFRPP")
            assert shop.address.postcode == "14000"
        for table in ("identity", "organisation_profile"):
            with (
                pytest.raises(DBAPIError, match=r"never changed|only ever added"),
                engine.begin() as on,
            ):
                on.execute(text(f"UPDATE {table} SET content = '{{}}'"))  # noqa: S608 (our own names)
