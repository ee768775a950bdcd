"""Control groups of version 2: a program cannot leave one by forking, and it dies whole.

Formats are those of cgroups(7); `cgroup.kill` needs Linux 5.14.
"""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from pathlib import Path

from provision.process import supervisor

PREFIX = "paquet-run"


def make_cgroup() -> Path | None:
    """Make a cgroup beside our own, named after us; None when we may not."""
    mount = find_cgroup2_mount(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    own = mount and find_own_cgroup(mount, Path("/proc/self/cgroup").read_text(encoding="utf-8"))
    if not own:
        return None
    cgroup = own / name_cgroup(os.getpid())
    with suppress(OSError):
        cgroup.mkdir()
        if (cgroup / "cgroup.kill").exists() and _can_move_into(cgroup):
            return cgroup
        cgroup.rmdir()
    return None


def _can_move_into(cgroup: Path) -> bool:
    """Whether a process of ours may enter `cgroup` (a common ancestor must be writable too)."""
    own_procs, new_procs = cgroup.parent / "cgroup.procs", cgroup / "cgroup.procs"
    return os.access(own_procs, os.W_OK) and os.access(new_procs, os.W_OK)


def name_cgroup(owner: int) -> str:
    """Return a name that tells which process owns a cgroup, even after its id is used again."""
    return f"{PREFIX}.{process_world()}.{owner}.{_started(owner)}.{secrets.token_hex(4)}"


def is_stale(name: str) -> bool:
    """Whether the process that `name` tells of (name_cgroup) is of our world, and dead."""
    try:
        world, owner, started = (int(word) for word in name.split(".")[1:4])
    except ValueError:
        return False
    return world == process_world() and _started(owner) != started


def process_world() -> int:
    """Return the number of our process-id namespace: ids of another one mean nothing here."""
    return Path("/proc/self/ns/pid").stat().st_ino


def _started(process: int) -> int:
    """Return when `process` started, in ticks since boot (proc_pid_stat(5)); 0 when gone."""
    try:
        text = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return 0
    state, *fields = text.rpartition(")")[2].split()
    return 0 if state in "ZX" else int(fields[18])


def sweep_stale() -> list[str]:
    """End what dead runs left in their cgroups, and return the names of those cgroups."""
    mount = find_cgroup2_mount(Path("/proc/self/mountinfo").read_text(encoding="utf-8"))
    if mount is None:
        return []
    stale = [folder for folder in find_ours(mount) if is_stale(folder.name)]
    for folder in stale:
        supervisor.end_cgroup(folder)
    return [folder.name for folder in stale]


def find_ours(mount: Path) -> list[Path]:
    """Return the cgroups of all runs below `mount`; those that vanish meanwhile are passed over."""
    # os.walk and not rglob, which fails when a folder that it is about to read has gone.
    return [
        Path(folder, name)
        for folder, names, _ in os.walk(mount)
        for name in names
        if name.startswith(f"{PREFIX}.")
    ]


def find_cgroup2_mount(mountinfo: str) -> Path | None:
    """Given the text of /proc/self/mountinfo (proc_pid_mountinfo(5)), return where cgroup2 is.

    A unified host has it at /sys/fs/cgroup, a hybrid one at /sys/fs/cgroup/unified.
    """
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        if after.split(" ", 1)[0] == "cgroup2":
            return Path(before.split(" ")[4])
    return None


def find_own_cgroup(mount: Path, membership: str) -> Path | None:
    """Given the text of /proc/self/cgroup, return our own cgroup's folder, None when hidden."""
    for line in membership.splitlines():
        if line.startswith("0::/") and "/../" not in f"{line}/":
            return mount / line.removeprefix("0::/")
    return None
