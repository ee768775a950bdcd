"""Who is kept out of a server and who is let in: its own program knows (role `fail2ban`).

No lock is taken: at a party somebody is let in while a deployment runs, and a play changes nothing
that this touches.
"""

from __future__ import annotations

import ipaddress
import json
import re
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from provision.errors import UsageRefused
from provision.servers.looking import Inquiry, ask_program

if TYPE_CHECKING:
    from provision.servers.inventory import Host
    from provision.settings import Settings

PROGRAM = "/usr/local/lib/paquet/doors"
DURATION = re.compile(r"([1-9][0-9]{0,4})([mhd])")
UNITS = {"m": "minutes", "h": "hours", "d": "days"}
LONGEST = timedelta(days=30)
# Wider networks are not one house, and would open every door to half the world.
WIDEST = {4: 24, 6: 48}


@dataclass(frozen=True)
class Ban:
    """An address that is kept out at one door, until when (UTC)."""

    door: str
    address: str
    until: str


@dataclass(frozen=True)
class Guests:
    """Who is kept out, and which networks are let in until when (UTC)."""

    bans: tuple[Ban, ...]
    allowed: dict[str, str]

    def as_rows(self) -> list[dict[str, object]]:
        """Return one row per ban, then one per network that is let in."""
        let_in = [
            {"door": "all, let in", "address": name, "until": until}
            for name, until in self.allowed.items()
        ]
        return [*map(asdict, self.bans), *let_in]


def network(text: str) -> str:
    """Given an address or a small network as typed, return its usual form. Raises UsageRefused."""
    try:
        block = ipaddress.ip_network(text.strip(), strict=False)
    except ValueError:
        raise UsageRefused(
            f"{text!r} is no IP address", "Write it as 203.0.113.7 or 2001:db8::7."
        ) from None
    if block.prefixlen < WIDEST[block.version]:
        raise UsageRefused(
            f"{block} is more than one house", "A network has at least /24, or /48 in IPv6."
        )
    return str(block.network_address if block.num_addresses == 1 else block)


def duration(text: str) -> timedelta:
    """Given a duration as typed, such as 8h, return it. Raises UsageRefused."""
    match = DURATION.fullmatch(text.strip())
    if match is None:
        raise UsageRefused(f"{text!r} is no duration", "Write 30m, 8h or 2d.")
    length = timedelta(**{UNITS[match[2]]: int(match[1])})
    if length > LONGEST:
        raise UsageRefused(f"{text} is too long", "An address is let in for 30 days at most.")
    return length


def guests(host: Host, settings: Settings) -> Guests:
    """Return who is kept out of `host`, and who is let in."""
    return _ask(host, settings, "bans")


def allow(host: Host, settings: Settings, address: str, length: timedelta) -> Guests:
    """Have no door of `host` closed to `address` for so long, and return who is kept out then."""
    return _ask(host, settings, "allow", address, str(int(length.total_seconds())))


def lift(host: Host, settings: Settings, address: str) -> Guests:
    """Open every door of `host` to `address` again, and return who is kept out then."""
    return _ask(host, settings, "lift", address)


def _ask(host: Host, settings: Settings, *words: str) -> Guests:
    inquiry = Inquiry((PROGRAM, *words), "does not know whom it keeps out")
    said = ask_program(host, settings, inquiry)
    told = json.loads(said)
    let_in = {guest["address"]: guest["until"] for guest in told["allowed"]}
    return Guests(tuple(Ban(**ban) for ban in told["bans"]), let_in)
