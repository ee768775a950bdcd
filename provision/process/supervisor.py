"""The small process that watches over a confined program, and ends it whole.

Run as a script by `confinement`, with the standard library only, so that it starts in 20 ms:
supervisor.py --lifeline=FD --parent=PID --cgroup=FOLDER [--remove=FOLDER ...] -- COMMAND ...
It ends the program when the program's first process ends, when the lifeline closes, when the
parent dies (even by SIGKILL), or on SIGTERM. It exits with the program's code (128 + signal).
"""

from __future__ import annotations

import argparse
import ctypes
import fcntl
import os
import select
import shutil
import signal
import time
from contextlib import suppress
from pathlib import Path

PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
NOT_STARTED = 127
ENDED_BY_SIGNAL = 128
PATIENCE = 5.0
PAUSE = 0.01

_libc = ctypes.CDLL(None, use_errno=True)


def main() -> int:
    """Run the command of the arguments under watch, and return its exit code."""
    words = _parse()
    fcntl.fcntl(words.lifeline, fcntl.F_SETFD, fcntl.FD_CLOEXEC)
    for ignored in (signal.SIGINT, signal.SIGHUP):
        signal.signal(ignored, signal.SIG_IGN)
    _libc.prctl(PR_SET_CHILD_SUBREAPER, 1)
    cgroup = Path(words.cgroup) if words.cgroup else None
    child = _start(words.command, cgroup)
    _let_go_of_output()
    _wait_for_a_reason_to_end(child, words)
    code = _end(child, cgroup)
    for folder in words.remove:
        shutil.rmtree(folder, ignore_errors=True)
    return code


def end_cgroup(cgroup: Path) -> None:
    """Kill all that is in `cgroup` and below, then remove it; fine when it is gone already."""
    deadline = time.monotonic() + PATIENCE
    while cgroup.exists() and time.monotonic() < deadline:
        with suppress(OSError):
            (cgroup / "cgroup.kill").write_text("1", encoding="ascii")
        with suppress(OSError):
            for folder in sorted(cgroup.rglob("*/"), reverse=True):
                folder.rmdir()
            cgroup.rmdir()
        time.sleep(PAUSE)


def end_descendants() -> dict[int, int]:
    """Kill every process below us, and return the wait statuses of those that were our children.

    As a subreaper we are given the orphans, so none can hide by forking twice.
    """
    statuses = _reap()
    deadline = time.monotonic() + PATIENCE
    while (below := _descendants()) and time.monotonic() < deadline:
        for number in (signal.SIGSTOP, signal.SIGKILL):
            for process in below:
                with suppress(ProcessLookupError, PermissionError):
                    os.kill(process, number)
        time.sleep(PAUSE)
        statuses |= _reap()
    return statuses | _reap()


def _parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--lifeline", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--cgroup", required=True)
    parser.add_argument("--remove", action="append", default=[])
    parser.add_argument("command", nargs="+")
    return parser.parse_args()


def _start(command: list[str], cgroup: Path | None) -> int:
    """Fork `command` into `cgroup`, bound to die with us, and return its process id."""
    watcher = os.getpid()
    child = os.fork()
    if child:
        return child
    try:
        _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        if cgroup is not None:
            (cgroup / "cgroup.procs").write_text("0", encoding="ascii")
        for changed in (signal.SIGINT, signal.SIGHUP):
            signal.signal(changed, signal.SIG_DFL)
        if os.getppid() == watcher:
            os.execvp(command[0], command)  # noqa: S606 (a list of words, no shell)
    finally:
        os._exit(NOT_STARTED)


def _let_go_of_output() -> None:
    """Keep no end of the program's output open, so that its reader sees it end."""
    nowhere = os.open(os.devnull, os.O_RDWR)
    for stream in (1, 2):
        os.dup2(nowhere, stream)


def _wait_for_a_reason_to_end(child: int, words: argparse.Namespace) -> None:
    asked, asking = os.pipe()
    os.set_blocking(asking, False)
    signal.set_wakeup_fd(asking)
    signal.signal(signal.SIGTERM, lambda *_: None)
    reasons = [words.lifeline, os.pidfd_open(child), asked]
    with suppress(ProcessLookupError):
        reasons.append(os.pidfd_open(words.parent))
    if os.getppid() == words.parent:
        select.select(reasons, [], [])


def _end(child: int, cgroup: Path | None) -> int:
    """End the program and what it started; return the exit code of its first process."""
    statuses = _reap()
    if cgroup is not None:
        end_cgroup(cgroup)
    statuses |= end_descendants()
    code = os.waitstatus_to_exitcode(statuses.get(child, signal.SIGKILL))
    return code if code >= 0 else ENDED_BY_SIGNAL - code


def _descendants() -> list[int]:
    parents: dict[int, int] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            text = stat.read_text(encoding="utf-8", errors="replace")
            state, parent, *_ = text.rpartition(")")[2].split()
            if state not in "ZX":
                parents[int(stat.parent.name)] = int(parent)
    family = {os.getpid()}
    while more := {process for process, parent in parents.items() if parent in family} - family:
        family |= more
    return sorted(family - {os.getpid()})


def _reap() -> dict[int, int]:
    """Bury our dead children, and return their wait statuses."""
    statuses = {}
    with suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            statuses[ended[0]] = ended[1]
    return statuses


if __name__ == "__main__":
    raise SystemExit(main())
