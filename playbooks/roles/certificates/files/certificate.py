#!/usr/bin/python3
"""Get, renew and install certificates: `certificate ensure NAME... [--check]`, `certificate renew`.

An authority takes its time: `ensure --later` has systemd run `renew` and does not wait for it.
NAME.json in /etc/paquet/certificates.d says {"names": [host, ...], "challenge": "dns" | "http"}.
/etc/paquet/acme.json says {"directory", "contact", "ca_file", "webroot", "resolver", "reload":
[unit, ...], "environment": {what lego's provider rfc2136 reads}}. What is installed stands at
/etc/paquet/certificates/NAME/{fullchain,key}.pem, a link that is switched in one step: nobody ever
sees a key beside a foreign certificate. Until the authority gives one, a self-signed placeholder
stands there, so that daemons start.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

ETC = Path("/etc/paquet")
DESCRIPTIONS, INSTALLED = ETC / "certificates.d", ETC / "certificates"
VERSIONS = INSTALLED / ".versions"
LEGO_HOME = Path("/var/lib/paquet/lego")
RENEWAL = "paquet-certificates.service"
PLACEHOLDER = "Paquet placeholder"
RENEW_BEFORE = timedelta(days=30)
KEPT_VERSIONS = 2
LAST_WORDS = 600


class NotGiven(Exception):
    """The authority gave no certificate; the message says why."""


def main() -> int:
    """Do what the arguments say; print for each name its state, problem and change as JSON."""
    arguments = parse_arguments()
    with alone():
        settings = json.loads((ETC / "acme.json").read_text())
        names = arguments.names or sorted(path.stem for path in DESCRIPTIONS.glob("*.json"))
        told = {name: ensure(name, settings, arguments) for name in names}
        if arguments.action == "renew":
            reload_units(settings, told)
    if any(certificate["state"] == "asked" for certificate in told.values()):
        subprocess.run(["/usr/bin/systemctl", "start", "--no-block", RENEWAL], check=False)
    json.dump(told, sys.stdout)
    failed = any(certificate["problem"] for certificate in told.values())
    return int(arguments.action == "renew" and failed)


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Wait until no other call works: whoever does holds a folder that root alone may enter."""
    folder = os.open(DESCRIPTIONS, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def parse_arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description="Get, renew and install certificates.")
    parser.add_argument("action", choices=["ensure", "renew"])
    parser.add_argument("names", nargs="*")
    parser.add_argument("--check", action="store_true", help="change nothing")
    parser.add_argument("--later", action="store_true", help="do not wait for the authority")
    return parser.parse_args()


def ensure(name: str, settings: dict[str, Any], how: argparse.Namespace) -> dict[str, Any]:
    """See that a certificate stands at `name`, from the authority when it can be had."""
    description = DESCRIPTIONS / f"{name}.json"
    if how.check and not description.exists():
        return {"state": "placeholder", "problem": "", "changed": True}
    wanted = json.loads(description.read_text())
    if is_good(name, wanted["names"]):
        return {"state": "good", "problem": "", "changed": False}
    if how.check:
        return {"state": "placeholder", "problem": "", "changed": bool(settings["directory"])}
    changed = place_placeholder(name, wanted["names"])
    if how.later and settings["directory"]:
        return {"state": "asked", "problem": "", "changed": changed}
    problem = try_authority(name, wanted, settings)
    changed = changed or not problem
    state = "placeholder" if problem and is_placeholder(name) else "good"
    return {"state": state, "problem": problem, "changed": changed}


def is_good(name: str, hosts: list[str]) -> bool:
    """Whether an authority's certificate for these hosts stands there, far from its end."""
    chain = INSTALLED / name / "fullchain.pem"
    if not chain.exists() or is_placeholder(name):
        return False
    told = openssl("x509", "-in", str(chain), "-noout", "-ext", "subjectAltName")
    named = {
        word.strip().removeprefix("DNS:") for word in told.stdout.split("\n", 1)[-1].split(",")
    }
    return named == set(hosts) and lasts(chain)


def lasts(chain: Path) -> bool:
    """Whether more than thirty days, of a short-lived one a third of its life, are left."""
    told = openssl("x509", "-in", str(chain), "-noout", "-dates", "-dateopt", "iso_8601").stdout
    start, end = (
        datetime.strptime(line.partition("=")[2], "%Y-%m-%d %H:%M:%S%z")
        for line in told.strip().splitlines()
    )
    return end - datetime.now(tz=UTC) > min(RENEW_BEFORE, (end - start) / 3)


def is_placeholder(name: str) -> bool:
    """Whether what stands there was signed by nobody but ourselves."""
    chain = INSTALLED / name / "fullchain.pem"
    return PLACEHOLDER in openssl("x509", "-in", str(chain), "-noout", "-issuer").stdout


def openssl(*words: str) -> subprocess.CompletedProcess[str]:
    """Run openssl."""
    return subprocess.run(["/usr/bin/openssl", *words], capture_output=True, text=True, check=False)


def place_placeholder(name: str, hosts: list[str]) -> bool:
    """Install a self-signed certificate where none stands; return whether it did."""
    if (INSTALLED / name / "fullchain.pem").exists():
        return False
    with tempfile.TemporaryDirectory(dir=private_folder()) as folder:
        key, chain = Path(folder) / "key.pem", Path(folder) / "fullchain.pem"
        alternatives = ",".join(f"DNS:{host}" for host in hosts)
        done = openssl(
            *("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"),
            *("-subj", f"/CN={PLACEHOLDER}", "-addext", f"subjectAltName={alternatives}"),
            *("-days", "365", "-keyout", str(key), "-out", str(chain)),
        )
        if done.returncode:
            raise SystemExit(f"openssl: {done.stderr.strip()}")
        install(name, chain.read_bytes(), key.read_bytes())
    return True


def try_authority(name: str, wanted: dict[str, Any], settings: dict[str, Any]) -> str:
    """Ask the authority and install what it gives; return why it gave nothing, or nothing."""
    if not settings["directory"]:
        return "no authority (acme_directory) is set"
    try:
        with tempfile.TemporaryDirectory(dir=private_folder()) as folder:
            ask_authority(wanted, settings, Path(folder))
            certificates = Path(folder) / "certificates"
            (chain,) = (
                path for path in certificates.glob("*.crt") if not path.stem.endswith(".issuer")
            )
            install(name, chain.read_bytes(), chain.with_suffix(".key").read_bytes())
    except NotGiven as why:
        return str(why)
    return ""


def ask_authority(wanted: dict[str, Any], settings: dict[str, Any], folder: Path) -> None:
    """Have lego fetch a certificate into `folder`; the key of our registration is kept."""
    registration = LEGO_HOME / "accounts"
    registration.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "accounts").symlink_to(registration)
    command = ["/usr/bin/lego", "--accept-tos", "--key-type", "ec256", "--path", str(folder)]
    command += ["--server", settings["directory"], "--email", settings["contact"]]
    command += [word for host in wanted["names"] for word in ("--domains", host)]
    command += challenge(wanted["challenge"], settings)
    environment = {**os.environ, **settings["environment"]}
    if settings["ca_file"]:
        environment["LEGO_CA_CERTIFICATES"] = settings["ca_file"]
    done = subprocess.run(
        [*command, "run"], capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise NotGiven(told_by_lego(done.stderr + done.stdout))


def told_by_lego(said: str) -> str:
    """Return for each host what the authority found wrong, or lego's last words."""
    complaints = dict(re.findall(r"\[([^\]\s]+)\] acme: error: .*?acme:error:\w+ :: (.+)", said))
    problems = [f"{host}: {why}" for host, why in complaints.items()]
    return "; ".join(problems) or said.strip()[-LAST_WORDS:]


def challenge(kind: str, settings: dict[str, Any]) -> list[str]:
    """Return lego's options for a challenge by name records or by a file of our web server."""
    if kind == "dns":
        resolver = settings["resolver"]
        return ["--dns", "rfc2136", *(["--dns.resolvers", resolver] if resolver else [])]
    if settings["webroot"]:
        return ["--http", "--http.webroot", settings["webroot"]]
    return ["--http", "--http.port", ":80"]


def private_folder() -> Path:
    """Return a folder that only root can look into."""
    LEGO_HOME.mkdir(mode=0o700, parents=True, exist_ok=True)
    return LEGO_HOME


def install(name: str, chain: bytes, key: bytes) -> None:
    """Write both files into a new folder, flush them, and switch the link to it."""
    versions = VERSIONS / name
    versions.mkdir(mode=0o755, parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(dir=versions))
    for file, content, mode in (("fullchain.pem", chain, 0o644), ("key.pem", key, 0o600)):
        with os.fdopen(os.open(folder / file, os.O_WRONLY | os.O_CREAT, mode), "wb") as new:
            new.write(content)
            new.flush()
            os.fsync(new.fileno())
    folder.chmod(0o755)
    beside = INSTALLED / f".{name}.new"
    beside.unlink(missing_ok=True)
    beside.symlink_to(Path(".versions") / name / folder.name)
    beside.rename(INSTALLED / name)
    forget_old(versions, folder)


def forget_old(versions: Path, newest: Path) -> None:
    """Remove all but the newest versions; daemons may still be reading the one before."""
    others = sorted(versions.iterdir(), key=lambda path: path.stat().st_mtime, reverse=True)
    for folder in [path for path in others if path != newest][KEPT_VERSIONS - 1 :]:
        shutil.rmtree(folder)


def reload_units(settings: dict[str, Any], told: dict[str, dict[str, Any]]) -> None:
    """Have the daemons read what was renewed."""
    if any(certificate["changed"] for certificate in told.values()):
        command = ["/usr/bin/systemctl", "try-reload-or-restart", *settings["reload"]]
        subprocess.run(command, check=False)


if __name__ == "__main__":
    sys.exit(main())
