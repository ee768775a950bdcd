#!/usr/bin/python3
"""Measure what each bundle takes, of its files and mail together, and give each its limits.

For each /etc/paquet/room/NAME.json: the home of the bundle and the folder of its mail become one
project of the file system's quotas (ext4 or XFS, mounted with prjquota), with all the bundle's room
as its hard limit. What its people keep counts for their room: Dovecot lets each mailbox take what
files and the other mailboxes leave, and the meter is told what mail takes. Where more than the room
came while sessions were open, they end: a session keeps the limit that it began with.

/var/lib/paquet/room.json: {"NAME": {"taken", "room", "people": {address: {"mail", "files",
"calendars"}}, "all_taken", "all", "kernel", "measured"}}, in bytes; "kernel" says whether the file
system holds "all".
"""

from __future__ import annotations

import contextlib
import ctypes
import fcntl
import json
import os
import pwd
import re
import secrets
import stat
import struct
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psycopg

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    Place = tuple[Path, str]

SETTINGS, BUNDLES = Path("/etc/paquet/room"), Path("/srv/bundles")
TOLD = Path("/var/lib/paquet/room.json")
# What the meter of a bundle reads.
METER = "/run/paquet/{}/inner/mail.json"
# Projects are numbers: those of Unix users, and this.
FIRST_PROJECT = 1_000_000
# linux/fs.h: struct fsxattr is xflags, extsize, nextents, projid, cowextsize and eight free bytes
GET_ATTRIBUTES, SET_ATTRIBUTES, ATTRIBUTES = 0x801C581F, 0x401C5820, "5I8x"
INHERITED, PROJECT = 0x200, 3
# linux/quota.h and dqblk: limits in KiB, then room in bytes, files, times and which of them count
QUOTACTL_FD, GET_QUOTA, SET_QUOTA, OF_PROJECT = 443, 0x800007, 0x800008, 2
QUOTA, LIMITS = "8QI4x", 1 | 4
BYTES_A_FILE, FEWEST_FILES = 16384, 100_000
DU_SECONDS = 200  # three times a bundle, of the half hour that all have
# It remembers each file that has two names, some sixty bytes: a bundle of millions is not measured,
# where it would end the run for all (MemoryMax of paquet-limits.service).
DU_BYTES = 128 << 20
# What a person keeps, and where below the home; Nextcloud has calendars in its database.
WHAT = ("mail", "files", "calendars")
FOLDERS = {
    "light": {"files": "webdav/files/{}", "calendars": "dav/collection-root/{}"},
    "nextcloud": {"files": "data/{}/files"},
}
# Maildir++: bytes with the line ends of mail.
VIRTUAL_SIZE = re.compile(r",W=(\d+)")
LIMIT = """
update mailbox set limit_bytes = told.bytes
from unnest(%s::text[], %s::bigint[]) as told (address, bytes)
where mailbox.address = told.address and mailbox.limit_bytes is distinct from told.bytes
"""
KICK = ("/usr/bin/doveadm", "kick")
LIBRARY = ctypes.CDLL(None, use_errno=True)


def quota(descriptor: int, command: int, project: int, values: list[int]) -> list[int]:
    """Call quotactl_fd(2) for a project and return its values."""
    block = ctypes.create_string_buffer(struct.pack(QUOTA, *values))
    command = command << 8 | OF_PROJECT
    if LIBRARY.syscall(QUOTACTL_FD, descriptor, command, project, block):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return list(struct.unpack(QUOTA, block.raw[: struct.calcsize(QUOTA)]))


def enforce(folder: Path, project: int, room: int) -> bool:
    """Make the kernel hold `folder` within `room`; return whether it does."""
    with opened(folder) as top:
        try:
            standing = quota(top, GET_QUOTA, project, [0] * 9)
        except OSError:
            return False  # no project quotas on this file system
        files = FEWEST_FILES + room // BYTES_A_FILE
        if [standing[0], standing[3]] != [room // 1024, files]:
            values = [room // 1024, 0, 0, files, 0, 0, 0, 0, LIMITS]
            quota(top, SET_QUOTA, project, values)
        if project_of(top) != project:
            adopt(folder, project)
        return True


@contextlib.contextmanager
def opened(path: Path | str, folder: int | None = None) -> Iterator[int]:
    """Open what a bundle owns without being led elsewhere."""
    flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, dir_fd=folder)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def project_of(descriptor: int) -> int:
    """Return the project of an open file."""
    buffer = fcntl.ioctl(descriptor, GET_ATTRIBUTES, bytes(struct.calcsize(ATTRIBUTES)))
    return int(struct.unpack(ATTRIBUTES, buffer)[PROJECT])


def adopt(folder: Path, project: int) -> None:
    """Make all that stands in `folder` of the project; what comes later is by inheritance.

    What came while its folder was not of the project yet did not inherit it, and no file may be
    moved into a folder of another project: Dovecot could not open such a letter. So all is looked
    at again. The folder itself comes late: it says that all was done.
    """
    adopt_below(folder, project)
    adopt_below(folder, project)
    with opened(folder) as descriptor:
        set_project(descriptor, project)
    adopt_below(folder, project)


def adopt_below(folder: Path, project: int) -> None:
    """Put each file and folder below `folder` into the project."""
    for _, folders, files, here in os.fwalk(folder, topdown=False, follow_symlinks=False):
        for name in (*files, *folders):
            # Who is in the bundle may exchange names meanwhile: such a file keeps its project.
            with contextlib.suppress(OSError):
                mode = os.stat(name, dir_fd=here, follow_symlinks=False).st_mode
                if stat.S_ISREG(mode) or stat.S_ISDIR(mode):
                    with opened(name, here) as descriptor:
                        set_project(descriptor, project)


def set_project(descriptor: int, project: int) -> None:
    """Put one open file into the project, and a folder's heirs too."""
    buffer = fcntl.ioctl(descriptor, GET_ATTRIBUTES, bytes(struct.calcsize(ATTRIBUTES)))
    values = list(struct.unpack(ATTRIBUTES, buffer))
    values[PROJECT] = project
    values[0] |= INHERITED if stat.S_ISDIR(os.fstat(descriptor).st_mode) else 0
    fcntl.ioctl(descriptor, SET_ATTRIBUTES, struct.pack(ATTRIBUTES, *values))


@contextlib.contextmanager
def descended(top: Path, folders: str) -> Iterator[int]:
    """Open a folder below `top`, folder by folder: a bundle may have planted a link at each."""
    with contextlib.ExitStack() as stack:
        here = stack.enter_context(opened(top))
        for name in filter(None, folders.split("/")):
            here = stack.enter_context(opened(name, here))
        yield here


def taken(places: Sequence[Place]) -> list[int]:
    """Return what all below each place takes on the disk, however many and deep its folders are.

    0 where no folder stands, or a link leads there: all that the bundle takes has it nevertheless.
    What is linked in two of them counts in the first.
    """
    with contextlib.ExitStack() as stack:
        paths: dict[Place, str] = {}
        for place in places:
            with contextlib.suppress(OSError):
                number = stack.enter_context(descended(*place))
                if stat.S_ISDIR(os.fstat(number).st_mode):
                    paths[place] = f"/proc/self/fd/{number}/."
        handed = [int(path.split("/")[4]) for path in paths.values()]
        words = ["/usr/bin/prlimit", f"--as={DU_BYTES}", "/usr/bin/du", "--summarize"]
        words += ["--block-size=1", "--one-file-system", "--"]
        # It ends with 1 when something went away meanwhile.
        said = (
            subprocess.run(
                [*words, *paths.values()],
                capture_output=True,
                text=True,
                check=False,
                timeout=DU_SECONDS,
                pass_fds=handed,
            )
            if paths
            else None
        )
    lines = [line.partition("\t") for line in said.stdout.splitlines()] if said else []
    sizes = {path: int(size) for size, _, path in lines}
    if missing := [path for path in paths.values() if path not in sizes]:
        raise ValueError(f"du said nothing of {len(missing)} folders")
    return [sizes[paths[place]] if place in paths else 0 for place in places]


def counted(mailbox: Path) -> int:
    """Return the bytes of a mailbox as Dovecot counts them: it writes them in each file's name."""
    total = 0
    for folder in (mailbox / "Maildir", *(mailbox / "Maildir").glob(".*/")):
        for kind in ("cur", "new"):
            # One name at a time: a folder may hold millions.
            with contextlib.suppress(OSError), os.scandir(folder / kind) as mails:
                sizes = (VIRTUAL_SIZE.search(mail.name) for mail in mails)
                total += sum(int(size[1]) for size in sizes if size)
    return total


def measure(name: str, settings: dict[str, Any]) -> dict[str, Any]:
    """Limit one bundle and return what to tell of it."""
    home, mail = BUNDLES / name, Path(settings["mail"])
    project = FIRST_PROJECT + pwd.getpwnam(name).pw_uid
    standing = [folder for folder in (home, mail) if folder.is_dir()]
    kernel = [enforce(folder, project, settings["all"]) for folder in standing]
    folders = FOLDERS["nextcloud" if settings["database"] else "light"]
    places: dict[tuple[str, str], Place] = {}
    for address in settings["users"]:
        places[address, "mail"] = (mail, address.partition("@")[0])
        for what, folder in folders.items():
            places[address, what] = (home, folder.format(address))
    sizes = dict(zip(places, taken(list(places.values())), strict=True))
    people = {
        address: {what: sizes.get((address, what), 0) for what in WHAT}
        for address in settings["users"]
    }
    return {
        "taken": sum(sizes.values()),
        "room": settings["people"],
        "people": people,
        "all_taken": sum(taken([(home, "")]) + taken([(mail, "")])),
        "all": settings["all"],
        "kernel": bool(kernel) and all(kernel),
        "measured": datetime.now(UTC).isoformat(timespec="seconds"),
    }


def mailbox_limits(told: dict[str, Any], settings: dict[str, Any]) -> dict[str, int]:
    """Return how much each mailbox may hold, as Dovecot counts: what it has, and what is left."""
    free = min(told["room"] - told["taken"], told["all"] - told["all_taken"])
    return {
        address: max(
            1,  # 0 would be no limit
            counted(Path(settings["mail"]) / address.partition("@")[0])
            + min(free, settings["users"][address] - sum(own.values())),
        )
        for address, own in told["people"].items()
    }


def tell_meter(name: str, told: dict[str, Any]) -> None:
    """Tell the meter of a bundle what its mail takes."""
    file = Path(METER.format(name))
    if file.parent.is_dir():
        write(file, {address: own["mail"] for address, own in told["people"].items()})


def tell_dovecot(limits: dict[str, int]) -> None:
    """Let each mailbox hold so many bytes from its next login, or delivery, on."""
    try:
        with psycopg.connect("host=/run/postgresql dbname=mail user=root") as connection:
            connection.execute(LIMIT, [list(limits), list(limits.values())])
    except psycopg.Error as wrong:
        sys.stderr.write(f"Mailboxes keep the limits that they had: {wrong}\n")


def end_sessions(
    name: str, told: dict[str, Any], before: dict[str, Any], settings: dict[str, Any]
) -> None:
    """End the sessions of a bundle where mail came since the last time and somebody has no room."""
    users, domain = settings["users"], Path(settings["mail"]).name
    over = told["taken"] > told["room"] or told["all_taken"] > told["all"]
    if over:
        sys.stderr.write(f"{name} is over its room: {told['taken']} {told['room']}")
        sys.stderr.write(f", with all else {told['all_taken']} {told['all']}\n")
    beyond = [
        address for address, own in told["people"].items() if sum(own.values()) > users[address]
    ]
    if not over and not beyond:
        return
    mail = [
        sum(own["mail"] for own in report.get("people", {}).values()) for report in (told, before)
    ]
    if before and mail[0] > mail[1]:
        try:
            subprocess.run([*KICK, f"*@{domain}"], check=True, capture_output=True, timeout=60)
        except (OSError, subprocess.SubprocessError) as wrong:
            sys.stderr.write(f"Sessions of {name} go on: {wrong}\n")


def write(file: Path, content: object) -> None:
    """Write JSON in one step."""
    beside = file.with_suffix(".new")
    beside.write_text(json.dumps(content), "utf-8")
    beside.rename(file)


def look_at_bundle(path: Path, before: dict[str, Any]) -> dict[str, Any]:
    """Limit one bundle, given its settings, and return what to tell of it.

    Sessions end when the limits stand: whoever comes back at once begins with the new one.
    """
    settings, name = json.loads(path.read_text("utf-8")), path.stem
    # A bundle that was not deployed since people of one share their room.
    settings.setdefault("people", settings["all"])
    told = measure(name, settings)
    tell_meter(name, told)
    tell_dovecot(mailbox_limits(told, settings))
    end_sessions(name, told, before, settings)
    return told


def told_before() -> dict[str, Any]:
    """Return what the run before told; nothing where its file is not whole."""
    try:
        told: dict[str, Any] = json.loads(TOLD.read_text("utf-8"))
    except (FileNotFoundError, ValueError):  # the power went while it was written
        return {}
    return told


def main() -> None:
    """Look at every bundle, and tell at once of each.

    What one bundle does must not keep the others from their limits: the run may end before it has
    come to all (TimeoutStartSec), so each has its chance to be among the first of the next.
    """
    paths = list(SETTINGS.glob("*.json"))
    secrets.SystemRandom().shuffle(paths)
    before = told_before()
    told = {path.stem: before[path.stem] for path in paths if path.stem in before}
    for path in paths:
        try:
            told[path.stem] = look_at_bundle(path, told.pop(path.stem, {}))
        except (OSError, KeyError, ValueError, subprocess.SubprocessError) as wrong:
            sys.stderr.write(f"{path.stem} was not measured: {wrong}\n")
        write(TOLD, told)


if __name__ == "__main__":
    main()
