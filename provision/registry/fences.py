"""The number of a run on a server: it only grows, and is written before the server hears it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.registry.models import Server

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy.orm import Session


def known_server(session: Session, name: str) -> Server:
    """Return the registry's row of a server of the inventory, made at its first use."""
    server = session.get(Server, name, with_for_update=True)
    if server is None:
        server = Server(name=name, fence=0)
        session.add(server)
        session.flush()
    return server


def prepared_at(session: Session, name: str) -> datetime | None:
    """Return when a server was prepared, None where it was not."""
    server = session.get(Server, name)
    return None if server is None else server.prepared_at


def next_fence(session: Session, name: str) -> int:
    """Return the fence of the next run on server `name`. Commit before the server hears it."""
    server = known_server(session, name)
    server.fence += 1
    return server.fence


def raise_fence(session: Session, name: str, at_least: int) -> None:
    """Catch up with a server that has seen run `at_least`, after a registry was restored."""
    server = known_server(session, name)
    server.fence = max(server.fence, at_least)
