"""One call at a time: long work is begun by one call, and had by the same call again."""

from __future__ import annotations

import fcntl
import os
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

LOCKS = Path("/run/paquet")


@contextmanager
def alone(name: str, folder: Path = LOCKS) -> Iterator[None]:
    """Wait until no other call works under this name, and work. Only root may even try."""
    folder.mkdir(exist_ok=True)
    lock = os.open(folder / f"{name}.lock", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
    finally:
        os.close(lock)
