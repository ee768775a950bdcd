"""Run our PHP programs for a Nextcloud, as the Unix user of its bundle and in its sandbox."""

from __future__ import annotations

import contextlib
import json
import subprocess
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import IO, Any

PROGRAMS = "/usr/local/lib/paquet"
TREES = "/usr/share/paquet/nextcloud"
PHP = ("/usr/bin/php8.4", "-d", "apc.enable_cli=1", "-d", "memory_limit=512M")
SECONDS = 300
LAST_LINES = 15
MOST = 1 << 20
SHOWN = 200
SANDBOX = (
    *("/usr/bin/systemd-run", "--quiet", "--pipe", "--wait", "--collect"),
    *("--setenv=LANG=C.UTF-8", f"--property=RuntimeMaxSec={SECONDS}"),
)


class PhpFailed(Exception):
    """A PHP program that ended with an error; its message is what it said."""


def in_sandbox(bundle: str) -> list[str]:
    """Return the words that run a program as a bundle, in the sandbox of its PHP.

    Its config.php and its own apps are programs that whoever is in the bundle may write, and a
    module runs as root beside them: what they do then is fenced in as what they do for the web is.
    """
    return [*SANDBOX, f"--uid={bundle}", f"--gid={bundle}", f"--unit=paquet-occ@{bundle}.service"]


def as_template(user: str, config_folder: str) -> list[str]:
    """Return the words that run a program as the user who installs templates; no bundle is near."""
    known = ["PATH=/usr/bin:/bin", "LANG=C.UTF-8", f"NEXTCLOUD_CONFIG_DIR={config_folder}"]
    owner = [f"--reuid={user}", f"--regid={user}", "--clear-groups"]
    return ["/usr/bin/env", "--ignore-environment", *known, "/usr/bin/setpriv", *owner]


def run_php(program: str, runner: list[str], given: dict[str, Any]) -> str:
    """Run one of our PHP programs by `runner` with `given` as JSON on its input; return its text.

    Nothing of ours, not even the environment of root, reaches the program but what it needs.
    """
    code, told, complained = bounded([*runner, *PHP, "-f", f"{PROGRAMS}/{program}"], given)
    if code:
        said = (complained.strip() or told.strip()).splitlines()[-LAST_LINES:]
        raise PhpFailed("\n".join(said) or f"{program} ended with {code}")
    return told


def bounded(command: list[str], given: dict[str, Any]) -> tuple[int, str, str]:
    """Run a command and return its exit code, what it told and what it complained of.

    Code of a bundle may write without end, and this is root's memory: a megabyte of each is read.
    """
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, cwd="/") as process:
        with ThreadPoolExecutor(2) as readers:
            texts = readers.map(partial(read_some, process), (process.stdout, process.stderr))
            with contextlib.suppress(BrokenPipeError):
                process.stdin.write(json.dumps(given).encode())
                process.stdin.close()
            told, complained = texts
        return process.wait(SECONDS), told, complained


def read_some(process: subprocess.Popen[bytes], stream: IO[bytes]) -> str:
    """Return what a stream says, and end the process when that is too much."""
    said = stream.read(MOST)
    if stream.read(1):
        process.kill()
    return said.decode(errors="replace")


def settle(runner: list[str], wanted: dict[str, Any]) -> list[str]:
    """Bring one Nextcloud to its wanted state; return what was (or would be) changed."""
    said = run_php("paquet-nextcloud.php", runner, wanted)
    try:
        changed = json.loads(said.strip().splitlines()[-1])["changed"]
        return [str(change)[:SHOWN] for change in changed]
    except (ValueError, LookupError, TypeError):
        raise PhpFailed("its program did not say what it changed") from None
