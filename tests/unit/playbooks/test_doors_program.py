"""The program that says which wrong logins count."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], dict[str, Any]]

HOME = "203.0.113.7"
NOW = 1_795_000_000.0


@pytest.fixture
def doors(load: Load, tmp_path: Path) -> SimpleNamespace:
    """The program, with its notes in a folder of the test."""
    functions = load("roles/fail2ban/files/doors.py")
    notes = {"ALLOWED": tmp_path / "allowed.json", "FAILURES": tmp_path / "failures.sqlite"}
    functions["main"].__globals__.update(notes)
    return SimpleNamespace(**{**functions, **notes})


def excused(
    doors: SimpleNamespace, login: str, tries: int, door: str = "imap", at: float = NOW
) -> int:
    words = ["excuse", door, HOME, str(at), "0", login]
    return [doors.main(words) for _ in range(tries)].count(doors.EXCUSED)


def test_the_first_wrong_logins_of_a_user_do_not_count_and_those_on_top_do(
    doors: SimpleNamespace,
) -> None:
    assert excused(doors, "alice@example.org", 36) == doors.TRIES


def test_thirty_phones_with_some_errors_each_do_not_count(doors: SimpleNamespace) -> None:
    assert all(excused(doors, f"phone{n}@example.org", 4) == 4 for n in range(30))


def test_one_try_at_each_of_many_users_counts(doors: SimpleNamespace) -> None:
    every = [excused(doors, f"user{n}@example.org", 1) for n in range(60)]
    assert sum(every) == doors.LOGINS


def test_each_door_counts_by_itself_and_forgets(doors: SimpleNamespace) -> None:
    excused(doors, "alice@example.org", 36)
    assert excused(doors, "alice@example.org", 1, "sieve") == 1
    assert excused(doors, "alice@example.org", 1, at=NOW + doors.WINDOW + 1) == 1


def test_nothing_is_excused_at_ssh_nor_when_a_ban_is_taken_up_again(doors: SimpleNamespace) -> None:
    assert excused(doors, "root", 1, "sshd") == 0
    assert doors.main(["excuse", "imap", HOME, str(NOW), "1", "alice"]) == doors.COUNTS


def test_a_login_may_be_empty_or_hold_spaces(doors: SimpleNamespace) -> None:
    assert doors.main(["excuse", "web", HOME, str(NOW), "0"]) == doors.EXCUSED
    assert doors.main(["excuse", "web", HOME, str(NOW), "0", "a", "b'; --"]) == doors.EXCUSED


def test_who_is_let_in_does_not_count_until_the_time_is_over(doors: SimpleNamespace) -> None:
    doors.ALLOWED.write_text(json.dumps({"203.0.113.0/24": NOW, "2001:db8::/48": NOW}))
    assert doors.is_allowed(HOME, NOW - 1)
    assert doors.is_allowed("2001:db8::7", NOW - 1)
    assert not doors.is_allowed("198.51.100.1", NOW - 1)
    assert not doors.is_allowed(HOME, NOW)
    doors.allow("198.51.100.1", NOW * 2)
    assert list(json.loads(doors.ALLOWED.read_text())) == ["198.51.100.1"]


def test_many_may_be_let_in_at_once(doors: SimpleNamespace) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda n: doors.allow(f"203.0.113.{n}", NOW * 2), range(40)))
    assert len(doors.allowed(NOW)) == 40


def test_bans_are_read_from_what_the_client_says(doors: SimpleNamespace) -> None:
    said = {
        ("banned",): "[{'imap': ['203.0.113.7']}, {'web': []}]",
        ("get", "imap", "banip", "--with-time"): (
            "203.0.113.7 \t2026-11-28 17:31:58 + 600 = 2026-11-28 17:41:58\n"
        ),
    }
    doors.bans.__globals__["fail2ban"] = lambda *words: said[words]
    until = "2026-11-28 17:41:58"
    assert doors.bans() == [{"door": "imap", "address": HOME, "until": until}]
