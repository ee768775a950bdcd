"""Files that several writers share: nothing is lost, nothing is half-written."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from provision.process.files import locked, replace_file

if TYPE_CHECKING:
    from pathlib import Path


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
