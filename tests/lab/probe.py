"""Knock at every door and look into every folder of a server, as whoever runs this. JSON in, out.

It runs on the server with its Python alone. Input: {"sockets": paths, "abstract": names, "ports":
[[address, port]], "datagrams": [[address, port]], "own": folders, "walked": folders, "words":
texts}. Output: {"open": doors, "writable": folders and files that are not its own, "telling": files
outside of `own` that hold one of the words, or paths that do, "walked": how many paths were seen}.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import stat
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SECONDS = 2.0
KINDS = (socket.SOCK_STREAM, socket.SOCK_DGRAM, socket.SOCK_SEQPACKET)
# The kernel's own, and Debian's programs: no socket is there.
PASSED_OVER = ("proc", "sys", "usr")
LARGEST = 20_000_000


def unix_is_open(path: str) -> bool:
    """Whether a Unix socket lets us in; a full waiting room counts."""
    for kind in KINDS:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, kind) as knocking:
            knocking.settimeout(SECONDS)
            try:
                knocking.connect(path)
            except TimeoutError:
                return True
            except OSError as why:
                if why.errno != errno.EAGAIN:
                    continue
            return True
    return False


def port_is_open(address: str, port: int, kind: int) -> bool:
    """Whether a port answers; one that swallows datagrams counts."""
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    try:
        with socket.socket(family, kind) as knocking:
            knocking.settimeout(SECONDS)
            knocking.connect((address, port))
            if kind == socket.SOCK_DGRAM:
                knocking.send(b"?")
                with contextlib.suppress(TimeoutError):
                    knocking.recv(1)
            return True
    except OSError:
        return False


def paths(top: str) -> Iterator[tuple[str, os.stat_result]]:
    """Yield all that can be seen below a folder, and the folder."""
    with contextlib.suppress(OSError):
        yield top, os.lstat(top)
    for folder, folders, files in os.walk(top):
        if folder == "/":
            folders[:] = [name for name in folders if name not in PASSED_OVER]
        for name in (*folders, *files):
            path = f"{folder.rstrip('/')}/{name}"
            with contextlib.suppress(OSError):
                yield path, os.lstat(path)


def writable(path: str, about: os.stat_result) -> bool:
    """Whether we may really write there: a name is made in a folder, and goes again."""
    with contextlib.suppress(OSError):
        if stat.S_ISDIR(about.st_mode):
            made = f"{path}/.probe-{os.getpid()}"
            os.close(os.open(made, os.O_WRONLY | os.O_CREAT | os.O_EXCL))
            Path(made).unlink()
            return True
        if stat.S_ISREG(about.st_mode):
            os.close(os.open(path, os.O_WRONLY | os.O_NOFOLLOW))
            return True
    return False


def tells(path: str, about: os.stat_result, words: list[bytes]) -> bool:
    """Whether a path or what can be read there holds one of the words."""
    if any(word in os.fsencode(path) for word in words):
        return True
    if not stat.S_ISREG(about.st_mode) or about.st_size > LARGEST:
        return False
    with contextlib.suppress(OSError):
        content = Path(path).read_bytes()
        return any(word in content for word in words)
    return False


def doors(given: dict[str, Any]) -> list[str]:
    """Return the doors that are open, those that only we see included."""
    seen = {path for path, about in paths("/") if stat.S_ISSOCK(about.st_mode)}
    found = [path for path in sorted(seen | set(given["sockets"])) if unix_is_open(path)]
    found += [f"@{name}" for name in given["abstract"] if unix_is_open(f"\0{name}")]
    for protocol, kind in (("tcp", socket.SOCK_STREAM), ("udp", socket.SOCK_DGRAM)):
        found += [
            f"{protocol} {address} {port}"
            for address, port in given[protocol]
            if port_is_open(address, port, kind)
        ]
    return found


def main() -> None:
    """Say what is open, what can be written and what tells of others."""
    given = json.load(sys.stdin)
    words = [word.encode() for word in given["words"]]
    own = tuple(f"{folder}/" for folder in given["own"])
    told: dict[str, Any] = {"open": doors(given), "writable": [], "telling": [], "walked": 0}
    for path, about in (found for top in given["walked"] for found in paths(top)):
        told["walked"] += 1
        if f"{path}/".startswith(own):
            continue
        told["writable"] += [path] if writable(path, about) else []
        told["telling"] += [path] if tells(path, about, words) else []
    json.dump(told, sys.stdout)


main()
