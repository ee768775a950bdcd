"""Files that several writers share: nothing is lost, nothing is half-written."""

from __future__ import annotations

import os
import signal
import socket
import stat
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.process.files import IN_MEMORY, folder_in_memory, locked, replace_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def memory(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the person's own whose path is as short as theirs is."""
    with tempfile.TemporaryDirectory() as folder:
        monkeypatch.setenv("XDG_RUNTIME_DIR", folder)
        yield Path(folder)


def test_writers_side_by_side_lose_no_line(tmp_path: Path) -> None:
    path = tmp_path / "shared"
    path.write_bytes(b"")

    def add(number: int) -> None:
        with locked(tmp_path / "lock"):
            replace_file(path, path.read_bytes() + b"%d\n" % number)

    with ThreadPoolExecutor(8) as threads:
        list(threads.map(add, range(100)))
    assert sorted(map(int, path.read_text().split())) == list(range(100))


def test_a_file_is_private_unless_said_otherwise(tmp_path: Path) -> None:
    replace_file(tmp_path / "secret", b"x")
    replace_file(tmp_path / "shown", b"x", 0o644)
    modes = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("secret", "shown")]
    assert modes == [0o600, 0o644]


def test_a_write_that_fails_leaves_the_old_file_and_nothing_beside(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "kept").write_text("old")
    with pytest.raises(OSError, match="directory"):
        replace_file(path, b"new")
    assert [one.name for one in tmp_path.iterdir()] == ["folder"]


HOLD = """
import time
from provision.process.files import folder_in_memory
with folder_in_memory() as folder:
    (folder / "password").write_text("secret")
    print(folder, flush=True)
    time.sleep(60)
"""


def test_what_a_killed_process_left_in_memory_goes_first_and_what_a_living_one_holds_stays(
    memory: Path,
) -> None:
    (memory / "elsewhere").mkdir()
    (memory / "elsewhere" / "kept").write_text("of somebody else")
    (memory / f"{IN_MEMORY}link").symlink_to(memory / "elsewhere")
    holders = [_hold(), _hold()]
    folders = [holder.stdout.readline().strip() for holder in holders if holder.stdout]
    os.kill(holders[0].pid, signal.SIGKILL)
    holders[0].wait()
    try:
        with folder_in_memory() as folder:
            assert stat.S_IMODE(folder.stat().st_mode) == 0o700
            assert [(memory / name / "password").exists() for name in folders] == [False, True]
        assert not folder.exists()
    finally:
        for holder in holders:
            holder.kill()
            holder.communicate()
    assert (memory / "elsewhere" / "kept").exists()


def _hold() -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", HOLD], stdout=subprocess.PIPE, text=True)


def test_folders_in_memory_made_while_others_sweep_are_all_ones_own(
    memory: Path,
) -> None:
    def keep(number: int) -> str:
        with folder_in_memory() as folder:
            (folder / "mine").write_text(str(number))
            return (folder / "mine").read_text()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(keep, range(400))) == [str(number) for number in range(400)]
    assert list(memory.iterdir()) == []


@pytest.mark.parametrize("letter", ["x", "é"])
@pytest.mark.parametrize("length", [40, 56, 57, 90])
def test_a_control_socket_finds_room_in_it_however_long_the_persons_own_path(
    monkeypatch: pytest.MonkeyPatch, length: int, letter: str
) -> None:
    with tempfile.TemporaryDirectory() as own:
        many, rest = divmod(length - len(own) - 1, len(letter.encode()))
        runtime = Path(own) / (letter * many + "x" * rest)
        runtime.mkdir()
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(runtime))
        with folder_in_memory() as folder, socket.socket(socket.AF_UNIX) as control:
            (folder / "s").mkdir()
            control.bind(f"{folder}/s/77f88ec1f5.4MU2UtOjGzvt4Izd")  # ssh's name while it listens
            assert (folder.parent == runtime) == (length <= 56)
