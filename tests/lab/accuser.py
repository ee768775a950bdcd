"""Lie about logins from inside of a bundle. It runs on the server with its Python alone.

Input: {"act": name, "path": a socket that judges logins, ...}; output: a number, as JSON. The act
"accuse" tells of wrong logins of `login` that came from `victim`, and counts the verdicts; the act
"hold" takes as many lines as it gets of `lines`, and counts those that stay.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import socket
import sys
import time

SECONDS = 20.0
TIMES = 40
SERVICES = ("imap", "sieve")


def accuse(path: str, victim: str, login: str) -> int:
    """Have each service refuse somebody who never came, in the protocol of Dovecot's clients."""
    response = base64.b64encode(f"\0{login}\0wrong".encode()).decode()
    return sum(_accuse(path, f"{service}\trip={victim}", response) for service in SERVICES)


def _accuse(path: str, who: str, response: str) -> int:
    lines = [f"VERSION\t1\t2\nCPID\t{os.getpid()}\n"]
    lines += [
        f"AUTH\t{number}\tPLAIN\tservice={who}\tsecured\tno-penalty\tresp={response}\n"
        for number in range(1, TIMES + 1)
    ]
    refused = 0
    with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as door:
        door.settimeout(SECONDS)
        door.connect(path)
        door.sendall("".join(lines).encode())
        for line in door.makefile("rb"):
            refused += line.startswith(b"FAIL\t")
            if refused == TIMES:
                break
    return refused


def hold(path: str, lines: int) -> int:
    """Connect again and again, say nothing, and see who hangs up."""
    held = [socket.socket(socket.AF_UNIX) for _ in range(lines)]
    for line in held:
        line.settimeout(SECONDS)
        line.connect(path)
    time.sleep(2)
    return sum(_is_open(line) for line in held)


def _is_open(line: socket.socket) -> bool:
    line.settimeout(0)
    try:
        return line.recv(4096) != b""
    except BlockingIOError:
        return True
    except OSError:
        return False


if __name__ == "__main__":
    told = json.load(sys.stdin)
    act = hold if told.pop("act") == "hold" else accuse
    json.dump(act(**told), sys.stdout)
