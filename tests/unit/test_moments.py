"""Moments as text: what SQLite compares is what a clock compares."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy.dialects import sqlite

from provision.columns import UtcMoment

MOMENTS = st.datetimes(
    min_value=datetime(2000, 1, 1),  # noqa: DTZ001 (Hypothesis adds the zone)
    max_value=datetime(2099, 1, 1),  # noqa: DTZ001 (same)
    timezones=st.sampled_from([UTC, timezone(timedelta(hours=2)), timezone(timedelta(hours=-9))]),
)


def text(moment: datetime) -> str:
    kept = UtcMoment().process_bind_param(moment, sqlite.dialect())
    assert kept is not None
    return kept


@given(MOMENTS, st.sampled_from([0, 1, 999_999, 1_000_000, 86_400_000_000]))
def test_texts_of_moments_sort_like_the_moments(moment: datetime, microseconds: int) -> None:
    later = moment + timedelta(microseconds=microseconds)
    assert (text(moment) < text(later)) is (moment < later)
    assert UtcMoment().process_result_value(text(moment), sqlite.dialect()) == moment
