"""Keeps the code of Ansible's modules compiled between two calls of them.

Ansible sends a module as a zip with all that it imports, and Python compiles anew what it imports
out of a zip: at each call, for longer than most modules work. `guarded-python` starts Python with
this file on its path; the first import out of such a zip unpacks it into a folder named by what it
holds, where Python keeps compiled files, and later calls import from there.
Whatever goes wrong with that folder, the zip is still there and is used as if we were not.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
import tempfile
import time
import zipfile
from importlib.machinery import SOURCE_SUFFIXES, FileFinder, SourceFileLoader
from pathlib import Path

CACHE = Path("/var/cache/paquet/modules")
KEPT_SECONDS = 30 * 86_400
PAYLOAD = "ansible_", "_payload.zip"
OWN_PATH = "sitecustomize.py"  # written into each zip by Ansible, to name the zip's own place


def hook(path: str, cache: Path = CACHE) -> FileFinder:
    """Return what finds the modules of the zip at `path`, once they are unpacked below `cache`.

    Raises ImportError when it is no zip of Ansible's, or when it could not be unpacked: Python
    then goes on to its next hook (importlib's protocol for `sys.path_hooks`).
    """
    name = Path(path).name
    if not (name.startswith(PAYLOAD[0]) and name.endswith(PAYLOAD[1])):
        raise ImportError(path)
    try:
        with zipfile.ZipFile(path) as opened:
            folder = cache / digest(opened)
            if not is_whole(opened, folder):
                unpack(opened, folder)
        os.utime(folder)
    except (OSError, zipfile.BadZipFile) as problem:
        raise ImportError(path) from problem
    return FileFinder(str(folder), (SourceFileLoader, SOURCE_SUFFIXES))


def digest(opened: zipfile.ZipFile) -> str:
    """Return a name for what a zip holds: its files, their sizes and checksums."""
    held = [(file.filename, file.file_size, file.CRC) for file in files_of(opened)]
    return hashlib.sha256(repr(sorted(held)).encode()).hexdigest()


def files_of(opened: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the files of a zip that are the same at each call."""
    return [file for file in opened.infolist() if file.filename != OWN_PATH]


def is_whole(opened: zipfile.ZipFile, folder: Path) -> bool:
    """Whether all files are there with their sizes: a power cut may leave some of them empty."""
    try:
        return all(
            (folder / file.filename).stat().st_size == file.file_size for file in files_of(opened)
        )
    except OSError:
        return False


def unpack(opened: zipfile.ZipFile, folder: Path) -> None:
    """Unpack beside and rename, so that no call ever sees a half; remove what nobody uses."""
    folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    forget_unused(folder.parent)
    beside = Path(tempfile.mkdtemp(dir=folder.parent))
    try:
        opened.extractall(beside, files_of(opened))
        if folder.is_dir() and not is_whole(opened, folder):
            shutil.rmtree(folder)
        beside.rename(folder)
    except OSError:
        if not folder.is_dir():  # else another call was faster
            raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def forget_unused(cache: Path) -> None:
    """Remove what no call has imported from for a month, and what a killed call left."""
    for folder in cache.iterdir():
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)


if __name__ == "sitecustomize":
    os.environ.pop("PYTHONPATH", None)  # ours alone: what a module starts shall not have it
    sys.path_hooks.insert(0, hook)
