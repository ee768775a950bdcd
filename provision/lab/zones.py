"""The zones that the lab's world begins with, as master files (RFC 1035 §5). Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from provision.lab.plan import MACHINES, NAMES, SERVER_NAMES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.lab.plan import LabPlan

OPERATOR_ZONE = "paquet.test"
FOREIGN_ZONE = "ailleurs.test"
# Domains that subscribers of the lab own already; the second is exémple.test.
OWN_ZONES = ("exemple.test", "xn--exmple-cva.test", "association.test")
NAME_SERVER = "ns1.ailleurs.test"
STRING = 255  # octets of one character-string in TXT


def all_zones(plan: LabPlan, dkim: str) -> dict[str, str]:
    """Return every zone with its text; `dkim` is the TXT of the foreign mail server's key."""
    return {
        OPERATOR_ZONE: _zone(OPERATOR_ZONE, _machines_of(plan)),
        FOREIGN_ZONE: _zone(FOREIGN_ZONE, _foreign(plan, dkim)),
        **{zone: _zone(zone, []) for zone in OWN_ZONES},
        reverse_zone(plan): _zone(reverse_zone(plan), _reverse()),
    }


def reverse_zone(plan: LabPlan) -> str:
    """Return the zone that turns the lab's addresses into names."""
    return f"{plan.subnet}.18.198.in-addr.arpa"


def in_strings(text: str) -> str:
    """Return `text` as the quoted strings of one TXT record."""
    parts = [text[start : start + STRING] for start in range(0, len(text), STRING)]
    return " ".join(f'"{part}"' for part in parts)


def _zone(zone: str, lines: Sequence[str]) -> str:
    head = [
        f"$ORIGIN {zone}.",
        "$TTL 60",
        # A name that was asked for too early may be asked for again a second later.
        f"@ SOA {NAME_SERVER}. hostmaster.{FOREIGN_ZONE}. 1 3600 600 86400 1",
        f"@ NS {NAME_SERVER}.",
    ]
    return "\n".join([*head, *lines, ""])


def _machines_of(plan: LabPlan) -> list[str]:
    return [
        f"{name}. A {plan.address(machine)}"
        for machine, name in SERVER_NAMES.items()
        if name.endswith(f".{OPERATOR_ZONE}")
    ]


def _foreign(plan: LabPlan, dkim: str) -> list[str]:
    internet = plan.address("internet")
    return [
        f"ns1 A {plan.numbered(NAMES)}",
        f"mx A {internet}",
        f"acme A {internet}",
        "@ MX 10 mx",
        '@ TXT "v=spf1 mx -all"',
        '_dmarc TXT "v=DMARC1; p=reject"',
        f"lab._domainkey TXT {in_strings(dkim)}",
    ]


def _reverse() -> list[str]:
    return [f"{last} PTR {SERVER_NAMES[machine]}." for machine, last in MACHINES.items()]
