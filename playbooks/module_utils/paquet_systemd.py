"""Bring systemd units to their wanted state, each restarted or reloaded only when it is due."""

from __future__ import annotations

import hashlib
import json
import os
import stat
import subprocess
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.paquet_paths import PathEntry, Refused, place, write

STAMPS = "/var/lib/paquet/units"
FILES = Path("/etc/systemd/system")
UNIT = {
    "name": {"required": True},
    "enabled": {"type": "bool"},
    "state": {"choices": ["started", "stopped"]},
    "restart_on": {"type": "list", "elements": "str", "default": []},
    "reload_on": {"type": "list", "elements": "str", "default": []},
    "gone": {"type": "bool", "default": False},
}
SETTLED = {"stamps": {"type": "path", "default": STAMPS}, "reread": {"default": "paquet-*"}}
ARGUMENTS = {
    "units": {"type": "list", "elements": "dict", "required": True, "options": UNIT},
    **SETTLED,
}
PROPERTIES = (
    "Id,LoadState,ActiveState,SubState,NeedDaemonReload,ConditionResult,ConditionTimestampMonotonic"
)
RUNNING = ("active", "reloading", "activating", "refreshing")
NOT_ENABLED = ("disabled", "masked", "masked-runtime", "not-found", "")
# systemd(1): systemctl then only looks at the files and links, and has the manager read none again.
OFFLINE = {**os.environ, "SYSTEMD_OFFLINE": "1"}
# stop before start: a unit may free the port that another one wants
ORDER = ("disable", "stop", "enable", "start", "restart", "reload")
BEGINS = frozenset({"start", "restart", "reload"})
SETTLE = 0.3
GONE = ""
LAST_LINES = "20"


def digest(patterns: list[str]) -> str:
    """Given paths and globs, return a digest of names, owners, modes and contents."""
    read = hashlib.sha256()
    for path in sorted(
        {entry for pattern in patterns for entry in Path("/").glob(pattern.lstrip("/"))}
    ):
        about = path.stat()
        read.update(f"{path}\0{about.st_mode}\0{about.st_uid}\0{about.st_gid}\0".encode())
        if stat.S_ISREG(about.st_mode):
            read.update(hashlib.sha256(path.read_bytes()).digest())
    return read.hexdigest()


def wanted_stamp(unit: dict[str, Any]) -> dict[str, str]:
    """Given a unit, return the digests that its last start and last reload should have seen.

    Several roles may watch files of one unit: each of their lists has a digest of its own.
    """
    both = {"restart": unit["restart_on"], "reload": unit["reload_on"]}
    return {
        f"{action} {' '.join(sorted(paths))}": digest(paths)
        for action, paths in both.items()
        if paths
    }


def read_stamp(folder: str, name: str) -> dict[str, str]:
    """Return the digests of the last success, or nothing."""
    try:
        return dict(json.loads(_stamp_path(folder, name).read_text(encoding="utf-8")))
    except (FileNotFoundError, ValueError):
        return {}


def goodbye(stamp: dict[str, str], kept: dict[str, str]) -> dict[str, str]:
    """Given the stamp of files that are gone for good, return one that differs where it was kept.

    The unit hears of it once more; then `remembered` leaves nothing of it.
    """
    return dict.fromkeys(stamp.keys() & kept.keys(), GONE)


def remembered(kept: dict[str, str], stamp: dict[str, str]) -> dict[str, str]:
    """Return the digests to keep after a success: those kept before, those of now, none of GONE."""
    return {key: value for key, value in (kept | stamp).items() if value != GONE}


def _stamp_path(folder: str, name: str) -> Path:
    return Path(folder) / f"{name}.json"


def keep_stamp(folder: str, name: str, stamp: dict[str, str]) -> None:
    """Keep the digests of a success."""
    Path(folder).mkdir(mode=0o700, parents=True, exist_ok=True)
    content = json.dumps(stamp, sort_keys=True).encode()
    with place(str(_stamp_path(folder, name))) as spot:
        write(spot, PathEntry("file", 0o600, os.geteuid(), os.getegid(), content))


def actions_for(
    unit: dict[str, Any], shown: dict[str, str], kept: dict[str, str], stamp: dict[str, str]
) -> list[str]:
    """Given a unit, what systemd shows of it and its stamps, return the actions that are due."""
    due = []
    if unit["enabled"] is not None and _is_enabled(shown) != unit["enabled"]:
        due.append("enable" if unit["enabled"] else "disable")
    running = runs(shown)
    if unit["state"] == "started" and not running:
        due += [] if _does_not_belong_here(shown) else ["start"]
    elif unit["state"] == "stopped":
        due += ["stop"] if running else []
    elif running:
        # in the alphabet restart comes last, and it does all that reload does
        due += sorted({key.split()[0] for key in stamp if kept.get(key) != stamp[key]})[-1:]
    return due


def runs(shown: dict[str, str]) -> bool:
    """Whether a unit is up; one that systemd starts again and again is not."""
    return shown["ActiveState"] in RUNNING and shown["SubState"] != "auto-restart"


def _does_not_belong_here(shown: dict[str, str]) -> bool:
    """Whether systemd found one of its conditions untrue, e.g. a clock daemon in a container."""
    return shown["ConditionTimestampMonotonic"] != "0" and shown["ConditionResult"] == "no"


def _is_enabled(shown: dict[str, str]) -> bool:
    return shown["UnitFileState"] not in NOT_ENABLED


def _unit_files(folder: Path) -> list[Path]:
    """Return the files of our units, without those of a single instance (x@NAME.service.d)."""
    return [
        path
        for pattern in ("paquet-*", "paquet-*.d/*")
        for path in folder.glob(pattern)
        if "@" not in (name := path.relative_to(folder).parts[0]) or "@." in name
    ]


class Systemd:
    """What systemd says and does."""

    def call(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/usr/bin/systemctl", *words], capture_output=True, text=True, check=False
        )

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        if not names:
            return {}
        said = self.call("show", f"--property={PROPERTIES}", "--", *names).stdout
        blocks = [
            dict(line.split("=", 1) for line in block.splitlines() if "=" in line)
            for block in said.strip().split("\n\n")
        ]
        files = self.offline("is-enabled", "--", *names).stdout.splitlines()
        return {
            name: {**block, "UnitFileState": state}
            for name, block, state in zip(names, blocks, files, strict=True)
        }

    def has_newer_files(self) -> bool:
        """Whether a file of ours came after systemd read them: soon told, however many units."""
        words = ("show", "--property=UnitsLoadTimestamp", "--value", "--timestamp=unix")
        loaded = int(self.call(*words).stdout.strip().removeprefix("@") or 0)
        return any(path.stat().st_ctime >= loaded for path in _unit_files(FILES))

    def is_stale(self, pattern: str) -> bool:
        """Whether a file of a unit of this name, one that nobody lists here too, is newer."""
        said = self.call("show", "--all", "--property=NeedDaemonReload", "--", pattern).stdout
        return "NeedDaemonReload=yes" in said

    def offline(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["/usr/bin/systemctl", *words],
            capture_output=True,
            text=True,
            check=False,
            env=OFFLINE,
        )

    def act(self, action: str, names: list[str]) -> subprocess.CompletedProcess[str]:
        """Do one kind of action. Instances have no other names that the manager must learn.

        One that is disabled it must forget: what else wants it could start it again.
        """
        of_files = action == "enable" and all("@" in name for name in names)
        return (self.offline if of_files else self.call)(action, "--", *names)

    def explain(self, name: str) -> str:
        said = subprocess.run(
            [
                "/usr/bin/journalctl",
                "--unit",
                name,
                "--lines",
                LAST_LINES,
                "--output",
                "cat",
                "--no-pager",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        return said.stdout.strip()


def plan(units: list[dict[str, Any]], systemd: Systemd, folder: str) -> dict[str, dict[str, Any]]:
    """Return for each unit name what is due and the stamp to keep afterwards."""
    shown = systemd.show([unit["name"] for unit in units])
    planned = {}
    for unit in units:
        name, kept = unit["name"], read_stamp(folder, unit["name"])
        stamp = goodbye(wanted_stamp(unit), kept) if unit["gone"] else wanted_stamp(unit)
        absent = shown[name]["LoadState"] == "not-found"
        off = absent and unit["state"] != "started" and not unit["enabled"]
        due = [] if off else actions_for(unit, shown[name], kept, stamp)
        planned[name] = {
            "due": due,
            "stamp": None if stamp.items() <= kept.items() else remembered(kept, stamp),
        }
    return planned


def carry_out(planned: dict[str, dict[str, Any]], systemd: Systemd) -> dict[str, str]:
    """Do what is due, one systemctl call for each kind; return the units that failed and why."""
    failed = {}
    for action in ORDER:
        names = [name for name, unit in planned.items() if action in unit["due"]]
        ended = systemd.act(action, names) if names else None
        if ended and ended.returncode:
            failed.update(_who_failed(action, names, ended.stderr.strip(), systemd))
    failed.update(_who_fell([name for name in planned if name not in failed], planned, systemd))
    return failed


def _who_fell(
    names: list[str], planned: dict[str, dict[str, Any]], systemd: Systemd
) -> dict[str, str]:
    """Return the services that ended right after their start, which systemd calls a success."""
    begun = [
        name
        for name in names
        if name.endswith(".service") and BEGINS.intersection(planned[name]["due"])
    ]
    if not begun:
        return {}
    time.sleep(SETTLE)
    shown = systemd.show(begun)
    fallen = [
        name
        for name in begun
        if shown[name]["ActiveState"] == "failed" or shown[name]["SubState"] == "auto-restart"
    ]
    return {name: systemd.explain(name) for name in fallen}


def _who_failed(action: str, names: list[str], said: str, systemd: Systemd) -> dict[str, str]:
    if action in ("enable", "disable"):
        return dict.fromkeys(names, said)
    running = systemd.show(names)
    down = [name for name in names if not runs(running[name])]
    return {name: f"{said}\n{systemd.explain(name)}" for name in down or names}


def settle(params: dict[str, Any], *, check: bool, laid: bool = False) -> dict[str, Any]:
    """Bring all units to their wanted state; return Ansible's result: changed, actions, diff.

    Files of units that nobody lists (`laid`: there may be new ones) are read again, too, as far as
    the pattern `reread` names them. Raises Refused when a unit does not run afterwards; those that
    do are remembered all the same.
    """
    units, stamps = params["units"], params["stamps"]
    if not units and not laid:
        return {"changed": False, "actions": {}, "diff": []}
    systemd = Systemd()
    shown = systemd.show([unit["name"] for unit in units])
    stale = any(unit["NeedDaemonReload"] == "yes" for unit in shown.values())
    newer = stale or laid or systemd.has_newer_files()
    reread = stale or (newer and systemd.is_stale(params["reread"]))
    if reread and not check:
        systemd.call("daemon-reload")
    planned = plan(units, systemd, stamps)
    actions = {name: unit["due"] for name, unit in planned.items() if unit["due"]}
    if not check:
        _do_and_remember(planned, systemd, stamps)
    after = "".join(f"{name}: {', '.join(due)}\n" for name, due in actions.items())
    changed = bool(actions) or reread
    return {"changed": changed, "actions": actions, "diff": [{"before": "", "after": after}]}


def _do_and_remember(planned: dict[str, dict[str, Any]], systemd: Systemd, stamps: str) -> None:
    failed = carry_out(planned, systemd)
    for name, unit in planned.items():
        if unit["stamp"] is not None and name not in failed:
            keep_stamp(stamps, name, unit["stamp"])
    if failed:
        told = "\n".join(f"{name}: {why}" for name, why in failed.items())
        raise Refused(f"units that do not run: {told}")


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Be the module paquet_units."""
    return settle(params, check=check)
