"""Run our PHP programs for a Nextcloud, as the Unix user of its bundle."""

from __future__ import annotations

import json
import pwd
import subprocess
from typing import Any

PROGRAMS = "/usr/local/lib/paquet"
TREES = "/usr/share/paquet/nextcloud"
PHP = ("/usr/bin/php8.4", "-d", "apc.enable_cli=1", "-d", "memory_limit=512M")
SECONDS = 600
LAST_LINES = 15


class PhpFailed(Exception):
    """A PHP program that ended with an error; its message is what it said."""


def run_php(program: str, user: str, config_folder: str, given: dict[str, Any]) -> str:
    """Run one of our PHP programs as `user` with `given` as JSON on its input; return its text.

    Nothing of ours, not even the environment of root, reaches the program but what it needs.
    """
    known = pwd.getpwnam(user)
    ended = subprocess.run(
        [*PHP, "-f", f"{PROGRAMS}/{program}"],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
        cwd="/",
        timeout=SECONDS,
        user=known.pw_uid,
        group=known.pw_gid,
        extra_groups=[],
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "NEXTCLOUD_CONFIG_DIR": config_folder},
    )
    if ended.returncode:
        said = (ended.stderr.strip() or ended.stdout.strip()).splitlines()[-LAST_LINES:]
        raise PhpFailed("\n".join(said) or f"{program} ended with {ended.returncode}")
    return ended.stdout


def settle(user: str, config_folder: str, wanted: dict[str, Any]) -> list[str]:
    """Bring one Nextcloud to its wanted state; return what was (or would be) changed."""
    said = run_php("paquet-nextcloud.php", user, config_folder, wanted)
    changed: list[str] = json.loads(said.strip().splitlines()[-1])["changed"]
    return changed
