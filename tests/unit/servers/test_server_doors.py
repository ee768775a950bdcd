from __future__ import annotations

from datetime import timedelta

import pytest

from provision.errors import UsageRefused
from provision.servers import doors


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 2001:DB8::7 ", "2001:db8::7"),
        ("203.0.113.7/24", "203.0.113.0/24"),
        ("2001:db8:1::/56", "2001:db8:1::/56"),
    ],
)
def test_an_address_or_a_house_is_understood(typed: str, meant: str) -> None:
    assert doors.network(typed) == meant


@pytest.mark.parametrize(
    "typed", ["", "-x", "host.example", "203.0.113.7; id", "10.0.0.0/8", "::/0", "{{ 7 }}"]
)
def test_what_is_no_address_or_too_wide_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        doors.network(typed)


def test_a_duration_has_a_number_and_a_unit() -> None:
    assert doors.duration("30m") == timedelta(minutes=30)
    assert doors.duration("8h") == timedelta(hours=8)
    assert doors.duration("2d") == timedelta(days=2)


@pytest.mark.parametrize("typed", ["", "8", "h", "0h", "-1h", "1w", "31d", "99999d", "8h $(id)"])
def test_what_is_no_duration_or_too_long_is_refused(typed: str) -> None:
    with pytest.raises(UsageRefused):
        doors.duration(typed)


def test_who_is_let_in_stands_after_who_is_kept_out() -> None:
    ban = doors.Ban("imap", "203.0.113.7", "2026-11-28 18:00:00")
    guests = doors.Guests((ban,), {"203.0.113.9": "2026-11-29 02:00:00"})
    assert [row["address"] for row in guests.as_rows()] == ["203.0.113.7", "203.0.113.9"]
