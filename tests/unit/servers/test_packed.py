"""The folder of packed modules: another one for other modules, and only ours to write."""

from __future__ import annotations

import os
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from provision.servers.packed import module_store

if TYPE_CHECKING:
    from pathlib import Path

    from provision.settings import Settings


@pytest.fixture
def playbooks(tmp_path: Path) -> Path:
    for folder in ("library", "roles/mail/library"):
        (tmp_path / folder).mkdir(parents=True)
        (tmp_path / folder / "module.py").write_text("one")
    return tmp_path


def store(playbooks: Path) -> Path | None:
    settings: Settings = SimpleNamespace(cache=playbooks / "cache")  # type: ignore[assignment]
    return module_store(settings, playbooks)


@pytest.mark.parametrize("module", ["library/module.py", "roles/mail/library/module.py"])
def test_equal_modules_share_a_folder_that_only_we_can_enter(playbooks: Path, module: str) -> None:
    first = store(playbooks)
    assert first is not None
    assert first == store(playbooks)
    assert first.stat().st_mode & 0o777 == 0o700
    assert first.parent.stat().st_mode & 0o777 == 0o700
    (playbooks / module).write_text("two")
    assert store(playbooks) not in (first, None)


def test_a_folder_that_others_can_write_into_is_not_used(playbooks: Path) -> None:
    (playbooks / "cache/modules").mkdir(parents=True)
    (playbooks / "cache/modules").chmod(0o777)
    assert store(playbooks) is None


def test_without_a_place_for_it_there_is_none(playbooks: Path) -> None:
    (playbooks / "cache").write_text("in the way")
    assert store(playbooks) is None


def test_what_no_play_used_for_a_month_goes_when_a_new_one_comes(playbooks: Path) -> None:
    old = store(playbooks)
    assert old is not None
    os.utime(old, (0, 0))
    (playbooks / "library/module.py").write_text("two")
    assert store(playbooks)
    assert not old.exists()


def test_what_a_power_cut_emptied_is_packed_again(playbooks: Path) -> None:
    folder = store(playbooks)
    assert folder is not None
    at_work = {"module.lock", "third-part"}
    for name, text in (("module", ""), ("other", "packed"), *((name, "") for name in at_work)):
        (folder / name).write_text(text)
    assert store(playbooks) == folder
    assert {path.name for path in folder.iterdir()} == {"other", *at_work}
