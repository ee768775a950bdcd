"""The release that carries runs out, as a stamp: a run says so where it goes on under another."""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from pathlib import Path

from provision.shipped import share

KINDS = {".py", ".yml", ".j2", ".sql", ".toml", ".html", ".css", ".txt"}
LETTERS = 12


@lru_cache(maxsize=1)
def stamp() -> str:
    """Return the version, and the digest of all code that a run may use, playbooks included.

    It is what was there when this process asked first: `read_stamp` looks again.
    """
    return read_stamp()


def read_stamp() -> str:
    """Return the stamp of what is installed now."""
    whole = hashlib.sha256()
    for top in (Path(__file__).parents[1], share("playbooks"), share("templates")):
        for path in sorted(top.rglob("*")):
            if path.suffix in KINDS and path.is_file():
                whole.update(f"{path.relative_to(top)}\n".encode() + path.read_bytes())
    return f"{version('paquet')}+{whole.hexdigest()[:LETTERS]}"
