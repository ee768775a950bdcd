"""Who paid by card, and in which words: forgotten as soon as it serves nothing."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision import database
from provision.days import ONE_DAY
from provision.formats.payouts import providers, reading
from provision.registry.secrets import open_safe
from provision.subscriptions.books import verify
from provision.subscriptions.parties import organisations
from provision.subscriptions.payments import payout_lists
from provision.subscriptions.privacy import purging
from provision.workflows import payouts as bringing
from provision.workflows import privacy
from tests.integration.subscriptions.privacy_shop import EMAIL, NAME, TODAY, TOLD, end, make
from tests.unit.formats.payouts.payout_examples import stripe

if TYPE_CHECKING:
    from pathlib import Path

    from sqlalchemy import Engine

    from tests.integration.subscriptions.privacy_shop import World

UNKNOWN = ("ch_3", "charge", "15.00", "0.50", "Don")
PAID_ON = date(2026, 2, 1)


@pytest.fixture
def world(engine: Engine, tmp_path: Path) -> World:
    """Jeanne left, and all her invoices are paid."""
    made = make(engine, tmp_path)
    end(made)
    return made


def bring(world: World, content: bytes) -> None:
    with database.transaction(world.engine) as session:
        seller = organisations.get(session, "Boutique Libre")
        given = reading.read(content, "file.csv", providers.of("stripe"))
        bringing.bring_in(session, seller, given, TODAY)


def said(world: World) -> list[tuple[str, str]]:
    """Return what the registry says of the payer of each payment, and in which words."""
    with database.transaction(world.engine) as session:
        rows = session.execute(text("SELECT payer, what FROM payout_payment ORDER BY id"))
        return [(row.payer, row.what) for row in rows]


def test_a_payment_and_its_refund_that_make_up_for_each_other_name_nobody(world: World) -> None:
    bring(world, stripe(UNKNOWN))
    assert said(world) == [("Jeanne Martin", "Don Don ch_3")]
    bring(world, stripe(("re_1", "refund", "-15.00", "0.00", "ch_3"), payout="po_102"))
    assert said(world) == [("", ""), ("", "")]
    with database.transaction(world.engine) as session:
        assert verify.verify(session) == []


def test_a_part_that_went_back_leaves_both_to_be_explained(world: World) -> None:
    bring(world, stripe(UNKNOWN))
    bring(world, stripe(("re_1", "refund", "-4.00", "0.00", "ch_3"), payout="po_102"))
    assert [payer for payer, _what in said(world)] == ["Jeanne Martin"] * 2


def test_who_paid_what_nobody_explained_goes_after_two_years_and_no_sooner(world: World) -> None:
    bring(world, stripe(UNKNOWN))
    last_day = PAID_ON.replace(year=2028)
    with database.transaction(world.engine) as session:
        safe = open_safe(session, world.control.settings.key_file)

        def due(on: date) -> list[purging.Going]:
            return [thing for thing in purging.due(session, on) if thing.kind == "card payment"]

        assert due(last_day) == []
        (going,) = due(last_day + ONE_DAY)
        assert (going.rule, going.counted_from, going.kept_until) == ("payer", PAID_ON, last_day)
        for _ in range(2):
            purging.take(session, safe, going, TOLD, last_day + ONE_DAY)
        assert due(last_day + ONE_DAY) == []
        gone = session.execute(text("SELECT kind, rule FROM purged")).all()
        assert [tuple(row) for row in gone] == [("card payment", "payer")]
        (parked,) = payout_lists.parked(session, organisations.get(session, "Boutique Libre").id)
        assert (parked.payer, parked.what, parked.reference, parked.gross) == ("", "", "ch_3", 1500)
        assert verify.verify(session) == []


def test_who_is_erased_is_no_payer_of_what_nobody_explained(world: World) -> None:
    """A provider writes a name without accents, or the family name first."""
    bring(world, stripe(UNKNOWN).replace(b"Jeanne Martin", b"MARTIN Jeanne Eloise"))
    bring(world, stripe(("ch_4", "charge", "7.00", "0.00", "Don"), payout="po_102"))
    assert set(NAME.split()) == {"Jeanne", "Éloïse", "Martin"}
    privacy.erase(world.control, EMAIL, TOLD.why)
    assert said(world) == [("", ""), ("Jeanne Martin", "Don Don ch_4")]
