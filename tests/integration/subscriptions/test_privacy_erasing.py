"""A person is forgotten, and documents and journals stay as they were, on both databases."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import select, text

from provision import database
from provision.errors import PaquetError, UsageRefused
from provision.money import EUR, Amount
from provision.registry import states
from provision.registry.models import Event, Subscriber
from provision.registry.secrets import open_safe
from provision.registry.states import Told
from provision.subscriptions.books import verify
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.models import Invoice
from provision.subscriptions.ledger import posting
from provision.subscriptions.ledger.journal import BANK, Entry, Line
from provision.subscriptions.parties import identities, people
from provision.subscriptions.parties.models import Identity, PersonReference
from provision.subscriptions.privacy import archive, erasing, persons, tables
from provision.subscriptions.privacy.models import ArchiveAccess, ArchivedIdentity, Erasure
from provision.subscriptions.privacy.tables import HOLDINGS, OF_NOBODY, Fate
from provision.subscriptions.selling.models import Discount
from provision.workflows import privacy
from tests.integration.subscriptions.privacy_shop import (
    DOMAIN,
    EMAIL,
    NAME,
    STREET,
    TODAY,
    TOLD,
    build,
    copied,
    end,
    everything,
    make,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Engine
    from sqlalchemy.orm import Session

    from tests.integration.subscriptions.privacy_shop import World

WORDS = (NAME, "Jeanne", "Éloïse", EMAIL, DOMAIN, STREET, "Téléphone de Jeanne", "Lyon")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    return folder


@pytest.fixture
def world(built: Path, tmp_path: Path) -> Iterator[World]:
    made = copied(built, tmp_path)
    yield made
    made.engine.dispose()


@pytest.fixture
def each(engine: Engine, tmp_path: Path) -> World:
    """The same world on each database."""
    return make(engine, tmp_path)


@pytest.fixture
def session(world: World) -> Iterator[Session]:
    with database.transaction(world.engine) as made:
        yield made


def erased(world: World) -> World:
    end(world)
    privacy.erase(world.control, EMAIL, TOLD.why)
    return world


def naming(session: Session) -> list[str]:
    """Return where the registry still names Jeanne."""
    return [
        f"{table}.{column}"
        for table, rows in everything(session).items()
        for row in rows
        for column, value in row.items()
        if any(word in json.dumps(value, ensure_ascii=False, default=str) for word in WORDS)
    ]


def test_every_table_says_what_becomes_of_a_person(session: Session) -> None:
    assert tables.uncovered(tables.reflected(session)) == []
    assert set(HOLDINGS) & OF_NOBODY == set()


def test_a_table_that_leads_to_a_person_is_never_said_to_be_of_nobody(session: Session) -> None:
    there = tables.reflected(session)
    ways = tables.of_persons(there)
    assert set(ways) == set(HOLDINGS)
    leading = {"subscriber_id", "party", "subscription_id", "order_id", "bundle_id", "user_id"}
    assert {name for name, table in there.tables.items() if leading & set(table.c.keys())} <= set(
        ways
    )


@pytest.mark.parametrize(
    "column",
    ["subscriber_id INTEGER", "party TEXT", "identity_id INTEGER", "device_id TEXT"],
)
def test_a_new_table_about_persons_is_noticed(session: Session, column: str) -> None:
    session.execute(text(f"CREATE TABLE invented (id INTEGER PRIMARY KEY, {column})"))
    there = tables.reflected(session)
    assert "invented" in tables.of_persons(there)
    assert tables.uncovered(there) == ["invented"]
    with pytest.raises(PaquetError, match="Nobody decided yet what becomes of invented"):
        erasing.look(session, persons.find(session, EMAIL), TODAY)


def test_the_search_finds_the_names_before_the_erasure(session: Session) -> None:
    """The negative control of the search that the other tests trust."""
    found = set(naming(session))
    assert {"subscriber.name", "identity.content", "order.wish", "user.address"} <= found
    assert {"event.what", "event.why", "bundle.domain", "device.name"} <= found


def test_the_file_of_the_registry_forgets_too(world: World, tmp_path: Path) -> None:
    erased(world)
    world.engine.dispose()
    files = [path.read_bytes() for path in tmp_path.glob("*.db*")]
    assert files
    assert not any(word.encode() in content for word in WORDS for content in files)


def test_nothing_names_the_person_and_money_is_whole_and_not_a_number_has_moved(
    each: World,
) -> None:
    end(each)
    kept = {name for name, holding in HOLDINGS.items() if holding.fate is Fate.KEPT}
    kept = kept - {"erasure"} | {"ledger_transaction", "closing", "carry"}
    with database.transaction(each.engine) as session:
        assert naming(session) != []
        before = {name: rows for name, rows in everything(session).items() if name in kept}
        heads = verify.heads(session)
    privacy.erase(each.control, EMAIL, TOLD.why)
    with database.transaction(each.engine) as session:
        assert naming(session) == []
        assert {name: rows for name, rows in everything(session).items() if name in kept} == before
        assert verify.verify(session) == []
        assert verify.heads(session) == heads
    assert privacy.erase(each.control, str(each.jeanne), "again").done


def test_the_ledger_points_to_nobody_and_others_stay_known(world: World) -> None:
    erased(world)
    with database.transaction(world.engine) as session:
        assert session.scalars(select(PersonReference.subscriber_id)).all() == [world.paul]
        assert session.get_one(Subscriber, world.paul).name == "Paul Durand"
        events = session.scalars(select(Event.what)).all()
        assert "prepared for Paul Durand" in events
        assert "moved erased for erased" in events
        assert "delivered" in "".join(events)


def test_only_identities_that_documents_need_go_to_the_archive(world: World) -> None:
    with database.transaction(world.engine) as session:
        query = select(Identity.id).where(Identity.subscriber_id == world.jeanne)
        known = session.scalars(query).all()
        needed = session.scalars(select(Invoice.identity_id).distinct()).all()
    erased(world)
    with database.transaction(world.engine) as session:
        archived = session.scalars(select(ArchivedIdentity.identity_id)).all()
        assert len(known) == 2
        assert archived == sorted(set(known) & set(needed))
        assert len(archived) == 1


def test_documents_of_more_than_ten_years_keep_no_name(world: World) -> None:
    end(world)
    with database.transaction(world.engine) as session:
        subscriber = persons.find(session, EMAIL)
        safe = open_safe(session, world.control.settings.key_file)
        erasing.erase(session, safe, subscriber, TOLD, date(2037, 6, 2))
        assert session.scalars(select(ArchivedIdentity)).all() == []


def test_the_archive_opens_for_a_document_and_a_reason_and_remembers_who_looked(
    world: World,
) -> None:
    erased(world)
    with database.transaction(world.engine) as session:
        invoice = session.scalars(select(Invoice).where(Invoice.identity_id == 2)).first()
        assert invoice is not None
        number = Number(invoice.organisation_id, invoice.series, invoice.number)
        safe = open_safe(session, world.control.settings.key_file)
        with pytest.raises(PaquetError, match="for a reason only"):
            archive.look(session, safe, number, replace(TOLD, why=" "))
        found = archive.look(session, safe, number, replace(TOLD, why="tax audit"))
        assert (found.name, found.email) == (NAME, EMAIL)
        row = session.scalars(select(ArchiveAccess)).one()
        assert (row.document, row.actor, row.why) == (number.shown, "treasurer", "tax audit")
        assert row.looked_at == "2026-06-15T10:00:00+00:00"


def test_the_archive_says_nothing_of_who_is_not_in_it(world: World) -> None:
    with database.transaction(world.engine) as session:
        invoice = session.scalars(select(Invoice)).first()
        assert invoice is not None
        number = Number(invoice.organisation_id, invoice.series, invoice.number)
        safe = open_safe(session, world.control.settings.key_file)
        with pytest.raises(PaquetError, match="is not in the archive"):
            archive.look(session, safe, number, TOLD)
        with pytest.raises(PaquetError, match="There is no document F2026-000999"):
            archive.look(session, safe, replace(number, number=999), TOLD)
        assert session.scalars(select(ArchiveAccess)).all() == []


def test_who_was_erased_is_never_rewritten(each: World) -> None:
    erased(each)
    for statement in ("UPDATE erasure SET why = 'x'", "DELETE FROM erasure"):
        with (
            pytest.raises(Exception, match="rows of erasure are only ever added"),
            each.engine.begin() as raw,
        ):
            raw.execute(text(statement))


def test_erasing_again_changes_nothing(world: World) -> None:
    erased(world)
    with database.transaction(world.engine) as session:
        before = everything(session)
    again = privacy.erase(world.control, str(world.jeanne), "once more")
    assert again.done
    with database.transaction(world.engine) as session:
        assert everything(session) == before
        assert len(session.scalars(select(Erasure)).all()) == 1


def test_an_erasure_that_is_killed_leaves_all_as_it_was_and_goes_on_when_asked_again(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    end(world)
    with database.transaction(world.engine) as session:
        before = everything(session)

    def die(*_arguments: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(privacy, "remove_kits", die)
        with pytest.raises(KeyboardInterrupt):
            privacy.erase(world.control, EMAIL, TOLD.why)
    with database.transaction(world.engine) as session:
        assert everything(session) == before
    assert privacy.erase(world.control, EMAIL, TOLD.why).done


def test_kits_on_this_machine_go_with_the_person(world: World) -> None:
    kit = world.control.kits / f"jeanne@{DOMAIN}" / "d1e2f3a4b5c6"
    others = world.control.kits / "paul@paul.paquet.test"
    for folder in (kit, others):
        folder.mkdir(parents=True)
    erased(world)
    assert not kit.parent.exists()
    assert others.is_dir()


@pytest.mark.parametrize(
    "why", ["", "  ", "x" * 201, "Jeanne Éloïse Martin asked", f"mail of {EMAIL.upper()}"]
)
def test_a_reason_that_is_empty_long_or_names_the_person_is_refused(world: World, why: str) -> None:
    end(world)
    with pytest.raises(UsageRefused, match="The reason"):
        privacy.erase(world.control, EMAIL, why)


def obstacles(world: World) -> list[str]:
    with database.transaction(world.engine) as session:
        planned = erasing.look(session, persons.find(session, EMAIL), TODAY)
    return [one.what for one in planned.obstacles]


def test_a_living_bundle_a_running_subscription_and_debts_stand_in_the_way(world: World) -> None:
    found = obstacles(world)
    assert any(one.startswith("bundle b") and one.endswith("is active") for one in found)
    assert any(one.startswith("subscription ") and one.endswith("is active") for one in found)
    assert "€9.00 is open on F2026-000001" in found
    assert len(found) == 2 + 6
    with pytest.raises(UsageRefused, match=r"cannot be erased: bundle .* \(and 7 more"):
        privacy.erase(world.control, EMAIL, TOLD.why)


def test_a_refusal_names_nobody(world: World) -> None:
    with pytest.raises(UsageRefused) as refused:
        privacy.erase(world.control, EMAIL, TOLD.why)
    said = f"{refused.value.message} {refused.value.hint}"
    assert not any(word in said for word in WORDS)


def test_one_open_invoice_is_enough_to_refuse(world: World) -> None:
    end(world, paid=False)
    assert len(obstacles(world)) == 6
    with pytest.raises(UsageRefused, match="is open on F2026-000001"):
        privacy.erase(world.control, EMAIL, TOLD.why)


def test_money_beside_the_documents_stands_in_the_way(world: World) -> None:
    """An advance: the ledger owes it to the person, no document says so."""
    end(world)
    with database.transaction(world.engine) as session:
        advance(session, world.jeanne)
    assert obstacles(world) == ["journal 1 holds -€5.00 beside the documents"]


def advance(session: Session, subscriber_id: int) -> None:
    from_person = people.reference(session, subscriber_id)
    amount = Amount(EUR, 500)
    entry = Entry(
        organisation_id=1,
        effective_on=TODAY,
        text="Avance",
        key="test:advance",
        lines=(Line("512", amount), Line("467", -amount, from_person)),
        journal=BANK,
    )
    posting.post(session, entry, TODAY)


def test_a_kept_text_that_names_the_person_is_said(world: World) -> None:
    with database.transaction(world.engine) as session:
        told: Any = session.scalars(select(Discount)).one()
        session.add(
            Discount(
                subscription_id=told.subscription_id,
                first_day=TODAY,
                basis_points=100,
                reason=f"for {NAME}",
            )
        )
        session.flush()
        planned = erasing.look(session, persons.find(session, EMAIL), TODAY)
    assert planned.remains == ("discount 2",)


def test_the_number_of_an_erased_identity_is_never_given_to_another(each: World) -> None:
    with database.transaction(each.engine) as session:
        jeanne = session.get_one(Subscriber, each.jeanne)
        moved = identities.Person(name=NAME, email="moved@exemple.test")
        newest = identities.write(session, jeanne, moved, TODAY).id
    erased(each)
    with database.transaction(each.engine) as session:
        assert session.get(Identity, newest) is None
        paul = session.get_one(Subscriber, each.paul)
        other = identities.Person(name="Paul Durand", email="other@exemple.test")
        assert identities.write(session, paul, other, TODAY).id > newest
    refused = pytest.raises(Exception, match="content of identity are never changed")
    with refused, each.engine.begin() as raw:
        raw.execute(text("UPDATE identity SET content = '{}'"))


def test_a_device_name_that_others_have_too_is_left_in_their_events(world: World) -> None:
    with database.transaction(world.engine) as session:
        states.record(session, "device:ffff", "Téléphone de Jeanne", Told("admin", TOLD.at))
    erased(world)
    with database.transaction(world.engine) as session:
        kept = session.scalars(select(Event.what).where(Event.subject == "device:ffff")).one()
        assert kept == "Téléphone de Jeanne"


@pytest.mark.parametrize(
    ("vandalism", "said"),
    [
        ("DELETE FROM sealed_secret WHERE owner = 'archive:2'", "nothing is sealed under it"),
        (
            "INSERT INTO person_reference VALUES ('person-x', 1, 'salt')",
            "something still leads to it",
        ),
    ],
)
def test_verify_sees_an_erasure_that_is_not_whole(each: World, vandalism: str, said: str) -> None:
    erased(each)
    with database.transaction(each.engine) as session:
        assert verify.verify(session) == []
        session.execute(text(vandalism))
        assert [said in one.what for one in verify.verify(session)] == [True]
