"""What the server says of itself, and what it writes to the operator about."""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import TYPE_CHECKING, Any

import pytest

from provision.checks.findings import Result
from tests.unit.playbooks.conftest import PLAYBOOKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

HOUR, DAY = 3600, 86_400
NOW = 1_795_000_000.0
LIMITS = {"disk_percent": 80}
SETTINGS = {
    "host": "bundles1",
    "server_name": "bundles1.exemple.fr",
    "address": "203.0.113.7",
    "operator": "aide@exemple.fr",
    "language": "fr",
}
WELL: dict[str, Any] = {
    "disks": [{"path": "/", "disk": 79, "inodes": 3}],
    "units": [],
    "reboot": 0.0,
    "upgrades": {"broken": [], "errors": [], "last": NOW - DAY, "held": []},
    "backups": {"b1": NOW - 20 * HOUR},
    "repositories": {"b1": NOW - 20 * HOUR},
    "certificates": {"x": {"start": NOW - DAY, "end": NOW + 80 * DAY, "placeholder": False}},
    "memory": {"total": 100, "available": 40, "swap_total": 0, "swap_free": 0},
    "queue": {"count": 3, "oldest": NOW - HOUR},
    "restarts": [],
    "clock": {"container": False, "synchronised": True},
    "bans": {"sshd": 2, "dovecot": 1},
    "letters": {"since": 0, "problem": ""},
}


@pytest.fixture
def part(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    """Return a part of the program by its name."""
    monkeypatch.syspath_prepend(str(PLAYBOOKS / "roles/watch/files/watch"))
    return importlib.import_module


def found(part: Callable[[str], Any], **facts: object) -> dict[str, str]:
    judged = part("judge").judge({**WELL, **facts}, NOW, LIMITS)
    return {one.check: one.result for one in judged if one.result != "ok"}


def test_a_healthy_server_has_nothing_to_say(part: Callable[[str], Any]) -> None:
    assert found(part) == {}
    results = {one.result for one in part("judge").judge(WELL, NOW, LIMITS)}
    assert results <= {result.value for result in Result}


@pytest.mark.parametrize(
    ("facts", "check", "result"),
    [
        ({"disks": [{"path": "/srv", "disk": 80, "inodes": 3}]}, "disk /srv", "warning"),
        ({"disks": [{"path": "/srv", "disk": 96, "inodes": 3}]}, "disk /srv", "error"),
        ({"disks": [{"path": "/srv", "disk": 1, "inodes": 85}]}, "inodes /srv", "warning"),
        ({"units": ["nginx.service"]}, "unit nginx.service", "error"),
        ({"units": ["paquet-backup@b1.service"]}, "unit paquet-backup@b1.service", "error"),
        ({"reboot": NOW - 3 * DAY}, "reboot", "warning"),
        ({"backups": {"b1": NOW - 30 * HOUR}}, "backup b1", "warning"),
        ({"backups": {"b1": NOW - 4 * DAY}}, "backup b1", "error"),
        ({"repositories": {"b1": NOW - 4 * DAY}}, "repository b1", "error"),
        ({"memory": {**WELL["memory"], "available": 2}}, "memory", "warning"),
        ({"memory": {**WELL["memory"], "swap_total": 10, "swap_free": 1}}, "swap", "warning"),
        ({"queue": {"count": 501, "oldest": NOW - 60}}, "mail queue", "warning"),
        ({"queue": {"count": 1, "oldest": NOW - 5 * HOUR}}, "mail queue", "warning"),
        ({"restarts": ["dovecot.service"]}, "restarts", "warning"),
        ({"clock": {"container": False, "synchronised": False}}, "clock", "warning"),
        ({"clock": {"container": True, "synchronised": False}}, "clock", "skipped"),
        ({"letters": {"since": NOW - 2 * HOUR, "problem": "no route"}}, "letters", "warning"),
    ],
)
def test_what_is_wrong_is_found(
    part: Callable[[str], Any], facts: dict[str, Any], check: str, result: str
) -> None:
    assert found(part, **facts) == {check: result}


@pytest.mark.parametrize(
    ("upgrades", "results"),
    [
        ({"broken": ["nginx"]}, {"upgrades": "error"}),
        ({"errors": ["Installing the upgrades failed!"]}, {"upgrades": "error"}),
        ({"last": NOW - 4 * DAY}, {"upgrades": "error"}),
        ({"held": ["openssl"]}, {"held packages": "warning"}),
    ],
)
def test_upgrades_that_failed_or_are_held_are_found(
    part: Callable[[str], Any], upgrades: dict[str, Any], results: dict[str, str]
) -> None:
    assert found(part, upgrades={**WELL["upgrades"], **upgrades}) == results


@pytest.mark.parametrize(
    ("started", "ends", "kind", "result"),
    [
        (-76, 13, "given", "warning"),
        (-90, -1, "given", "error"),
        (-4, 2, "given", None),  # a short-lived one, at a third of its life
        (-5, 1, "given", "warning"),
        (-1, 364, "ours", "error"),
        (0, 365, "ours", "warning"),  # just asked for
    ],
)
def test_a_certificate_is_judged_by_its_life(
    part: Callable[[str], Any], started: int, ends: int, kind: str, result: str | None
) -> None:
    one = {"start": NOW + started * DAY, "end": NOW + ends * DAY, "placeholder": kind == "ours"}
    assert found(part, certificates={"x": one}) == ({"certificate x": result} if result else {})


def test_every_sentence_can_be_said(part: Callable[[str], Any]) -> None:
    words, judge = part("words"), part("judge")
    assert set(words.FRENCH) == set(judge.TOLD)
    assert set(words.ENGLISH) > set(judge.TOLD)
    for one in judge.judge(WELL, NOW, LIMITS):
        assert words.sentence(one), one
        assert words.advice(one) == ""
    bad = {
        **WELL,
        "units": ["nginx.service", "paquet-backup@b1.service", "paquet-certificates.service"],
        "disks": [{"path": "/", "disk": 99, "inodes": 99}],
        "backups": {"b1": 0.0},
    }
    told = [one for one in judge.judge(bad, NOW, LIMITS) if one.is_told]
    assert len(told) == 6
    for one in told:
        for language in ("fr", "en"):
            assert all(words.told(one, language))


def trouble(part: Callable[[str], Any], check: str) -> object:
    return part("judge").Finding(check, "error", "unit", {"unit": check})


class Operator:
    """Somebody who is told, or cannot be reached."""

    def __init__(self, part: Callable[[str], Any]) -> None:
        self.part = part
        self.state: dict[str, Any] = {}

    def hears(self, now: float, *checks: str, reached: bool = True) -> tuple[list[str], list[str]]:
        troubles = self.part("troubles")
        current = [trouble(self.part, check) for check in checks]
        troubles.note(self.state, current, now)
        news = troubles.news(self.state, current, now)
        if news and reached:
            said = {one.check: one.check for one in news.troubles}
            troubles.note_told(self.state, news, said, now)
        return [one.check for one in news.troubles] if reached else [], list(news.over)


def test_a_trouble_is_told_once_a_day_and_once_more_when_it_is_over(
    part: Callable[[str], Any],
) -> None:
    operator = Operator(part)
    assert operator.hears(NOW, "a") == (["a"], [])
    assert operator.hears(NOW + 300, "a", "b") == (["b"], [])
    assert operator.hears(NOW + DAY, "a", "b") == (["a"], [])
    assert operator.hears(NOW + DAY + 300, "a") == ([], ["b"])
    assert operator.hears(NOW + DAY + 600) == ([], ["a"])
    assert operator.hears(NOW + DAY + 900) == ([], [])
    operator.hears(NOW + 2 * DAY + 1)
    assert operator.state["troubles"] == {}


def test_what_comes_and_goes_is_told_and_over_once_a_day(part: Callable[[str], Any]) -> None:
    operator = Operator(part)
    heard = [
        operator.hears(NOW + minute * 60, *(["a"] if minute % 10 < 5 else []))
        for minute in range(0, 1440, 5)
    ]
    assert [one for one in heard if any(one)] == [(["a"], []), ([], ["a"])]


def test_what_could_not_be_delivered_is_told_later(part: Callable[[str], Any]) -> None:
    operator = Operator(part)
    operator.hears(NOW, "a", reached=False)
    assert operator.hears(NOW + HOUR, "a") == (["a"], [])
    assert operator.state["troubles"]["a"]["since"] == NOW


def test_what_was_over_before_anybody_heard_of_it_is_not_told(part: Callable[[str], Any]) -> None:
    operator = Operator(part)
    operator.hears(NOW, "a", reached=False)
    assert operator.hears(NOW + HOUR) == ([], [])


def test_many_troubles_make_few_letters_and_delay_another_by_an_hour_at_most(
    part: Callable[[str], Any],
) -> None:
    operator = Operator(part)
    many: list[str] = []
    for minute in range(60):
        many.append(f"paquet-php@b{minute}.service")
        operator.hears(NOW + minute * 60, *many)
    assert len(operator.state["letters"]) == 6
    heard, _ = operator.hears(NOW + 66 * 60, *many, "postgresql")
    assert "postgresql" in heard


def test_the_letter_says_which_server_what_since_when_and_what_to_do(
    part: Callable[[str], Any],
) -> None:
    finding = part("judge").Finding(
        "unit paquet-backup@b1.service",
        "error",
        "backup",
        {"unit": "paquet-backup@b1.service", "name": "b1"},
    )
    state: dict[str, Any] = {}
    part("troubles").note(state, [finding], NOW)
    news = part("troubles").news(state, [finding], NOW)
    letter = part("letters").write(news, state["troubles"], SETTINGS, NOW)
    assert letter["Subject"] == "[Paquet] bundles1 : 1 à regarder"
    assert letter["To"] == "aide@exemple.fr"
    text = letter.get_content()
    assert "La sauvegarde du lot b1 a échoué (depuis le 2026-11-18 11:06 UTC)" in text
    assert "journalctl -u paquet-backup@b1.service" in text
    assert "paquet server check bundles1" in text


def test_mail_servers_are_tried_best_first_and_only_by_our_kind_of_address(
    part: Callable[[str], Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Answer:
        def __init__(self, text: str, preference: int = 0) -> None:
            self.text, self.preference, self.exchange = text, preference, self

        def to_text(self) -> str:
            return self.text

    names = {
        ("exemple.fr", "MX"): [Answer("b.", 20), Answer("a.", 10)],
        ("a.", "A"): [Answer("203.0.113.1")],
        ("a.", "AAAA"): [Answer("2001:db8::1")],
        ("b.", "A"): [Answer("203.0.113.2")],
        ("alone.fr", "A"): [Answer("203.0.113.3")],
    }
    letters = part("letters")
    monkeypatch.setattr(letters, "ask", lambda name, kind: names.get((name, kind), []))
    assert list(letters.exchanges("exemple.fr", "192.0.2.1")) == ["203.0.113.1", "203.0.113.2"]
    assert list(letters.exchanges("exemple.fr", "2001:db8::9")) == ["2001:db8::1"]
    assert list(letters.exchanges("alone.fr", "192.0.2.1")) == ["203.0.113.3"]


def test_an_upgrade_has_failed_until_one_succeeds(part: Callable[[str], Any]) -> None:
    log = """2026-11-26 06:01:09,000 ERROR Installing the upgrades failed!
2026-11-26 18:05:00,000 INFO Starting unattended upgrades script
2026-11-26 18:06:00,000 ERROR Lock could not be acquired
"""
    before, after = (datetime(2026, 11, 26, hour).timestamp() for hour in (5, 7))  # noqa: DTZ001
    errors_since = part("facts").errors_since
    assert errors_since(log, before) == ["Installing the upgrades failed!"]
    assert errors_since(log, after) == []


def test_file_systems_that_nobody_can_fill_are_left_out(part: Callable[[str], Any]) -> None:
    mountinfo = """22 1 0:21 / / rw,relatime shared:1 - ext4 /dev/vda1 rw
23 22 0:22 / /proc rw,nosuid - proc proc rw
24 22 0:23 / /srv/two\\040words ro,relatime - xfs /dev/vdb rw
25 22 0:24 / /media/cd ro - iso9660 /dev/sr0 ro
26 22 0:25 / /run/credentials/x.service ro - tmpfs tmpfs rw
27 22 0:26 / /run rw - tmpfs tmpfs rw,mode=755
28 22 0:27 / /dev rw - tmpfs tmpfs rw
"""
    mounts = [str(path) for path in part("facts").writable_mounts(mountinfo)]
    assert mounts == ["/", "/srv/two words", "/run"]


def test_the_certificate_of_an_own_domain_goes_by_the_name_of_its_bundle(
    part: Callable[[str], Any], tmp_path: Path
) -> None:
    site = "return 301 https://{host}$request_uri;\nssl_certificate /x/certificates/{name}/f.pem;\n"
    (tmp_path / "b1.conf").write_text(site.format(host="a.paquet.test", name="paquet.test"))
    (tmp_path / "b2.conf").write_text(site.format(host="cloud.b.test", name="cloud.b.test"))
    assert part("facts").certified_bundles(tmp_path) == {"cloud.b.test": "b2"}
