"""Wrong logins at every door, by IPv4 and IPv6: who is kept out, where, how long; who is not."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.lab import visitors
from tests.lab.visitors import AT_ONCE, MAIL, Door, Visitor, web_doors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.lab.region import Delivered, Region

    Tell = Callable[[str, object, object], None]

pytestmark = pytest.mark.lab
TRIES, PHONES, TRIES_OF_A_PHONE = 36, 30, 4
SSH = Door("sshd", 22)
STORE = Door("backup", 8000, "/b00000000/config")
# PHP checks each password for a second; more at once would only wait.
SLOW = 4
DOORS = [*(door.jail for door in MAIL), "dav", "files", "nextcloud dav", "nextcloud ocs", "sshd"]


@pytest.fixture(scope="module", autouse=True)
def mail_by_ipv6(region: Region) -> Iterator[None]:
    """Have Postfix serve IPv6 too, as where the server is published with such an address."""
    server = region.machine("bundles1")
    usual = server.run(["postconf", "-h", "inet_protocols"]).stdout.strip()
    try:
        server.run(["postconf", "inet_protocols=all"])
        server.run(["systemctl", "restart", "postfix"])
        yield
    finally:
        server.run(["postconf", f"inet_protocols={usual}"])
        server.run(["systemctl", "restart", "postfix"])


@pytest.fixture
def both(region: Region) -> Iterator[tuple[Visitor, Visitor]]:
    """Two visitors whom nobody knows yet, by IPv4 and by IPv6."""
    with visitors.visitors(region) as both:
        yield both


@pytest.fixture(scope="module")
def doors(light: Delivered, nextcloud: Delivered) -> dict[str, tuple[Delivered, Door]]:
    """Every door of a bundle server, with the bundle whose users knock there."""
    mail = {door.jail: (light, door) for door in MAIL}
    web = [(bundle, door) for bundle in (light, nextcloud) for door in web_doors(bundle)]
    return {**mail, **dict(zip(DOORS[4:8], web, strict=True)), "sshd": (light, SSH)}


def look_around(visitor: Visitor, doors: dict[str, tuple[Delivered, Door]]) -> dict[str, str]:
    """Return what the right login gets at each door that has one, all at the same time."""
    asked = {name: pair for name, pair in doors.items() if name != "sshd"}
    with ThreadPoolExecutor(len(asked)) as pool:
        said = pool.map(lambda pair: visitor.gets_in(*pair), asked.values())
        return dict(zip(asked, said, strict=True))


@pytest.mark.parametrize("family", [0, 1], ids=["IPv4", "IPv6"])
@pytest.mark.parametrize("name", DOORS)
def test_a_guesser_is_kept_out_at_that_door_only_until_the_ban_ends(
    both: tuple[Visitor, Visitor],
    doors: dict[str, tuple[Delivered, Door]],
    name: str,
    family: int,
    tell: Tell,
) -> None:
    visitor, (bundle, door) = both[family], doors[name]
    same = DOORS.index(name) % 2 == 0
    guesses = [(bundle.address, "wrong" if same else f"wrong-{turn}") for turn in range(TRIES)]
    with visitors.short_bans(visitor.region, door.jail):
        visitor.knock(bundle, door, guesses, SLOW if bundle.cloud == "nextcloud" else AT_ONCE)
        banned = visitor.wait(door, banned=True)
        around = look_around(visitor, doors)
        ended = visitor.wait(door, banned=False)
    closed = {other for other, said in around.items() if said == "closed"}
    here = {other for other, pair in doors.items() if pair[1].port == door.port} - {"sshd"}
    what = f"{TRIES} wrong logins at {name} ({visitor.source})"
    tell(what, f"ban {banned}, closed {sorted(closed)}, ended {ended}", f"closed {sorted(here)}")
    assert banned
    assert closed == here & set(around)
    assert {said for other, said in around.items() if other not in here} <= {"in"}
    assert ended
    assert name == "sshd" or visitor.gets_in(bundle, door) == "in"


def test_a_bundle_server_that_guesses_is_kept_out_of_the_backups_only_for_a_time(
    region: Region, light: Delivered, tell: Tell
) -> None:
    inside = region.lab.address("bundles1")
    visitor = Visitor(region, inside, region.lab.address("backup1"), "bundles1")
    with visitors.short_bans(region, "backup", "backup1"):
        tried = visitor.knock(light, STORE, [("b00000000", "wrong")] * TRIES)
        banned = visitor.wait(STORE, "backup1", banned=True)
        ended = visitor.wait(STORE, "backup1", banned=False)
    tell(f"{TRIES} wrong logins at the backup server", f"ban {banned}, ended {ended}", "both")
    assert "refused" in tried
    assert banned
    assert ended
    outside = Visitor(region, region.lab.address("internet"), region.lab.address("backup1"))
    assert outside.knock(light, STORE, [("b00000000", "wrong")]) == ["closed"]


@pytest.mark.parametrize("name", ["submissions", "submission", "imap", "sieve", "dav"])
def test_thirty_phones_behind_one_address_shut_nobody_out(
    both: tuple[Visitor, Visitor],
    doors: dict[str, tuple[Delivered, Door]],
    name: str,
    tell: Tell,
) -> None:
    visitor, (bundle, door) = both[0], doors[name]
    party = [(f"phone{n}@{bundle.domain}", f"mistyped-{n}") for n in range(PHONES)]
    visitor.knock(bundle, door, party * TRIES_OF_A_PHONE)
    household = [(bundle.neighbour, f"mistyped-{n}") for n in range(PHONES)]
    visitor.knock(bundle, door, household)
    time.sleep(3)
    seen = visitor.gets_in(bundle, door)
    what = f"{PHONES} phones, {TRIES_OF_A_PHONE} errors each, then as many of one user: {name}"
    tell(what, f"a good login is {seen}", "in")
    assert seen == "in"
    assert not visitor.is_banned(door)


def test_who_tries_many_users_is_kept_out(
    both: tuple[Visitor, Visitor], doors: dict[str, tuple[Delivered, Door]], tell: Tell
) -> None:
    visitor, (bundle, door) = both[0], doors["imap"]
    with visitors.short_bans(visitor.region, door.jail):
        visitor.knock(bundle, door, [(f"user{n}@{bundle.domain}", "guess") for n in range(60)])
        banned = visitor.wait(door, banned=True)
        ended = visitor.wait(door, banned=False)
    tell("one guess at each of 60 users", f"ban {banned}, ended {ended}", "ban True")
    assert banned


@pytest.mark.parametrize("name", DOORS[:-1])
def test_a_forgotten_phone_that_was_revoked_shuts_nobody_out(
    both: tuple[Visitor, Visitor],
    doors: dict[str, tuple[Delivered, Door]],
    name: str,
    tell: Tell,
) -> None:
    visitor, (bundle, door) = both[0], doors[name]
    revoked = bundle.enrol(f"Oublié {name}")
    bundle.revoke(f"Oublié {name}")
    tried = visitor.knock(bundle, door, [(bundle.address, revoked)] * TRIES)
    time.sleep(3)
    seen = visitor.gets_in(bundle, door)
    tell(f"a revoked phone, {TRIES} times: {name}", f"a good login is {seen}", "in")
    assert set(tried) == {"refused"}
    assert seen == "in"
    assert not visitor.is_banned(door)


def test_who_was_let_in_stays_so_when_fail2ban_restarts(
    both: tuple[Visitor, Visitor], doors: dict[str, tuple[Delivered, Door]], tell: Tell
) -> None:
    visitor, (bundle, door) = both[1], doors["imap"]
    server = visitor.region.machine("bundles1")
    server.run([visitors.DOORS, "allow", visitor.source, "30"])
    server.run(["systemctl", "restart", "fail2ban"])
    server.run(["fail2ban-client", "ping"])
    visitor.knock(bundle, door, [(bundle.address, "wrong")] * TRIES)
    time.sleep(3)
    let_in = visitor.gets_in(bundle, door)
    time.sleep(30)
    with visitors.short_bans(visitor.region, door.jail):
        visitor.knock(bundle, door, [(bundle.address, "wrong")] * TRIES)
        after = visitor.wait(door, banned=True)
        visitor.wait(door, banned=False)
    tell("let in for 30 s, across a restart of fail2ban", f"{let_in}; afterwards ban {after}", "in")
    assert let_in == "in"
    assert after
