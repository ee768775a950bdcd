from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.errors import PaquetError
from provision.money import Amount, Commodity, euros
from provision.subscriptions.ledger import journal
from provision.subscriptions.ledger.journal import Entry, Line

DAY = date(2026, 1, 31)
BALANCED = (Line("418", euros(900), "person-1"), Line("487", euros(-900), "person-1"))
ENTRY = Entry(1, DAY, "Abonnement 1", "subscription:1:opening", BALANCED)


def test_a_balanced_entry_is_taken() -> None:
    journal.check(ENTRY)


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"lines": (BALANCED[0], Line("487", euros(-899)))}, "does not balance: €0.01 is left"),
        ({"lines": BALANCED[:1]}, "at least two lines"),
        ({"lines": ()}, "at least two lines"),
        ({"lines": (*BALANCED, Line("486", euros(0)))}, "line on account 486 is empty"),
        ({"lines": (Line("999", euros(1)), Line("418", euros(-1)))}, "'999' is not in the chart"),
        ({"key": ""}, "needs a key"),
        ({"effective_on": date(1900, 1, 1)}, "1900-01-01 cannot be the day"),
        ({"effective_on": date(9999, 12, 31)}, "9999-12-31 cannot be the day"),
    ],
)
def test_each_wrong_entry_gets_its_sentence(change: dict[str, object], why: str) -> None:
    with pytest.raises(PaquetError, match=why):
        journal.check(replace(ENTRY, **change))  # type: ignore[arg-type]


def test_commodities_balance_each_for_itself() -> None:
    hours = Commodity("HOUR", "h", 0)
    mixed = (Line("418", euros(5)), Line("487", Amount(hours, -5)))
    with pytest.raises(PaquetError, match="does not balance"):
        journal.check(replace(ENTRY, lines=mixed))


def test_the_hash_is_the_published_one_of_canonical_json() -> None:
    """Written out once by hand, so that no refactoring changes what old journals hold."""
    text = (
        '{"effective_on":"2026-01-31","key":"subscription:1:opening","lines":['
        '{"account":"418","commodity":"EUR","party":"person-1","units":900},'
        '{"account":"487","commodity":"EUR","party":"person-1","units":-900}],'
        '"organisation":1,"text":"Abonnement 1"}'
    )
    assert journal.hash_input(ENTRY) == hashlib.sha256(text.encode()).hexdigest()


@given(
    st.dictionaries(st.text(), st.text() | st.integers(-(2**63), 2**63 - 1) | st.none()),
)
def test_the_text_that_is_hashed_is_the_canonical_one_of_pythons_own_json(
    content: dict[str, object],
) -> None:
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert journal.sha256(content) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        {"organisation_id": 2},
        {"effective_on": date(2026, 2, 1)},
        {"text": "Abonnement 2"},
        {"key": "another"},
        {"lines": tuple(reversed(BALANCED))},
        {"lines": (replace(BALANCED[0], party="person-2"), BALANCED[1])},
    ],
)
def test_every_field_is_under_the_hash(change: dict[str, object]) -> None:
    assert journal.hash_input(replace(ENTRY, **change)) != journal.hash_input(ENTRY)  # type: ignore[arg-type]


def test_fields_cannot_flow_into_each_other() -> None:
    one = replace(ENTRY, text='a","key":"b', key="c")
    other = replace(ENTRY, text="a", key='b","key":"c')
    assert journal.hash_input(one) != journal.hash_input(other)


def test_a_seal_depends_on_number_day_and_the_entry_before() -> None:
    seal = journal.hash_sealed("a" * 64, 1, DAY, journal.GENESIS)
    assert seal != journal.hash_sealed("a" * 64, 2, DAY, journal.GENESIS)
    assert seal != journal.hash_sealed("a" * 64, 1, date(2026, 2, 1), journal.GENESIS)
    assert seal != journal.hash_sealed("a" * 64, 1, DAY, seal)
