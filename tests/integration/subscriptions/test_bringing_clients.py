"""Clients from another program, as the registry has them then, and when their list comes again."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import event, func, select

from provision.errors import PaquetError
from provision.formats.clients import columns, lines, table
from provision.registry.models import Event, Subscriber
from provision.registry.states import Told
from provision.subscriptions.parties import identities
from provision.subscriptions.parties.models import Identity
from provision.subscriptions.payments import collecting, debit_proposals, mandates
from provision.subscriptions.payments.collecting import HandedOver
from provision.subscriptions.payments.models import MandateRow
from provision.subscriptions.selling import opening
from provision.subscriptions.selling.models import Subscription
from provision.workflows import bringing
from provision.workflows.client_plans import Bringing
from tests.integration.subscriptions.bringing_shop import (
    ACCOUNT,
    CITY,
    EMAIL,
    KIND,
    LAST,
    NAME,
    PAID,
    PLAN,
    POSTCODE,
    RUM,
    SHOP,
    SIGNED,
    SIREN,
    STREET,
    client,
    iban,
    written,
)
from tests.integration.subscriptions.paying_shop import open_till

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from provision.workflows.bringing import Brought
    from tests.integration.subscriptions.conftest import Shop

TODAY = date(2026, 3, 10)
WHEN = (TODAY, Told("ana", datetime(2026, 3, 10, tzinfo=UTC)))


def bring(session: Session, rows: Sequence[Sequence[str]], *, enrols: bool = True) -> Brought:
    """Bring a list in; no line of it has a fault of its cells."""
    vocabulary = columns.vocabulary()
    there = table.read(written(rows), vocabulary)
    clients, faults = lines.read(there, vocabulary, columns.WORDS)
    assert faults == []
    return bringing.bring(session, Bringing(SHOP, WHEN, "fr", enrols), clients, there.columns)


def counts(brought: Brought) -> dict[str, tuple[int, int, int]]:
    """Return how many of each thing are new, changed, and already there."""
    return {
        thing: (
            brought.counted[thing, bringing.NEW],
            brought.counted[thing, bringing.CHANGED],
            brought.counted[thing, bringing.SAME],
        )
        for thing in (bringing.CLIENTS, bringing.MANDATES, bringing.SUBSCRIPTIONS)
    }


def whole(session: Session) -> dict[str, int]:
    """Return how many rows there are."""
    return {
        table.__tablename__: session.scalar(select(func.count()).select_from(table)) or 0
        for table in (Subscriber, Identity, MandateRow, Subscription, Event)
    }


@pytest.fixture
def open_shop(shop: Shop) -> Shop:
    """A shop that may collect, and has a contract and one subscriber, Jeanne."""
    open_till(shop)
    shop.session.commit()
    return shop


def test_what_is_brought_in_is_what_would_be_typed_and_the_next_month_is_debited(
    open_shop: Shop,
) -> None:
    session = open_shop.session
    brought = bring(session, [client(number) for number in range(1, 201)])
    session.commit()
    assert counts(brought) == {
        "clients": (200, 0, 0), "mandates": (200, 0, 0), "subscriptions": (200, 0, 0)
    }  # fmt: skip
    assert (brought.faults, brought.remarks) == ([], [])
    row = mandates.find(session, open_shop.seller, "ANCIEN-0002")
    assert (row.holder, row.town, row.signed_on) == ("Client 2", "Caen", date(2024, 2, 1))
    assert (row.collected_before, row.iban) == (date(2026, 2, 5), iban(2))
    (subscription,) = opening.find(session, "client2@exemple.test")
    assert subscription.first_day == subscription.billed_to == date(2026, 4, 1)
    assert open_shop.bill(date(2026, 4, 1)).documents == 200
    proposal = debit_proposals.propose(
        session, open_shop.seller, date(2026, 5, 4), date(2026, 4, 2)
    )
    assert len(proposal.chosen) == 200
    made = datetime(2026, 4, 2, 9, 30)  # noqa: DTZ001 (local time, as banks want it)
    handed = HandedOver("april", date(2026, 5, 4), made)
    collection = collecting.make(session, open_shop.seller, proposal.chosen, handed)
    (file,) = collecting.files(session, open_shop.seller, collection)
    assert file.content.count(b"<DrctDbtTxInf>") == 200
    assert b"<MndtId>ANCIEN-0200</MndtId>" in file.content


def test_the_same_list_again_changes_nothing(open_shop: Shop) -> None:
    session, rows = open_shop.session, [client(number) for number in range(1, 31)]
    bring(session, rows)
    session.commit()
    before = whole(session)
    brought = bring(session, rows)
    session.commit()
    assert counts(brought) == {
        "clients": (0, 0, 30), "mandates": (0, 0, 30), "subscriptions": (0, 0, 30)
    }  # fmt: skip
    assert not brought.writes
    assert whole(session) == before


def test_the_registry_is_not_asked_once_a_line(open_shop: Shop, engine: Engine) -> None:
    """Thousands of lines take seconds, new or there already."""
    asked: list[str] = []
    event.listen(engine, "before_cursor_execute", lambda *words: asked.append(words[2]))
    for numbers in (range(1, 6), range(6, 106), range(1, 106)):
        asked.clear()
        bring(open_shop.session, [client(number) for number in numbers])
        open_shop.session.commit()
        assert len([words for words in asked if words.startswith("SELECT")]) < 40


def test_a_line_that_says_otherwise_is_told_and_written(open_shop: Shop) -> None:
    session = open_shop.session
    bring(session, [client(1), client(2), client(3)])
    session.commit()
    moved, mailed = client(1), client(3)
    moved[STREET], moved[LAST] = "9 quai Vendeuvre", "2026-03-05"
    mailed[EMAIL] = "trois@exemple.test"
    brought = bring(session, [moved, client(2), mailed])
    session.commit()
    assert counts(brought)["clients"] == (0, 2, 1)
    assert counts(brought)["mandates"] == (0, 1, 2)
    assert [(change.line, change.what, change.old, change.new) for change in brought.changes] == [
        (2, "street", "1 rue du Port", "9 quai Vendeuvre"),
        (2, "last_collected_on", "2026-02-05", "2026-03-05"),
        (4, "email", "", "trois@exemple.test"),
    ]
    known = session.scalars(select(Subscriber).where(Subscriber.name == "Client 1")).one()
    person = identities.read(identities.ensure(session, known, TODAY))
    assert person.address is not None
    assert person.address.lines == ("9 quai Vendeuvre",)


def test_what_was_signed_is_not_written_over(open_shop: Shop) -> None:
    session = open_shop.session
    bring(session, [client(number) for number in range(1, 7)])
    session.commit()
    before = whole(session)
    account, signed, other, reference, plan, owner = (client(number) for number in range(1, 7))
    account[ACCOUNT] = iban(99)
    signed[SIGNED] = "2024-02-02"
    other[PAID] = "2026-04-30"
    reference[RUM] = "AUTRE-1"
    plan[PLAN] = "inconnue"
    owner[NAME], owner[EMAIL] = "Somebody else", ""
    brought = bring(session, [account, signed, other, reference, plan, owner])
    assert [(fault.line, fault.column) for fault in brought.faults] == [
        (2, "IBAN"),
        (3, "Signé le"),
        (4, "Formule"),
        (5, "RUM"),
        (6, "Formule"),
        (7, "RUM"),
    ]
    sentences = " ".join(fault.fault for fault in brought.faults)
    assert "The mandate ANCIEN-0001 says FR76 … " in sentences
    assert iban(1) not in sentences
    assert all(fault.hint for fault in brought.faults)
    assert whole(session) == before


def test_what_cannot_be_together_is_told_at_one_of_its_columns(open_shop: Shop) -> None:
    private, homeless = client(1), client(2)
    private[SIREN] = "552 100 554"
    homeless[KIND], homeless[STREET], homeless[POSTCODE], homeless[CITY] = "Association", "", "", ""
    half = client(3)
    half[STREET] = ""
    brought = bring(open_shop.session, [private, homeless, half])
    assert [(fault.line, fault.column) for fault in brought.faults] == [
        (2, "Type"),
        (3, "Adresse"),
        (4, "Adresse"),
    ]


def test_a_line_whose_mandate_is_refused_leaves_its_client_as_it_was(open_shop: Shop) -> None:
    session = open_shop.session
    bring(session, [client(1)])
    session.commit()
    before = whole(session)
    later, new = client(1), client(2)
    later[STREET], later[LAST] = "9 quai", "2026-12-31"
    new[SIGNED], new[LAST] = "2027-01-01", ""
    brought = bring(session, [later, new])
    session.commit()
    assert [(fault.column, fault.fault) for fault in brought.faults] == [
        ("Dernier prélèvement", "2026-12-31 is not yet"),
        ("Signé le", "2027-01-01 is not yet"),
    ]
    assert whole(session) == before


def test_a_client_who_is_here_gets_a_mandate_with_the_address_of_the_same_line(
    open_shop: Shop,
) -> None:
    row = client(1)
    row[NAME], row[EMAIL] = "Jeanne", "jeanne@exemple.test"
    brought = bring(open_shop.session, [row])
    open_shop.session.commit()
    assert counts(brought) == {
        "clients": (0, 1, 0), "mandates": (1, 0, 0), "subscriptions": (1, 0, 0)
    }  # fmt: skip
    (granted,) = mandates.everyone(open_shop.session, open_shop.seller.id)
    assert (granted.street, granted.town) == ("1 rue du Port", "Caen")
    assert open_shop.bill(date(2026, 4, 1)).documents == 1


def test_a_mandate_that_no_bank_takes_any_more_is_remarked(open_shop: Shop) -> None:
    row = client(1)
    row[SIGNED], row[LAST] = "2020-01-01", "2022-01-05"
    brought = bring(open_shop.session, [row])
    (remark,) = brought.remarks
    assert remark.startswith("Line 2: The mandate ANCIEN-0001 is void since 2025-01-05")


def test_two_of_one_name_stay_two(open_shop: Shop) -> None:
    session, rows = open_shop.session, [client(3), client(6)]
    rows[1][NAME] = "Client 3"
    for row in rows:
        row[RUM] = ""
    bring(session, rows)
    session.commit()
    assert counts(bring(session, rows))["clients"] == (0, 0, 2)
    for row in rows:
        row[STREET] = "13 rue Neuve"
    rows[1][POSTCODE] = "14200"
    brought = bring(session, rows)
    assert [fault.column for fault in brought.faults] == ["Nom"]


def test_a_reference_that_is_not_given_is_made_beside_those_that_are(open_shop: Shop) -> None:
    rows = [client(1), client(2), client(3)]
    rows[0][RUM], rows[1][RUM], rows[2][RUM] = "", "BOUTIQUELIBR-000001", ""
    bring(open_shop.session, rows)
    open_shop.session.commit()
    every = mandates.everyone(open_shop.session, open_shop.seller.id)
    assert sorted(row.reference for row in every) == [
        "BOUTIQUELIBR-000001", "BOUTIQUELIBR-000002", "BOUTIQUELIBR-000003"
    ]  # fmt: skip


def test_whoever_was_before_elsewhere_has_had_the_trial(open_shop: Shop) -> None:
    open_shop.plan.trial_days = 30
    rows = [client(1), client(2)]
    rows[1][PAID] = ""
    vocabulary = columns.vocabulary()
    there = table.read(written(rows), vocabulary)
    clients, (_fault,) = lines.read(there, vocabulary, columns.WORDS)
    words = clients[0].subscription
    assert words is not None
    begins = replace(
        clients[0], line=3, email="b@exemple.test", name="B", mandate=None,
        subscription=replace(words, paid=False),
    )  # fmt: skip
    wanted = Bringing(SHOP, WHEN, "fr", enrols=True)
    bringing.bring(open_shop.session, wanted, [clients[0], begins], there.columns)
    billed = {row.subscriber.name: row.billed_to for row in opening.everyone(open_shop.session)}
    assert billed == {"Client 1": date(2026, 4, 1), "B": date(2026, 5, 1)}


def test_a_shop_without_an_account_of_its_own_is_told_so_once(shop: Shop) -> None:
    with pytest.raises(PaquetError, match="lacks its IBAN or its creditor identifier"):
        bring(shop.session, [client(1), client(2)])
