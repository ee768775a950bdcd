"""The lab machine that plays the internet: names, a resolver, an ACME authority, foreign mail."""

from __future__ import annotations

import datetime as dt
import json
import secrets
import socket
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

from provision.errors import PaquetError
from provision.lab import authority, zones
from provision.lab.images import BARE_PACKAGES, CLEAN
from provision.lab.machines import File
from provision.lab.network import OUTSIDE_RESOLVER
from provision.lab.plan import NAMES, SERVER_NAMES
from provision.lab.state import write_whole

if TYPE_CHECKING:
    from provision.lab.plan import LabPlan

PACKAGES = (
    *BARE_PACKAGES,
    "dovecot-imapd",
    "knot",
    "opendkim",
    "opendmarc",
    "pebble",
    "postfix",
    "unbound",
)
USER, USER_ID = "camille", 2000
LOGIN_ONLY = "permit_sasl_authenticated,reject"
SUBMISSION = (
    'chroot "$1" postconf -M "submission/inet=submission inet n - y - - smtpd"',
    'chroot "$1" postconf -P submission/inet/smtpd_tls_security_level=encrypt',
    'chroot "$1" postconf -P submission/inet/smtpd_sasl_auth_enable=yes',
    f'chroot "$1" postconf -P submission/inet/smtpd_client_restrictions={LOGIN_ONLY}',
)
CUSTOMIZE = (
    f'chroot "$1" useradd --create-home --uid {USER_ID} --shell /usr/sbin/nologin {USER}',
    *SUBMISSION,
    *CLEAN,
)

ACME_NAME = "acme.ailleurs.test"
ACME_PORT, ACME_ROOTS_PORT = 14000, 15000
SMTP, SUBMISSION_PORT, IMAPS, DNS = 25, 587, 993, 53
FILES = Path(__file__).parent / "files"
PATIENCE = 30.0
MOMENT = 0.05


@dataclass(frozen=True)
class World:
    """The secrets and keys of one lab's internet, made once and kept with the lab."""

    paquet_secret: str
    acme_secret: str
    dkim_key: str
    dkim_record: str
    authority: str
    certificate: str
    key: str
    password: str


def world(folder: Path, plan: LabPlan) -> World:
    """Return the lab's world from `folder`, made new when it is not there yet."""
    kept = folder / "world.json"
    try:
        return World(**json.loads(kept.read_text(encoding="utf-8")))
    except FileNotFoundError:
        new_world = _new_world(plan)
        write_whole(kept, json.dumps(asdict(new_world)), mode=0o600)
        return new_world


def _new_world(plan: LabPlan) -> World:
    names = [SERVER_NAMES["internet"], ACME_NAME, plan.address("internet")]
    issued = authority.issue(names, dt.datetime.now(dt.UTC))
    dkim_key, dkim_record = authority.new_dkim_key()
    return World(
        paquet_secret=authority.new_tsig_secret(),
        acme_secret=authority.new_tsig_secret(),
        dkim_key=dkim_key,
        dkim_record=dkim_record,
        authority=issued.authority,
        certificate=issued.certificate,
        key=issued.key,
        password=secrets.token_hex(12),
    )


def files(plan: LabPlan, known: World) -> dict[str, File]:
    """Return the files that make the image of `internet` this lab's internet."""
    texts = zones.all_zones(plan, known.dkim_record)
    words = _words(plan, known, list(texts))
    return {
        "etc/knot/knot.conf": File(_filled("knot.conf", words), 0o640),
        "etc/unbound/unbound.conf": File(_filled("unbound.conf", words)),
        "etc/pebble.json": File(_filled("pebble.json", words)),
        "etc/systemd/system/pebble.service": File(_filled("pebble.service", words)),
        "etc/systemd/system/multi-user.target.d/lab.conf": File("[Unit]\nWants=pebble.service\n"),
        "etc/postfix/main.cf": File(_filled("main.cf", words)),
        "etc/dovecot/dovecot.conf": File(_filled("dovecot.conf", words)),
        "etc/dovecot/users": File(
            f"{USER}@{zones.FOREIGN_ZONE}:{{PLAIN}}{known.password}"
            f":{USER_ID}:{USER_ID}::/home/{USER}\n",
            0o640,
        ),
        "etc/opendkim.conf": File(_filled("opendkim.conf", words)),
        "etc/opendkim-resolver.conf": File(_filled("opendkim-resolver.conf", words)),
        "etc/opendmarc.conf": File(_filled("opendmarc.conf", words)),
        "etc/tmpfiles.d/lab.conf": File(_filled("tmpfiles.conf", words)),
        "etc/ssl/lab/certificate.pem": File(known.certificate),
        "etc/ssl/lab/key.pem": File(known.key, 0o600),
        "etc/ssl/lab/dkim.pem": File(known.dkim_key, 0o600),
        **{f"var/lib/knot/zones/{zone}.zone": File(text) for zone, text in texts.items()},
    }


def _words(plan: LabPlan, known: World, names: list[str]) -> dict[str, str]:
    stub = '\nstub-zone:\n    name: "{zone}."\n    stub-addr: {names}\n    stub-no-cache: yes\n'
    listed = plan.numbered(NAMES)
    return {
        "internet": plan.address("internet"),
        "names": listed,
        "network": plan.network,
        "outside": OUTSIDE_RESOLVER,
        "paquet_secret": known.paquet_secret,
        "acme_secret": known.acme_secret,
        "uid": str(USER_ID),
        "zones": "\n".join(f"  - domain: {zone}" for zone in names),
        "stubs": "".join(stub.format(zone=zone, names=listed) for zone in names),
    }


def _filled(name: str, words: dict[str, str]) -> str:
    return Template((FILES / name).read_text(encoding="utf-8")).substitute(words)


def wait(plan: LabPlan) -> None:
    """Wait until every service of the internet answers."""
    internet, deadline = plan.address("internet"), time.monotonic() + PATIENCE
    doors = [(internet, port) for port in (ACME_PORT, ACME_ROOTS_PORT, SMTP, SUBMISSION_PORT)]
    doors += [(internet, IMAPS), (internet, DNS), (plan.numbered(NAMES), DNS)]
    for address, port in doors:
        while not _opens(address, port):
            if time.monotonic() > deadline:
                raise PaquetError(
                    f"The lab's internet does not answer on port {port} of {address}",
                    "Look there: `paquet lab shell internet`, then `systemctl --failed`.",
                )
            time.sleep(MOMENT)


def _opens(address: str, port: int) -> bool:
    try:
        with socket.create_connection((address, port), timeout=1):
            return True
    except OSError:
        return False
