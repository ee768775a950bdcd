"""The network of a lab: everything in namespaces of its own, one interface on this computer.

A router namespace holds the bridge, and slirp4netns gives it a way out that needs nothing of this
computer's firewall or sysctls: what is forwarded and masqueraded is so inside the namespace and
ends with it.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.lab.mounts import mounted_below
from provision.lab.plan import HOST, MACHINES, NAMES, ROUTER, preferred_subnets
from provision.process import commands

if TYPE_CHECKING:
    from provision.lab.groups import Group
    from provision.lab.plan import LabPlan

GATEWAY_UNIT = "gateway"
OUTSIDE_RESOLVER = "10.0.2.3"  # slirp4netns(1): it answers with this computer's own resolver
OUTSIDE_MTU = 65520  # slirp4netns(1) recommends it for speed
LINK_WAIT = 15.0

# Machines may reach the world, but no other lab: neither through the way out nor through this
# computer, should it forward packets.
FIREWALL = """
table ip lab {{
  chain outward {{ type nat hook postrouting priority srcnat; oifname "tap0" masquerade; }}
  chain forwarded {{
    type filter hook forward priority 0;
    oifname "tap0" ip daddr 198.18.0.0/15 drop;
  }}
}}
table bridge lab {{
  chain forwarded {{
    type filter hook forward priority 0;
    oifname "host" ip daddr != {host} drop;
  }}
}}
"""


@dataclass(frozen=True)
class Network:
    """The namespaces and links of one lab; `folder` keeps the namespaces as files."""

    plan: LabPlan
    folder: Path
    group: Group

    def namespace(self, who: str) -> Path:
        """Return the file that holds the network namespace of `who`."""
        return self.folder / who

    def is_laid(self) -> bool:
        """Whether every namespace and link is there."""
        mounts = mounted_below(self.folder)
        spaces = all(str(self.namespace(who)) in mounts for who in ("router", *MACHINES))
        return spaces and subnet_of(self.plan.link) == self.plan.subnet

    def leads_out(self) -> bool:
        """Whether the way out is open; the links must be there."""
        runs = bool(self.group.processes(GATEWAY_UNIT))
        return runs and "default" in self._inside("router", ["ip", "route"])

    def build(self) -> None:
        """Make all of it; nothing of it may exist yet."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for who in ("router", *MACHINES):
            file = self.namespace(who)
            file.touch()
            commands.run(["unshare", f"--net={file}", "true"])
        self._inside("router", ["sysctl", "-qw", "net.ipv4.ip_forward=1"])
        self._inside("router", ["ip", "-batch", "-"], router_links(self))
        self._inside("router", ["nft", "-f", "-"], FIREWALL.format(host=self.plan.numbered(HOST)))
        for machine in MACHINES:
            self._inside(machine, ["ip", "-batch", "-"], machine_links(self.plan, machine))
        join = f"link add {self.plan.link} type veth peer name host netns "
        commands.run(["ip", "-batch", "-"], given=f"{join}{self.namespace('router')}\n")
        self._inside("router", ["ip", "link", "set", "host", "master", "lab", "up"])
        # The address comes last: it tells that all before it was done.
        commands.run(["ip", "-batch", "-"], given=host_links(self.plan))

    def open_the_way_out(self) -> None:
        """Start the gateway and wait until it routes."""
        self.group.kill(GATEWAY_UNIT)
        command = ["slirp4netns", "--netns-type=path", "--configure", "--disable-host-loopback"]
        command += [f"--mtu={OUTSIDE_MTU}", str(self.namespace("router")), "tap0"]
        log = self.folder / "gateway.log"
        self.group.start(GATEWAY_UNIT, command, log)
        deadline = time.monotonic() + LINK_WAIT
        while not self.leads_out():
            if time.monotonic() > deadline:
                said = log.read_text(encoding="utf-8") if log.exists() else ""
                raise PaquetError(f"slirp4netns gave the lab no way out. {said}".strip())
            time.sleep(0.05)

    def _inside(self, who: str, command: list[str], given: str = "") -> str:
        namespace = f"--net={self.namespace(who)}"
        return commands.run(["nsenter", namespace, *command], given=given).stdout


def router_links(network: Network) -> str:
    """Return the `ip -batch` lines that make the bridge and a link to each machine."""
    address = network.plan.numbered(ROUTER)
    lines = [
        "link set lo up",
        "link add lab type bridge",
        f"address add {address}/24 dev lab",
        "link set lab up",
    ]
    for machine in MACHINES:
        inside = network.namespace(machine)
        lines += [
            f"link add {machine} type veth peer name host0 netns {inside}",
            f"link set {machine} master lab up",
        ]
    return "\n".join([*lines, ""])


def machine_links(plan: LabPlan, machine: str) -> str:
    """Return the `ip -batch` lines that address a machine from outside, before it boots."""
    addresses = [plan.address(machine)]
    if machine == "internet":
        addresses.append(plan.numbered(NAMES))
    return "\n".join(
        [
            "link set lo up",
            *(f"address add {address}/24 dev host0" for address in addresses),
            "link set host0 up",
            f"route add default via {plan.numbered(ROUTER)}",
            "",
        ]
    )


def host_links(plan: LabPlan) -> str:
    """Return the `ip -batch` lines that give this computer its address in the lab."""
    return "\n".join(
        [
            f"link set {plan.link} up",
            f"address add {plan.numbered(HOST)}/24 dev {plan.link}",
            "",
        ]
    )


def remove_link(link: str) -> None:
    """Remove the interface of a lab from this computer, if it is there."""
    if _link_exists(link):
        commands.run(["ip", "link", "delete", link])


def free_subnet(name: str) -> int:
    """Return a subnet number that nothing here uses, if possible the one that `name` prefers."""
    taken = _taken_subnets()
    for subnet in preferred_subnets(name):
        if subnet not in taken:
            return subnet
    raise PaquetError("All 256 lab networks are in use", "Take a lab down: `paquet lab down`.")


def require_free(subnet: int) -> None:
    """Raise PaquetError when this computer uses the network of a lab that has to come back."""
    if subnet in _taken_subnets():
        raise PaquetError(
            f"Something here uses the network 198.18.{subnet}.0/24 that this lab was made with",
            "Another lab may come from the same snapshot: take that one down first.",
        )


def _taken_subnets() -> set[int]:
    return {*_subnets_in(["ip", "-json", "address"]), *_subnets_in(["ip", "-json", "route"])}


def subnet_of(link: str) -> int | None:
    """Return the subnet number of the lab interface `link`, or None when it has none."""
    if not _link_exists(link):
        return None
    return next(iter(_subnets_in(["ip", "-json", "address", "show", "dev", link])), None)


def _link_exists(link: str) -> bool:
    return Path("/sys/class/net", link).exists()


def _subnets_in(command: list[str]) -> list[int]:
    """Return the third numbers of all 198.18.N.x that `command` prints."""
    said = commands.run(command).stdout
    return [int(number) for number in re.findall(r"\b198\.18\.(\d{1,3})\.", said)]
