"""What a lab remembers, and what it borrows from this computer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision.errors import PaquetError, UsageRefused
from provision.lab import limits, mounts, snapshots, state

if TYPE_CHECKING:
    from pathlib import Path


def test_the_state_comes_back_as_it_was_kept(tmp_path: Path) -> None:
    kept = state.State(7, {"bundles1": ["/images/a"]}, snapshot="prepared")
    state.save(tmp_path, kept)
    assert state.load(tmp_path) == kept


def test_there_is_no_state_where_there_is_no_lab(tmp_path: Path) -> None:
    assert state.load(tmp_path / "none") is None


def test_a_secret_is_never_open_to_others(tmp_path: Path) -> None:
    state.write_whole(tmp_path / "key", "secret", mode=0o600)
    assert (tmp_path / "key").stat().st_mode & 0o777 == 0o600


def test_the_limit_goes_up_and_comes_back(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text("128\n")
    for _ in range(2):
        limits.raise_to_enough(limit, tmp_path)
    assert int(limit.read_text()) == limits.ENOUGH
    limits.restore(limit, tmp_path)
    assert limit.read_text() == "128\n"
    assert [path.name for path in tmp_path.iterdir()] == ["limit"]


def test_a_limit_that_somebody_changed_is_left_alone(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text("128\n")
    limits.raise_to_enough(limit, tmp_path)
    limit.write_text("4096\n")
    limits.restore(limit, tmp_path)
    assert limit.read_text() == "4096\n"


def test_a_limit_that_is_enough_is_not_touched(tmp_path: Path) -> None:
    limit = tmp_path / "limit"
    limit.write_text("8192\n")
    limits.raise_to_enough(limit, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["limit"]


def test_mount_points_are_read_with_their_spaces(tmp_path: Path) -> None:
    table = tmp_path / "mounts"
    table.write_text("overlay /a\\040b overlay rw 0 0\nproc /proc proc rw 0 0\n")
    assert mounts.mount_points(table) == ["/a b", "/proc"]


def test_a_snapshot_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    with pytest.raises(PaquetError, match="no snapshot prepared"):
        snapshots.find(tmp_path, "prepared")
    assert snapshots.titles(tmp_path) == []


@pytest.mark.parametrize("title", ["", "../x", "A", "a/b", ".hidden", "é"])
def test_a_title_that_leaves_the_cache_is_refused(tmp_path: Path, title: str) -> None:
    with pytest.raises(UsageRefused):
        snapshots.find(tmp_path, title)


def test_a_lab_from_a_snapshot_lies_on_its_layers(tmp_path: Path) -> None:
    kept = snapshots.LabSnapshot(tmp_path / "prepared", 7, {"bundles1": ["/images/a"]})
    layers = [f"{tmp_path}/prepared/layers/bundles1", "/images/a"]
    assert kept.state() == state.State(7, {"bundles1": layers}, snapshot="prepared")
