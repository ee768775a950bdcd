"""Archives that come from upstream: verified before they are kept, kept so that they work offline.

An archive is kept under its name, version and digest with a JSON record beside it. The code of a
cloud is only as good as this door, so everything that is not certain is refused.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import shutil
import stat
import tarfile
import tempfile
import zipfile
import zlib
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from lzma import LZMAError
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

import requests

from provision.errors import PaquetError
from provision.process.commands import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.settings import Settings

# PHP that each major version accepts (nextcloud/server wiki, "Releases and PHP versions").
PHP_WINDOWS = {
    31: ("8.1", "8.4"),
    32: ("8.1", "8.4"),
    33: ("8.2", "8.5"),
    34: ("8.2", "8.5"),
    35: ("8.3", "8.5"),
}
PHP_OF_DEBIAN_13 = "8.4"
VERSION = re.compile(r"(\d+)\.\d+\.\d+")
DIGEST = re.compile(r"[0-9a-f]{64}")
INSIDE = "nextcloud"
VERSION_FILE = f"{INSIDE}/version.php"
VERSION_LINE = re.compile(rb"\$OC_VersionString\s*=\s*'([^']*)'")
VERSION_FILE_BYTES = 64 * 1024
SUFFIXES = {b"\x1f\x8b": ".tar.gz", b"BZ": ".tar.bz2", b"PK": ".zip"}
CHUNK = 1024 * 1024
SECONDS = 60
BROKEN = (
    tarfile.TarError,
    zipfile.BadZipFile,
    EOFError,
    OSError,
    zlib.error,
    LZMAError,
    NotImplementedError,
    RuntimeError,
)


@dataclass(frozen=True)
class Upstream:
    """Where archives come from, and the one key that signs them (its primary fingerprint)."""

    url: str = "https://download.nextcloud.com/server/releases/nextcloud-{version}.tar.bz2"
    fingerprint: str = "28806A878AE423A28372792ED75899B9A724937A"


@dataclass(frozen=True)
class Artifact:
    """One verified archive in the cache."""

    name: str
    version: str
    sha256: str
    path: str
    bytes: int
    origin: str
    added: str


def php_window(version: str) -> tuple[str, str]:
    """Given a version, return the oldest and newest PHP it accepts; refuse what we do not know."""
    known = VERSION.fullmatch(version)
    if known is None:
        raise PaquetError(f"`{version}` is no version", "Write it in full, for example 31.0.2.")
    window = PHP_WINDOWS.get(int(known[1]))
    if window is None:
        told = f"{min(PHP_WINDOWS)} to {max(PHP_WINDOWS)}"
        raise PaquetError(f"Nextcloud {known[1]} is not known here", f"Known are {told}.")
    if not window[0] <= PHP_OF_DEBIAN_13 <= window[1]:
        message = f"Nextcloud {version} does not run with PHP {PHP_OF_DEBIAN_13} of Debian 13"
        raise PaquetError(message, f"It needs PHP {window[0]} to {window[1]}.")
    return window


def cached(settings: Settings, name: str) -> list[Artifact]:
    """Return what the cache holds under `name`, newest version first."""
    records = sorted(_folder(settings).glob(f"{name}-*.json"))
    recorded = [Artifact(**json.loads(record.read_text("utf-8"))) for record in records]
    standing = [artifact for artifact in recorded if Path(artifact.path).is_file()]
    return sorted(standing, key=_order, reverse=True)


def newest(settings: Settings, name: str) -> Artifact:
    """Return the version that the settings ask for, or else the newest one of the cache."""
    asked = settings.nextcloud.version
    for artifact in cached(settings, name):
        if asked in ("", artifact.version):
            return artifact
    told = f"{name} {asked}".strip()
    hint = f"Bring it in with `paquet artifact fetch {name}` or `paquet artifact add {name}`."
    raise PaquetError(f"The cache holds no archive of {told}", hint)


def offered(settings: Settings, name: str) -> list[Artifact]:
    """Return what a server shall offer: one verified archive per version, newest first."""
    by_version: dict[str, Artifact] = {}
    for artifact in sorted(cached(settings, name), key=lambda artifact: artifact.added):
        by_version[artifact.version] = artifact
    for artifact in by_version.values():
        _expect_digest(Path(artifact.path), artifact.sha256)
    return sorted(by_version.values(), key=_order, reverse=True)


def look(settings: Settings, version: str, archive: Path, sha256: str = "") -> Artifact:
    """Return what `add` would keep, not yet `added`; nothing is written.

    Raises PaquetError for a wrong digest and for whatever `inspect` refuses.
    """
    _refuse_absent(version, archive)
    if sha256:
        _expect_digest(archive, _checked_digest(sha256))
    return _described(settings, version, archive, _origin(sha256))


def add(settings: Settings, seen: Artifact, archive: Path) -> Artifact:
    """Keep an archive of the operator, which was looked at: a copy with the digest that was seen.

    Raises PaquetError where the file is another one by now.
    """
    with _beside(settings) as copy:
        shutil.copyfile(archive, copy)
        _expect_digest(copy, seen.sha256)
        return _keep(settings, seen, copy)


def _refuse_absent(version: str, archive: Path) -> None:
    php_window(version)
    if not archive.is_file():
        raise PaquetError(f"There is no file {archive}", "Look at its path.")


def _origin(sha256: str) -> str:
    return "pinned digest" if sha256 else "given without a digest"


@dataclass(frozen=True)
class ArchiveSource:
    """Where a version comes from: its address, whose key must have signed it, in which keyring."""

    version: str
    address: str
    signed_by: str
    keyring: str
    kept_in: str


def source(settings: Settings, version: str, keyring: Path | None = None) -> ArchiveSource:
    """Return where `fetch` would look; nothing is fetched. Raises PaquetError without a key."""
    php_window(version)
    ring, upstream = keyring or settings.nextcloud.keyring, Upstream()
    _binary_keyring(ring)
    address = upstream.url.format(version=version)
    return ArchiveSource(version, address, upstream.fingerprint, str(ring), str(_folder(settings)))


def fetch(
    settings: Settings, version: str, keyring: Path | None = None, upstream: Upstream | None = None
) -> Artifact:
    """Download an archive and its signature, verify them with the pinned key, and keep it."""
    source = upstream or Upstream()
    php_window(version)
    keys = _binary_keyring(keyring or settings.nextcloud.keyring)
    address = source.url.format(version=version)
    with _beside(settings) as archive, _beside(settings) as signature, _beside(settings) as ring:
        ring.write_bytes(keys)
        _download(f"{address}.asc", signature)
        _download(address, archive)
        _expect_signature(archive, signature, ring, source.fingerprint)
        described = _described(settings, version, archive, f"signed, {address}")
        return _keep(settings, described, archive)


def inspect(archive: Path, version: str) -> None:
    """Refuse an archive that is broken, leads out of its folder, or is another version."""
    try:
        names, said = _read_zip(archive) if _suffix(archive) == ".zip" else _read_tar(archive)
    except BROKEN as broken:
        message = f"{archive.name} is no whole archive: {broken}"
        raise PaquetError(message, "Fetch it again.") from None
    for name in names:
        _refuse_outside(name)
    if names.count(VERSION_FILE) != 1:
        message = f"The archive does not hold exactly one {VERSION_FILE}"
        raise PaquetError(message, "Take an archive of upstream's releases.")
    match = VERSION_LINE.search(said)
    inside = match[1].decode("ascii", "replace") if match else "nothing readable"
    if inside != version:
        message = f"The archive says it is {inside}, not {version}"
        raise PaquetError(message, "Take the right archive, or name the right version.")


def _read_tar(archive: Path) -> tuple[list[str], bytes]:
    names, said = [], b""
    with tarfile.open(archive, "r:*") as opened:
        for member in opened:
            if not (member.isfile() or member.isdir()):
                message = f"{member.name} in the archive is a link or a device"
                raise PaquetError(message, "Upstream's archives hold files and folders only.")
            names.append(str(PurePosixPath(member.name)) if member.isdir() else member.name)
            if member.name == VERSION_FILE:
                inside = opened.extractfile(member)
                said = inside.read(VERSION_FILE_BYTES) if inside is not None else b""
        # Tar stops at its end mark: what was cut off behind it is found by reading on.
        while opened.fileobj.read(CHUNK):
            pass
    return names, said


def _read_zip(archive: Path) -> tuple[list[str], bytes]:
    with zipfile.ZipFile(archive) as opened:
        broken = opened.testzip()
        if broken is not None:
            raise zipfile.BadZipFile(f"{broken} is damaged")
        links = [
            member.filename
            for member in opened.infolist()
            if stat.S_ISLNK(member.external_attr >> 16)
        ]
        if links:
            message = f"{links[0]} in the archive is a link"
            raise PaquetError(message, "Upstream's archives hold files and folders only.")
        names = opened.namelist()
        said = opened.read(VERSION_FILE)[:VERSION_FILE_BYTES] if VERSION_FILE in names else b""
    return names, said


def _refuse_outside(name: str) -> None:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or path.parts[:1] != (INSIDE,) or "\\" in name:
        message = f"The archive would write to {name!r}, outside of {INSIDE}/"
        raise PaquetError(message, "Do not use it: upstream's archives never do that.")


def _described(settings: Settings, version: str, archive: Path, origin: str) -> Artifact:
    """Return an archive that is fit to be kept, with the path that it would get."""
    inspect(archive, version)
    sha256 = digest(archive)
    name = f"{INSIDE}-{version}-{sha256}{_suffix(archive)}"
    return Artifact(
        name=INSIDE,
        version=version,
        sha256=sha256,
        path=str(_folder(settings) / name),
        bytes=archive.stat().st_size,
        origin=origin,
        added="",
    )


def _keep(settings: Settings, described: Artifact, archive: Path) -> Artifact:
    path, now = Path(described.path), datetime.now(UTC).isoformat(timespec="microseconds")
    artifact = replace(described, added=now)
    archive.chmod(0o644)
    archive.rename(path)
    with _beside(settings) as record:
        record.write_text(json.dumps(asdict(artifact), indent=2) + "\n", "utf-8")
        record.chmod(0o644)
        record.rename(path.with_name(f"{INSIDE}-{artifact.version}-{artifact.sha256}.json"))
    return artifact


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def _expect_digest(path: Path, sha256: str) -> None:
    actual = digest(path)
    if actual != sha256:
        message = f"{path.name} has the digest {actual}, expected was {sha256}"
        raise PaquetError(message, "Do not use it: it was damaged or exchanged. Fetch it again.")


def _checked_digest(sha256: str) -> str:
    lowered = sha256.strip().lower()
    if not DIGEST.fullmatch(lowered):
        message = "The digest given is no SHA-256"
        raise PaquetError(message, "It has 64 characters: 0 to 9 and a to f.")
    return lowered


def _suffix(archive: Path) -> str:
    with archive.open("rb") as opened:
        start = opened.read(2)
    if start not in SUFFIXES:
        kinds = "tar.gz, tar.bz2 or zip"
        raise PaquetError(f"{archive.name} is no {kinds} archive", f"Give one of {kinds}.")
    return SUFFIXES[start]


def _binary_keyring(keyring: Path | None) -> bytes:
    """Return the keys as gpgv wants them; armoured text (RFC 9580, section 6) is unpacked."""
    if keyring is None or not keyring.is_file():
        message = "Without upstream's key no signature can be verified"
        hint = f"Give the public key {Upstream.fingerprint} with --keyring, or under [nextcloud]."
        raise PaquetError(message, hint)
    content = keyring.read_bytes()
    if not content.lstrip().startswith(b"-----BEGIN PGP PUBLIC KEY BLOCK-----"):
        return content
    body = content.replace(b"\r\n", b"\n").split(b"\n\n", 1)[-1].split(b"-----END")[0]
    lines = [line for line in body.split() if not line.startswith(b"=")]
    return base64.b64decode(b"".join(lines))


def _expect_signature(archive: Path, signature: Path, keyring: Path, fingerprint: str) -> None:
    command = ["gpgv", "--status-fd=1", f"--keyring={keyring}", str(signature), str(archive)]
    verified = run(command, check=False)
    lines = [line.split() for line in verified.stdout.splitlines()]
    # VALIDSIG ends with the fingerprint of the primary key (GnuPG, doc/DETAILS).
    signers = [words[-1] for words in lines if words[:2] == ["[GNUPG:]", "VALIDSIG"]]
    if verified.returncode or signers != [fingerprint]:
        message = "The archive is not signed by upstream's key"
        raise PaquetError(message, "Do not use it; try again later and tell upstream if it stays.")


def _download(address: str, target: Path) -> None:
    try:
        with requests.get(address, stream=True, timeout=SECONDS) as answer:
            answer.raise_for_status()
            with target.open("wb") as opened:
                opened.writelines(answer.iter_content(CHUNK))
    except requests.RequestException as failed:
        message = f"Cannot fetch {address}: {failed}"
        hint = "Without a way out, bring the file and use `paquet artifact add` with its digest."
        raise PaquetError(message, hint) from None


@contextmanager
def _beside(settings: Settings) -> Iterator[Path]:
    """Yield a new file in the cache that is gone afterwards unless it was renamed."""
    folder = _folder(settings)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, prefix=".new-", delete=False) as opened:
        path = Path(opened.name)
    try:
        yield path
    finally:
        path.unlink(missing_ok=True)


def _folder(settings: Settings) -> Path:
    return settings.cache / "artifacts"


def _order(artifact: Artifact) -> tuple[list[int], str]:
    return [int(part) for part in artifact.version.split(".")], artifact.added
