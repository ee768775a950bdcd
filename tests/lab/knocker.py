"""Knock at doors with logins, from the network namespace and the address that one is told.

Standard input holds a list of knocks (see Knock) as JSON; the answer is a list of outcomes: `in`,
`refused`, `closed` (nobody answered there), or what else was said.
"""

from __future__ import annotations

import base64
import json
import smtplib
import socket
import ssl
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

SECONDS = 60.0
ANSWERS = {"200": "in", "207": "in", "401": "refused"}


@dataclass(frozen=True)
class Knock:
    """One login at one port of a server; `host` and `path` are for the web."""

    port: int
    source: str
    server: str
    login: str
    secret: str
    host: str = ""
    path: str = ""


def anybody() -> ssl.SSLContext:
    """Return a context for a guesser, who asks nobody for a certificate."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def connect(knock: Knock) -> socket.socket:
    """Connect from the address that the knock comes from."""
    return socket.create_connection((knock.server, knock.port), SECONDS, (knock.source, 0))


def at_submission(knock: Knock) -> str:
    """Log in at 465 or 587."""
    place = (knock.server, knock.port)
    source = (knock.source, 0)
    if knock.port == 465:
        session: smtplib.SMTP = smtplib.SMTP_SSL(
            *place, timeout=SECONDS, source_address=source, context=anybody()
        )
    else:
        session = smtplib.SMTP(*place, timeout=SECONDS, source_address=source)
        session.starttls(context=anybody())
    session.ehlo()
    words = base64.b64encode(f"\0{knock.login}\0{knock.secret}".encode()).decode()
    code, said = session.docmd("AUTH", f"PLAIN {words}")
    session.close()
    return {235: "in", 535: "refused"}.get(code, f"{code} {said!r}")


def at_imap(knock: Knock) -> str:
    """Log in at 993."""
    with anybody().wrap_socket(connect(knock)) as session, session.makefile("rwb") as talk:
        talk.readline()
        talk.write(f'a LOGIN "{knock.login}" "{knock.secret}"\r\n'.encode())
        talk.flush()
        said = next((line for line in talk if line.startswith(b"a ")), b"")
    return {b"OK": "in", b"NO": "refused"}.get(said[2:4], repr(said))


def at_sieve(knock: Knock) -> str:
    """Log in at 4190."""
    with connect(knock) as plain:
        plain.recv(4096)
        plain.sendall(b"STARTTLS\r\n")
        plain.recv(4096)
        with anybody().wrap_socket(plain) as session, session.makefile("rwb") as talk:
            next(line for line in talk if line.startswith(b"OK"))
            words = base64.b64encode(f"\0{knock.login}\0{knock.secret}".encode())
            talk.write(b'AUTHENTICATE "PLAIN" "' + words + b'"\r\n')
            talk.flush()
            said = talk.readline()
    return {b"OK": "in", b"NO": "refused"}.get(said[:2], repr(said))


def at_ssh(knock: Knock) -> str:
    """Log in at 22 without a key that anybody knows there."""
    options = ["BatchMode=yes", "StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"]
    options += ["IdentityFile=/nonexistent", f"BindAddress={knock.source}", "ConnectTimeout=10"]
    words = [word for option in options for word in ("-o", option)]
    command = ["ssh", "-F", "none", *words, "-l", knock.login, knock.server, "true"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if "Permission denied" in done.stderr:
        return "refused"
    return "in" if done.returncode == 0 else "closed"


def at_web(knock: Knock) -> str:
    """Log in at 443 or 8000, by the header."""
    words = base64.b64encode(f"{knock.login}:{knock.secret}".encode()).decode()
    lines = [
        f"{'PROPFIND' if 'dav/' in knock.path else 'GET'} {knock.path} HTTP/1.1",
        f"Host: {knock.host}",
        "Depth: 0",
        "OCS-APIRequest: true",
        f"Authorization: Basic {words}",
        "Connection: close",
        "Content-Length: 0",
    ]
    with anybody().wrap_socket(connect(knock), server_hostname=knock.host) as session:
        session.sendall("\r\n".join([*lines, "", ""]).encode())
        said = session.recv(4096).split(b" ", 2)[1].decode()
    return ANSWERS.get(said, said)


DOORS = {22: at_ssh, 465: at_submission, 587: at_submission, 993: at_imap, 4190: at_sieve}


def outcome(words: dict[str, object]) -> str:
    """Knock once and say what came of it."""
    knock = Knock(**words)  # type: ignore[arg-type]
    try:
        return DOORS.get(knock.port, at_web)(knock)
    except (ConnectionRefusedError, TimeoutError):
        return "closed"
    except (OSError, smtplib.SMTPException, StopIteration) as broken:
        return f"broken: {broken}"


if __name__ == "__main__":
    with ThreadPoolExecutor(int(sys.argv[1])) as pool:
        json.dump(list(pool.map(outcome, json.load(sys.stdin))), sys.stdout)
