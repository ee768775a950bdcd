"""Install Debian packages in one transaction and repair what a killed one left."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.paquet_alone import alone
from ansible.module_utils.paquet_paths import PathEntry, Refused, look, place, write

ARGUMENTS = {
    "names": {"type": "list", "elements": "str", "required": True},
    "policy": {},
    "patience": {"type": "int", "default": 300},
}
ENVIRONMENT = {
    "DEBIAN_FRONTEND": "noninteractive",
    "LC_ALL": "C.UTF-8",
    "PAQUET_INSTALLS": "1",
    "NEEDRESTART_SUSPEND": "1",
}
POLICY = "/usr/sbin/policy-rc.d"
# dpkg's journal: files stay here only when it was killed (dpkg, lib/dpkg/dbmodify.c)
JOURNAL = "/var/lib/dpkg/updates"
KEEP_CHANGED = ["-o", "Dpkg::Options::=--force-confdef", "-o", "Dpkg::Options::=--force-confold"]
LAST_LINES = 15


def read_states(told: str) -> dict[str, str]:
    """Given lines of state and package, return the second letter of the state of each package.

    The letters (dpkg-query(1)): i installed, c only its configuration, n not there, and H, U, F,
    W, t for what dpkg has not finished.
    """
    return {words[1]: words[0][1] for words in map(str.split, told.splitlines()) if words[1:]}


def missing(names: list[str], states: dict[str, str]) -> list[str]:
    """Return the wanted names that are not installed, in order and once."""
    return sorted({name for name in names if states.get(name) != "i"})


def is_interrupted(states: dict[str, str], journal: list[str]) -> bool:
    """Whether dpkg was killed in the middle of something."""
    return bool(journal) or any(state in "HUFWt" for state in states.values())


def look_at_dpkg() -> tuple[dict[str, str], list[str]]:
    """Return the state of every package and the files in dpkg's journal."""
    told = call("dpkg-query", "--show", "--showformat", "${db:Status-Abbrev} ${Package}\\n")
    return read_states(told.stdout), [path.name for path in Path(JOURNAL).iterdir()]


def call(*command: str) -> subprocess.CompletedProcess[str]:
    """Run a program of dpkg or apt."""
    environment = {**os.environ, **ENVIRONMENT}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    if done.returncode:
        said = (done.stdout + done.stderr).strip().splitlines()[-LAST_LINES:]
        raise Refused(f"{' '.join(command)}: " + "\n".join(said))
    return done


def repair(patience: int) -> None:
    """Finish what a killed dpkg left, then what it depends on."""
    call("dpkg", "--configure", "-a", "--force-confdef", "--force-confold")
    call(*_apt(patience), "--fix-broken", "install")


def install(names: list[str], patience: int) -> None:
    """Install in one transaction; old lists would ask for versions that are gone."""
    call(*_apt(patience), "update")
    call(*_apt(patience), "--no-install-recommends", "install", "--", *names)


def _apt(patience: int) -> list[str]:
    wait = f"DPkg::Lock::Timeout={patience}"
    return [
        "apt-get",
        "--yes",
        "--quiet",
        "-o",
        wait,
        "-o",
        "Acquire::Languages=none",
        *KEEP_CHANGED,
    ]


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Repair and install what is due; return Ansible's result."""
    with alone("packages"):
        return _bring(params, check=check)


def _bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    states, journal = look_at_dpkg()
    repaired = is_interrupted(states, journal)
    renewed = keep_policy(params["policy"], check=check)
    names = missing(params["names"], states)
    if not check:
        settle(params, names, repaired=repaired)
    return {
        "changed": repaired or bool(names) or renewed,
        "installed": names,
        "repaired": repaired,
        "diff": {"before": "", "after": "".join(f"{name}\n" for name in names)},
    }


def keep_policy(text: str | None, *, check: bool) -> bool:
    """Write the policy that invoke-rc.d asks; return whether it was not as wanted."""
    if text is None:
        return False
    wanted = PathEntry("file", 0o755, 0, 0, text.encode())
    with place(POLICY) as spot:
        if look(spot) == wanted:
            return False
        if not check:
            write(spot, wanted)
    return True


def settle(params: dict[str, Any], names: list[str], *, repaired: bool) -> None:
    """Repair and install what is due."""
    if repaired:
        repair(params["patience"])
        names = missing(params["names"], look_at_dpkg()[0])
    if names:
        install(names, params["patience"])
