"""The lab itself: it boots, it heals, it leaves nothing, and two of it do not meet."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError
from provision.lab import snapshots
from provision.lab.plan import MACHINES
from tests.lab import traces

if TYPE_CHECKING:
    from collections.abc import Callable

    from provision.lab.lab import Lab

pytestmark = pytest.mark.lab

UP = """
import sys
from pathlib import Path
from provision.lab.lab import Lab
name, cache, *mirrors = sys.argv[1:]
Lab(name, Path(cache), *mirrors).up()
"""
TITLE = "test-of-the-lab"


def test_every_machine_is_a_running_debian_13(lab: Lab) -> None:
    for name in MACHINES:
        ran = lab.machine(name).run(["systemctl", "is-system-running", "--wait"], check=False)
        failed = lab.machine(name).run(["journalctl", "--no-pager", "--priority=warning"]).stdout
        assert ran.stdout.strip() == "running", (name, failed)
        told = lab.machine(name).run(["cat", "/etc/os-release"]).stdout
        assert "trixie" in told


def test_a_bare_server_reaches_the_package_mirror(lab: Lab) -> None:
    assert lab.machine("backup1").run(["apt-get", "update"]).returncode == 0


def test_a_bare_server_has_no_service_of_ours(lab: Lab) -> None:
    listed = lab.machine("backup1").run(["dpkg-query", "--show", "nginx", "postfix"], check=False)
    assert listed.returncode != 0


def test_a_machine_that_reboots_comes_back_with_its_files(lab: Lab) -> None:
    machine = lab.machine("backup1")
    machine.run(["touch", "/root/kept"])
    before = machine.boot_number()
    lab.reboot("backup1")
    assert machine.boot_number() != before
    machine.run(["test", "-e", "/root/kept"])


def test_a_machine_survives_a_power_cut(lab: Lab) -> None:
    machine = lab.machine("backup1")
    machine.run(["sh", "-c", "echo safe >/root/written && sync"])
    machine.power_cut()
    assert not lab.status()["backup1"]
    lab.start("backup1")
    assert machine.run(["cat", "/root/written"]).stdout == "safe\n"


def test_a_doubled_up_changes_nothing(lab: Lab) -> None:
    before = [lab.machine(name).boot_number() for name in MACHINES]
    lab.up()
    assert [lab.machine(name).boot_number() for name in MACHINES] == before


def test_up_mends_a_lost_way_out_without_a_reboot(lab: Lab) -> None:
    before = lab.machine("bundles1").boot_number()
    for process in lab.group.processes("gateway"):
        os.kill(process, signal.SIGKILL)
    assert not lab.status()["network"]
    lab.up()
    assert all(lab.status().values())
    assert lab.machine("bundles1").boot_number() == before


def test_an_unknown_machine_is_refused(lab: Lab) -> None:
    with pytest.raises(PaquetError, match="no machine nowhere"):
        lab.machine("nowhere")


def test_down_leaves_nothing(another_lab: Callable[[str], Lab]) -> None:
    lab = another_lab("d")
    before = traces.everything()
    lab.up()
    lab.machine("bundles1").run(["sysctl", "-w", "net.ipv4.ip_forward=1"])
    assert len(traces.everything()) > len(before)
    lab.down()
    assert not _changes(before, lab)


@pytest.mark.parametrize("seconds", [0.3, 0.8, 1.6, 2.5])
def test_an_up_that_was_killed_is_healed(
    another_lab: Callable[[str], Lab], lab: Lab, seconds: float
) -> None:
    assert lab.status()["network"]  # the images are in the cache: the times below mean the boot
    victim = another_lab("k")
    before = traces.everything()
    words = [victim.name, str(victim.cache), victim.mirror, victim.security_mirror]
    with subprocess.Popen([sys.executable, "-c", UP, *words]) as process:
        time.sleep(seconds)
        process.kill()
    victim.up()
    assert all(victim.status().values())
    assert victim.machine("bundles1").run(["getent", "hosts", "mx.ailleurs.test"]).stdout
    victim.down()
    assert not _changes(before, victim)


def test_two_ups_at_once_make_one_lab(another_lab: Callable[[str], Lab]) -> None:
    lab = another_lab("w")
    words = [lab.name, str(lab.cache), lab.mirror, lab.security_mirror]
    both = [subprocess.Popen([sys.executable, "-c", UP, *words]) for _ in range(2)]
    assert [process.wait() for process in both] == [0, 0]
    assert all(lab.status().values())


def test_two_labs_do_not_meet(lab: Lab, another_lab: Callable[[str], Lab]) -> None:
    other = another_lab("o")
    other.up()
    assert other.plan.network != lab.plan.network
    ours = lab.machine("bundles1")
    for target in (other.plan.address("bundles1"), other.plan.numbered(1)):
        for detour in ([], ["ip", "route", "replace", target, "via", lab.plan.numbered(1)]):
            if detour:
                ours.run(detour)
            ping = ours.run(["ping", "-c", "1", "-W", "1", target], check=False)
            assert ping.returncode != 0, (target, detour)
    ours.run(["ping", "-c", "1", "-W", "1", lab.plan.address("backup1")])


def test_a_snapshot_starts_again_as_it_was(another_lab: Callable[[str], Lab]) -> None:
    lab, clone = another_lab("s"), another_lab("c")
    lab.up()
    lab.machine("bundles1").run(["sh", "-c", "echo prepared >/root/mark; rm /etc/issue"])
    lab.snapshot(TITLE)
    assert all(lab.status().values())
    key = lab.known_hosts.read_text()
    lab.down()
    clone.up(snapshot=TITLE)
    machine = clone.machine("bundles1")
    assert machine.run(["cat", "/root/mark"]).stdout == "prepared\n"
    assert machine.run(["test", "-e", "/etc/issue"], check=False).returncode != 0
    assert clone.known_hosts.read_text() == key
    with pytest.raises(PaquetError, match="was started from"):
        snapshots.remove(clone.cache, TITLE)
    clone.down()
    snapshots.remove(clone.cache, TITLE)
    assert TITLE not in snapshots.titles(clone.cache)


def _changes(before: set[str], lab: Lab) -> set[str]:
    """Return what came or went since `before`, leaving out the labs of others."""
    now = traces.everything()
    return {entry for entry in now ^ before if not traces.of_others(entry, [lab.name])}
