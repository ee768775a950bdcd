#!/usr/bin/python
"""Unpack the code of one Nextcloud version, shared and read-only."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible.module_utils.paquet_php import TREES

DOCUMENTATION = """
module: paquet_nextcloud_tree
short_description: The code of one Nextcloud version, unpacked from a verified archive
description:
  - The archive is verified by its digest on the server again, unpacked beside, and put in place by
    one rename. The digest stays in the tree; a tree of the same digest is left alone.
  - A repackaged archive may lack a font without which no user can be made; the one of Debian's
    fonts-dejavu-core then stands in.
  - When the tree is not there and the archive neither, C(needed) is true and nothing fails, so that
    the archive is only sent to servers that need it.
options:
  version: {type: str, required: true, description: Version such as 31.0.2.}
  sha256: {type: str, required: true, description: Digest of the archive.}
  archive: {type: path, required: true, description: Where the archive is put on the server.}
  trees: {type: path, default: /usr/share/paquet/nextcloud, description: All versions.}
"""
RETURN = """
needed:
  description: Whether the archive has to be sent first.
  type: bool
  returned: always
"""
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


class Refused(Exception):
    """An archive that must not be unpacked."""


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
    found = digest(archive)
    if found != sha256:
        raise Refused(f"{archive} has the digest {found}, expected {sha256}")
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


def main() -> None:
    module = AnsibleModule(ARGUMENTS, supports_check_mode=True)
    wanted = module.params
    tree, archive = Path(wanted["trees"], wanted["version"]), Path(wanted["archive"])
    if stands(tree, wanted["sha256"]):
        module.exit_json(changed=False, needed=False)
    if not archive.is_file():
        module.exit_json(changed=False, needed=True)
    if module.check_mode:
        module.exit_json(changed=True, needed=False)
    os.umask(0o022)
    try:
        unpack(archive, tree, wanted["sha256"])
    except (Refused, OSError) as refused:
        module.fail_json(msg=str(refused))
    module.exit_json(changed=True, needed=False)


if __name__ == "__main__":
    main()
