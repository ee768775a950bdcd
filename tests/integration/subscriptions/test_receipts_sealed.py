"""Whatever is changed of receipts behind the commands' back is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import text

from provision.subscriptions.books import verify
from provision.subscriptions.commons.receipts import papers, sealing
from tests.integration.subscriptions.giving_shop import TODAY, open_desk
from tests.integration.subscriptions.paying_shop import Said

if TYPE_CHECKING:
    from tests.integration.subscriptions.conftest import Shop
    from tests.integration.subscriptions.giving_shop import Desk

RESEALED = "UPDATE receipt SET means = 'card', digest = '{}' WHERE number = 1"
LOST = "the receipt, or the cancellation, that it tells of is not there"
CHANGED = "its content was changed after it was issued"


@pytest.fixture
def desk(shop: Shop) -> Desk:
    """A fee, a gift that was cancelled, and two copies of the fee."""
    made = open_desk(shop)
    fee = made.record(made.fee())
    for _time in range(2):
        papers.hand_out(shop.session, fee, papers.copy(shop.session, fee), TODAY)
    made.cancel(made.record(made.gift(means="cheque")))
    assert verify.verify(shop.session) == []
    return made


def tampered(desk: Desk, sentence: str) -> set[str]:
    """Return what verify says once this was done to the registry by hand."""
    verb, *words = sentence.split()
    table = words[1] if verb == "DELETE" else words[0]
    unguarded = [f"DROP TRIGGER {table}_no_{verb.lower()}"]
    if desk.session.connection().dialect.name == "postgresql":
        unguarded = ["SET CONSTRAINTS ALL IMMEDIATE", f"ALTER TABLE {table} DISABLE TRIGGER USER"]
    for step in unguarded:
        desk.session.execute(text(step))
    desk.session.execute(text(sentence))
    return {one.what for one in verify.verify(desk.session)}


@pytest.mark.parametrize(
    "sentence",
    [
        "UPDATE receipt SET articles = '200' WHERE number = 2",
        "UPDATE receipt SET received_on = '2025-12-31' WHERE number = 1",
        "UPDATE receipt SET means = 'card' WHERE number = 1",
        "UPDATE receipt SET identity_id = 77 WHERE number = 1",
        "UPDATE receipt SET last_day = '2027-12-31' WHERE number = 1",
        "UPDATE receipt SET key = 'other' WHERE number = 1",
    ],
)
def test_a_word_of_a_receipt_that_was_changed_is_found(desk: Desk, sentence: str) -> None:
    assert tampered(desk, sentence) == {CHANGED}


def test_a_receipt_that_was_sealed_anew_is_not_what_the_ledger_knows(desk: Desk) -> None:
    row = desk.session.execute(text("SELECT * FROM receipt WHERE number = 1")).mappings().one()
    anew = sealing.digest({**row, "means": "card"})
    sentence = RESEALED.format(anew)
    assert tampered(desk, sentence) == {"the ledger has the seal of another receipt"}


def test_the_last_receipt_that_was_taken_away_is_found(desk: Desk) -> None:
    desk.record(desk.gift(7_000))
    assert tampered(desk, "DELETE FROM receipt WHERE number = 3") == {LOST}


def test_the_receipt_of_a_movement_that_was_taken_away_is_found(desk: Desk) -> None:
    (row,) = desk.bank(Said(5_000))
    desk.record(desk.gift(key="of the bank"), row)
    assert verify.verify(desk.session) == []
    assert tampered(desk, "DELETE FROM receipt WHERE number = 3") == {LOST}


def test_a_cancellation_that_was_taken_away_is_found(desk: Desk) -> None:
    assert tampered(desk, "DELETE FROM receipt_cancellation") == {LOST}


def test_a_copy_that_was_taken_away_is_found(desk: Desk) -> None:
    sentence = "DELETE FROM receipt_copy WHERE position = 1"
    assert tampered(desk, sentence) == {"one of its copies is not there"}
