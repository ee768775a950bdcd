"""What each sandbox of a bundle, and a plain shell of its user, may reach on a server.

The lists here are all that is allowed, each with its reason; a test walks everything there is.
"""

from __future__ import annotations

import base64
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from provision.lab.machines import Machine
    from tests.lab.region import Delivered, Region

PROBE = Path(__file__).with_name("probe.py").read_text(encoding="utf-8")
RUN = "import base64; exec(base64.b64decode('{}'))"
UNITS = "/run/systemd/system"
# All but the programs and libraries of Debian, and what the kernel shows.
WALKED = ("/srv", "/etc", "/run", "/var", "/dev", "/tmp", "/usr/local", "/home", "/root", "/opt")  # noqa: S108

NOTIFY = {"/run/systemd/notify": "says that it is ready; systemd hears a unit's main process only"}
DATABASE = {"/run/postgresql/.s.PGSQL.5432": "its database; PostgreSQL asks the kernel who it is"}
JOURNAL = {"/run/systemd/journal/dev-log": "its log"}
# The web server's door behind the meter: what is sent there is kept, and counted nowhere.
BEHIND_METER = ("meter", "shell")
LOGIN_DOOR = "/run/paquet-cloud-login/socket"
LOGIN = {LOGIN_DOOR: "asks whether a login is good"}
# Doors of the server that PHP needs on it, at whatever address of its own.
PORTS = {80: "web", 443: "web: clouds of one server share files", 465: "sends its letters"}
# What systemd and D-Bus offer to every user of a machine. Each asks who calls; nothing that changes
# the machine is allowed to a user without a session.
EVERYBODY = {
    "/run/systemd/journal/socket": "the log",
    "/run/systemd/journal/stdout": "the log",
    "/run/systemd/private": "closes at once unless root calls",
    "/run/systemd/userdb/io.systemd.DynamicUser": "names of users",
    "/run/systemd/io.systemd.ManagedOOM": "closes at once unless systemd-oomd calls",
    "/run/systemd/io.systemd.Hostname": "the host's name",
    "/run/systemd/io.systemd.Credentials": "seals secrets; polkit says who may",
    "/run/dbus/system_bus_socket": "the bus, whose policy denies by default",
    "/run/ssh-unix-local/socket": "sshd, as its port: keys only, and no bundle has one",
}
ALLOWED = {
    "php": {**NOTIFY, **DATABASE, **JOURNAL},
    "cron": {**NOTIFY, **DATABASE, **JOURNAL},
    "dav": {**NOTIFY, **LOGIN},
    "files": {},
    "meter": DATABASE,
    "cache": NOTIFY,
    # Nothing runs like this: what a hole in a sandbox would lead to.
    "shell": {**NOTIFY, **DATABASE, **JOURNAL, **EVERYBODY},
}
ONLINE = ("php", "cron", "shell")
SHELL = "shell"
# Where no socket is: the kernel's own files, Debian's programs.
PASSED_OVER = ("-path", "/proc", "-o", "-path", "/sys", "-o", "-path", "/usr")
# A memory of its own, gone with the unit.
PRIVATE = ("/tmp", "/var/tmp")  # noqa: S108
# What every user of the machine may fill; no bundle's program runs there.
WORLD = (*PRIVATE, "/dev/shm", "/dev/mqueue", "/run/lock", "/var/lib/php/sessions")  # noqa: S108


@dataclass(frozen=True)
class Doors:
    """All doors that a machine has: Unix sockets, and ports at each of its addresses."""

    sockets: list[str]
    abstract: list[str]
    tcp: list[tuple[str, int]]
    udp: list[tuple[str, int]]

    def __len__(self) -> int:
        return len(self.sockets) + len(self.abstract) + len(self.tcp) + len(self.udp)


def doors_of(region: Region) -> Doors:
    """Return the doors of the bundle server, and those of the backup server that are ports."""
    server = region.machine("bundles1")
    found = server.run(
        ["find", "/", "(", *PASSED_OVER, ")", "-prune", "-o", "-type", "s", "-print"]
    )
    named = re.findall(r" @(\S+)$", server.run(["cat", "/proc/net/unix"]).stdout, re.MULTILINE)
    ports = {
        kind: [
            (address, port)
            for machine in (server, region.machine("backup1"))
            for port in listening(machine, kind)
            for address in addresses(machine, local=machine is server)
        ]
        for kind in ("tcp", "udp")
    }
    return Doors(sorted(set(found.stdout.split())), named, ports["tcp"], ports["udp"])


def listening(machine: Machine, kind: str) -> list[int]:
    """Return the ports at which a machine listens."""
    told = machine.run(["ss", "-Hln", "--tcp" if kind == "tcp" else "--udp"]).stdout.splitlines()
    return sorted({int(line.split()[3].rpartition(":")[2]) for line in told})


def addresses(machine: Machine, *, local: bool) -> Iterator[str]:
    """Yield the addresses of a machine; those of its loopback only from within."""
    yield from ("127.0.0.1", "127.0.1.1", "::1") if local else ()
    for link in json.loads(machine.run(["ip", "-json", "address"]).stdout):
        yield from (one["local"] for one in link["addr_info"] if one["scope"] == "global")


def services(bundle: Delivered) -> list[str]:
    """Return the services of a bundle that wait behind a socket."""
    told = bundle.server.run(["systemctl", "list-sockets", "--no-legend", "--full", "--plain"])
    return sorted(set(re.findall(rf"\S+@{bundle.name}\.service", told.stdout)))


def places(bundle: Delivered) -> list[str]:
    """Return what runs as a bundle: PLACE of each paquet-PLACE@ that has its user, and "shell"."""
    listed = bundle.server.run(
        ["systemctl", "list-units", "--all", "--no-legend", "--plain", f"paquet-*@{bundle.name}.*"]
    )
    known = set(re.findall(r"^paquet-(\w+)@", listed.stdout, re.MULTILINE))
    found = []
    for place in sorted(known):
        unit = f"paquet-{place}@{bundle.name}.service"
        shown = bundle.server.run(["systemctl", "show", "--value", "--property=User", unit])
        found += [place] if shown.stdout.strip() == bundle.name else []
    return [*found, SHELL]


@dataclass(frozen=True)
class Reached:
    """What was reached from one place."""

    open: list[str]
    writable: list[str]
    telling: list[str]
    walked: int


def walk(
    place: str, bundle: Delivered, doors: Doors, *, walked: Sequence[str] = (), words: str = ""
) -> Reached:
    """Return what `place` of a bundle (a unit paquet-PLACE@, or "shell") reaches beyond ALLOWED.

    All doors are knocked at. Below the folders `walked` it tries to write, and looks for `words`.
    """
    given = json.dumps(
        {
            **vars(doors),
            "own": [
                f"/srv/bundles/{bundle.name}",
                f"/run/paquet-cache/{bundle.name}",
                *(WORLD if place == SHELL else PRIVATE),
            ],
            "walked": walked,
            "words": words.split(),
        }
    )
    told: dict[str, Any] = json.loads(probe(place, bundle, given))
    own = (f"/run/paquet/{bundle.name}/", f"/run/paquet-cache/{bundle.name}/")
    inner = "" if place in BEHIND_METER else f"{own[0]}inner/"
    told["open"] = [
        door
        for door in told["open"]
        if not (door.startswith(own) or is_allowed(place, door)) or (inner and inner in door)
    ]
    return Reached(**told)


def is_allowed(place: str, door: str) -> bool:
    """Whether a door, none of the bundle's own, may stand open there."""
    kind, _, where = door.partition(" ")
    if kind != "tcp":
        return door in ALLOWED.get(place, {})
    return place in ONLINE and int(where.rpartition(" ")[2]) in PORTS


def probe(place: str, bundle: Delivered, given: str, program: str = PROBE) -> str:
    """Run the probe, or another program, there and return what it says."""
    if place == SHELL:
        user = [f"--reuid={bundle.name}", f"--regid={bundle.name}", "--init-groups"]
        return bundle.server.run(["setpriv", *user, "python3", "-c", program], given=given).stdout
    unit = f"paquet-walk-{place}@{bundle.name}.service"
    home = f"/srv/bundles/{bundle.name}"
    files = {f"{home}/given.json": given}
    try:
        lay_copy(place, bundle, program)
        for path, text in files.items():
            bundle.server.run(["tee", path], given=text)
            bundle.server.run(["chown", f"{bundle.name}:", path])
        bundle.server.run(["systemctl", "daemon-reload"])
        done = bundle.server.run(["systemctl", "start", unit], check=False)
        if done.returncode:
            said = bundle.server.run(["journalctl", "-u", unit, "-n", "20", "-o", "cat"]).stdout
            raise PaquetError(f"the probe in {place} failed", said)
        return bundle.server.run(["cat", f"{home}/said.json"]).stdout
    finally:
        bundle.server.run(["rm", "-f", f"{UNITS}/paquet-walk-{place}@.service"])
        bundle.server.run(["rm", "-f", *files, f"{home}/said.json"])
        bundle.server.run(["systemctl", "daemon-reload"])


# What a copy of a unit does not keep: what it runs, and how it tells that it does.
REPLACED = re.compile(r"(?:Exec\w+|Type|NotifyAccess|Requires|After|Restart\w*|Sockets)=")


def lay_copy(place: str, bundle: Delivered, program: str) -> None:
    """Lay down a unit with every fence of the real one, which runs `program` in its place."""
    shown = bundle.server.run(["systemctl", "cat", f"paquet-{place}@{bundle.name}.service"]).stdout
    text = re.sub(r"\\\n\s*", " ", shown)
    fences = [line for line in text.splitlines() if not REPLACED.match(line)]
    home = f"/srv/bundles/{bundle.name}"
    run = RUN.format(base64.b64encode(program.encode()).decode())
    ours = [
        "[Service]",
        "Type=oneshot",
        f"StandardInput=file:{home}/given.json",
        f"StandardOutput=truncate:{home}/said.json",
        # In its words, for not every sandbox has a place from which it could be read.
        f'ExecStart=/usr/bin/python3 -c "{run}"',
        "ExecPaths=/usr/bin/python3 /usr/lib",
        "TimeoutStartSec=5min",
        # The probe walks; who hammers at limits is another test.
        "TasksMax=infinity",
        "",
    ]
    path = f"{UNITS}/paquet-walk-{place}@.service"
    bundle.server.run(["tee", path], given="\n".join([*fences, *ours]))


def units(machine: Machine, bundles: Sequence[str]) -> list[str]:
    """Return all services of ours on a machine, those of each bundle in its place."""
    listed = machine.run(["systemctl", "list-unit-files", "--no-legend", "--plain", "paquet-*"])
    files = [line.split()[0] for line in listed.stdout.splitlines()]
    names = [name for name in files if name.endswith(".service")]
    single = [name for name in names if "@" not in name]
    templates = [name for name in names if "@." in name]
    return single + [name.replace("@", f"@{one}") for name in templates for one in bundles]


def time_limits(machine: Machine, names: Sequence[str]) -> dict[str, list[str]]:
    """Return how long each unit may take to start and to stop."""
    shown = ["--value", "--property=TimeoutStartUSec", "--property=TimeoutStopUSec"]
    told = machine.run(["systemctl", "show", *shown, *names]).stdout.strip().split("\n\n")
    return {name: limits.split("\n") for name, limits in zip(names, told, strict=True)}


def exposure(machine: Machine, names: Sequence[str]) -> dict[str, float]:
    """Return what `systemd-analyze security` thinks of each unit, from 0 (safe) to 10."""
    each = 'for unit; do systemd-analyze security --no-pager "$unit" | tail -1; done'
    told = machine.run(["sh", "-ec", each, "sh", *names]).stdout
    found = re.findall(r"exposure level for \S+: ([\d.]+)", told)
    return {name: float(level) for name, level in zip(names, found, strict=True)}
