"""What programs that sync files need of a cloud: times that stay."""

from __future__ import annotations

import os
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.lab.contract.clients import Clients

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.contract.clients import Bundle

pytestmark = [pytest.mark.lab, pytest.mark.timeout(300)]
LONG_AGO = 1_600_000_000


@pytest.fixture
def clients(delivered_bundle: Bundle, tmp_path: Path) -> Iterator[Clients]:
    for program in ("rclone", "curl", "unshare"):
        if shutil.which(program) is None:
            pytest.skip(f"{program} is not installed")
    made = Clients(delivered_bundle, delivered_bundle.secret, tmp_path)
    made.rclone("mkdir", "cloud:synced")
    yield made
    made.rclone("purge", "cloud:synced", check=False)


def test_a_file_keeps_its_time(clients: Clients, tmp_path: Path) -> None:
    here = tmp_path / "old.txt"
    here.write_text("Été\n" * (1 << 19), "utf-8")  # more than nginx takes where nobody says so
    os.utime(here, (LONG_AGO, LONG_AGO))
    clients.rclone("copy", str(here), "cloud:synced")
    clients.rclone("copy", "cloud:synced", str(tmp_path / "back"))
    assert (tmp_path / "back" / "old.txt").stat().st_mtime == LONG_AGO
    # Nothing is copied that stands.
    said = clients.rclone("copy", "--verbose", str(here), "cloud:synced").stderr
    assert "0 B / 0 B" in said


def test_rclone_keeps_two_folders_the_same_both_ways(clients: Clients, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    for folder in (one, other):
        folder.mkdir()
    (one / "first.txt").write_text("first", "utf-8")
    (one / "both.txt").write_text("before", "utf-8")
    (one / "stays.txt").write_text("stays", "utf-8")

    def sync(folder: Path, *words: str) -> None:
        clients.rclone("bisync", str(folder), "cloud:synced", *words)

    sync(one, "--resync")
    sync(other, "--resync")
    (other / "both.txt").write_text("after!", "utf-8")  # as long as before, and in another second
    os.utime(other / "both.txt", (LONG_AGO, LONG_AGO))
    (other / "first.txt").unlink()
    (other / "second.txt").write_text("second", "utf-8")
    sync(other)
    sync(one)
    assert {path.name: path.read_text("utf-8") for path in one.iterdir()} == {
        "both.txt": "after!",
        "second.txt": "second",
        "stays.txt": "stays",
    }
    sync(one)
    sync(other)
    assert sorted(path.name for path in other.iterdir()) == ["both.txt", "second.txt", "stays.txt"]
