"""People and room of a bundle are those of its subscription, on the server too."""

from __future__ import annotations

import json
from contextlib import nullcontext
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from unittest.mock import Mock

import pytest

from provision.commands.bundles.bundle import bundle
from provision.commands.bundles.user import user
from provision.commands.sales.subscription import subscription
from provision.errors import PaquetError, UsageRefused
from provision.registry import orders, secrets
from provision.servers import guard, looking
from provision.servers.outcomes import PlayResult
from provision.subscriptions.offers import planfile, plans
from provision.subscriptions.selling import opening
from provision.workflows import ordering, plays
from provision.workflows.control import Control
from provision.workflows.rooms import GIB
from tests.integration.subscriptions import commanding
from tests.integration.subscriptions.commanding import ask, read, selling
from tests.integration.subscriptions.leaving_shop import INVENTORY

if TYPE_CHECKING:
    from pathlib import Path

    from provision.commands.shared.context import Context
    from provision.servers.play import Play

DOMAIN = "martin.paquet.test"
NOW = datetime(2026, 3, 10, 9, tzinfo=UTC)
TODAY = NOW.date()
PLANS = """
[[plan]]
code = "solo"
name = { fr = "Solo", en = "Solo" }
users = 1
quota_gib = 20
price = [{ from = 2026-01-01, monthly = "6.00", yearly = "66.00" }]

[[plan]]
code = "association"
name = { fr = "Association", en = "Non-profit" }
users = 15
quota_gib = 200
price = [{ from = 2026-01-01, monthly = "18.00", yearly = "198.00" }]
"""


class Servers:
    """The servers: they write down what they are told, and say what they measured."""

    def __init__(self) -> None:
        self.told: list[Play] = []
        self.room: dict[str, Any] = {}
        self.broken = False

    def play(self, play: Play, *_: object, **__: object) -> PlayResult:
        if self.broken:
            raise PaquetError("bundles1 does not answer")
        self.told.append(play)
        one = {"bundles1": 1}
        return PlayResult(changed=one, ok=one, failed={}, facts={}, seconds=0.1)

    def say(self, *_: object) -> str:
        return json.dumps(self.room)

    def given(self) -> list[tuple[int, list[int]]]:
        """Return the room of the bundle and of each person, in GiB, of every play."""
        bundles: list[Any] = [play.variables["bundle"] for play in self.told]
        return [
            (one["quota_bytes"] // GIB, [its["quota_bytes"] // GIB for its in one["users"]])
            for one in bundles
        ]


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Servers:
    made = Servers()
    monkeypatch.setattr(plays, "run_ready", made.play)
    monkeypatch.setattr(looking, "ask_program", made.say)
    monkeypatch.setattr(guard, "hold", lambda *_: nullcontext(Mock()))
    monkeypatch.setattr(plays, "start_ansible", lambda *_: nullcontext())
    return made


@pytest.fixture
def shop(tmp_path: Path, servers: Servers) -> Context:
    """A shop whose one bundle was delivered with the plan solo: one person, 20 GiB."""
    made = selling(tmp_path)
    (tmp_path / "inventory.yml").write_text(INVENTORY, encoding="utf-8")
    secrets.make_key_file(tmp_path / "paquet.key")
    with made.session() as session:
        plans.bring_in(session, planfile.parse(PLANS))
    control = made.control()
    words = ordering.Words(
        email="anne@exemple.test",
        name="Anne Martin",
        plan="solo",
        domain=DOMAIN,
        cloud="light",
        server=None,
        sold_by="Boutique Libre",
        supported_by="Les Amis du Libre",
        login="anne",
        language=None,
        device="Téléphone",
        kind="android",
    )
    number = ordering.place(control, ordering.check(control, words))
    with made.session() as session:
        opened = opening.of_order(session, number)
        assert opened is not None
        opening.begin(session, opened, NOW.date())
        servers.room = measured(orders.get(session, number).bundle.name, 0)
    return made


def measured(name: str, mail: int, files: int = 0) -> dict[str, Any]:
    people = {"anne@martin.paquet.test": {"mail": mail * GIB, "files": files * GIB}}
    one = {"taken": (mail + files) * GIB, "people": people, "measured": "2026-03-10T08:58:00Z"}
    return {name: one}


def change(shop: Context, *words: str) -> Any:  # noqa: ANN401 (JSON is anything)
    return read(shop, subscription, "change", "2", *words, "--yes")


def add(shop: Context, login: str) -> None:
    ask(shop, user, "add", DOMAIN, login, "--name", login.capitalize(), "--yes")


def test_a_larger_plan_reaches_the_server_in_the_same_command(
    shop: Context, servers: Servers
) -> None:
    with pytest.raises(UsageRefused, match="is for 1 person"):
        add(shop, "paul")
    assert change(shop, "--plan", "association")["bundle"] == DOMAIN
    assert servers.given() == [(200, [200])]
    for number in range(14):
        add(shop, f"p{number}")
    with pytest.raises(UsageRefused, match="is for 15 people"):
        add(shop, "paul")
    assert servers.given()[-1] == (200, [200] * 15)


def test_room_alone_is_given_at_once_and_not_twice(shop: Context, servers: Servers) -> None:
    change(shop, "--gib", "50")
    assert servers.given() == [(50, [50])]
    change(shop, "--users", "3")
    assert len(servers.told) == 1


def test_of_a_later_day_the_server_is_told_on_that_day(
    shop: Context, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(shop, "--plan", "association", "--from", "2026-04-10")
    assert read(shop, bundle, "deploy", "--due", "--yes") == []
    assert ask(shop, bundle, "deploy", "--due", "--dry-run").stdout == "There is none to deploy.\n"
    assert servers.told == []
    with pytest.raises(UsageRefused, match="is for 1 person"):
        add(shop, "paul")
    monkeypatch.setattr(Control, "today", lambda _control: NOW.date().replace(month=4))
    assert [one["domain"] for one in read(shop, bundle, "deploy", "--due", "--dry-run")] == [DOMAIN]
    assert [one["domain"] for one in read(shop, bundle, "deploy", "--due", "--yes")] == [DOMAIN]
    assert servers.given()[-1] == (200, [200])
    assert read(shop, bundle, "deploy", "--due", "--yes") == []


def test_a_bundle_that_ends_is_not_due_and_keeps_none_from_theirs(
    shop: Context, servers: Servers
) -> None:
    with shop.session() as session:
        one = orders.get(session, 1).bundle
        one.state, one.quota_bytes = "closed", 1
    assert read(shop, bundle, "deploy", "--due", "--yes") == []
    assert servers.told == []


def test_less_is_refused_with_the_people_in_the_way(shop: Context, servers: Servers) -> None:
    change(shop, "--plan", "association")
    add(shop, "paul")
    with pytest.raises(UsageRefused, match=r"^2 people are in the bundle of "):
        change(shop, "--plan", "solo")
    assert servers.given()[-1] == (200, [200, 200])
    assert read(shop, subscription, "show", "2")[0]["plan"] == "association"


def test_less_is_refused_with_the_room_in_the_way(shop: Context, servers: Servers) -> None:
    change(shop, "--plan", "association")
    (name,) = servers.room
    servers.room = measured(name, 12, 9)
    with pytest.raises(UsageRefused, match=r"takes 21\.0 GiB, more than 20\.0 GiB: anne@"):
        change(shop, "--plan", "solo")
    servers.room = measured(name, 12, 8)
    change(shop, "--plan", "solo")
    assert servers.given()[-1] == (20, [20])


def test_nobody_waits_for_the_registry_while_a_server_is_asked(
    shop: Context, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(shop, "--plan", "association")

    def meanwhile(*_: object) -> str:
        with shop.session() as session:  # writes, or waits in vain
            orders.get(session, 1).subscriber.name = "Anne M."
        return servers.say()

    asked = Mock(side_effect=meanwhile)
    monkeypatch.setattr(looking, "ask_program", asked)
    change(shop, "--plan", "solo")
    asked.assert_called_once()


def test_less_is_not_promised_blindly(shop: Context, servers: Servers) -> None:
    servers.room = {}
    with pytest.raises(PaquetError, match="has not measured the bundle of"):
        change(shop, "--gib", "10")


def test_nobody_comes_in_who_must_leave_again(shop: Context) -> None:
    change(shop, "--plan", "association")
    change(shop, "--users", "2", "--from", "2026-05-10")
    add(shop, "paul")
    with pytest.raises(UsageRefused, match="is for 2 people"):
        add(shop, "marie")


def test_a_dry_run_tells_no_server(shop: Context, servers: Servers) -> None:
    read(shop, subscription, "change", "2", "--plan", "association", "--dry-run")
    read(shop, user, "limit", f"anne@{DOMAIN}", "--gib", "5", "--dry-run")
    assert servers.told == []
    assert read(shop, user, "list", DOMAIN)[0]["room"] == "shared"


def test_a_server_that_is_away_is_told_later(shop: Context, servers: Servers) -> None:
    servers.broken = True
    with pytest.raises(PaquetError, match="is changed, and its server not yet") as failed:
        change(shop, "--plan", "association")
    assert f"paquet bundle deploy {DOMAIN}" in failed.value.hint
    with pytest.raises(PaquetError, match=f"The part of anne@{DOMAIN} is changed, and its server"):
        read(shop, user, "limit", f"anne@{DOMAIN}", "--gib", "5", "--yes")
    servers.broken = False
    read(shop, bundle, "deploy", DOMAIN, "--yes")
    assert servers.given() == [(200, [5])]
    assert read(shop, bundle, "deploy", "--due", "--yes") == []


def test_a_person_may_be_given_a_part_of_the_room(shop: Context, servers: Servers) -> None:
    change(shop, "--plan", "association")
    add(shop, "paul")
    read(shop, user, "limit", f" Paul@{DOMAIN.title()}. ", "--gib", "30", "--yes")
    assert servers.given()[-1] == (200, [200, 30])
    assert [one["room"] for one in read(shop, user, "list", DOMAIN)] == [
        "shared",
        "30.0 GiB at most",
    ]
    with pytest.raises(UsageRefused, match=r"has 200\.0 GiB"):
        read(shop, user, "limit", f"paul@{DOMAIN}", "--gib", "201", "--yes")
    with pytest.raises(UsageRefused, match="Nobody has the address marie@"):
        read(shop, user, "limit", f"marie@{DOMAIN}", "--gib", "1", "--yes")
    for words in ((), ("--gib", "1", "--all")):
        with pytest.raises(UsageRefused, match="How much"):
            read(shop, user, "limit", f"paul@{DOMAIN}", *words, "--yes")
    read(shop, user, "limit", f"paul@{DOMAIN}", "--all", "--yes")
    assert servers.given()[-1] == (200, [200, 200])


def test_a_bundle_shows_what_is_taken_and_by_whom(shop: Context, servers: Servers) -> None:
    (name,) = servers.room
    servers.room = measured(name, 3, 1)
    shown = read(shop, bundle, "show", DOMAIN)
    assert shown["people"] == "1 of 1"
    assert shown["room"] == "4.0 GiB of 20.0 GiB (2026-03-10 08:58 UTC)"
    parts = "mail 3.0 GiB, files 1.0 GiB, calendars 0 MiB"
    assert shown["room_taken_by"] == f"anne@{DOMAIN} 4.0 GiB ({parts})"
    servers.room = {}
    assert read(shop, bundle, "show", DOMAIN)["room"].startswith("? of 20.0 GiB (bundles1 has not")


def test_what_a_server_says_of_room_is_read_with_care(shop: Context, servers: Servers) -> None:
    (name,) = servers.room
    right = measured(name, 3)
    endless, timeless = {**right[name], "taken": 10**400}, {**right[name], "measured": "08:58"}
    answers: list[Any] = [{name: {"taken": -1}}, {name: []}, [], {name: None}]
    for wrong in [*answers, {name: endless}, {name: timeless}]:
        servers.room = wrong
        assert read(shop, bundle, "show", DOMAIN)["room"].startswith("? of")
    right[name]["measured"] = "9999-12-31T23:59:59-12:00"
    right[name]["people"]["\33]0;somebody@else.test\7"] = {"mail": 1}
    servers.room = right
    assert read(shop, bundle, "show", DOMAIN)["room_taken_by"].startswith(f"anne@{DOMAIN} 3.0 GiB")


def test_a_subscription_without_a_bundle_changes_alone(shop: Context, servers: Servers) -> None:
    changed = commanding.read(shop, subscription, "change", "1", "--gib", "50", "--yes")
    assert (changed["bundle"], servers.told) == (None, [])
