"""People of a bundle share one room: mail, files and calendars count for it together."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import json
import os
import threading
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    Load = Callable[[str], dict[str, Any]]

METER = "roles/room/files/meter"
LIMITS = "roles/room/files/paquet-limits.py"
BLOCK = 4096
ANNE, PAUL = "anne@a.test", "paul@a.test"
NAME = "root"  # a Unix user that every machine has
HOMES: dict[str, dict[str, tuple[str, ...]]] = {
    "light": {ANNE: ("webdav/files/{}", "dav/collection-root/{}"), PAUL: ("webdav/files/{}",)},
    "nextcloud": {ANNE: ("data/{}/files",), PAUL: ("data/{}/files",)},
}


class Machine:
    """A server with one bundle, whose programs look into `folder`."""

    def __init__(self, folder: Path, cloud: str = "light", **settings: object) -> None:
        self.folder = folder
        for name in ("settings", f"bundles/{NAME}", f"run/{NAME}/inner", "mail/a.test"):
            (folder / name).mkdir(parents=True)
        self.home, self.mail = folder / "bundles" / NAME, folder / "mail/a.test"
        for address, places in HOMES[cloud].items():
            for place in places:
                (self.home / place.format(address)).mkdir(parents=True)
        known = {
            "all": 1 << 30,
            "people": 100 * BLOCK,
            "database": cloud == "nextcloud",
            "mail": str(self.mail),
            "users": {ANNE: 100 * BLOCK, PAUL: 100 * BLOCK},
        }
        (folder / "settings" / f"{NAME}.json").write_text(json.dumps({**known, **settings}))

    def lead(self, program: dict[str, Any]) -> dict[str, Any]:
        """Lead a program to this machine."""
        program |= {
            "SETTINGS": self.folder / "settings",
            "BUNDLES": self.folder / "bundles",
            "TOLD": self.folder / "room.json",
        }
        for name, file in (("MAIL", "mail.json"), ("METER", "mail.json")):
            if name in program:
                program[name] = f"{self.folder}/run/{{}}/inner/{file}"
        return program

    def receive(self, login: str, size: int, number: int = 1) -> Path:
        """Lay a mail into a mailbox, as Dovecot does."""
        box = self.mail / login / "Maildir/cur"
        box.mkdir(parents=True, exist_ok=True)
        (box.parent / "dovecot-uidlist").write_text("3\n")  # a folder takes no room everywhere
        mail = box / f"17000.M{number}P1.here,S={size},W={size + 20}:2,S"
        mail.write_bytes(os.urandom(size))
        return mail

    def doveadm(self, words: str) -> tuple[str, str]:
        """Return how sessions are ended here: by a program that does `words`."""
        tool = self.folder / "doveadm"
        tool.write_text(f"#!/bin/sh\n{words}\n")
        tool.chmod(0o755)
        return str(tool), "kick"

    def told(self) -> Any:  # noqa: ANN401 (JSON is anything)
        return json.loads((self.folder / "room.json").read_text())[NAME]


def limited(machine: Machine, load: Load) -> dict[str, int]:
    """Let paquet-limits look, and return what it lets Dovecot give each mailbox."""
    told: list[dict[str, int]] = []
    program = machine.lead(load(LIMITS)["main"].__globals__)
    program["tell_dovecot"] = told.append
    program["main"]()
    return told[0]


def holds(machine: Machine, load: Load, user: str, more: int) -> bool:
    """Whether the meter lets `more` bytes of `user` in."""

    async def story() -> bool:
        program = load(f"{METER}/rooms.py")
        bundle = machine.lead(program["MeteredBundle"].__init__.__globals__)["MeteredBundle"](NAME)
        return all([await one.room.holds(more, one.limit) for one in bundle.rooms(user)])

    return asyncio.run(story())


def test_what_one_person_keeps_is_not_there_for_another(tmp_path: Path, load: Load) -> None:
    machine = Machine(tmp_path)
    assert holds(machine, load, PAUL, 90 * BLOCK)
    (machine.home / "webdav/files" / ANNE / "big").write_bytes(bytes(60 * BLOCK))
    assert not holds(machine, load, PAUL, 60 * BLOCK)
    assert holds(machine, load, PAUL, 30 * BLOCK)


@pytest.mark.parametrize("cloud", ["light", "nextcloud"])
def test_mail_leaves_less_for_files_and_files_less_for_mail(
    tmp_path: Path, load: Load, cloud: str
) -> None:
    machine = Machine(tmp_path, cloud)
    place = HOMES[cloud][ANNE][0]
    machine.receive("anne", 40 * BLOCK)
    his = machine.home / place.format(PAUL)
    (his / "big").write_bytes(bytes(30 * BLOCK))
    limits = limited(machine, load)
    told = machine.told()
    assert 70 * BLOCK <= told["taken"] < 80 * BLOCK
    free = 100 * BLOCK - told["taken"]
    assert limits == {ANNE: 40 * BLOCK + 20 + free, PAUL: free}
    assert told["people"][ANNE]["mail"] > 40 * BLOCK > told["people"][ANNE]["files"]
    assert told["people"][PAUL]["files"] == 30 * BLOCK + 512 * his.stat().st_blocks
    assert json.loads((tmp_path / f"run/{NAME}/inner/mail.json").read_text())[ANNE] > 40 * BLOCK


def test_the_meter_counts_the_mail_that_it_is_told_of(tmp_path: Path, load: Load) -> None:
    machine = Machine(tmp_path)
    machine.receive("anne", 70 * BLOCK)
    assert holds(machine, load, PAUL, 60 * BLOCK)
    limited(machine, load)
    assert not holds(machine, load, PAUL, 60 * BLOCK)


def test_a_person_may_be_held_to_a_part(tmp_path: Path, load: Load) -> None:
    machine = Machine(tmp_path, users={ANNE: 100 * BLOCK, PAUL: 30 * BLOCK})
    machine.receive("paul", 10 * BLOCK)
    limits = limited(machine, load)
    own = sum(machine.told()["people"][PAUL].values())
    assert limits[PAUL] == 10 * BLOCK + 20 + 30 * BLOCK - own
    assert limits[ANNE] > 80 * BLOCK
    assert holds(machine, load, ANNE, 40 * BLOCK)
    assert not holds(machine, load, PAUL, 25 * BLOCK)
    assert holds(machine, load, PAUL, 10 * BLOCK)


def test_a_full_room_lets_no_mail_in_and_is_no_lack_of_a_limit(tmp_path: Path, load: Load) -> None:
    """Zero would be "no limit" for Dovecot, and what lies there must not make the limit grow."""
    machine = Machine(tmp_path)
    (machine.home / "webdav/files" / ANNE / "big").write_bytes(bytes(200 * BLOCK))
    machine.receive("anne", 10)
    limits = limited(machine, load)
    assert limits == {ANNE: 1, PAUL: 1}


def test_old_versions_and_caches_leave_mail_its_room(tmp_path: Path, load: Load) -> None:
    """They have room of their own; where they take more than that, it is missing to all."""
    machine = Machine(tmp_path, "nextcloud", all=130 * BLOCK)
    kept = machine.home / "data" / ANNE / "files_versions"
    kept.mkdir()
    (kept / "old").write_bytes(bytes(20 * BLOCK))
    assert limited(machine, load)[ANNE] > 90 * BLOCK
    (kept / "older").write_bytes(bytes(61 * BLOCK))
    assert limited(machine, load)[ANNE] < 50 * BLOCK


def test_a_link_that_a_bundle_planted_leads_no_program_elsewhere(
    tmp_path: Path, load: Load
) -> None:
    machine, secret = Machine(tmp_path), tmp_path / "secret"
    secret.mkdir()
    (secret / "big").write_bytes(bytes(50 * BLOCK))
    place = machine.home / "webdav/files" / ANNE
    place.rmdir()
    place.symlink_to(secret)
    (machine.home / "dav").rename(machine.home / "was")
    (machine.home / "dav").symlink_to(secret)
    limited(machine, load)
    assert machine.told()["people"][ANNE] == {"mail": 0, "files": 0, "calendars": 0}


def test_a_folder_of_the_bundles_own_is_nobodys_calendar(tmp_path: Path, load: Load) -> None:
    """Nextcloud has calendars in its database; its programs may lay anything into their home."""
    machine = Machine(tmp_path, "nextcloud")
    for name in ("nowhere", "calendars", f"dav/collection-root/{ANNE}"):
        (machine.home / name).mkdir(parents=True)
        (machine.home / name / "big").write_bytes(bytes(50 * BLOCK))
    limited(machine, load)
    assert machine.told()["people"][ANNE]["calendars"] == 0
    assert machine.told()["taken"] < 10 * BLOCK


def test_a_bundle_that_takes_too_much_memory_to_measure_stops_no_other(
    tmp_path: Path, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    machine = Machine(tmp_path)
    program = machine.lead(load(LIMITS)["main"].__globals__)
    program |= {"DU_BYTES": 1 << 20, "tell_dovecot": lambda _limits: None}
    program["main"]()
    assert json.loads((tmp_path / "room.json").read_text()) == {}
    assert f"{NAME} was not measured: du said nothing" in capsys.readouterr().err


def test_open_sessions_end_where_mail_grows_beyond_the_room(
    tmp_path: Path, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, kicked = Machine(tmp_path), tmp_path / "kicked"
    program = machine.lead(load(LIMITS)["main"].__globals__)
    kick = machine.doveadm(f'echo "$@" >>{kicked}')
    program |= {"KICK": kick, "tell_dovecot": lambda _limits: None}
    machine.receive("anne", 101 * BLOCK)
    program["main"]()
    assert not kicked.exists(), "nobody knows that it grew"
    program["main"]()
    assert not kicked.exists(), "it did not grow"
    machine.receive("anne", 10 * BLOCK, 2)
    program["main"]()
    assert kicked.read_text() == "kick *@a.test\n"
    assert f"{NAME} is over its room" in capsys.readouterr().err


def test_sessions_end_when_the_limits_stand_that_new_ones_begin_with(
    tmp_path: Path, load: Load, capsys: pytest.CaptureFixture[str]
) -> None:
    machine, done = Machine(tmp_path), tmp_path / "done"
    program = machine.lead(load(LIMITS)["main"].__globals__)

    def tell(limits: dict[str, int]) -> None:
        with done.open("a") as file:
            file.write(f"{limits[PAUL]}\n")

    kick = machine.doveadm(f"echo kicked >>{done}; exit 75")
    program |= {"KICK": kick, "tell_dovecot": tell}
    program["main"]()
    machine.receive("anne", 101 * BLOCK)
    program["main"]()
    assert done.read_text().split()[1:] == ["1", "kicked"]
    assert "go on" in capsys.readouterr().err
    assert machine.told()["taken"] > 100 * BLOCK, "it was measured all the same"


@pytest.mark.parametrize("left", ["", '{"root": {"taken"'])
def test_what_is_left_of_a_file_after_a_power_cut_stops_no_limits(
    tmp_path: Path, load: Load, left: str
) -> None:
    machine = Machine(tmp_path)
    (tmp_path / "room.json").write_text(left)
    machine.receive("anne", 10)
    assert set(limited(machine, load)) == {ANNE, PAUL}
    assert machine.told()["taken"] > 0


def test_mail_in_all_folders_counts_and_nothing_beside_it(tmp_path: Path, load: Load) -> None:
    counted = load(LIMITS)["counted"]
    box = tmp_path / "Maildir"
    for folder in ("new", "cur", "tmp", ".Sent/cur", ".Sent.2026/new"):
        (box / folder).mkdir(parents=True)
        (box / folder / "1.M2.here,S=8,W=10:2,S").touch()
    (box / "dovecot-uidlist").touch()
    assert counted(tmp_path) == 4 * 10
    assert counted(tmp_path / "absent") == 0


def test_open_sessions_end_where_somebody_passes_his_part(tmp_path: Path, load: Load) -> None:
    machine = Machine(tmp_path, users={ANNE: 100 * BLOCK, PAUL: 30 * BLOCK})
    program = machine.lead(load(LIMITS)["main"].__globals__)
    kick = machine.doveadm(f'echo "$@" >>{tmp_path}/kicked')
    program |= {"KICK": kick, "tell_dovecot": lambda _limits: None}
    machine.receive("paul", 20 * BLOCK)
    program["main"]()
    machine.receive("anne", 30 * BLOCK)
    program["main"]()
    assert not (tmp_path / "kicked").exists()
    machine.receive("paul", 15 * BLOCK, 2)
    program["main"]()
    assert (tmp_path / "kicked").read_text() == "kick *@a.test\n"


def test_who_asks_is_told_what_is_left_and_taken(tmp_path: Path, load: Load) -> None:
    machine = Machine(tmp_path, users={ANNE: 100 * BLOCK, PAUL: 30 * BLOCK})
    (machine.home / "webdav/files" / ANNE / "big").write_bytes(bytes(80 * BLOCK))
    program = load(METER)

    def ask(user: str) -> tuple[int, int]:
        async def story() -> bytes:
            rooms = machine.lead(program["MeteredBundle"].__init__.__globals__)
            bundle = rooms["MeteredBundle"](NAME)
            head = f"ROOM / HTTP/1.1\r\nX-Paquet-User: {user}\r\n\r\n".encode()
            with contextlib.ExitStack() as stack:
                told = await program["Request"](head, bundle, stack).room()
            return bytes(told)

        lines = asyncio.run(story()).decode().split("\r\n")
        assert lines[0] == "HTTP/1.1 204 No Content"
        return int(lines[1].split(": ")[1]), int(lines[2].split(": ")[1])

    free, taken = ask("")
    assert free == 100 * BLOCK - taken
    assert 80 * BLOCK < taken < 90 * BLOCK
    left, own = ask(PAUL)
    assert left == free
    assert own < 5 * BLOCK


def test_a_bundle_of_before_keeps_its_whole_room(tmp_path: Path, load: Load) -> None:
    machine = Machine(tmp_path)
    path = tmp_path / "settings" / f"{NAME}.json"
    before = json.loads(path.read_text())
    del before["people"]
    path.write_text(json.dumps(before))
    assert holds(machine, load, ANNE, 90 * BLOCK)
    assert limited(machine, load)[ANNE] > 90 * BLOCK


def test_who_serves_a_request_is_not_told_less_because_of_it(load: Load) -> None:
    """Nextcloud asks before it writes what the meter counts already."""
    standing = [100]

    async def story() -> None:
        room = load(f"{METER}/rooms.py")["Room"](lambda: standing[0])
        assert await room.taken(1000) == 100
        with room.passage() as one:
            one.carried = 600
            assert await room.taken(1000) == 100
            standing[0] = 150  # of what came, so much is kept
        assert await room.taken(1000) == 150

    asyncio.run(story())


def test_a_measure_that_fails_when_nobody_waits_any_more_is_no_trace_in_the_journal(
    load: Load,
) -> None:
    """A program of the bundle may ask as often as it likes."""
    told: list[dict[str, Any]] = []
    over = threading.Event()

    def measure() -> int:
        over.wait(10)
        raise OSError("PostgreSQL is away")

    async def story() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, what: told.append(what))
        program = load(f"{METER}/rooms.py")
        program["Room"].taken.__globals__["SOON"] = 0.05
        room = program["Room"](measure)
        with pytest.raises(program["Unmeasured"]):
            await room.taken(1000)
        over.set()
        await asyncio.sleep(0.1)
        gc.collect()

    asyncio.run(story())
    assert told == []
