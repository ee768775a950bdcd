"""The servers watch over themselves: upgrades reach what runs, and the operator is written to."""

from __future__ import annotations

import email
import email.policy
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from provision.checks.findings import Result
from provision.workflows import checking
from tests.lab import mail_clients as mail
from tests.lab import neighbours

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from provision.checks.findings import Finding
    from provision.lab.machines import Machine
    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]

PATIENCE = 30.0
# Maps of what was replaced, in processes that are no session of somebody's.
STALE = r"""
for maps in $(grep -lE '/lib(ssl|crypto)\.so[^ ]* \(deleted\)' /proc/[0-9]*/maps); do
    grep -q user.slice ${maps%maps}cgroup || cat ${maps%maps}comm
done
"""
# As it does after each start of the machine.
UPGRADER_WAITS = ["systemctl", "start", "unattended-upgrades.service"]
WHO_WAITS = "systemctl show --property=MainPID --value unattended-upgrades"
DURING_AN_UPGRADE = """
{0}
unattended-upgrade --dry-run & upgrade=$!
until grep -q '/bin/unattended-upgrad[e]' /proc/$upgrade/cmdline; do sleep 0.01; done
kill -STOP $upgrade; needrestart -q -r a >/dev/null 2>&1
{0}
kill -KILL $upgrade; wait $upgrade; needrestart -q -r a >/dev/null 2>&1
{0}
"""
# Two ways to look like an upgrade: in a name, and in the words of a program that becomes root.
PRETENDED = """
sleep 60 | su -c '/bin/unattended-upgrade x' root &
exec -a '/bin/unattended-upgrade x' sleep 60
"""
PRETENDERS = "ps -eo ruser:20,euser:20,args | grep '/bin/unattended-upgrad[e] x'"
FILL = "mkdir -p /mnt/full && mount -t tmpfs -o size=1M,nr_inodes=20 none /mnt/full"
# What the mail server has in hand; what it put off is not waited for.
LEFT = """
cd /var/spool/postfix 2>/dev/null || exit 0
until [ -z "$(find maildrop incoming active -type f)" ]; do sleep 0.1; done
"""
WALL = """
nft add table inet wall
nft 'add chain inet wall out { type filter hook output priority 0; }'
nft add rule inet wall out tcp dport 25 reject
"""
BROKEN = """
mkdir -p /tmp/broken/DEBIAN && cd /tmp
printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: x <x@ailleurs.test>\n' \
    paquet-broken > broken/DEBIAN/control
printf 'Description: fails\n' >> broken/DEBIAN/control
printf '#!/bin/sh\nexit 1\n' > broken/DEBIAN/postinst && chmod 755 broken/DEBIAN/postinst
dpkg-deb --build broken broken.deb >/dev/null; dpkg --install broken.deb; rm -r broken broken.deb
"""


def shell(machine: Machine, words: str, *, check: bool = True) -> str:
    return machine.run(["bash", "-c", words], check=check).stdout


def upgraded_past_the_hook(machine: Machine) -> None:
    """Replace a library while what ends upgrades waits, and nothing is told to restart."""
    machine.run(UPGRADER_WAITS)
    shell(machine, "NEEDRESTART_SUSPEND=1 apt-get install --yes --quiet --reinstall libssl3t64")


class Mailbox:
    """What the operator's mailbox got since this was made."""

    def __init__(self, bundle: Delivered) -> None:
        self.bundle = bundle
        self.before = len(bundle.foreign_messages())

    def letter(self, *words: str) -> EmailMessage:
        """Return the first new letter with all of `words`, when it has come."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for message in self.new():
                text = f"{message['Subject']}\n{message.get_content()}"
                if all(word in text for word in words):
                    return message
            time.sleep(0.5)
        raise AssertionError(f"no letter with {words}")

    def new(self) -> list[EmailMessage]:
        """Return the letters of our servers that are new."""
        messages = self.bundle.foreign_messages()[self.before :]
        parsed = [email.message_from_bytes(one, policy=email.policy.default) for one in messages]
        return [one for one in parsed if str(one["Subject"]).startswith("[Paquet]")]


@contextmanager
def forgetful(machine: Machine) -> Iterator[None]:
    """Let a server forget what it told already, before and after.

    Before, it tells what is over of other tests' troubles: that letter has left when this yields.
    """
    forget = ["rm", "-f", "/var/lib/paquet/watch.json"]
    machine.run(["systemctl", "start", "paquet-watch.service"])  # waits for one that runs
    shell(machine, LEFT)
    machine.run(forget)
    try:
        yield
    finally:
        machine.run(["systemctl", "start", "paquet-watch.service"])
        machine.run(forget)


@pytest.fixture(autouse=True)
def untroubled(region: Region) -> None:
    """What other tests killed on purpose is no trouble of these."""
    for name in ("bundles1", "backup1"):
        region.machine(name).run(["systemctl", "reset-failed"])


def test_an_upgraded_library_reaches_what_runs_and_all_doors_open_again(
    region: Region, light: Delivered, nextcloud: Delivered
) -> None:
    server = region.machine("bundles1")
    server.run(UPGRADER_WAITS)
    shell(server, "apt-get install --yes --quiet --reinstall libssl3t64")
    assert shell(server, STALE, check=False) == ""
    deadline = time.monotonic() + PATIENCE
    while closed := [*closed_doors(light), *closed_doors(nextcloud)]:
        assert time.monotonic() < deadline, closed
        time.sleep(1)


def closed_doors(bundle: Delivered) -> list[Finding]:
    control, secret = bundle.region.control, bundle.enrolled.secret
    found = checking.check_bundle(control, bundle.bundle, secret)
    return [one for one in found if one.result is Result.ERROR]


def test_what_the_hook_of_apt_left_out_the_nightly_upgrade_restarts(region: Region) -> None:
    server = region.machine("bundles1")
    upgraded_past_the_hook(server)
    stale = shell(server, STALE, check=False)
    assert ("nginx" in stale, "unattended-upgr" in stale) == (True, True)
    # systemd and sshd are begun anew too: whoever waits is cut off, and nobody answers at first.
    server.run(["systemctl", "start", "--no-block", "apt-daily-upgrade.service"])
    deadline = time.monotonic() + PATIENCE
    over = f"systemctl is-active apt-daily-upgrade; {STALE}"
    while shell(server, over, check=False) != "inactive\n":
        assert time.monotonic() < deadline
        time.sleep(1)


def test_what_ends_upgrades_is_not_restarted_while_one_runs(region: Region) -> None:
    server = region.machine("bundles1")
    upgraded_past_the_hook(server)
    before, during, after = shell(server, DURING_AN_UPGRADE.format(WHO_WAITS)).split()
    assert before == during != after


def test_no_program_of_a_bundle_passes_for_an_upgrade(region: Region, light: Delivered) -> None:
    server, script = region.machine("bundles1"), "/var/tmp/pretended"  # noqa: S108 (of the lab machine)
    upgraded_past_the_hook(server)
    server.run(["tee", script], given=PRETENDED)
    before = shell(server, WHO_WAITS)
    try:
        with neighbours.meanwhile(light, neighbours.as_user(light, "bash", script)):
            pretenders = shell(server, PRETENDERS)
            assert {tuple(line.split()[:2]) for line in pretenders.splitlines()} == {
                (light.name, light.name),
                (light.name, "root"),
            }
            shell(server, "needrestart -q -r a")
            assert shell(server, WHO_WAITS) != before
    finally:
        server.run(["rm", script])


def test_a_failed_backup_is_told_at_once_and_once_and_when_it_is_over(light: Delivered) -> None:
    server, unit = light.server, f"paquet-backup@{light.name}.service"
    password = f"/etc/paquet/backup/{light.name}/password"
    with forgetful(server):
        mailbox = Mailbox(light)
        shell(server, f"cp -a {password} {password}.kept && echo wrong > {password}")
        try:
            server.run(["systemctl", "start", unit], check=False)
            letter = mailbox.letter("bundles1", f"La sauvegarde du lot {light.name} a échoué")
            server.run(["systemctl", "start", unit], check=False)
        finally:
            shell(server, f"mv {password}.kept {password}")
        assert "journalctl -u" in letter.get_content()
        assert light.domain not in letter.get_content()
        server.run(["systemctl", "start", unit])
        server.run(["systemctl", "start", "paquet-watch.service"])
        mailbox.letter("bundles1", "C’est fini", f"La sauvegarde du lot {light.name}")
        said = [f"{one['Subject']}\n{one.get_content()}" for one in mailbox.new()]
        assert len(said) == 2, said


def test_a_full_disk_and_a_failed_upgrade_are_told_in_one_letter(light: Delivered) -> None:
    server, mailbox = light.server, Mailbox(light)
    with forgetful(server):
        try:
            shell(server, f"{FILL} && head -c 900K /dev/zero > /mnt/full/x")
            shell(server, BROKEN, check=False)
            server.run(["systemctl", "start", "paquet-watch.service"])
            letter = mailbox.letter("2 à regarder", "/mnt/full est rempli à 8", "paquet-broken")
        finally:
            shell(server, "umount /mnt/full; dpkg --purge --force-all paquet-broken", check=False)
            shell(server, "rm -f /run/needrestart/*")  # after a failure it passes over one upgrade
        server.run(["systemctl", "start", "paquet-watch.service"])
        mailbox.letter("C’est fini", "/mnt/full", "paquet-broken")
    assert "dmarc=pass" in str(letter["Authentication-Results"])


def test_a_backup_server_writes_too_though_it_has_no_mail_server(light: Delivered) -> None:
    server, mailbox = light.region.machine("backup1"), Mailbox(light)
    assert server.run(["test", "-e", "/usr/sbin/sendmail"], check=False).returncode
    with forgetful(server):
        try:
            shell(server, f"{FILL} && touch /mnt/full/{{1..18}}")
            server.run(["systemctl", "start", "paquet-watch.service"])
            mailbox.letter("backup1", "/mnt/full", "nombre de fichiers")
        finally:
            server.run(["umount", "/mnt/full"])


@pytest.mark.usefixtures("mail_names")
def test_an_operator_whose_mailbox_is_on_the_server_is_written_to(
    light: Delivered,
) -> None:
    server, settings = light.server, "/etc/paquet/watch.json"
    with forgetful(server):
        try:
            shell(
                server,
                f"cp {settings} {settings}.kept; {FILL}; head -c 900K /dev/zero >/mnt/full/x",
            )
            shell(server, f"sed -i s/{light.foreign_address}/{light.address}/ {settings}")
            server.run(["systemctl", "start", "paquet-watch.service"])
            letter = mail.received(light, mail.Device("", light.address, light.secret), "[Paquet]")
        finally:
            shell(server, f"mv {settings}.kept {settings}; umount /mnt/full")
    assert (
        "/mnt/full" in email.message_from_bytes(letter, policy=email.policy.default).get_content()
    )


def test_a_letter_that_nobody_takes_waits_and_the_check_says_so(light: Delivered) -> None:
    server, mailbox = light.region.machine("backup1"), Mailbox(light)
    with forgetful(server):
        try:
            shell(server, WALL)
            shell(server, f"{FILL} && head -c 900K /dev/zero > /mnt/full/x")
            server.run(["systemctl", "start", "paquet-watch.service"])
            waiting = shell(server, "cat /var/lib/paquet/watch.json")
            assert "Connection refused" in waiting
            assert mailbox.new() == []
            server.run(["nft", "delete", "table", "inet", "wall"])
            server.run(["systemctl", "start", "paquet-watch.service"])
            mailbox.letter("backup1", "/mnt/full est rempli")
        finally:
            shell(server, "umount /mnt/full; nft delete table inet wall", check=False)


@pytest.mark.parametrize("name", ["bundles1", "backup1"])
def test_a_check_of_a_server_looks_inside_and_finds_all_well(light: Delivered, name: str) -> None:
    found = {one.check: one for one in checking.check_server(light.region.control, name)}
    kind = "backup" if name == "bundles1" else "repository"
    wanted = {"disk /", "inodes /", "memory", "units", "upgrades", "restarts", "reboot", "bans"}
    assert wanted | {f"{kind} {light.name}"} <= found.keys()
    assert [one for one in found.values() if one.result in ("warning", "error")] == []


def test_nobody_else_writes_in_the_name_of_the_operators_zone(region: Region) -> None:
    findings = checking.check_own_names(region.control)
    assert [one for one in findings if one.result is not Result.OK] == []
    forged = """
import smtplib
session = smtplib.SMTP("mx.ailleurs.test", 25, local_hostname="backup1.paquet.test")
letter = "From: Aide <aide@paquet.test>\\r\\nSubject: payez\\r\\n\\r\\npayez\\r\\n"
try:
    session.sendmail("aide@paquet.test", ["camille@ailleurs.test"], letter)
except smtplib.SMTPResponseException as refused:
    print(refused.smtp_code)
"""
    said = region.machine("backup1").run(["python3", "-c", forged], check=False)
    assert said.stdout.strip().startswith("5"), said
