"""The first backup is begun, and waited for later: neither waits for what never comes."""

from __future__ import annotations

import importlib
import json
from pathlib import Path
from typing import TYPE_CHECKING

import ansible.module_utils
import pytest

if TYPE_CHECKING:
    from types import ModuleType

    from tests.unit.playbooks.conftest import Load

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
NAME, UNIT = "babcdefgh", "paquet-backup@babcdefgh.service"
# A systemctl that starts nothing; what it shows of the unit is in a file, a line at a time.
SYSTEMCTL = """#!/bin/sh
echo "$@" >>{folder}/called
[ "$1" = show ] || exit 0
sed -n 1p {folder}/shows | tr , '\\n'
sed -i 1d {folder}/shows
[ -s {folder}/shows ] || touch {folder}/{marker}
"""


@pytest.fixture
def backup(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    known = [*ansible.module_utils.__path__, str(PLAYBOOKS / "module_utils")]
    monkeypatch.setattr(ansible.module_utils, "__path__", known)
    return importlib.import_module("ansible.module_utils.paquet_backup")


def pretend(monkeypatch: pytest.MonkeyPatch, backup: ModuleType, folder: Path, *shows: str) -> None:
    """Have systemd show the unit so, one look after the other; the last one leaves `dumped`."""
    (folder / "shows").write_text("".join(f"{one}\n" for one in shows))
    program = folder / "systemctl"
    program.write_text(SYSTEMCTL.format(folder=folder, marker="dumped"))
    program.chmod(0o755)
    monkeypatch.setattr(backup, "SYSTEMCTL", str(program))


def test_it_waits_until_the_cloud_is_no_longer_kept_still(
    monkeypatch: pytest.MonkeyPatch, backup: ModuleType, tmp_path: Path
) -> None:
    shows = ["ActiveState=inactive,Job=12", "ActiveState=activating,Job=12"]
    pretend(monkeypatch, backup, tmp_path, *shows)
    backup.begin(UNIT, tmp_path, kept=True)
    assert (tmp_path / "dumped").exists()


@pytest.mark.parametrize("ended", ["ActiveState=failed", "ActiveState=inactive,Job=0"])
def test_one_that_ended_without_a_word_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, backup: ModuleType, tmp_path: Path, ended: str
) -> None:
    pretend(monkeypatch, backup, tmp_path, ended, "ActiveState=activating")
    with pytest.raises(backup.Refused, match="the backup failed"):
        backup.begin(UNIT, tmp_path, kept=True)


def test_a_cloud_that_is_never_kept_still_is_not_waited_for(
    monkeypatch: pytest.MonkeyPatch, backup: ModuleType, tmp_path: Path
) -> None:
    pretend(monkeypatch, backup, tmp_path)
    backup.begin(UNIT, tmp_path, kept=False)
    called = (tmp_path / "called").read_text().splitlines()
    assert called == [f"reset-failed {UNIT}", f"start --no-block {UNIT}"]


def test_where_a_snapshot_is_none_is_begun(backup: ModuleType, tmp_path: Path) -> None:
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "last.json").write_text(json.dumps({"snapshot": "abc"}))
    params = {"name": NAME, "state": "begun", "told": str(tmp_path), "kept": True}
    done = backup.bring(params, check=False)
    assert done == {"changed": False, "paquet": {"backup": {"snapshot": "abc"}}}


def test_the_last_success_is_told_without_a_new_backup(load: Load, tmp_path: Path) -> None:
    first = load("roles/backup_client/files/backup.py")["first"]
    first.__globals__["STATE"] = tmp_path
    (tmp_path / NAME).mkdir()
    (tmp_path / NAME / "last.json").write_text('{"snapshot": "abc"}')
    assert json.loads(first(NAME)) == {"snapshot": "abc"}


def test_a_first_backup_that_fails_says_why(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    program = load("roles/backup_client/files/backup.py")
    first = program["first"]
    monkeypatch.setitem(first.__globals__, "STATE", tmp_path)
    monkeypatch.setitem(first.__globals__, "look", lambda _name: None)
    monkeypatch.setitem(first.__globals__, "run", lambda _words: b"restic ended with 12\n")
    with pytest.raises(program["Failed"], match="the backup failed: restic ended with 12"):
        first("bnotthere")
