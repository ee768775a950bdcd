"""Back one bundle up: a new snapshot now, or the first one begun.

It starts the unit of the nightly backup, with its fences and limits, which makes the repository
when there is none. `new` sees that the backup server answers, and waits for the end; one that was
under way already is waited for, then made anew. `begun` does nothing where there is a snapshot, and
waits until the cloud is no longer kept still, if it is `kept`: `backup --first` has the end.
"""

from __future__ import annotations

import json
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.paquet_paths import Refused

ARGUMENTS = {
    "name": {"required": True},
    "state": {"default": "new", "choices": ["new", "begun"]},
    "kept": {"type": "bool", "default": False},
    "told": {"type": "path", "default": "/var/lib/paquet/backup"},
    "program": {"type": "path", "default": "/usr/local/lib/paquet/backup"},
}
SYSTEMCTL = "/usr/bin/systemctl"
OFTEN = 0.05


def look(params: dict[str, Any]) -> None:
    """See that the backup server answers: the unit would try for a quarter of an hour, silently."""
    command = [params["program"], "--look", params["name"]]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise Refused(said[-1] if said else "the backup program gave no reason")


def start(unit: str) -> None:
    """Start a unit and wait for its good end."""
    done = subprocess.run([SYSTEMCTL, "start", unit], capture_output=True, check=False)
    if done.returncode:
        raise _failed(unit)


def begin(unit: str, folder: Path, *, kept: bool) -> None:
    """Start a unit; while it has to keep the cloud still, wait."""
    dumped = folder / "dumped"
    dumped.unlink(missing_ok=True)
    subprocess.run([SYSTEMCTL, "reset-failed", unit], capture_output=True, check=False)
    begun = [SYSTEMCTL, "start", "--no-block", unit]
    if subprocess.run(begun, capture_output=True, check=False).returncode:
        raise _failed(unit)
    under_way = True
    while kept and not dumped.exists() and not (folder / "last.json").exists():
        if not under_way:
            raise _failed(unit)
        time.sleep(OFTEN)
        under_way = _is_under_way(unit)  # before the next look at what it left


def _is_under_way(unit: str) -> bool:
    """Whether a unit works, or is about to: one that ended may look as if it never had begun."""
    ask = [SYSTEMCTL, "show", "--property=ActiveState,Job", unit]
    said = subprocess.run(ask, capture_output=True, text=True, check=False).stdout.split()
    waits = any(line.startswith("Job=") and line not in ("Job=", "Job=0") for line in said)
    return waits or not {"ActiveState=inactive", "ActiveState=failed"}.intersection(said)


def _failed(unit: str) -> Refused:
    journal = ["/usr/bin/journalctl", "--output=cat", "--lines=15", f"_SYSTEMD_UNIT={unit}"]
    said = subprocess.run(journal, capture_output=True, text=True, check=False)
    return Refused(f"the backup failed: {said.stdout.strip()[-2000:]}")


def last(params: dict[str, Any]) -> dict[str, Any] | None:
    """Return what the program told of the last snapshot, None before the first."""
    try:
        told = Path(params["told"], params["name"], "last.json").read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    return dict(json.loads(told))


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Make or begin the snapshot; the result has what the program told of it, once it has."""
    told, unit = last(params), f"paquet-backup@{params['name']}.service"
    if check or (told and params["state"] == "begun"):
        return {"changed": params["state"] == "new", "paquet": {"backup": told}}
    if params["state"] == "begun":
        begin(unit, Path(params["told"], params["name"]), kept=params["kept"])
        return {"changed": True, "paquet": {"backup": last(params)}}
    look(params)
    asked = time.time()
    start(unit)
    told = last(params)
    if told and told["ended"] - told["seconds"] < asked - 1:
        start(unit)
        told = last(params)
    return {"changed": True, "paquet": {"backup": told}}
