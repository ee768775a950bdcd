"""A look inside a server: its own program says what it sees, over ssh; nothing is changed."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.commands import Surroundings, run
from provision.servers import connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.servers.inventory import Host
    from provision.settings import Settings

PROGRAM = ("python3", "-I", "/usr/local/lib/paquet/watch", "look")
SSH_FAILED = 255
SECONDS = 120.0


def look_inside(host: Host, settings: Settings) -> str:
    """Return what `host` says of itself (JSON). Raises as `ask_program` does."""
    return ask_program(host, settings, PROGRAM, "cannot look inside itself")


def ask_program(host: Host, settings: Settings, words: Sequence[str], unable: str) -> str:
    """Return what a program of ours on `host` says, run as root.

    Raises Unreachable, UnsafeChange, or PaquetError with `unable` when the program fails.
    """
    remote = words if host.user == "root" else ("sudo", "--non-interactive", "--", *words)
    command = [*connection.ssh_command(host, settings), shlex.join(remote)]
    done = run(command, check=False, surroundings=Surroundings(timeout=SECONDS))
    if done.returncode == SSH_FAILED:
        raise connection.explain_unreachable(host.name, done.stderr)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise PaquetError(
            f"{host.name} {unable}: {' '.join(said)}",
            f"`paquet server deploy {host.name}` brings the program that does.",
        )
    return done.stdout
