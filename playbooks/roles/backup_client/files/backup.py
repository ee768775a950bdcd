#!/usr/bin/python3
"""Back one bundle up: `backup NAME`; prints last.json, as JSON.
`backup --first NAME` waits for the first one, and prints the last.json that there is then.
`backup --look NAME` only sees that the backup server can be written to, and says so soon.
`backup --repository NAME` only sees that the repository is there, which takes a second once.
`backup --release NAME` lets the cloud of a backup that did not end well work again.

/etc/paquet/backup/NAME holds `repository` and `password` (root only) and settings.json:
{"database": whether it has one, "domains": [mail domain, ...], "mail": folder of all mail,
"maintenance": {"on": [word, ...], "off": [word, ...]} or null}. Database dump, mail rows, files
and mail go into one restic snapshot whose host and tag are the bundle's name.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import signal
import socket
import ssl
import stat
import subprocess
import sys
import time
import urllib.parse
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ETC = Path("/etc/paquet/backup")
STATE = Path("/var/lib/paquet/backup")
BUNDLES = Path("/srv/bundles")
AUTHORITY = Path("/etc/paquet/acme-ca.pem")
CACHE = Path("/var/cache/paquet/restic")
NAME = re.compile(r"b[a-z0-9]{8}")
# Exit codes of restic 0.18 (doc/075_scripting.rst)
NO_REPOSITORY, LOCKED = 10, 11
LAST_WORDS = 1500
PATIENCE = 20  # seconds for a backup server that restarts
ROOT, POSTGRES = "root", "postgres"
# Debian's wrappers would look for it in what the unit does not see.
DATABASES = "--host=/run/postgresql"
# What is on its way: uploads, and what PHP keeps of them.
PASSING = ("upload", "tmp")
HOLES = 64 << 20
HOLLOW_TOLD = 100
# A bundle may lock its own tables: that costs it its backup, and nobody else a night.
LOCK_WAIT, DUMP_TIME, LOCKING = "60s", "2h", "Query was: LOCK TABLE"
# The owner of a database says what sessions in it begin with: what we ask for comes before.
OURS = "-c search_path=pg_catalog -c role=none -c local_preload_libraries= -c statement_timeout=0"
OURS += " -c transaction_timeout=0 -c default_transaction_read_only=off -c client_encoding=UTF8"
MAIL_ROWS = """
select json_build_object(
    'domain', (select json_agg(domain) from domain where bundle = :'bundle'),
    'mailbox', (select json_agg(mailbox) from mailbox join domain on domain.name = mailbox.domain
                where bundle = :'bundle'),
    'alias', (select json_agg(alias) from alias
              join domain on domain.name = split_part(alias.address, '@', 2)
              where bundle = :'bundle'),
    'device', (select json_agg(device) from device join mailbox using (address)
               join domain on domain.name = mailbox.domain where bundle = :'bundle'));
"""


class Failed(Exception):
    """A step that failed; its message is what the program said."""


def main() -> int:
    """Make one snapshot of the bundle named by the argument, or only its repository."""
    arguments = parse_arguments()
    try:
        if arguments.look or arguments.repository:
            look(arguments.bundle)
        if arguments.look:
            return 0
        if arguments.first:
            sys.stdout.write(first(arguments.bundle) + "\n")
            return 0
        with alone(arguments.bundle):
            if arguments.repository:
                make_repository(arguments.bundle)
            elif arguments.release:
                release(arguments.bundle)
            else:
                sys.stdout.write(json.dumps(back_up(arguments.bundle)) + "\n")
    except Failed as why:
        sys.stderr.write(f"{why}\n")
        return 1
    return 0


def parse_arguments() -> argparse.Namespace:
    """Read the command line; ends the program with 2 for what is no name of a bundle."""
    parser = argparse.ArgumentParser(prog="backup", description="Back one bundle up.")
    parser.add_argument("bundle")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--first", action="store_true", help="only wait for the first snapshot")
    only.add_argument("--look", action="store_true", help="only see that its server answers")
    only.add_argument("--repository", action="store_true", help="only make the repository")
    only.add_argument("--release", action="store_true", help="only end what a killed one began")
    arguments = parser.parse_args()
    if not NAME.fullmatch(arguments.bundle):
        parser.error(f"{arguments.bundle!r} is not the name of a bundle")
    return arguments


@contextlib.contextmanager
def alone(name: str) -> Iterator[None]:
    """Wait until no other backup of this bundle runs: whoever does holds its folder.

    It is the bundle's own folder, where root alone gets in: nobody else can hold or prepare it.
    """
    try:
        folder = os.open(ETC / name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        raise Failed(f"{name} has no backup on this server") from None
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def back_up(name: str) -> dict[str, Any]:
    """Dump, snapshot, and remember the success for the checks."""
    begun = time.time()
    settings = read_settings(name)
    dumps = STATE / name / "dumps"
    dumps.mkdir(mode=0o700, parents=True, exist_ok=True)
    dump_mail_rows(name, dumps / "mail.json")
    if settings["database"]:
        with maintenance(name, settings["maintenance"]):
            dump_database(name, dumps / "database.dump")
    write(STATE / name / "dumped", b"")  # from here on the cloud may work
    paths = [BUNDLES / name, dumps, *mail_folders(settings)]
    left_out = hollow_files(paths)
    summary = snapshot(name, paths, left_out)
    told = {
        "snapshot": summary["snapshot_id"],
        "files": summary["total_files_processed"],
        "bytes": summary["total_bytes_processed"],
        "added": summary["data_added"],
        "seconds": round(time.time() - begun, 1),
        "ended": int(time.time()),
        "left_out": left_out[:HOLLOW_TOLD],
    }
    write(STATE / name / "last.json", json.dumps(told).encode())
    return told


def first(name: str) -> str:
    """Return what was told of the last snapshot; the first, under way or not, is waited for."""
    told, unit = STATE / name / "last.json", f"paquet-backup@{name}.service"
    if told.exists():
        return told.read_text()
    look(name)
    start = ["/usr/bin/systemctl", "start", unit]
    if subprocess.run(start, capture_output=True, check=False).returncode:
        journal = ["/usr/bin/journalctl", "--output=cat", "--lines=15", f"_SYSTEMD_UNIT={unit}"]
        said = run(journal).decode(errors="replace")
        raise Failed(f"the backup failed: {said.strip()[-LAST_WORDS:]}")
    return told.read_text()


def read_settings(name: str) -> dict[str, Any]:
    """Return what there is to back up."""
    return dict(json.loads((ETC / name / "settings.json").read_text()))


def mail_folders(settings: dict[str, Any]) -> list[Path]:
    """Return the folders of the bundle's mail that exist: a domain without mail has none.

    Its unit sees the folder of all mail once the bundle's drop-in says which are its own.
    """
    if not Path(settings["mail"]).is_dir():
        raise Failed(f"the backup does not see {settings['mail']}: deploy the bundle")
    folders = [Path(settings["mail"]) / domain for domain in settings["domains"]]
    return [folder for folder in folders if folder.is_dir()]


def hollow_files(paths: list[Path]) -> list[str]:
    """Return the files that are mostly holes: to read one of 40 GB takes a night, for nothing."""
    return [
        path
        for top in paths
        for folder, _, files in os.walk(top)
        for path in (f"{folder}/{file}" for file in files)
        if is_hollow(path)
    ]


def is_hollow(path: str) -> bool:
    """Whether a file has more holes than content, and more than any program makes for itself."""
    with contextlib.suppress(OSError):  # it went away, or its name is too long
        status = os.lstat(path)
        holes = status.st_size - 512 * status.st_blocks
        return stat.S_ISREG(status.st_mode) and holes > max(HOLES, status.st_size // 2)
    return False


def literally(path: str) -> str:
    """Return a pattern of restic that matches `path`: what means something is any character."""
    return re.sub(r"[^\w/.-]", "?", path)


def dump_mail_rows(name: str, path: Path) -> None:
    """Write the rows of the bundle in the mail database as JSON."""
    psql = ["/usr/bin/psql", "--no-psqlrc", "--quiet", "--no-align", "--tuples-only"]
    options = [DATABASES, "--set", "ON_ERROR_STOP=1", "--set", f"bundle={name}", "--dbname", "mail"]
    write(path, run([*psql, *options], user=POSTGRES, given=MAIL_ROWS.encode()))


def dump_database(name: str, path: Path) -> None:
    """Write the bundle's database in PostgreSQL's custom format, straight to disk."""
    command = ["/usr/bin/timeout", DUMP_TIME, "/usr/bin/pg_dump", DATABASES]
    command += ["--format=custom", "--compress=zstd:1", f"--lock-wait-timeout={LOCK_WAIT}"]
    command += [f"--dbname=dbname={name} options='{OURS}'"]
    beside = path.with_suffix(".new")
    with beside.open("wb") as new:
        try:
            run(command, user=POSTGRES, output=new.fileno())
        except Failed as why:
            if LOCKING not in str(why):
                raise
            raise Failed(f"{name} has locked a table of its database for {LOCK_WAIT}") from None
    beside.rename(path)


@contextlib.contextmanager
def maintenance(name: str, commands: dict[str, list[str]] | None) -> Iterator[None]:
    """Keep the cloud still meanwhile; it always comes back."""
    if not commands:
        yield
        return
    try:
        in_turn(name, commands["on"])
        yield
    finally:
        in_turn(name, commands["off"])


def in_turn(name: str, command: list[str]) -> None:
    """Run a command of the cloud, once what a killed backup began in its own unit has ended."""
    begun = ["/usr/bin/systemctl", "is-active", "--quiet", f"paquet-maintenance@{name}.service"]
    while subprocess.run(begun, check=False).returncode == 0:
        time.sleep(0.2)
    run(command)


def release(name: str) -> None:
    """Let the cloud work again when the backup did not end well; systemd says how it ended."""
    commands = read_settings(name)["maintenance"]
    # systemd may lose sight of the first process of a PID namespace: no code then, and success.
    told = (os.environ.get("EXIT_CODE"), os.environ.get("SERVICE_RESULT"))
    if commands and told != ("exited", "success"):
        in_turn(name, commands["off"])


def look(name: str) -> None:
    """See that the backup server answers, with a certificate that restic will trust.

    restic itself tries for a quarter of an hour before it says a word: right at night only.
    """
    try:
        repository = (ETC / name / "repository").read_text().strip()
    except FileNotFoundError:
        raise Failed(f"{name} has no backup on this server") from None
    url = urllib.parse.urlsplit(repository.removeprefix("rest:"))
    trusted = str(AUTHORITY) if AUTHORITY.exists() and AUTHORITY.stat().st_size else None
    context = ssl.create_default_context(cafile=trusted)
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT  # restic is not stricter either
    until = time.monotonic() + PATIENCE
    while problem := refusal(str(url.hostname), url.port or 443, context):
        if time.monotonic() > until:
            raise Failed(f"the backup server {url.hostname} does not answer: {problem}")
        time.sleep(0.5)


def refusal(host: str, port: int, context: ssl.SSLContext) -> str:
    """Return why the host could not be reached by TLS just now, '' when it could.

    A certificate that is not to be trusted does not mend itself while somebody waits.
    """
    try:
        with (
            socket.create_connection((host, port), timeout=PATIENCE) as plain,
            context.wrap_socket(plain, server_hostname=host),
        ):
            return ""
    except ssl.SSLCertVerificationError as wrong:
        raise Failed(
            f"the backup server {host} shows a certificate that nobody vouches for "
            f"({wrong.verify_message}): `paquet server check` of it says why it has no better one"
        ) from None
    except OSError as wrong:
        return f"{wrong} (port {port})"


def make_repository(name: str) -> None:
    """Make the repository unless it is there."""
    code, said = restic(name, "cat", "config")
    if code == NO_REPOSITORY:
        code, said = restic(name, "init")
    if code:
        raise Failed(f"restic ended with {code}: {said.strip()[-LAST_WORDS:]}")


def snapshot(name: str, paths: list[Path], without: list[str]) -> dict[str, Any]:
    """Make one snapshot, in a new repository when there is none; return restic's summary."""
    left_out = STATE / name / "left-out"
    without = [*(str(BUNDLES / name / folder) for folder in PASSING), *without]
    write(left_out, "".join(f"{literally(path)}\n" for path in without).encode())
    command = ["backup", "--json", "--host", name, "--tag", name, "--exclude-caches"]
    command += ["--exclude-file", str(left_out), "--", *map(str, paths)]
    code, said = restic(name, *command)
    if code == NO_REPOSITORY:
        make_repository(name)
        code, said = restic(name, *command)
    if code == LOCKED:
        restic(name, "unlock")  # only locks of dead processes
        code, said = restic(name, *command)
    if code:
        raise Failed(f"restic ended with {code}: {said.strip()[-LAST_WORDS:]}")
    messages = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    return next(message for message in messages if message["message_type"] == "summary")


def restic(name: str, *words: str) -> tuple[int, str]:
    """Run restic on the bundle's repository; return its exit code and what it said."""
    command = ["/usr/bin/restic", "--repository-file", str(ETC / name / "repository")]
    command += ["--password-file", str(ETC / name / "password"), "--cache-dir", str(CACHE / name)]
    if AUTHORITY.exists() and AUTHORITY.stat().st_size:
        command += ["--cacert", str(AUTHORITY)]
    done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
    return done.returncode, done.stdout if done.returncode == 0 else done.stderr


def run(
    command: list[str], *, user: str = ROOT, given: bytes = b"", output: int = subprocess.PIPE
) -> bytes:
    """Run a program as `user` to its good end and return what it said."""
    done = subprocess.run(
        command,
        input=given,
        stdout=output,
        stderr=subprocess.PIPE,
        check=False,
        cwd="/",
        user=user,
        group=user,
        extra_groups=[],
    )
    if done.returncode:
        raise Failed(f"{' '.join(command)}: {done.stderr.decode(errors='replace').strip()}")
    return done.stdout or b""


def write(path: Path, content: bytes) -> None:
    """Replace a private file in one step."""
    beside = path.with_suffix(".new")
    with os.fdopen(os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as new:
        new.write(content)
        new.flush()
        os.fsync(new.fileno())
    beside.rename(path)


if __name__ == "__main__":
    os.umask(0o077)
    # The first process of a PID namespace is asked to end in vain unless it listens.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
    sys.exit(main())
