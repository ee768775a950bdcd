"""What others need to know of a running lab: one JSON file of addresses and paths, no secrets."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import requests

from provision.errors import PaquetError
from provision.lab import internet, keys, zones
from provision.lab.plan import MACHINES, NAMES, SERVER_NAMES
from provision.lab.state import write_whole

if TYPE_CHECKING:
    from pathlib import Path

    from provision.lab.internet import World
    from provision.lab.plan import LabPlan

NAME = "lab.json"
ROOTS, TRUSTED = "roots.pem", "ca.pem"
PAQUET_KEY, ACME_KEY, PASSWORD = "paquet.tsig", "acme.tsig", "camille.password"
SECONDS = 10.0


def write(folder: Path, plan: LabPlan, world: World) -> None:
    """Write the facts and the files that they point to."""
    for name, secret in (
        (PAQUET_KEY, world.paquet_secret),
        (ACME_KEY, world.acme_secret),
        (PASSWORD, world.password),
    ):
        write_whole(folder / name, f"{secret}\n", mode=0o600)
    write_whole(folder / NAME, json.dumps(facts(folder, plan), indent=2) + "\n")


def facts(folder: Path, plan: LabPlan) -> dict[str, object]:
    """Return the facts; `names` and `acme` have the keys of the settings' sections."""
    return {
        "name": plan.name,
        "folder": str(folder),
        "network": plan.network,
        "resolver": plan.address("internet"),
        "machines": {
            machine: {"name": SERVER_NAMES[machine], "address": plan.address(machine)}
            for machine in MACHINES
        },
        "zones": {
            "operator": zones.OPERATOR_ZONE,
            "own": list(zones.OWN_ZONES),
            "foreign": zones.FOREIGN_ZONE,
        },
        "ssh": {
            "user": "root",
            "key_file": str(folder / keys.LOGIN),
            "known_hosts": str(folder / keys.KNOWN_HOSTS),
        },
        "names": _names(folder, plan),
        "acme": {
            "directory": f"https://{internet.ACME_NAME}:{internet.ACME_PORT}/dir",
            "ca_file": str(folder / TRUSTED),
        },
        "foreign_mail": _foreign_mail(folder, plan),
    }


def _names(folder: Path, plan: LabPlan) -> dict[str, object]:
    return {
        "provider": "knot",
        "server": plan.numbered(NAMES),
        "port": internet.DNS,
        "key_name": "paquet",
        "key_algorithm": "hmac-sha256",
        "key_file": str(folder / PAQUET_KEY),
        "acme_key_name": "acme",
        "acme_key_file": str(folder / ACME_KEY),
    }


def _foreign_mail(folder: Path, plan: LabPlan) -> dict[str, object]:
    mailbox = f"{internet.USER}@{zones.FOREIGN_ZONE}"
    return {
        "address": mailbox,
        "login": mailbox,
        "password_file": str(folder / PASSWORD),
        "server_name": SERVER_NAMES["internet"],
        "server_address": plan.address("internet"),
        "imaps_port": internet.IMAPS,
        "submission_port": internet.SUBMISSION_PORT,
        "smtp_port": internet.SMTP,
    }


def trust_the_authority(folder: Path, plan: LabPlan, authority: str) -> None:
    """Write the file of all that lab clients trust: the directory's authority and pebble's roots.

    Pebble makes a new root whenever it starts; older ones stay, for what they signed stays too.
    """
    root = _current_root(_in_a_file(folder, authority), plan)
    roots = folder / ROOTS
    known = roots.read_text(encoding="utf-8") if roots.exists() else ""
    if root not in known:
        known += root
        write_whole(roots, known)
    write_whole(folder / TRUSTED, authority + known)


def _in_a_file(folder: Path, authority: str) -> Path:
    """Return a file with `authority`, named by its content: urllib3 remembers what a path held."""
    digest = hashlib.sha256(authority.encode()).hexdigest()[:8]
    file = folder / f"authority-{digest}.pem"
    write_whole(file, authority)
    return file


def _current_root(trusted: Path, plan: LabPlan) -> str:
    address = f"https://{plan.address('internet')}:{internet.ACME_ROOTS_PORT}/roots/0"
    with requests.Session() as session:
        session.trust_env = False  # a proxy of this computer does not know the lab
        try:
            answer = session.get(address, verify=str(trusted), timeout=SECONDS)
            answer.raise_for_status()
        except requests.RequestException as wrong:
            raise PaquetError(f"The lab's ACME authority does not answer: {wrong}") from wrong
    return answer.text
