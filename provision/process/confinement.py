"""Run a program so that nothing of it outlives its end, its time or its parent.

Ansible's workers call setsid, so killing a process group misses them (seen with ansible-core 2.19).
A cgroup cannot be left by forking: the program runs in one of its own, and `cgroup.kill` (Linux
5.14) ends it whole. Where cgroup2 cannot be written, the supervisor is a subreaper and sweeps.
"""

from __future__ import annotations

import os
import selectors
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, cast

from provision.errors import PaquetError
from provision.process import cgroups, supervisor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

PATIENCE = 5.0
CHUNK = 65536


@dataclass(frozen=True)
class Confinement:
    """What a confined program gets: its whole environment, its seconds, and what goes with it.

    The folders of `remove` are deleted when the program ends, even when we are killed first.
    """

    environment: Mapping[str, str]
    remove: Sequence[Path] = ()


class Overdue(PaquetError):
    """A confined program took longer than it may, and was ended whole."""


@dataclass(frozen=True)
class Confined:
    """A program that runs confined; its supervisor is our child."""

    watcher: subprocess.Popen[bytes]

    def follow(self, on_line: Callable[[str], None], seconds: float) -> int:
        """Hand each line of its output, errors too, to `on_line`; return its exit code.

        Raises Overdue after so many `seconds`.
        """
        deadline = time.monotonic() + seconds
        for line in _lines(self.watcher, deadline):
            on_line(line)
        return self.watcher.wait()


@contextmanager
def confined(command: Sequence[str], confinement: Confinement) -> Iterator[Confined]:
    """Start `command`; when this is left, for whatever reason, no process of it is."""
    cgroups.sweep_stale()
    with _supervised(command, confinement) as watcher:
        yield Confined(watcher)


@contextmanager
def _supervised(
    command: Sequence[str], confinement: Confinement
) -> Iterator[subprocess.Popen[bytes]]:
    """Start `command` under a supervisor that lives until our end of the lifeline closes."""
    cgroup = cgroups.make_cgroup()
    lifeline, our_end = os.pipe()
    words = [sys.executable, "-I", "-S", supervisor.__file__, f"--lifeline={lifeline}"]
    words += [f"--parent={os.getpid()}", f"--cgroup={cgroup or ''}"]
    words += [f"--remove={folder}" for folder in confinement.remove]
    with os.fdopen(our_end, "wb") as lifeline_held:
        try:
            watcher = subprocess.Popen(
                [*words, "--", *command],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env=dict(confinement.environment),
                pass_fds=(lifeline,),
                start_new_session=True,
            )
        finally:
            os.close(lifeline)
        with watcher:
            try:
                yield watcher
            finally:
                lifeline_held.close()
                _make_sure(watcher, cgroup)


def _make_sure(watcher: subprocess.Popen[bytes], cgroup: Path | None) -> None:
    """Wait for the supervisor's sweep; when the supervisor itself was killed, sweep for it."""
    try:
        watcher.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        watcher.kill()
        watcher.wait()
    if cgroup is not None:
        supervisor.end_cgroup(cgroup)


def _lines(watcher: subprocess.Popen[bytes], deadline: float) -> Iterator[str]:
    """Yield what the program says, until it ends or (should that be killed) its supervisor."""
    output = cast("IO[bytes]", watcher.stdout)
    rest = b""
    with _waiting_for(watcher, output) as selector:
        while ready := selector.select(max(0.0, deadline - time.monotonic())):
            if not any(key.fileobj is output for key, _ in ready):
                break
            chunk = os.read(output.fileno(), CHUNK)
            if not chunk:
                break
            *whole, rest = (rest + chunk).split(b"\n")
            for line in whole:
                yield line.decode(errors="replace")
        else:
            raise Overdue("It took longer than it may, and was stopped")
    if rest:
        yield rest.decode(errors="replace")


@contextmanager
def _waiting_for(
    watcher: subprocess.Popen[bytes], output: IO[bytes]
) -> Iterator[selectors.BaseSelector]:
    death = os.pidfd_open(watcher.pid)
    try:
        with selectors.DefaultSelector() as selector:
            selector.register(output, selectors.EVENT_READ)
            selector.register(death, selectors.EVENT_READ)
            yield selector
    finally:
        os.close(death)
