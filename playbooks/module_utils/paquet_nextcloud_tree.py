"""Unpack the code of one Nextcloud version, shared and read-only."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

from ansible.module_utils.paquet_paths import Refused
from ansible.module_utils.paquet_php import TREES

ARGUMENTS = {
    "version": {"required": True},
    "sha256": {"required": True},
    "archive": {"type": "path", "required": True},
    "trees": {"type": "path", "default": TREES},
}
STAMP = ".paquet-sha256"
INSIDE = "nextcloud"
FONT = "core/fonts/NotoSans-Regular.ttf"
OTHER_FONT = "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf"


def digest(path: Path) -> str:
    """Return the SHA-256 of a file in hexadecimal."""
    with path.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def stands(tree: Path, sha256: str) -> bool:
    """Whether this very archive was unpacked there to its end."""
    stamp = tree / STAMP
    return stamp.is_file() and stamp.read_text("ascii").strip() == sha256


def unpack(archive: Path, tree: Path, sha256: str) -> None:
    """Unpack beside, then put in place; a tree that stands there is replaced."""
    archive_digest = digest(archive)
    if archive_digest != sha256:
        raise Refused(f"{archive} has the digest {archive_digest}, expected {sha256}")
    beside = tree.with_name(f"{tree.name}.paquet-new")
    shutil.rmtree(beside, ignore_errors=True)
    beside.mkdir(parents=True)
    _extract(archive, beside)
    inside = beside / INSIDE
    if not (inside / FONT).exists():
        (inside / FONT).symlink_to(OTHER_FONT)
    (inside / STAMP).write_text(f"{sha256}\n", "ascii")
    if tree.is_dir():
        shutil.rmtree(tree)
    inside.rename(tree)
    shutil.rmtree(beside)
    archive.unlink()


def _extract(archive: Path, folder: Path) -> None:
    with archive.open("rb") as opened:
        beginning = opened.read(3)
    if beginning.startswith(b"PK"):  # Python gives these files the modes of the umask
        shutil.unpack_archive(archive, folder, "zip")
        return
    if beginning == b"BZh" and not shutil.which("bzip2"):  # a new server has none yet
        shutil.unpack_archive(archive, folder, "bztar", filter="data")
        return
    mode = ["--no-same-owner", "--no-same-permissions", "--mode=u=rwX,go=rX"]
    ended = subprocess.run(
        ["/usr/bin/tar", "--extract", f"--file={archive}", f"--directory={folder}", *mode],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        raise Refused(f"cannot unpack {archive}: {ended.stderr.strip()}")


def bring(params: dict[str, Any], *, check: bool) -> dict[str, Any]:
    """Unpack the archive where it is needed and there."""
    tree, archive = Path(params["trees"], params["version"]), Path(params["archive"])
    if stands(tree, params["sha256"]):
        return {"changed": False, "needed": False}
    if not archive.is_file():
        return {"changed": check, "needed": True}
    if not check:
        os.umask(0o022)
        unpack(archive, tree, params["sha256"])
    return {"changed": True, "needed": False}
