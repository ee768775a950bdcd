"""A bundle lies about wrong logins, or holds what judges them: nobody else is shut out."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab import reach, visitors
from tests.lab.visitors import MAIL, Door

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.region import Delivered, Region
    from tests.lab.visitors import Visitor

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
ACCUSER = Path(__file__).with_name("accuser.py").read_text(encoding="utf-8")
IMAP, SIEVE, SSH = *MAIL[2:], Door("sshd", 22)
TRIES, LINES_OF_ONE = 36, 16
# What sshd writes, by a process that calls itself sshd.
AS_SSHD = """
import pathlib, syslog
pathlib.Path("/proc/self/comm").write_text("sshd")
syslog.openlog("sshd", syslog.LOG_PID, syslog.LOG_AUTH)
for _ in range(12):
    syslog.syslog("Failed password for root from {} port 1 ssh2")
"""


@pytest.fixture
def both(region: Region) -> Iterator[tuple[Visitor, Visitor]]:
    """Who is lied about, and who is really wrong after it: what is noted of both was read."""
    with visitors.visitors(region) as both:
        yield both


@pytest.mark.parametrize("path", [reach.LOGIN_DOOR, "/run/dovecot/auth-paquet"])
def test_a_cloud_that_lies_about_logins_has_nobody_kept_out_of_mail(
    light: Delivered, both: tuple[Visitor, Visitor], path: str
) -> None:
    victim, witness = both
    told = {"act": "accuse", "path": path, "victim": victim.source, "login": light.address}
    reach.probe("dav", light, json.dumps(told), ACCUSER)
    for door in (IMAP, SIEVE):
        assert witness.knock(light, door, [(light.address, "wrong")]) == ["refused"]
    deadline = time.monotonic() + 20
    while witness.noted_at() != {"imap", "sieve"} and time.monotonic() < deadline:
        time.sleep(0.5)
    assert witness.noted_at() == {"imap", "sieve"}
    assert victim.noted_at() == set()
    assert {victim.gets_in(light, door) for door in (IMAP, SIEVE)} == {"in"}


def test_a_bundle_that_calls_itself_sshd_has_nobody_kept_out_of_ssh(
    light: Delivered, region: Region, both: tuple[Visitor, Visitor]
) -> None:
    victim, witness = both
    with visitors.short_bans(region, SSH.jail):
        run = ["systemd-run", "--quiet", "--wait", "--collect", f"--property=User={light.name}"]
        light.server.run([*run, "python3", "-c", AS_SSHD.format(victim.source)])
        witness.knock(light, SSH, [(light.address, "")] * TRIES)
        assert witness.wait(SSH, banned=True)
        assert not victim.is_banned(SSH)


def test_one_bundle_cannot_hold_what_judges_logins(light: Delivered) -> None:
    told = json.dumps({"act": "hold", "path": reach.LOGIN_DOOR, "lines": 200})
    assert 0 < int(reach.probe("dav", light, told, ACCUSER)) <= LINES_OF_ONE
