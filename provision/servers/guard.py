"""Who may change a server: a lock held by a connection, and a number that only grows.

The server decides (reliability): neither a paused run, a second operator nor a registry restored
from last week can interleave. The words of the talk are in `playbooks/guard/guard`.
"""

from __future__ import annotations

import getpass
import json
import os
import shlex
import socket
import subprocess
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import IO, TYPE_CHECKING, Any, cast

from provision.errors import PaquetError, UnsafeChange
from provision.process.commands import start
from provision.process.files import folder_in_memory
from provision.servers import connection
from provision.servers.playbooks import Permit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from pathlib import Path

    from provision.servers.inventory import Host
    from provision.settings import Settings

GUARD = "/usr/local/lib/paquet/guard"
SSH_FAILED, NOT_THERE = 255, (1, 126, 127)
# util-linux; a killed paquet must not leave the lock to a connection that hangs.
DIES_WITH_US = ("setpriv", "--pdeathsig", "KILL")
BEAT_SECONDS = 5.0
SILENCE_SECONDS = 60.0
WAIT_SECONDS = 600.0
GOODBYE_SECONDS = 5.0


def describe_owner() -> str:
    """Return who we are, for those who will wait for us."""
    return f"{getpass.getuser()} on {socket.gethostname()} (process {os.getpid()})"


@dataclass(frozen=True)
class Claim:
    """A wish to change a server.

    `next_fence` is called once the lock is ours, with the server's number; it returns the number
    of this run, committed in the registry. `on_wait` hears who holds the lock while we wait.
    """

    next_fence: Callable[[int], int]
    on_wait: Callable[[str], None] = lambda _: None
    owner: str = field(default_factory=describe_owner)
    wait: float = WAIT_SECONDS
    silence: float = SILENCE_SECONDS


class ServerBusy(PaquetError):
    """Another run holds the server, and did not end while we waited."""


class LockLost(PaquetError):
    """The connection that holds the lock broke; the server refuses what this run does next."""


@dataclass(frozen=True)
class Hold:
    """A server that is ours: the permit for its plays, and its roles' digests as it knows them."""

    permit: Permit
    digests: Mapping[str, str]
    line: _GuardLine

    def remember(self, digests: Mapping[str, str]) -> None:
        """Store digests on the server. Raises LockLost."""
        if digests:
            self.line.tell({"remember": dict(digests)})
            self.line.hear()


@contextmanager
def hold(host: Host, settings: Settings, claim: Claim) -> Iterator[Hold]:
    """Hold the run lock of `host` with a fresh fence; both go with the connection.

    Raises ServerBusy, UnsafeChange when the server has seen a newer run than the registry knows,
    Unreachable, or PaquetError when the server was never prepared.
    """
    with folder_in_memory() as folder, _talk(host, settings, claim, folder) as line:
        answer = line.hear_out(claim)
        if answer["state"] == "busy":
            raise ServerBusy(
                f"{host.name} is still busy after {claim.wait:.0f} seconds: {answer['holder']}",
                "Wait for that run to end, or stop it where it runs.",
            )
        fence = claim.next_fence(answer["fence"])
        line.tell({"fence": fence})
        if (stored := line.hear_out(claim).get("fence")) is not None:
            raise _registry_is_older(host, fence, stored)
        with line.beating():
            yield Hold(Permit(host.name, fence, folder / "c"), answer["digests"], line)


@dataclass(frozen=True)
class _GuardLine:
    """The ssh process that talks with the guard."""

    host: Host
    process: subprocess.Popen[str]
    errors: Path
    speaking: threading.Lock = field(default_factory=threading.Lock)

    def tell(self, said: Mapping[str, object]) -> None:
        try:
            with self.speaking:
                speaker = cast("IO[str]", self.process.stdin)
                speaker.write(json.dumps(said) + "\n")
                speaker.flush()
        except BrokenPipeError:
            raise self._explain() from None

    def hear(self) -> dict[str, Any]:
        heard = cast("IO[str]", self.process.stdout).readline()
        if not heard:
            raise self._explain()
        return dict(json.loads(heard))

    def hear_out(self, claim: Claim) -> dict[str, Any]:
        """Return what comes after all waiting."""
        while (answer := self.hear())["state"] == "waiting":
            claim.on_wait(answer["holder"])
        return answer

    @contextmanager
    def beating(self) -> Iterator[None]:
        """Tell the guard that we are alive, as long as we are not paused."""
        over = threading.Event()
        heart = threading.Thread(target=self._beat, args=(over,), daemon=True)
        heart.start()
        try:
            yield
        finally:
            over.set()
            heart.join()

    def _beat(self, over: threading.Event) -> None:
        with suppress(PaquetError):
            while not over.wait(BEAT_SECONDS):
                self.tell({"beat": True})

    def _explain(self) -> PaquetError:
        code = self.process.wait()
        said = self.errors.read_text(encoding="utf-8", errors="replace")
        if code == SSH_FAILED:
            return connection.explain_unreachable(self.host.name, said)
        if code in NOT_THERE and said.strip():
            return PaquetError(
                f"{self.host.name} is not prepared yet: it has no guard",
                f"Run `paquet server prepare {self.host.name}` first.",
            )
        return LockLost(
            f"The lock of {self.host.name} was lost: the connection broke",
            "Run the same command again: it goes on where it stopped.",
        )


@contextmanager
def _talk(host: Host, settings: Settings, claim: Claim, folder: Path) -> Iterator[_GuardLine]:
    """Start the guard; the connection is also the one that plays share, and dies with us."""
    errors = folder / "errors"
    remote = [GUARD, "hold", "--owner", claim.owner]
    remote += ["--wait", str(claim.wait), "--silence", str(claim.silence)]
    if host.user != "root":
        remote = ["sudo", "--non-interactive", "--", *remote]
    shared = ["-o", "ControlMaster=yes", "-o", f"ControlPath={folder}/c"]
    ssh, *words = connection.ssh_command(host, settings)
    with errors.open("w") as complaints:
        process = start(
            [*DIES_WITH_US, ssh, *shared, *words, shlex.join(remote)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=complaints.fileno(),
        )
    with process:
        try:
            yield _GuardLine(host, process, errors)
        finally:
            _say_goodbye(process)


def _say_goodbye(process: subprocess.Popen[str]) -> None:
    """Hang up, so that the server lets go of the lock; a dead line is cut."""
    with suppress(BrokenPipeError):
        cast("IO[str]", process.stdin).close()
    try:
        process.wait(GOODBYE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()


def _registry_is_older(host: Host, fence: int, stored: int) -> UnsafeChange:
    return UnsafeChange(
        f"This registry looks older than {host.name}: it would be run {fence} there, but the "
        f"server has seen run {stored}",
        "Was the registry restored from a backup? Bring it up to date first. If it is right as "
        f"it is: `paquet server deploy {host.name} --force`.",
    )
