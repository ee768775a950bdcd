"""Programs of ours on a server, asked over ssh; most only look."""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.process.commands import Surroundings, run
from provision.servers import connection

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.servers.inventory import Host
    from provision.settings import Settings

SSH_FAILED = 255
SECONDS = 120.0


@dataclass(frozen=True)
class Inquiry:
    """A program of ours with its words, what is said when it fails, and the seconds it may take.

    The `hint` is for whoever reads that; {host} in it is the server.
    """

    words: Sequence[str]
    unable: str
    hint: str = "`paquet server deploy {host}` brings the program that does."
    seconds: float = SECONDS


LOOK = Inquiry(
    ("python3", "-I", "/usr/local/lib/paquet/watch", "look"), "cannot look inside itself"
)


def look_inside(host: Host, settings: Settings) -> str:
    """Return what `host` says of itself (JSON). Raises as `ask_program` does."""
    return ask_program(host, settings, LOOK)


def ask_program(host: Host, settings: Settings, inquiry: Inquiry) -> str:
    """Return what a program of ours on `host` says, run as root.

    Raises Unreachable, UnsafeChange, or PaquetError in the inquiry's words when it fails.
    """
    words = inquiry.words
    remote = words if host.user == "root" else ("sudo", "--non-interactive", "--", *words)
    command = [*connection.ssh_command(host, settings), shlex.join(remote)]
    done = run(command, check=False, surroundings=Surroundings(timeout=inquiry.seconds))
    if done.returncode == SSH_FAILED:
        raise connection.explain_unreachable(host.name, done.stderr)
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:]
        raise PaquetError(
            f"{host.name} {inquiry.unable}: {' '.join(said)}",
            inquiry.hint.format(host=host.name),
        )
    return done.stdout
