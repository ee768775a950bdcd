"""What is shipped beside the code: templates, playbooks, the example of an inventory."""

from __future__ import annotations

from pathlib import Path

from provision.errors import PaquetError

HERE = Path(__file__).resolve().parent


def share(name: str) -> Path:
    """Return where `playbooks` or `templates` lies: in the wheel or in the source tree."""
    for folder in (HERE / "_share", HERE.parent):
        if (folder / name).exists():
            return folder / name
    raise PaquetError(f"The folder {name} is missing from this installation", "Install again.")
