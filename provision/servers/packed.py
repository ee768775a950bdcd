"""Where plays keep the modules that Ansible has packed: one folder for each state of them.

Only code is kept there, nothing of a server or a play. Ansible reads it back as pickles, so it is
used only while nobody else can write there.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from typing import TYPE_CHECKING

from provision.servers.digests import modules_digest

if TYPE_CHECKING:
    from pathlib import Path

    from provision.settings import Settings

AT_WORK = (".lock", "-part")  # what Ansible holds and writes while it packs
KEPT_SECONDS = 30 * 86_400


def module_store(settings: Settings, playbooks: Path) -> Path | None:
    """Return the folder of packed modules for what `playbooks` holds now, None without one."""
    folder = settings.cache / "modules" / modules_digest(playbooks)
    try:
        folder.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        if not _is_ours(folder.parent):
            return None
        if not folder.is_dir():
            _forget_unused(folder.parent)
            folder.mkdir(mode=0o700, exist_ok=True)
        _forget_empty(folder)
        os.utime(folder)
    except OSError:
        return None
    return folder


def _is_ours(folder: Path) -> bool:
    """Whether nobody but ourselves can write into `folder`."""
    about = folder.stat()
    return about.st_uid == os.geteuid() and not about.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _forget_empty(folder: Path) -> None:
    """Remove what a power cut left of a file; Ansible would stumble over it."""
    for path in folder.iterdir():
        if not path.name.endswith(AT_WORK) and path.stat().st_size == 0:
            path.unlink()


def _forget_unused(parent: Path) -> None:
    for folder in parent.iterdir():
        if time.time() - folder.stat().st_mtime > KEPT_SECONDS:
            shutil.rmtree(folder, ignore_errors=True)
