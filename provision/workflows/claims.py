"""The right to change a server, with the registry's number of the run."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.registry import fences
from provision.servers.guard import Claim

if TYPE_CHECKING:
    from provision.servers.inventory import Host
    from provision.workflows.control import Control


def claim(control: Control, host: Host, *, force: bool = False) -> Claim:
    """Return the wish to change `host`; with `force`, even when it has seen a newer registry."""

    def next_fence(seen: int) -> int:
        with control.session() as session:
            if force:
                fences.raise_fence(session, host.name, seen)
            return fences.next_fence(session, host.name)

    def wait(holder: str) -> None:
        control.tell(f"waits: {host.name} is busy: {holder}")

    return Claim(next_fence, wait)
