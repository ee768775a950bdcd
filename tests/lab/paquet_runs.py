"""`paquet` as a process of its own: watched, killed, and what it leaves behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from provision.process.commands import run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

PAQUET = Path(sys.executable).parent / "paquet"
PAUSE = 0.02


def paquet(config: Path, *words: str) -> str:
    """Run `paquet` to its end and return what it printed."""
    return run([str(PAQUET), "--config", str(config), *words]).stdout


def kill_at(
    config: Path, mark: str, words: Sequence[str], *, once: Callable[[], object] = lambda: True
) -> None:
    """Run `paquet` and kill it with -9 when it has told a line with `mark`, `once` that is true."""
    command = [str(PAQUET), "--config", str(config), *words]
    told = []
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        for line in process.stderr:
            told.append(line)
            if mark in line:
                while process.poll() is None and not once():
                    time.sleep(PAUSE)
                os.kill(process.pid, signal.SIGKILL)
                break
    assert process.returncode == -signal.SIGKILL, f"{mark!r} never came: {''.join(told)}"


@dataclass
class Watch:
    """Every command line and environment that was seen on this computer."""

    seen: set[bytes] = field(default_factory=set)

    def look(self) -> None:
        """Look once at all processes."""
        for folder in Path("/proc").iterdir():
            if folder.name.isdigit() and int(folder.name) != os.getpid():
                for name in ("cmdline", "environ"):
                    try:
                        self.seen.add((folder / name).read_bytes())
                    except OSError:
                        continue  # it ended while we looked


@contextmanager
def watching() -> Iterator[Watch]:
    """Watch the process list all the time."""
    watch, over = Watch(), threading.Event()

    def look() -> None:
        while not over.wait(PAUSE):
            watch.look()

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        yield watch
    finally:
        over.set()
        watcher.join()


def files_with(secrets: Sequence[str], folders: Sequence[Path], but: Sequence[Path]) -> list[str]:
    """Return the files below `folders` that hold one of `secrets`, except those below `but`."""
    patterns = "".join(f"{secret}\n" for secret in secrets)
    here = [str(folder) for folder in folders if folder.exists()]
    found = run(
        ["grep", "-rlaF", "--devices=skip", "--file=-", *here], given=patterns, check=False
    ).stdout.splitlines()
    return [path for path in found if not any(Path(path).is_relative_to(one) for one in but)]


def files_since(moment: float, folder: Path) -> list[Path]:
    """Return the files below a folder that were written or moved since `moment` (Unix time)."""
    words = ["find", str(folder), "-type", "f", "-newerct", f"@{moment}"]
    return [Path(path) for path in run(words, check=False).stdout.splitlines()]
