"""The plan of a lab: which machines it has, their names, addresses and folders. Pure."""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass
from pathlib import Path

from provision.errors import UsageRefused

LABS = Path("/var/lib/paquet-lab")
LAB_NAME = re.compile(r"[a-z][a-z0-9]{0,8}")
SUBNETS = 256

HOST, INTERNET, NAMES, ROUTER = 1, 2, 3, 254  # NAMES: the second address of `internet`
MACHINES = {"bundles1": 10, "backup1": 20, "internet": INTERNET}
SERVER_NAMES = {
    "bundles1": "bundles1.paquet.test",
    "backup1": "backup1.paquet.test",
    "internet": "mx.ailleurs.test",
}


@dataclass(frozen=True)
class LabPlan:
    """One lab: its name, and the number N of its network 198.18.N.0/24 (0 to 255)."""

    name: str
    subnet: int

    def address(self, machine: str) -> str:
        """Return the address of `machine`; raises UsageRefused when the lab has no such machine."""
        if machine not in MACHINES:
            known = ", ".join(MACHINES)
            raise UsageRefused(f"The lab has no machine {machine}", f"It has: {known}.")
        return self.numbered(MACHINES[machine])

    def numbered(self, last: int) -> str:
        """Return the address whose last number is `last`."""
        return f"198.18.{self.subnet}.{last}"

    @property
    def network(self) -> str:
        """The network of the lab, with its prefix length."""
        return f"198.18.{self.subnet}.0/24"

    @property
    def link(self) -> str:
        """The one interface that the lab adds to this computer (at most 15 characters)."""
        return f"paq-{self.name}"


def checked_name(name: str) -> str:
    """Return `name` when it can name a lab: interfaces are named after it, so it is short."""
    if not LAB_NAME.fullmatch(name):
        raise UsageRefused(
            f"{name!r} cannot name a lab",
            "Use up to nine small letters and digits, the first one a letter.",
        )
    return name


def preferred_subnets(name: str) -> list[int]:
    """Return all subnet numbers, beginning with the one that this name always tries first."""
    first = zlib.crc32(name.encode()) % SUBNETS
    return [(first + step) % SUBNETS for step in range(SUBNETS)]
