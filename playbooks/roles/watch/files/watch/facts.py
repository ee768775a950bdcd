"""What the server knows about itself. Reads only, and asks nobody outside of it."""

from __future__ import annotations

import ast
import contextlib
import json
import os
import re
import subprocess
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 60
PSEUDO = frozenset(("proc", "sysfs", "cgroup2", "devpts", "mqueue", "ramfs", "autofs"))
# Where containers have file systems in memory that hold nothing.
KERNELS, KERNELS_TOO = ("/dev", "/sys", "/proc"), ("/run/credentials", "/run/host", "/run/user")
BACKUPS, LAST = Path("/etc/paquet/backup"), Path("/var/lib/paquet/backup")
CERTIFICATES, PLACEHOLDER = Path("/etc/paquet/certificates"), "Paquet placeholder"
SITES = Path("/etc/nginx/paquet.d")
REBOOT = Path("/run/reboot-required")
APT = Path("/etc/apt/apt.conf.d/60paquet")
UPGRADED = Path("/var/lib/apt/periodic/upgrade-stamp")
UPGRADE_LOG = Path("/var/log/unattended-upgrades/unattended-upgrades.log")
WRONG = re.compile(r"^(?P<when>\S+ [0-9:]+)\S* ERROR (?P<said>.*)$")
NEEDRESTART = "/usr/sbin/needrestart"
NOT_OURS = "paquet-watch.service"  # it cannot judge itself


def seldom_asked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return all facts; some take a second or two to find out."""
    return {
        **often_asked(settings),
        "memory": memory(),
        "queue": queue(),
        "restarts": restarts(),
        "clock": clock(),
        "bans": bans(),
    }


def often_asked(settings: dict[str, Any]) -> dict[str, Any]:
    """Return the facts that the operator is written to about."""
    return {
        "disks": disks(),
        "units": failed_units(),
        "reboot": REBOOT.stat().st_mtime if REBOOT.exists() else 0.0,
        "upgrades": upgrades(),
        "backups": backups(),
        "repositories": repositories(settings["repositories"]),
        "certificates": certificates(),
    }


def call(*command: str, environment: dict[str, str] | None = None) -> str:
    """Run a program and return what it said, whatever its end; nothing when it is not here."""
    around = {**os.environ, "LC_ALL": "C.UTF-8", **(environment or {})}
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, check=False, timeout=SECONDS, env=around
        )
    except (FileNotFoundError, subprocess.TimeoutExpired):
        return ""
    return done.stdout


def disks() -> list[dict[str, Any]]:
    """Return how full each file system is that can be written, once each; in hundredths."""
    by_device: dict[int, dict[str, Any]] = {}
    for path in writable_mounts(Path("/proc/self/mountinfo").read_text(encoding="utf-8")):
        try:
            device, room = path.stat().st_dev, os.statvfs(path)
        except OSError:
            continue  # gone since, or hidden from us
        if room.f_blocks and path.is_dir():
            used = room.f_blocks - room.f_bfree
            disk = {
                "path": str(path),
                # As df(1): what is kept for root is not free for others.
                "disk": rounded_up(used, used + room.f_bavail),
                "inodes": rounded_up(room.f_files - room.f_ffree, room.f_files),
            }
            by_device.setdefault(device, disk)
    return list(by_device.values())


def writable_mounts(mountinfo: str) -> Iterator[Path]:
    """Given proc_pid_mountinfo(5), yield where file systems are that somebody may fill.

    What our own sandbox may not write is one of them: only the file system's own word counts.
    """
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        path = re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), before.split()[4])
        kind, _, options = after.split(maxsplit=2)
        is_kernels = path in KERNELS or path.startswith(KERNELS_TOO)
        if kind not in PSEUDO and "ro" not in options.split(",") and not is_kernels:
            yield Path(path)


def rounded_up(part: int, whole: int) -> int:
    """Return how many hundredths of `whole` are `part`, as df(1) rounds."""
    return -(-part * 100 // whole) if whole else 0


def memory() -> dict[str, int]:
    """Return memory and swap in KiB (proc_meminfo(5))."""
    lines = Path("/proc/meminfo").read_text(encoding="ascii").splitlines()
    told = {line.partition(":")[0]: int(line.split()[1]) for line in lines}
    return {
        "total": told["MemTotal"],
        "available": told["MemAvailable"],
        "swap_total": told["SwapTotal"],
        "swap_free": told["SwapFree"],
    }


def failed_units() -> list[str]:
    """Return the units that have failed."""
    told = call("systemctl", "list-units", "--failed", "--plain", "--no-legend", "--full")
    names = (line.split()[0] for line in told.splitlines() if line.strip())
    return sorted(name for name in names if name != NOT_OURS)


def restarts() -> list[str] | None:
    """Return the units that run with files that are replaced; as needrestart(1) lists them.

    Not those of somebody's session: it ends when they log out.
    """
    if not Path(NEEDRESTART).exists():
        return None
    told = call(NEEDRESTART, "-b", "-r", "l", "-l")
    units = re.findall(r"^NEEDRESTART-SVC: (?!user@)(.+)$", told, re.MULTILINE)
    return sorted(set(units))


def upgrades() -> dict[str, Any]:
    """Return what the nightly upgrades say of themselves."""
    audited = call("dpkg", "--audit")
    log = UPGRADE_LOG.read_text(errors="replace") if UPGRADE_LOG.exists() else ""
    last = (UPGRADED if UPGRADED.exists() else APT).stat().st_mtime
    return {
        "broken": re.findall(r"^ ([a-z0-9][a-z0-9+.-]+)", audited, re.MULTILINE),
        "errors": errors_since(log, last),
        "last": last,
        "held": call("apt-mark", "showhold").split(),
    }


def errors_since(log: str, success: float) -> list[str]:
    """Given the log of unattended-upgrade(8), return the errors after its last success.

    That somebody else was upgrading just then is none.
    """
    errors = filter(None, map(WRONG.match, log.splitlines()))
    return [
        line["said"][:200]
        for line in errors
        if datetime.strptime(line["when"], "%Y-%m-%d %H:%M:%S").astimezone().timestamp() > success
        and "lock" not in line["said"].lower()
    ]


def queue() -> dict[str, Any] | None:
    """Return how many messages wait and since when, without a word about whose they are."""
    if not Path("/usr/sbin/postqueue").exists():
        return None
    waiting = [json.loads(line)["arrival_time"] for line in call("postqueue", "-j").splitlines()]
    return {"count": len(waiting), "oldest": min(waiting, default=0)}


def backups() -> dict[str, float]:
    """Return when the last backup of each bundle ended; of a new one, when it was set up."""
    moments = {}
    for settings in BACKUPS.glob("*/settings.json"):
        name = settings.parent.name
        moments[name] = settings.stat().st_mtime
        last = LAST / name / "last.json"
        # One that was cut off tells nothing.
        with contextlib.suppress(FileNotFoundError, ValueError):
            moments[name] = float(json.loads(last.read_text(encoding="utf-8"))["ended"])
    return moments


def repositories(folder: str) -> dict[str, float] | None:
    """Return when each repository got its last snapshot; None where there are none."""
    if not folder:
        return None
    return {path.parent.name: path.stat().st_mtime for path in Path(folder).glob("*/snapshots")}


def certificates() -> dict[str, dict[str, Any]]:
    """Return for each certificate of ours from when to when it is good.

    That of a subscriber's own domain goes by the name of the bundle: letters tell no domain.
    """
    validities, bundles = {}, certified_bundles(SITES)
    for chain in sorted(CERTIFICATES.glob("*/fullchain.pem")):
        told = call(
            *("openssl", "x509", "-in", str(chain), "-noout", "-issuer", "-dates"),
            *("-dateopt", "iso_8601"),
        )
        name = chain.parent.name
        validities[bundles.get(name, name)] = validity(told)
    return validities


def validity(told: str) -> dict[str, Any]:
    """Given what openssl tells of a certificate, return from when to when it is good.

    One that cannot be read is good at no time: it must not keep all else from being told.
    """
    try:
        issuer, start, end = (line.partition("=")[2] for line in told.strip().splitlines())
        placeholder = PLACEHOLDER in issuer
        return {"start": moment(start), "end": moment(end), "placeholder": placeholder}
    except ValueError:
        return {"start": 0.0, "end": 0.0, "placeholder": False}


def certified_bundles(sites: Path) -> dict[str, str]:
    """Return for each certificate of one host name alone the bundle whose web site has it."""
    bundles = {}
    for site in sites.glob("*.conf"):
        text = site.read_text(encoding="utf-8")
        hosts = re.search(r"https://([^$;]+)\$request_uri", text)
        if hosts and f"/certificates/{hosts[1]}/" in text:
            bundles[hosts[1]] = site.stem
    return bundles


def moment(iso_8601: str) -> float:
    """Return when that is, as openssl writes it."""
    return datetime.strptime(iso_8601, "%Y-%m-%d %H:%M:%S%z").timestamp()


def clock() -> dict[str, bool]:
    """Return whether the clock is ours to keep, and whether it is kept."""
    told = call("timedatectl", "show", "--property", "NTPSynchronized", "--value")
    container = call("systemd-detect-virt", "--container").strip()
    return {"container": container not in ("", "none"), "synchronised": told.strip() == "yes"}


def bans() -> dict[str, int] | None:
    """Return how many addresses each jail shuts out."""
    told = call("fail2ban-client", "banned").strip()
    if not told:
        return None
    jails: list[dict[str, list[str]]] = ast.literal_eval(told)
    return {jail: len(addresses) for entry in jails for jail, addresses in entry.items()}
