"""Which e-mail addresses exist, as letters that came back tell: until somebody says otherwise."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sqlalchemy import select, update

from provision.database import pieces
from provision.post.models import Letter

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy.orm import Session

# RFC 3463, 3.2 and 3.3, RFC 7505: nobody is there. Providers put whatever else they mind of us or
# of a mailbox under 5.0.0, 5.1.0, 5.1.7, 5.1.8 and 5.2.0, and a full one under 552 (RFC 5321).
NOBODY = frozenset({"5.1.1", "5.1.2", "5.1.3", "5.1.6", "5.1.10", "5.2.1"})
FULL = re.compile(r"(?:^|; *)552\b")


def is_of_address(status: str, said: str = "") -> bool:
    """Tell whether a status (RFC 3463, such as 5.1.1) says that nobody is at an address.

    `said` are the server's words. A full mailbox, a letter that is too large, or what a server
    thinks of us is no such thing.
    """
    return status in NOBODY and not FULL.search(said)


def unreachable(session: Session, emails: Iterable[str | None]) -> set[str]:
    """Return which of the e-mail addresses do not exist, as letters that came back said."""
    asked = sorted({email for email in emails if email})
    gone: set[str] = set()
    for part in pieces(asked):
        gone |= set(session.scalars(select(Letter.gone).where(Letter.gone.in_(part))))
    return gone


def trust(session: Session, email: str) -> None:
    """Take an address for one that exists again, whatever came back from it; those stay noted."""
    session.execute(update(Letter).where(Letter.gone == email).values(gone=""))
