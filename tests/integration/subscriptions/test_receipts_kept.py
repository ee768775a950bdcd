"""What is known of givers is handed over, erased and kept like all else; reports count gifts."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from provision import database
from provision.errors import UsageRefused
from provision.registry.models import Subscriber
from provision.registry.secrets import open_safe
from provision.subscriptions.books import verify
from provision.subscriptions.commons.receipts import copies, givers, papers, recording
from provision.subscriptions.commons.receipts.recording import AskedReceipt
from provision.subscriptions.documents import describing, numbering
from provision.subscriptions.documents.issuing import Number
from provision.subscriptions.documents.receipt_models import DONATION, Receipt
from provision.subscriptions.ledger.journal import Moment
from provision.subscriptions.parties import organisations
from provision.subscriptions.privacy import archive, exporting, purging
from provision.subscriptions.privacy.models import ArchivedIdentity
from provision.subscriptions.reports import factsfile
from provision.subscriptions.reports.gather_scope import Scope
from provision.subscriptions.reports.gathering import gather
from provision.workflows import privacy
from tests.integration.subscriptions.conftest import profile
from tests.integration.subscriptions.giving_shop import SIGNED, STREET, open_desk
from tests.integration.subscriptions.privacy_shop import (
    EMAIL,
    NAME,
    TODAY,
    TOLD,
    build,
    copied,
    end,
)

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy.orm import Session

    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.privacy_shop import World

AMIS, GIVEN_ON = "Les Amis du Libre", date(2026, 6, 14)
FORGOTTEN_ON = date(2029, 6, 16)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    build(folder)
    made = copied(folder, tmp_path_factory.mktemp("given"))
    with database.transaction(made.engine) as session:
        owner = organisations.get(session, AMIS)
        describing.describe(session, owner, profile(AMIS, receipts=SIGNED), date(2026, 6, 1))
        give(session, EMAIL)
        give(session, "-", name="Ruth Sansnet", address=STREET)
    made.engine.dispose()
    return made.folder


@pytest.fixture
def world(built: Path, tmp_path: Path) -> Iterator[World]:
    made = copied(built, tmp_path)
    yield made
    made.engine.dispose()


def give(session: Session, typed: str, **said: object) -> Receipt:
    giver = givers.find(session, typed, said, (TOLD, TODAY))
    asked = AskedReceipt(DONATION, giver, 5_000, "cash")
    owner = organisations.get(session, AMIS)
    made = recording.record(session, owner, asked, Moment(GIVEN_ON, TODAY), None)
    papers.hand_out(session, made, papers.copy(session, made), TODAY)
    return made


def give_more(session: Session, typed: str) -> Receipt:
    """Record a gift of which nobody wrote the receipt yet."""
    asked = AskedReceipt(DONATION, givers.find(session, typed, {}, (TOLD, TODAY)), 6_000, "cash")
    owner = organisations.get(session, AMIS)
    return recording.record(session, owner, asked, Moment(GIVEN_ON, TODAY), None)


def ruth(session: Session) -> Subscriber:
    return session.scalars(select(Subscriber).where(Subscriber.name == "Ruth Sansnet")).one()


def test_receipts_are_in_what_is_handed_over(world: World) -> None:
    folder = exporting.write(privacy.collected(world.control, EMAIL), world.folder / "jeanne")
    for name in ("receipt.csv", "receipt_copy.csv"):
        assert (folder / name).read_text(encoding="utf-8-sig").count("R2026") == 1
    assert "Ruth" not in (folder / "person.json").read_text(encoding="utf-8")


def test_who_gave_is_in_the_archive_after_the_erasure_and_the_books_stay(world: World) -> None:
    end(world)
    privacy.erase(world.control, EMAIL, TOLD.why)
    with database.transaction(world.engine) as session:
        kept = session.scalars(select(Receipt).order_by(Receipt.number)).first()
        assert kept is not None
        assert copies.name_of(session, kept) == ""
        with pytest.raises(UsageRefused, match="R2026-000001 is for somebody who was erased"):
            papers.copy(session, kept)
        number = Number(kept.organisation_id, kept.series, kept.number)
        asked = replace(TOLD, why="tax audit")
        assert (
            archive.look(
                session, open_safe(session, world.control.settings.key_file), number, asked
            ).name
            == NAME
        )
        with pytest.raises(UsageRefused, match="was erased"):
            givers.find(session, str(world.jeanne), {}, (TOLD, TODAY))
        assert verify.verify(session) == []


def test_who_was_erased_keeps_nobody_from_their_receipt(world: World) -> None:
    with database.transaction(world.engine) as session:
        give_more(session, EMAIL)
        left = give_more(session, str(ruth(session).id)).number
    end(world)
    privacy.erase(world.control, EMAIL, TOLD.why)
    with database.reading(world.engine) as session:
        every = recording.everyone(session, organisations.get(session, AMIS))
        (one,) = copies.unwritten(session, every)
        assert one.number == left
        assert papers.copy(session, one).place.state == copies.ORIGINAL


def test_who_only_gave_is_forgotten_three_years_after_the_last_gift(world: World) -> None:
    with database.transaction(world.engine) as session:
        number = ruth(session).id
        due = {one.key: one for one in purging.due(session, FORGOTTEN_ON)}
        assert str(number) not in {one.key for one in purging.due(session, date(2029, 6, 15))}
    assert (due[str(number)].rule, due[str(number)].counted_from) == ("client", TODAY)
    with database.transaction(world.engine) as session:
        purging.take(
            session,
            open_safe(session, world.control.settings.key_file),
            due[str(number)],
            TOLD,
            FORGOTTEN_ON,
        )
    with database.transaction(world.engine) as session:
        assert session.get_one(Subscriber, number).name == f"erased-{number}"
        (archived,) = session.scalars(select(ArchivedIdentity)).all()
        kinds = {
            (one.kind, one.key): one.counted_from for one in purging.due(session, date(2037, 6, 16))
        }
        assert kinds["archived identity", str(archived.identity_id)] == TODAY
        early = purging.due(session, date(2037, 6, 15))
        assert "archived identity" not in {one.kind for one in early}


def test_reports_count_fees_and_gifts_that_were_not_cancelled(shop: Shop) -> None:
    desk = open_desk(shop)
    desk.record(desk.fee())
    desk.record(desk.gift())
    wrong = desk.record(desk.gift(9_000))
    desk.cancel(wrong)
    facts = gather(shop.session, Scope(date(2026, 3, 31)), factsfile.parse(""))
    assert [(one.kind, one.cents_received, one.months) for one in facts.incomes] == [
        ("dues", 2_000, 12),
        ("gift", 5_000, 1),
    ]
    assert numbering.shown(wrong.series, wrong.number) == "R2026-000003"
