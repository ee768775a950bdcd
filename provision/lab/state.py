"""What a running lab remembers: its network number and the layers that its disks lie on."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

NAME = "state.json"


@dataclass(frozen=True)
class State:
    """`layers` are the folders below each machine's disk, topmost first; `snapshot` its origin."""

    subnet: int
    layers: dict[str, list[str]] = field(default_factory=dict)
    snapshot: str = ""


def all_labs(labs: Path) -> list[Path]:
    """Return the folders of all labs of this computer, which are in `labs`."""
    return [folder for folder in labs.iterdir() if folder.is_dir()] if labs.exists() else []


def load(folder: Path) -> State | None:
    """Return the state kept in `folder`, or None when there is no lab."""
    try:
        return State(**json.loads((folder / NAME).read_text(encoding="utf-8")))
    except FileNotFoundError:
        return None


def save(folder: Path, state: State) -> None:
    """Keep `state` in `folder`: wholly, or not at all."""
    write_whole(folder / NAME, json.dumps(asdict(state), indent=2) + "\n")


def write_whole(path: Path, text: str, mode: int = 0o644) -> None:
    """Write `text` so that a reader, or a cut, sees the old file or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.new")
    fresh.touch(mode=mode)
    fresh.chmod(mode)
    fresh.write_text(text, encoding="utf-8")
    fresh.rename(path)
