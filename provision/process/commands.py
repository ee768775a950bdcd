"""Run other programs: a list of words in, text out, one clear error when it fails."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

NOT_FOUND = 127
LAST_LINES = 12


@dataclass(frozen=True)
class Completed:
    """What a program said and how it ended."""

    stdout: str
    stderr: str
    returncode: int


class CommandFailed(PaquetError):
    """A program ended with an error that its caller did not expect."""

    def __init__(self, command: Sequence[str], completed: Completed) -> None:
        super().__init__(_explain(command[0], completed), _hint(command[0], completed.returncode))
        self.completed = completed


@dataclass(frozen=True)
class Surroundings:
    """Where and with what a program runs: folder, added environment, seconds it may take."""

    folder: Path | None = None
    environment: Mapping[str, str] | None = None
    timeout: float | None = None


def run(
    command: Sequence[str],
    *,
    given: str = "",
    check: bool = True,
    surroundings: Surroundings | None = None,
) -> Completed:
    """Run `command` to its end, with `given` as its standard input.

    Secrets belong in `given`, never in `command`: any user of the machine can read arguments.
    Raises CommandFailed when it cannot be started, takes too long, or (with `check`) fails.
    """
    around = surroundings or Surroundings()
    try:
        ended = subprocess.run(
            list(command),
            input=given,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            cwd=around.folder,
            env={**os.environ, **(around.environment or {})},
            timeout=around.timeout,
        )
    except FileNotFoundError:
        raise CommandFailed(command, Completed("", "", NOT_FOUND)) from None
    except subprocess.TimeoutExpired as late:
        message = f"`{command[0]}` did not end within {late.timeout:.0f} seconds"
        raise PaquetError(message, "Look at what it waits for, then try again.") from None
    completed = Completed(ended.stdout, ended.stderr, ended.returncode)
    if check and completed.returncode:
        raise CommandFailed(command, completed)
    return completed


def start(
    command: Sequence[str], *, surroundings: Surroundings | None = None, **pipes: int | None
) -> subprocess.Popen[str]:
    """Start `command` and return at once; `pipes` are Popen's stdin, stdout and stderr."""
    around = surroundings or Surroundings()
    try:
        return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
            list(command),
            text=True,
            errors="replace",
            cwd=around.folder,
            env={**os.environ, **(around.environment or {})},
            **pipes,
        )
    except FileNotFoundError:
        raise CommandFailed(command, Completed("", "", NOT_FOUND)) from None


def is_installed(program: str) -> bool:
    """Whether `program` is on the path."""
    return shutil.which(program) is not None


def _explain(program: str, completed: Completed) -> str:
    code = completed.returncode
    if code == NOT_FOUND:
        return f"`{program}` is not installed on this machine"
    if code < 0:
        return f"`{program}` was ended by {signal.Signals(-code).name}"
    said = (completed.stderr.strip() or completed.stdout.strip()).splitlines()[-LAST_LINES:]
    return f"`{program}` failed with code {code}" + (": " + "\n".join(said) if said else "")


def _hint(program: str, code: int) -> str:
    if code == NOT_FOUND:
        return f"Install it (on Debian: apt install {program}), then try again."
    if code == -signal.SIGKILL:
        return "The machine may be out of memory: see `journalctl -k`."
    return ""
