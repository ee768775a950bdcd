#!/usr/bin/python3 -IS
"""Who is kept out at which door, and whose wrong logins do not count; fail2ban and `paquet` ask.

    doors excuse DOOR ADDRESS TIME RESTORED LOGIN   exit code 0: this wrong login does not count
    doors allow ADDRESS SECONDS                     no door is closed to ADDRESS for so long
    doors bans                                      tell who is kept out and who is let in, as JSON
    doors lift ADDRESS                              open every door to ADDRESS

Behind one address may sit thirty phones with a typing error each, or one guesser. The first wrong
logins of a few users are excused, at each door by itself; what comes on top counts. Which secret
was tried is neither told nor needed: a revoked device is known before fail2ban hears of it.
"""

from __future__ import annotations

import ast
import fcntl
import json
import os
import re
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from ipaddress import ip_address, ip_network
from pathlib import Path

ALLOWED = Path("/var/lib/paquet/allowed.json")  # outlives a reboot
FAILURES = Path("/run/paquet/failures.sqlite")
CLIENT = "/usr/bin/fail2ban-client"
EXCUSED, COUNTS = 0, 1
WINDOW = 600.0
# A phone that asks its owner tries a few times; at a party some thirty may be wrong at once.
TRIES, LOGINS = 12, 32
TABLE = "CREATE TABLE IF NOT EXISTS failure (door TEXT, address TEXT, login TEXT, at REAL)"
INDEXES = (
    "CREATE INDEX IF NOT EXISTS failure_of ON failure (door, address, login)",
    "CREATE INDEX IF NOT EXISTS failure_at ON failure (at)",
)
TRIED = "SELECT count(*) FROM failure WHERE door = ? AND address = ? AND login = ?"
SEEN = "SELECT count(DISTINCT login) FROM failure WHERE door = ? AND address = ?"
BANNED = re.compile(r"(\S+)\s+.+\+ -?\d+ = (\d{4}-\d\d-\d\d \d\d:\d\d:\d\d)")


def main(words: list[str]) -> int:
    """Do what the words say, and return an exit code."""
    os.umask(0o077)
    verb, *rest = words
    if verb == "excuse":
        door, address, at, restored, *login = rest
        # After a restart fail2ban asks whether an old ban shall stand; that is no new wrong login.
        tried = restored != "1" and door != "sshd"
        if is_allowed(address, time.time()):
            return EXCUSED
        excused = tried and is_excused((door, address, " ".join(login)), float(at))
        return EXCUSED if excused else COUNTS
    if verb == "allow":
        allow(rest[0], time.time() + float(rest[1]))
        lift(rest[0])
    elif verb == "lift":
        lift(rest[0])
    tell()
    return 0


def is_excused(who: tuple[str, str, str], at: float) -> bool:
    """Note one wrong login (door, address, login), and say whether it is one that is excused."""
    with closing(sqlite3.connect(FAILURES, timeout=30, isolation_level=None)) as notes:
        notes.execute("PRAGMA journal_mode = MEMORY")
        notes.execute("BEGIN IMMEDIATE")
        for statement in (TABLE, *INDEXES):
            notes.execute(statement)
        notes.execute("DELETE FROM failure WHERE at < ?", (at - WINDOW,))
        notes.execute("INSERT INTO failure VALUES (?, ?, ?, ?)", (*who, at))
        tries = notes.execute(TRIED, who).fetchone()[0]
        logins = notes.execute(SEEN, who[:2]).fetchone()[0]
        notes.execute("COMMIT")
    return bool(tries <= TRIES and logins <= LOGINS)


def allowed(now: float) -> dict[str, float]:
    """Return the networks that are let in, and until when."""
    if not ALLOWED.exists():
        return {}
    return {name: until for name, until in json.loads(ALLOWED.read_text()).items() if until > now}


def is_allowed(address: str, now: float) -> bool:
    """Whether somebody asked to let this address in."""
    return any(ip_address(address) in ip_network(network) for network in allowed(now))


def allow(network: str, until: float) -> None:
    """Let a network in until then; what is over is forgotten."""
    new = ALLOWED.with_suffix(".new")
    with ALLOWED.with_suffix(".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # two may be let in at once
        new.write_text(json.dumps({**allowed(time.time()), network: until}))
        new.rename(ALLOWED)


def fail2ban(*words: str) -> str:
    """Return what fail2ban's client says."""
    done = subprocess.run([CLIENT, *words], capture_output=True, text=True, check=True)
    return done.stdout


def bans() -> list[dict[str, str]]:
    """Return who is kept out: door, address, and until when (UTC)."""
    jails = ast.literal_eval(fail2ban("banned"))
    return [
        {"door": door, "address": ban[1], "until": ban[2]}
        for jail in jails
        for door, addresses in jail.items()
        if addresses
        for line in fail2ban("get", door, "banip", "--with-time").splitlines()
        if (ban := BANNED.match(line))
    ]


def lift(network: str) -> None:
    """End every ban of an address, or of all addresses in a network."""
    wanted = ip_network(network)
    for address in {ban["address"] for ban in bans() if ip_address(ban["address"]) in wanted}:
        fail2ban("unban", address)


def tell() -> None:
    """Print who is kept out and who is let in."""
    let_in = [
        {"address": name, "until": time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(until))}
        for name, until in sorted(allowed(time.time()).items())
    ]
    sys.stdout.write(json.dumps({"bans": bans(), "allowed": let_in}) + "\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
