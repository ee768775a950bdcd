"""The one limit of this computer that labs need raised, and its exact return.

Every systemd holds half a dozen inotify instances, and Linux gives 128 to all processes of root
together: with a second lab, machines would die at boot without a word.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.lab.state import write_whole

if TYPE_CHECKING:
    from pathlib import Path

ENOUGH = 1024
BEFORE = "inotify-before"


def raise_to_enough(limit: Path, labs: Path) -> None:
    """Raise the number in the file `limit`; what it was is kept in the folder `labs` first."""
    known = int(limit.read_text())
    if known >= ENOUGH:
        return
    write_whole(labs / BEFORE, f"{known}\n")
    limit.write_text(f"{ENOUGH}\n")


def restore(limit: Path, labs: Path) -> None:
    """Put back what the limit was, unless somebody else has changed it since."""
    kept = labs / BEFORE
    if not kept.exists():
        return
    if int(limit.read_text()) == ENOUGH:
        limit.write_text(kept.read_text())
    kept.unlink()
