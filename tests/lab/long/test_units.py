"""Every unit of ours is restarted, reloaded and killed, then its machine boots: all doors answer.

The units are those that systemd lists on both servers.
"""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from provision.workflows import safekeeping
from tests.lab import reach
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from provision.lab.machines import Machine
    from tests.lab.region import Delivered, Region

    Tell = Callable[[str, object, object], None]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(3000)]
ANSWERS = 207
PATIENCE = 10.0
EXPOSURE = 4.0
CRASH = ("kill", "--signal=KILL", "--kill-whom=main")


@dataclass(frozen=True)
class Doors:
    """The doors behind all units: both clouds, the backups, and what systemd thinks."""

    clouds: list[Clients]
    machine: Machine
    up: set[str]

    def problem(self) -> str:
        """Return what is wrong when it stays wrong for longer than PATIENCE, or nothing."""
        deadline = time.monotonic() + PATIENCE
        while (found := self._look()) and time.monotonic() < deadline:
            time.sleep(0.3)
        return found

    def _look(self) -> str:
        if down := self.up - standing(self.machine):
            return f"down: {', '.join(sorted(down))}"
        for clients in self.clouds:
            status = clients.status("PROPFIND", files_url(clients.bundle))
            if status != ANSWERS:
                return f"{clients.bundle.cloud} answers {status}"
        return ""


def standing(machine: Machine) -> set[str]:
    """Return the units of ours that are up and stay so by themselves.

    A service behind a socket or a timer may sleep: its socket or timer is what must stand.
    """
    listed = machine.run(["systemctl", "list-units", "--state=active", *PLAIN, "paquet-*"]).stdout
    names = {line.split()[0] for line in listed.splitlines()}
    called = {name.rpartition(".")[0] for name in names if not name.endswith(".service")}
    return {name for name in names if name.removesuffix(".service") not in called}


PLAIN = ("--no-legend", "--plain", "--full")


def loaded(machine: Machine) -> list[str]:
    """Return all units of ours on a machine, but for slices."""
    listed = machine.run(["systemctl", "list-units", "--all", *PLAIN, "paquet-*"]).stdout
    names = [line.split()[0] for line in listed.splitlines()]
    return [name for name in names if not name.endswith(".slice")]


def shown(machine: Machine, unit: str, name: str) -> str:
    """Return one property of a unit."""
    return machine.run(["systemctl", "show", "--value", f"--property={name}", unit]).stdout.strip()


def treat(machine: Machine, unit: str, doors: Doors) -> list[str]:
    """Restart, reload and kill a unit; return what went wrong."""
    deeds: list[tuple[str, ...]] = [("restart",)]
    deeds += [("reload",)] if shown(machine, unit, "CanReload") == "yes" else []
    problems = []
    for deed in deeds:
        ended = machine.run(["systemctl", *deed, unit], check=False)
        problems += [f"{deed[0]}: {ended.stderr.strip()}"] if ended.returncode else []
        problems += [f"{deed[0]}: {found}"] if (found := doors.problem()) else []
    if unit.endswith(".service"):
        problems += crash(machine, unit, doors)
    return problems


def crash(machine: Machine, unit: str, doors: Doors) -> list[str]:
    """Kill a service, one that only works now and then while it does; return what went wrong."""
    now_and_then = shown(machine, unit, "Type") == "oneshot"
    if now_and_then:
        machine.run(["systemctl", "start", "--no-block", unit])
        time.sleep(0.7)
    if shown(machine, unit, "MainPID") == "0":
        return []
    machine.run(["systemctl", *CRASH, unit], check=False)
    problems = [f"kill: {found}"] if (found := doors.problem()) else []
    while shown(machine, unit, "ActiveState") == "deactivating":
        time.sleep(0.2)  # whoever starts it now shares the job that failed
    again = machine.run(["systemctl", "start", unit], check=False)
    problems += [f"start after kill: {again.stderr.strip()}"] if again.returncode else []
    return problems


@pytest.fixture
def clouds(light: Delivered, nextcloud: Delivered, tmp_path: Path) -> list[Clients]:
    """A client of each cloud, both awake."""
    made = [Clients(one, one.secret, tmp_path) for one in (light, nextcloud)]
    assert {one.status("PROPFIND", files_url(one.bundle)) for one in made} == {ANSWERS}
    return made


@pytest.mark.parametrize("name", ["bundles1", "backup1"])
def test_every_unit_survives_restart_reload_and_crash(
    region: Region, clouds: list[Clients], tell: Tell, name: str
) -> None:
    machine = region.machine(name)
    doors = Doors(clouds, machine, standing(machine))
    failed: dict[str, list[str]] = {}
    for unit in loaded(machine):
        problems = treat(machine, unit, doors)
        tell(f"{name}: {unit} restarted, reloaded, killed", "; ".join(problems) or "up", "up")
        failed |= {unit: problems} if problems else {}
    for clients in clouds:
        assert safekeeping.snapshots(region.control, clients.bundle.domain)
    assert len(doors.up) > 2
    assert failed == {}


@pytest.mark.parametrize("name", ["bundles1", "backup1"])
def test_every_unit_comes_back_with_its_machine(
    region: Region, clouds: list[Clients], tell: Tell, name: str
) -> None:
    machine = region.machine(name)
    doors = Doors(clouds, machine, standing(machine))
    region.lab.reboot(name)
    problem = doors.problem()
    tell(f"{name}: {len(doors.up)} units after a reboot", problem or "up", "up")
    assert problem == ""
    for clients in clouds:
        bundle = clients.bundle
        safekeeping.run(region.control, bundle.domain)
    failed = machine.run(["systemctl", "--failed", *PLAIN]).stdout
    assert failed == ""


def test_every_unit_is_fenced_in_and_ends_in_time(
    region: Region, light: Delivered, nextcloud: Delivered, tell: Tell
) -> None:
    bundles = [light.name, nextcloud.name]
    found: dict[str, object] = {}
    for name in ("bundles1", "backup1"):
        machine = region.machine(name)
        names = reach.units(machine, bundles)
        limits = reach.time_limits(machine, names)
        for unit, exposure in reach.exposure(machine, names).items():
            tell(f"{name}: systemd-analyze security {unit}", exposure, f"≤ {EXPOSURE}")
            found |= {unit: exposure} if exposure > EXPOSURE else {}
        found |= {unit: limit for unit, limit in limits.items() if "infinity" in limit}
    assert found == {}
