"""Wrong logins: which lines of the journal count, who is kept out and for how long, who is not."""

from __future__ import annotations

import json
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.lab import visitors
from tests.lab.paquet_runs import paquet
from tests.lab.visitors import MAIL, Door, web_doors

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.region import Delivered, Region
    from tests.lab.visitors import Visitor

pytestmark = pytest.mark.lab
TRIES = 36
SUBMISSIONS, IMAP = MAIL[0], MAIL[2]


@pytest.fixture(scope="module")
def visitor(region: Region) -> Iterator[Visitor]:
    """Somebody from the internet."""
    with visitors.visitors(region) as (visitor, _):
        yield visitor


def test_a_wrong_secret_counts_once_at_each_door_and_a_revoked_one_never(
    delivered_bundle: Delivered, visitor: Visitor
) -> None:
    bundle = delivered_bundle
    revoked = bundle.enrol("Oublié")
    bundle.revoke("Oublié")
    doors = web_doors(bundle) if bundle.cloud == "nextcloud" else (*MAIL, *web_doors(bundle))
    since, tried = time.time(), dict.fromkeys((door.jail for door in doors), 0)
    for door in doors:
        said = visitor.knock(bundle, door, [(bundle.address, "wrong"), (bundle.address, revoked)])
        assert said == ["refused", "refused"], door
        tried[door.jail] += 1
    time.sleep(1)
    seen = {jail: visitors.counted(visitor.region, jail, since) for jail in tried}
    assert seen == tried


def test_what_a_stranger_types_as_login_is_no_word_of_a_shell(
    light: Delivered, visitor: Visitor
) -> None:
    typed = ("/etc/host*", "$(id>/tmp/typed)", ";id>/tmp/typed;", "`id>/tmp/typed`", "*")
    said = visitor.knock(light, SUBMISSIONS, [(login, "wrong") for login in typed])
    assert set(said) == {"refused"}
    read = "import sqlite3; print(*sqlite3.connect('/run/paquet/failures.sqlite').execute("
    read += "'SELECT login FROM failure'), sep='\\n')"

    def noted() -> str:
        return light.server.run(["python3", "-c", read]).stdout

    deadline = time.monotonic() + 20
    while not all(repr(login) in noted() for login in typed) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert [login for login in typed if repr(login) not in noted()] == []
    assert "hostname" not in noted()
    assert light.server.run(["ls", "/tmp/typed"], check=False).returncode != 0  # noqa: S108


def test_who_guesses_is_kept_out_at_that_door_only_and_for_a_time(
    light: Delivered, visitor: Visitor
) -> None:
    guesses = [(light.address, f"guess-{number}") for number in range(TRIES)]
    with visitors.short_bans(visitor.region, IMAP.jail):
        visitor.knock(light, IMAP, guesses)
        assert visitor.wait(IMAP, banned=True)
        assert visitor.gets_in(light, IMAP) == "closed"
        others = [door for door in (*MAIL, *web_doors(light)) if door != IMAP]
        assert {visitor.gets_in(light, door) for door in others} == {"in"}
        assert visitor.wait(IMAP, banned=False)
    assert visitor.gets_in(light, IMAP) == "in"


def test_passwords_of_shared_links_cannot_be_tried_without_end(
    nextcloud: Delivered, visitor: Visitor
) -> None:
    link = Door("web", 443, "/s/a-link/authenticate/showShare")
    said = visitor.knock(nextcloud, link, [("", "")] * 30)
    assert said.count("429") >= 8
    written_otherwise = Door("web", 443, "/%73/a-link/authenticate/showShare")
    assert visitor.knock(nextcloud, written_otherwise, [("", "")]) == ["429"]
    assert visitor.gets_in(nextcloud, web_doors(nextcloud)[0]) == "in"


def test_a_stranger_who_waits_at_ssh_keeps_nobody_out(region: Region) -> None:
    server, internet = region.machine("bundles1"), region.machine("internet")
    place = (server.address, 22)
    hold = f"import socket, time; s = [socket.create_connection({place}) for _ in range(40)]"
    with ThreadPoolExecutor(1) as pool:
        held = pool.submit(internet.run, ["python3", "-c", f"{hold}; print(len(s)); time.sleep(8)"])
        time.sleep(3)
        assert [server.run(["echo", "in"]).stdout for _ in range(5)] == ["in\n"] * 5
        assert held.result().stdout == "40\n"


def test_whom_the_operator_lets_in_is_kept_out_nowhere(light: Delivered, visitor: Visitor) -> None:
    config = visitor.region.folder / "paquet.toml"
    words = ("server", "allow", "bundles1", visitor.source, "--for", "1m", "--yes", "--json")
    assert json.loads(paquet(config, *words))["address"] == visitor.source
    guesses = [(light.address, "wrong")] * TRIES
    assert set(visitor.knock(light, MAIL[0], guesses)) == {"refused"}
    assert visitor.gets_in(light, MAIL[0]) == "in"
    rows = json.loads(paquet(config, "server", "bans", "bundles1", "--json"))
    assert visitor.source in {row["address"] for row in rows if "let in" in row["door"]}
