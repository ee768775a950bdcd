"""Snapshots of a whole lab: prepared once, started again in seconds as often as one likes.

A snapshot holds all machines and their keys, for they know each other: the name server the
addresses, the servers the certificates. So a lab from a snapshot has the snapshot's network.
"""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING
from uuid import uuid4

from provision.errors import PaquetError, UsageRefused
from provision.lab import state
from provision.lab.plan import LABS, MACHINES
from provision.process import commands

if TYPE_CHECKING:
    from pathlib import Path

TITLE = re.compile(r"[a-z0-9][a-z0-9-]{0,40}")
DESCRIPTION = "snapshot.json"
KEPT = ("id_ed25519", "id_ed25519.pub", "hosts", "world.json", "roots.pem")


@dataclass(frozen=True)
class LabSnapshot:
    """A snapshot in its folder; `layers` are the images that its own layers lie on."""

    folder: Path
    subnet: int
    layers: dict[str, list[str]]

    @property
    def title(self) -> str:
        """The name it was given."""
        return self.folder.name

    def state(self) -> state.State:
        """Return the state of a lab that starts from here."""
        layers = {
            machine: [str(self.folder / "layers" / machine), *below]
            for machine, below in self.layers.items()
        }
        return state.State(self.subnet, layers, snapshot=self.title)


def take(cache: Path, title: str, lab: Path) -> LabSnapshot:
    """Keep the stopped lab in the folder `lab` as `title`, replacing an older one of that name."""
    refuse_use(cache, title)
    known = state.load(lab)
    if known is None:
        raise PaquetError("The lab is not up", "Run `paquet lab up`, then try again.")
    fresh = _home(cache, title).with_name(f".{title}.{uuid4().hex[:8]}")
    (fresh / "layers").mkdir(parents=True)
    for machine in MACHINES:
        upper = lab / "machines" / machine / "upper"
        _copy(upper, fresh / "layers" / machine)
    for name in KEPT:
        _copy(lab / name, fresh / name)
    words = {"subnet": known.subnet, "layers": known.layers}
    state.write_whole(fresh / DESCRIPTION, json.dumps(words, indent=2) + "\n")
    remove(cache, title)
    fresh.rename(_home(cache, title))
    return find(cache, title)


def lay_out(snapshot: LabSnapshot, lab: Path) -> None:
    """Make in the empty folder `lab` what it begins with as `snapshot`; its state comes last."""
    for name in KEPT:
        _copy(snapshot.folder / name, lab / name)
    for machine in MACHINES:
        disk = lab / "machines" / machine
        disk.mkdir(parents=True, exist_ok=True)
        (disk / "identity").touch()  # it is somebody already
    state.save(lab, snapshot.state())


def find(cache: Path, title: str) -> LabSnapshot:
    """Return the snapshot `title`. Raises PaquetError when there is none, or its image is gone."""
    home = _home(cache, title)
    try:
        words = json.loads((home / DESCRIPTION).read_text(encoding="utf-8"))
    except FileNotFoundError:
        known = ", ".join(titles(cache)) or "none yet"
        raise PaquetError(f"There is no snapshot {title}", f"There are: {known}.") from None
    return LabSnapshot(home, words["subnet"], words["layers"])


def titles(cache: Path) -> list[str]:
    """Return the names of all snapshots, in the order of the alphabet."""
    return sorted(path.parent.name for path in (cache / "snapshots").glob(f"[!.]*/{DESCRIPTION}"))


def remove(cache: Path, title: str) -> None:
    """Remove the snapshot `title` if it is there. Raises PaquetError while a lab lies on it."""
    refuse_use(cache, title)
    shutil.rmtree(_home(cache, title), ignore_errors=True)
    for abandoned in (cache / "snapshots").glob(f".{title}.*"):
        if not (abandoned / DESCRIPTION).exists():
            shutil.rmtree(abandoned, ignore_errors=True)


def refuse_use(cache: Path, title: str) -> None:
    """Raise when `title` can name no snapshot (UsageRefused), or a lab lies on it (PaquetError)."""
    home = str(_home(cache, title))
    for folder in state.all_labs(LABS):
        known = state.load(folder)
        if known and home in json.dumps(asdict(known)):
            raise PaquetError(
                f"The lab {folder.name} was started from the snapshot {title}",
                f"Take it down first: `paquet lab down --name {folder.name}`.",
            )


def _home(cache: Path, title: str) -> Path:
    if not TITLE.fullmatch(title):
        raise UsageRefused(f"{title!r} cannot name a snapshot", "Use a-z, 0-9 and hyphens.")
    return cache / "snapshots" / title


def _copy(source: Path, target: Path) -> None:
    """Copy with owners, modes and the attributes in which overlayfs writes what is gone."""
    commands.run(["cp", "--archive", "--reflink=auto", str(source), str(target)])
