"""The cloud clients of the tests: rclone, caldav, vdirsyncer and curl, somewhere on the internet.

Each runs with the lab's names (a private /etc/resolv.conf) and trusts the lab's authority only.
Secrets go through standard input and files, never through arguments.
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from provision.process.commands import Surroundings, run

if TYPE_CHECKING:
    from collections.abc import Sequence

    from provision.process.commands import Completed

MINUTES = 60.0
# How rclone calls what they speak; with `other` it would not keep the times of files.
VENDORS = {"light": "owncloud", "nextcloud": "nextcloud"}
# A mount namespace of its own: the file stands in for /etc/resolv.conf, for this program only.
WITH_NAMES = 'mount --bind "$1" /etc/resolv.conf; shift; exec "$@"'
DISCOVERER = Path(__file__).with_name("discoverer.py")


class Bundle(Protocol):
    """A delivered bundle of one cloud, its first user, a second user, and its life."""

    @property
    def cloud(self) -> str:
        """`light` or `nextcloud`."""
        ...

    @property
    def domain(self) -> str:
        """The domain of its mail."""
        ...

    @property
    def host(self) -> str:
        """The name that serves the cloud."""
        ...

    @property
    def address(self) -> str:
        """The first user's address, which is the login too."""
        ...

    @property
    def secret(self) -> str:
        """The secret of one device of that user."""
        ...

    @property
    def neighbour(self) -> str:
        """The address of another user of the same bundle."""
        ...

    @property
    def quota_bytes(self) -> int:
        """What the first user may fill with files: more than 1.5 GB, less than 3 GB."""
        ...

    @property
    def authority(self) -> Path:
        """The PEM file of the authority that signed the certificate."""
        ...

    @property
    def resolver(self) -> str:
        """The IP address of the lab's DNS server."""
        ...

    def enrol(self, device: str) -> str:
        """Enrol another device of the first user and return its secret."""
        ...

    def revoke(self, device: str) -> None:
        """Revoke it."""
        ...

    def suspend(self) -> None:
        """Suspend the bundle."""
        ...

    def resume(self) -> None:
        """Serve it again."""
        ...


def files_url(bundle: Bundle, user: str = "") -> str:
    """Return where the files of a user (the first one) are."""
    roots = {"light": "/files/", "nextcloud": "/remote.php/dav/files/"}
    return f"https://{bundle.host}{roots[bundle.cloud]}{user or bundle.address}/"


@dataclass(frozen=True)
class Clients:
    """Programs of other people that know one bundle and one secret."""

    bundle: Bundle
    secret: str
    folder: Path

    def __post_init__(self) -> None:
        """Write down the lab's names, once: programs of several threads read them."""
        self._names.write_text(f"nameserver {self.bundle.resolver}\n", encoding="utf-8")

    @property
    def _names(self) -> Path:
        return self.folder / "resolv.conf"

    def run(
        self, command: Sequence[str], *, given: str = "", check: bool = True, **env: str
    ) -> Completed:
        """Run a program with the lab's names."""
        trust = {
            "SSL_CERT_FILE": str(self.bundle.authority),
            "REQUESTS_CA_BUNDLE": str(self.bundle.authority),
            "HOME": str(self.folder),
        }
        around = Surroundings(self.folder, {**trust, **env}, 10 * MINUTES)
        words = ["unshare", "--mount", "sh", "-ec", WITH_NAMES, "sh", str(self._names), *command]
        return run(words, given=given, check=check, surroundings=around)

    @cached_property
    def _hidden(self) -> str:
        """The secret as rclone wants it; with another text, the remote would be another one."""
        return run(["rclone", "obscure", "-"], given=self.secret).stdout.strip()

    def rclone(self, *words: str, user: str = "", check: bool = True) -> Completed:
        """Run rclone; `cloud:` is the folder of a user (the first one)."""
        remote = {
            "RCLONE_CONFIG_CLOUD_TYPE": "webdav",
            "RCLONE_CONFIG_CLOUD_URL": files_url(self.bundle, user),
            "RCLONE_CONFIG_CLOUD_USER": self.bundle.address,
            "RCLONE_CONFIG_CLOUD_PASS": self._hidden,
            "RCLONE_CONFIG_CLOUD_VENDOR": VENDORS[self.bundle.cloud],
        }
        given = ["--config=/dev/null", "--retries=1", "--low-level-retries=1"]
        trust = f"--ca-cert={self.bundle.authority}"
        return self.run(["rclone", *given, trust, *words], check=check, **remote)

    def status(self, method: str, url: str, *, upload: Path | None = None) -> int:
        """Return the HTTP status that curl gets for one request."""
        lines = [
            f'user = "{self.bundle.address}:{self.secret}"',
            f'cacert = "{self.bundle.authority}"',
            f'request = "{method}"',
            f'url = "{url}"',
            'header = "Depth: 0"',
            'output = "/dev/null"',
            'write-out = "%{http_code}"',
            "silent",
        ]
        if upload is not None:
            lines.append(f'upload-file = "{upload}"')
        return int(self.run(["curl", "--config", "-"], given="\n".join(lines)).stdout)

    def discover(self, *wishes: str) -> dict[str, str]:
        """Do `wishes` with the library caldav, beginning with the bare domain; see discoverer."""
        given = {
            "domain": self.bundle.domain,
            "user": self.bundle.address,
            "secret": self.secret,
            "wishes": wishes,
        }
        said = self.run([sys.executable, str(DISCOVERER)], given=json.dumps(given)).stdout
        answer: dict[str, str] = json.loads(said.strip().splitlines()[-1])
        return answer

    def vdirsyncer(self, *words: str) -> Completed:
        """Run vdirsyncer with all collections of the user, below `collections/`."""
        pairs = "".join(_pair(kind, self) for kind in (("caldav", ".ics"), ("carddav", ".vcf")))
        config = self.folder / "vdirsyncer"
        config.write_text(f'[general]\nstatus_path = "{self.folder}/status/"\n{pairs}', "utf-8")
        config.chmod(0o600)
        program = str(Path(sys.executable).with_name("vdirsyncer"))
        return self.run([program, "--config", str(config), *words], given="y\n" * 20)


def _pair(kind: tuple[str, str], clients: Clients) -> str:
    protocol, extension = kind
    url = f"https://{clients.bundle.host}/.well-known/{protocol}"
    return f"""
[pair {protocol}]
a = "{protocol}_here"
b = "{protocol}_there"
collections = ["from b"]
[storage {protocol}_here]
type = "filesystem"
path = "{clients.folder}/collections/{protocol}/"
fileext = "{extension}"
[storage {protocol}_there]
type = "{protocol}"
url = "{url}"
username = "{clients.bundle.address}"
password = "{clients.secret}"
verify = "{clients.bundle.authority}"
"""
