"""The processes of a lab, each in a control group of its own, so that none can be lost.

With systemd as the first process they are transient services in the slice of the lab; elsewhere
the groups are made by hand and a small shell loop restarts a machine that asked for a reboot.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process import commands

if TYPE_CHECKING:
    from collections.abc import Sequence

SYSTEMD_RUNS = Path("/run/systemd/system")
MOUNTS = Path("/proc/self/mounts")
REBOOT = 133  # systemd-nspawn(1): "exit status 133" asks its keeper to start it again
PATIENCE = 20.0
MOMENT = 0.02

# $1 keeper's group, $2 program's group, $3 log; then the program.
KEEPER = f"""
echo $$ >"$1/cgroup.procs" || exit 1
group=$2; log=$3; shift 3
while :; do
  sh -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$group" "$@" >>"$log" 2>&1 </dev/null
  [ $? -eq {REBOOT} ] || exit
done
"""
LAUNCH = 'setsid sh -c "$0" keeper "$@" >/dev/null 2>&1 </dev/null &'


@dataclass(frozen=True)
class Group:
    """The control groups of one lab: `units` are programs such as a machine or the gateway."""

    lab: str

    @property
    def folder(self) -> Path:
        """Where the kernel shows the group of the whole lab."""
        if SYSTEMD_RUNS.is_dir():
            return unified_mount() / "paquet.slice/paquet-lab.slice" / self._slice
        return unified_mount() / f"paquet-lab-{self.lab}"

    @property
    def _slice(self) -> str:
        return f"paquet-lab-{self.lab}.slice"

    def _unit_folder(self, unit: str) -> Path:
        if SYSTEMD_RUNS.is_dir():
            return self.folder / f"{self._service(unit)}"
        return self.folder / unit

    def _service(self, unit: str) -> str:
        return f"paquet-lab-{self.lab}-{unit}.service"

    def start(self, unit: str, command: Sequence[str], log: Path) -> None:
        """Start `command` as `unit` and return at once; it is started again when it reboots."""
        if SYSTEMD_RUNS.is_dir():
            commands.run([*self._as_service(unit, log), *command])
            return
        keeper, group = self.folder / "keepers", self._unit_folder(unit)
        for folder in (keeper, group):
            folder.mkdir(parents=True, exist_ok=True)
        commands.run(["sh", "-c", LAUNCH, KEEPER, str(keeper), str(group), str(log), *command])

    def _as_service(self, unit: str, log: Path) -> list[str]:
        properties = {
            "Delegate": "yes",
            "KillMode": "mixed",
            "RestartForceExitStatus": REBOOT,
            "SuccessExitStatus": REBOOT,
            "RestartSec": 0,
            "StandardOutput": f"append:{log}",
            "StandardError": f"append:{log}",
            "TasksMax": "infinity",
        }
        return [
            "systemd-run",
            "--quiet",
            "--collect",
            f"--slice={self._slice}",
            f"--unit={self._service(unit)}",
            *(f"--property={key}={value}" for key, value in properties.items()),
        ]

    def processes(self, unit: str | None = None) -> list[int]:
        """Return the process ids of `unit`, or of the whole lab."""
        folder = self._unit_folder(unit) if unit else self.folder
        return sorted({process for group in _groups_in(folder) for process in _members(group)})

    def ask_to_end(self, unit: str, program: str) -> bool:
        """Send SIGTERM to `program` in `unit`, and say whether the unit ended in time."""
        for process in self.processes(unit):
            if _name_of(process) == program:
                _signal(process, signal.SIGTERM)
        return self._emptied(unit, PATIENCE)

    def kill(self, unit: str | None = None) -> None:
        """End `unit`, or the whole lab, at once, and remove the groups that are left.

        systemd lets a unit of that name be made again only when it has seen the end of this one.
        """
        folder = self._unit_folder(unit) if unit else self.folder
        for _ in range(100):
            remaining = self.processes(unit)
            if not remaining:
                break
            for process in remaining:
                _signal(process, signal.SIGKILL)
            self._emptied(unit, 0.2)
        else:
            raise PaquetError(
                f"Some processes of lab {self.lab} do not end: {self.processes(unit)}",
                "They may wait for a disk; restart this computer if they stay.",
            )
        if SYSTEMD_RUNS.is_dir():
            commands.run(["systemctl", "stop", folder.name], check=False)
        _remove_groups(folder)

    def forget(self) -> None:
        """Let systemd forget the slices that no process is in any more, as it never does alone."""
        if SYSTEMD_RUNS.is_dir():
            for folder in (self.folder, *self.folder.parents[:2]):
                if not any(_members(group) for group in _groups_in(folder)):
                    commands.run(["systemctl", "stop", folder.name], check=False)

    def _emptied(self, unit: str | None, patience: float) -> bool:
        deadline = time.monotonic() + patience
        while self.processes(unit):
            if time.monotonic() > deadline:
                return False
            time.sleep(MOMENT)
        return True


def unified_mount() -> Path:
    """Return where control groups version 2 are mounted; Debian 12 and 13 always have them."""
    for line in MOUNTS.read_text(encoding="utf-8").splitlines():
        _, where, kind, *_ = line.split()
        if kind == "cgroup2":
            return Path(where)
    raise PaquetError(
        "This computer has no control groups version 2", "Use Debian 12 or 13 with its own kernel."
    )


def _remove_groups(folder: Path) -> None:
    """Remove an empty tree of groups, in every hierarchy that systemd-nspawn makes it in."""
    hierarchies = {unified_mount(), Path("/sys/fs/cgroup/systemd")}
    relative = folder.relative_to(unified_mount())
    for hierarchy in hierarchies:
        for group in reversed(_groups_in(hierarchy / relative)):
            with suppress(OSError):  # systemd was faster
                group.rmdir()


def _groups_in(folder: Path) -> list[Path]:
    """Return `folder` and all groups in it, outer ones first; a group may end while we look."""
    return [Path(group) for group, _, _ in os.walk(folder)]


def _members(group: Path) -> list[int]:
    try:
        return [int(line) for line in (group / "cgroup.procs").read_text().split()]
    except OSError:  # the group ended while we looked
        return []


def _name_of(process: int) -> str:
    try:
        return Path(f"/proc/{process}/comm").read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def _signal(process: int, which: signal.Signals) -> None:
    try:
        os.kill(process, which)
    except ProcessLookupError:
        return
