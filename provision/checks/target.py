"""What is looked at: the names, the address, the doors, and perhaps a login."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from pydantic import SecretStr

    from provision.dns.lookup import NameServer
    from provision.dns.records import Record


@dataclass(frozen=True)
class Ports:
    """Where the services listen; a rehearsal behind a forwarded port may differ."""

    http: int = 80
    https: int = 443
    smtp: int = 25
    submissions: int = 465
    submission: int = 587
    imaps: int = 993
    sieve: int = 4190
    store: int = 8000


@dataclass(frozen=True)
class Target:
    """One bundle or server, as someone outside knows it.

    `records` are the DNS records that should be answered. `login` (an e-mail address) and `secret`
    (a device secret) open mail and DAV; without them these checks are skipped. `resolver` answers
    all names; None means the servers that decide about them, and this machine's own for the rest.
    `ca_file` (PEM) replaces the system's authorities, for the lab. Below `files_path` each login
    has a folder of its name.
    """

    domain: str
    host: str
    mail_host: str
    address: str
    cloud: str = "light"
    dav_path: str = "/dav/"
    files_path: str = "/files/"
    login: str = ""
    secret: SecretStr | None = field(default=None, repr=False)
    resolver: NameServer | None = None
    ca_file: Path | None = None
    records: tuple[Record, ...] = ()
    ports: Ports = Ports()

    @property
    def is_own_domain(self) -> bool:
        """Whether the cloud has a name below the subscriber's own domain."""
        return self.host != self.domain

    @property
    def password(self) -> str:
        """The device secret in clear, empty when there is none."""
        return self.secret.get_secret_value() if self.secret else ""
