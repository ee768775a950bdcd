"""What a lab could leave behind on this computer, listed so that two moments can be compared."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from provision.process.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterable

# Counters and clocks that change by themselves.
RESTLESS = re.compile(r"conntrack_count|nf_conntrack_max|\.random\.|mtu_expires|ipfrag|tcp_mem")


def everything() -> set[str]:
    """Return processes, mounts, namespaces, interfaces, rules, groups and network sysctls."""
    return {
        *(f"process {line}" for line in _processes()),
        *(f"mount {line}" for line in Path("/proc/mounts").read_text().splitlines()),
        *(f"namespace {line}" for line in _namespaces()),
        *(f"interface {path.name}" for path in Path("/sys/class/net").iterdir()),
        *(f"address {line}" for line in run(["ip", "-oneline", "address"]).stdout.splitlines()),
        *(f"route {line}" for line in run(["ip", "route"]).stdout.splitlines()),
        *(f"rule {line}" for line in run(["nft", "list", "ruleset"]).stdout.splitlines()),
        *(f"group {path}" for path in _groups()),
        *(f"sysctl {line}" for line in _sysctls()),
        *(f"trace {path}" for path in Path("/run/systemd/nspawn").glob("[!l]*/*")),
        *(f"trace {name}" for name in _abandoned_locks()),
        *(f"folder {path}" for path in Path("/var/lib").glob("paquet-lab*/*")),
    }


def of_others(entry: str, ours: Iterable[str]) -> bool:
    """Whether `entry` names a lab of somebody else, who may work here at the same time."""
    named = re.search(r"paq-([a-z0-9]+)|paquet-lab[/-]([a-z0-9]+)|paquet-([a-z0-9]+)-", entry)
    return bool(named) and not any(name in entry for name in ours)


def _processes() -> list[str]:
    """Return the command lines that run, dead children not yet buried left out."""
    lines = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if re.search(r"nspawn|slirp4netns|keeper|mmdebstrap", words):
            lines.append(words)
    return lines


def _namespaces() -> set[str]:
    return set(run(["lsns", "--noheadings", "--type=net", "--output=NSFS"]).stdout.split())


def _abandoned_locks() -> set[str]:
    """Return systemd-nspawn's lock files that belong to no machine that still has its disk."""
    locks = {path.name for path in Path("/run/systemd/nspawn/locks").glob("*")}
    roots = re.findall(r" (/var/lib/paquet-lab/\S+/root) ", Path("/proc/mounts").read_text())
    known = [Path(root).stat() for root in roots]
    return locks - {f"inode-{one.st_dev}:{one.st_ino}" for one in known}


def _groups() -> list[Path]:
    return [path for path in Path("/sys/fs/cgroup").rglob("*paquet-lab*") if path.is_dir()]


def _sysctls() -> list[str]:
    lines = run(["sysctl", "--all"], check=False).stdout.splitlines()
    return [
        line
        for line in lines
        if line.startswith(("net.", "fs.inotify.")) and not RESTLESS.search(line)
    ]
