"""The parts of `make test-long`: what each is, and what pytest is told to run."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Part:
    """One sitting of at most an hour."""

    name: str
    about: str
    words: tuple[str, ...]
    environment: tuple[tuple[str, str], ...] = ()


LAB = "tests/lab/long"
HISTORIES = "tests/integration/subscriptions/test_histories_on"
ALL_WORLDS = (("PAQUET_TEST_WORLDS", "50"),)
PARTS = (
    Part(
        "histories-sqlite", "ten thousand lives on SQLite", (f"{HISTORIES}_sqlite.py",), ALL_WORLDS
    ),
    Part(
        "histories-postgresql",
        "ten thousand lives on PostgreSQL",
        (f"{HISTORIES}_postgresql.py",),
        ALL_WORLDS,
    ),
    Part("walk", "what each sandbox reaches: sockets, ports, paths", (f"{LAB}/test_walk.py",)),
    Part("forgery", "mail in a neighbour's name", (f"{LAB}/test_forgery.py",)),
    Part("doors", "wrong logins at every door", (f"{LAB}/test_doors.py",)),
    Part("room", "filling a server, and starving a neighbour", (f"{LAB}/test_room.py",)),
    Part("prepare", "a preparation that is killed twice", (f"{LAB}/test_prepare.py",)),
    Part("units", "restart, crash and reboot of every unit", (f"{LAB}/test_units.py",)),
    Part("away", "PostgreSQL away for half a minute", (f"{LAB}/test_away.py",)),
    Part(
        "workers",
        "workers and commands that are killed at random",
        (f"{LAB}/test_workers.py", "tests/integration/jobs/test_many_kills.py"),
        (("PAQUET_TEST_KILLS", "200"),),
    ),
    Part("hardening", "testssl, ssh-audit, lynis, systemd-analyze", (f"{LAB}/test_hardening.py",)),
    Part("debian", "setup, checks and a lab on the other Debian", (f"{LAB}/test_other_debian.py",)),
    Part("emulated", "limits of the kernel, on an emulated machine", (f"{LAB}/test_emulated.py",)),
)
