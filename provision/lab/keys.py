"""The ssh keys of a lab: one to log in with, one per machine to be recognised by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.lab.plan import MACHINES, SERVER_NAMES
from provision.lab.state import write_whole
from provision.process import commands

if TYPE_CHECKING:
    from pathlib import Path

    from provision.lab.plan import LabPlan

LOGIN = "id_ed25519"
KNOWN_HOSTS = "known_hosts"


def ensure(folder: Path, plan: LabPlan) -> None:
    """Make the keys that are missing in `folder`, and the list of known hosts."""
    for name in (LOGIN, *(f"hosts/{machine}" for machine in MACHINES)):
        path = folder / name
        if not path.with_suffix(".pub").exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            quiet = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", f"paquet lab {plan.name}"]
            commands.run([*quiet, "-f", str(path)])
    lines = [
        f"{SERVER_NAMES[machine]},{plan.address(machine)} {public_host_key(folder, machine)}\n"
        for machine in MACHINES
    ]
    write_whole(folder / KNOWN_HOSTS, "".join(lines))


def public_host_key(folder: Path, machine: str) -> str:
    """Return type and key of the machine's host key, as known_hosts(5) has them."""
    text = (folder / "hosts" / f"{machine}.pub").read_text(encoding="utf-8")
    return " ".join(text.split()[:2])


def of_machine(folder: Path, machine: str) -> dict[str, str]:
    """Return the texts that the machine itself needs: `host`, `host.pub` and `login.pub`."""
    return {
        "host": (folder / "hosts" / machine).read_text(encoding="utf-8"),
        "host.pub": (folder / "hosts" / f"{machine}.pub").read_text(encoding="utf-8"),
        "login.pub": (folder / f"{LOGIN}.pub").read_text(encoding="utf-8"),
    }
