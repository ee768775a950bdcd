"""Who carries a run out, as a mark that only its own machine can prove dead.

A process is its number and the moment it started (proc(5), /proc/PID/stat, field 22), within one
boot of one machine and one PID namespace (pid_namespaces(7)).
"""

from __future__ import annotations

import getpass
import os
import socket
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import select

from provision import database
from provision.jobs.code import stamp
from provision.jobs.heart import moment
from provision.registry import runs
from provision.registry.models import Run
from provision.registry.runs import RUNNING, Owner

if TYPE_CHECKING:
    from provision.workflows.control import Control

BOOT = Path("/proc/sys/kernel/random/boot_id")
MACHINE = Path("/etc/machine-id")
STARTED = 22 - 3  # the field, counted after the name of the program, which may hold anything


def this_process() -> Owner:
    """Return this process as an owner of runs."""
    pid = os.getpid()
    words = f"{getpass.getuser()} on {socket.gethostname()} (process {pid})"
    return Owner(words, mark_of(pid), stamp())


def mark_of(pid: int) -> str:
    """Return the mark of a process of this machine."""
    return f"{_machine()} {_boot()} {_namespace()} {pid} {_started(pid)}"


def is_dead(mark: str) -> bool:
    """Tell whether the process of a mark is surely gone: of other machines nobody here knows."""
    machine, _, rest = mark.partition(" ")
    boot, namespace, pid, started = (rest.split(" ") + [""] * 4)[:4]
    if not machine or machine != _machine():
        return False
    if boot != _boot():
        return True
    return namespace == _namespace() and pid.isdigit() and _started(int(pid)) != started


def release_dead(control: Control) -> None:
    """Let the runs of processes that died on this machine be taken over at once."""
    with control.reading() as session:
        marks = set(session.scalars(select(Run.mark).where(Run.state == RUNNING)))
    dead = [mark for mark in marks if is_dead(mark)]
    if dead:
        database.retried(
            control.engine,
            lambda session: runs.release_marked(session, dead, moment(session, control)),
        )


@lru_cache(maxsize=1)
def _machine() -> str:
    """Return what names this machine; clones of one have one machine-id, and other names."""
    known = MACHINE.read_text("ascii").strip() if MACHINE.exists() else ""
    return f"{known}/{socket.gethostname()}"


@lru_cache(maxsize=1)
def _boot() -> str:
    return BOOT.read_text("ascii").strip()


def _namespace() -> str:
    return str(Path("/proc/self/ns/pid").readlink())


def _started(pid: int) -> str:
    """Return when a process started, in ticks since the boot; '' where there is none."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("utf-8", errors="replace")
    except OSError:
        return ""
    fields = stat.rpartition(")")[2].split()
    return "" if fields[0] in ("Z", "X") else fields[STARTED]
