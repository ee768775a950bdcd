"""One bundle's restic repository on a rest-server, opened from the control machine.

restic gets its secrets from private files in memory (`--repository-file`, `--password-file`),
never as arguments or environment. It is reached through `proxy`, a SOCKS address that resolves
names on the other side, so that the repository's port needs no hole in a firewall.
"""

from __future__ import annotations

import json
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

from provision.errors import PaquetError, UsageRefused
from provision.process.commands import Surroundings, run
from provision.process.files import folder_in_memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from pydantic import SecretStr


@dataclass(frozen=True)
class Snapshot:
    """One moment of a bundle: `id` is restic's short id, `time` has a zone."""

    id: str
    time: datetime
    paths: tuple[str, ...]

    def as_row(self) -> dict[str, object]:
        """Return it as plain fields, for a table or JSON."""
        return {"snapshot": self.id, "time": f"{self.time:%Y-%m-%d %H:%M:%S}", "paths": self.paths}


@dataclass(frozen=True)
class Repository:
    """Where the repository is and what opens it; `url` is restic's, without login."""

    url: str
    login: str
    login_secret: SecretStr
    password: SecretStr
    proxy: str = ""
    ca_file: Path | None = None

    def snapshots(self) -> list[Snapshot]:
        """Return the snapshots, the oldest first."""
        listed = json.loads(self._restic(["snapshots", "--json"])) or []
        return sorted(map(_snapshot, listed), key=lambda snapshot: snapshot.time)

    def restore(self, snapshot: str, folder: Path) -> Path:
        """Restore `snapshot` (an id, or `latest`) into the empty `folder` and return it.

        It is restored beside and renamed at the end: a killed restore never looks like one.
        """
        refuse_used_folder(folder)
        folder.parent.mkdir(parents=True, exist_ok=True)
        beside = Path(tempfile.mkdtemp(prefix=f".{folder.name}-", dir=folder.parent))
        self._restic(["restore", snapshot, "--target", str(beside)])
        beside.rename(folder)
        return folder

    def _restic(self, words: list[str]) -> str:
        with _private_files(self) as (where, password):
            command = ["restic", "--repository-file", str(where), "--password-file", str(password)]
            command += ["--cacert", str(self.ca_file)] if self.ca_file else []
            command += ["--no-cache"]
            proxy = {"HTTPS_PROXY": self.proxy} if self.proxy else {}
            return run([*command, *words], surroundings=Surroundings(environment=proxy)).stdout


def refuse_used_folder(folder: Path) -> None:
    """Raise UsageRefused when `folder` holds something: a restore never writes over."""
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageRefused(f"{folder} is not empty", "Give a folder that does not exist yet.")


@contextmanager
def _private_files(repository: Repository) -> Iterator[tuple[Path, Path]]:
    with folder_in_memory() as folder:
        where, password = folder / "repository", folder / "password"
        login = f"{repository.login}:{repository.login_secret.get_secret_value()}@"
        where.write_text(repository.url.replace("://", f"://{login}", 1), encoding="utf-8")
        password.write_text(repository.password.get_secret_value(), encoding="utf-8")
        yield where, password


def _snapshot(listed: dict[str, object]) -> Snapshot:
    try:
        # restic writes nanoseconds; Python reads microseconds.
        time = datetime.fromisoformat(_microseconds(str(listed["time"])))
        paths = listed["paths"]
        return Snapshot(str(listed["short_id"]), time, tuple(map(str, paths)))  # type: ignore[call-overload]
    except (KeyError, TypeError, ValueError) as wrong:
        raise PaquetError(f"restic lists a snapshot that is not understood: {wrong}") from None


def _microseconds(moment: str) -> str:
    head, dot, rest = moment.partition(".")
    if not dot:
        return moment
    digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
    return f"{head}.{digits[:6]:0<6}{rest[len(digits) :]}"
