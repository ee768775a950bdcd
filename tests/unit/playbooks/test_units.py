from __future__ import annotations

from subprocess import CompletedProcess
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Load = Callable[[str], dict[str, Any]]

UP = {
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "ConditionResult": "yes",
    "ConditionTimestampMonotonic": "5",
}
DOWN = {**UP, "ActiveState": "inactive", "SubState": "dead"}


def unit(**wishes: object) -> dict[str, Any]:
    return {"enabled": None, "state": None, "restart_on": [], "reload_on": [], **wishes}


@pytest.mark.parametrize(
    ("wishes", "shown", "due"),
    [
        ({"enabled": True, "state": "started"}, UP, []),
        ({"enabled": True, "state": "started"}, {**DOWN, "UnitFileState": "disabled"},
         ["enable", "start"]),
        ({"enabled": False, "state": "stopped"}, UP, ["disable", "stop"]),
        ({"enabled": True}, {**UP, "UnitFileState": "static"}, []),
        ({"state": "started"}, {**UP, "ActiveState": "activating", "SubState": "auto-restart"},
         ["start"]),
        ({"state": "started"}, {**DOWN, "ConditionResult": "no"}, []),
        ({"state": "started"},
         {**DOWN, "ConditionResult": "no", "ConditionTimestampMonotonic": "0"}, ["start"]),
    ],
)  # fmt: skip
def test_only_what_is_due_is_done(
    load: Load, wishes: dict[str, Any], shown: dict[str, str], due: list[str]
) -> None:
    actions_for = load("module_utils/paquet_systemd.py")["actions_for"]
    assert actions_for(unit(**wishes), shown, {}, {}) == due


def test_a_restart_is_due_until_it_succeeded_once(load: Load, tmp_path: Path) -> None:
    functions = load("module_utils/paquet_systemd.py")
    (tmp_path / "a.conf").write_text("one")
    wish = unit(restart_on=[f"{tmp_path}/*.conf"], reload_on=[f"{tmp_path}/*.map"])
    seen = functions["wanted_stamp"](wish)
    assert functions["actions_for"](wish, UP, {}, seen) == ["restart"]
    assert functions["actions_for"](wish, UP, seen, seen) == []
    assert functions["actions_for"](wish, DOWN, {}, seen) == []


def test_a_new_map_needs_only_a_reload(load: Load, tmp_path: Path) -> None:
    functions = load("module_utils/paquet_systemd.py")
    wish = unit(restart_on=[f"{tmp_path}/*.conf"], reload_on=[f"{tmp_path}/*.map"])
    before = functions["wanted_stamp"](wish)
    (tmp_path / "new.map").write_text("x")
    after = functions["wanted_stamp"](wish)
    assert functions["actions_for"](wish, UP, before, after) == ["reload"]


@pytest.mark.parametrize("change", ["content", "mode", "name"])
def test_a_digest_sees_content_mode_and_name(load: Load, tmp_path: Path, change: str) -> None:
    digest = load("module_utils/paquet_systemd.py")["digest"]
    path = tmp_path / "a.conf"
    path.write_text("one")
    before = digest([f"{tmp_path}/*"])
    if change == "content":
        path.write_text("two")
    elif change == "mode":
        path.chmod(0o640)
    else:
        path.rename(tmp_path / "b.conf")
    assert digest([f"{tmp_path}/*"]) != before


def test_two_roles_watch_one_unit_without_disturbing_each_other(load: Load, tmp_path: Path) -> None:
    functions = load("module_utils/paquet_systemd.py")
    first = functions["wanted_stamp"](unit(reload_on=[f"{tmp_path}/a"]))
    second = functions["wanted_stamp"](unit(reload_on=[f"{tmp_path}/b"]))
    functions["keep_stamp"](str(tmp_path / "stamps"), "x.service", first | second)
    kept = functions["read_stamp"](str(tmp_path / "stamps"), "x.service")
    assert first.items() | second.items() == kept.items()


def test_files_of_templates_are_looked_at_and_those_of_single_instances_not(
    load: Load, tmp_path: Path
) -> None:
    unit_files = load("module_utils/paquet_systemd.py")["_unit_files"]
    for name in ("paquet-dav@.service", "paquet-watch.timer", "nginx.service"):
        (tmp_path / name).touch()
    for folder in ("paquet-dav@.service.d", "paquet-backup@bx.service.d", "paquet-watch.service.d"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "more.conf").touch()
    assert {str(path.relative_to(tmp_path)) for path in unit_files(tmp_path)} == {
        "paquet-dav@.service",
        "paquet-dav@.service.d",
        "paquet-dav@.service.d/more.conf",
        "paquet-watch.timer",
        "paquet-watch.service.d",
        "paquet-watch.service.d/more.conf",
    }


@pytest.mark.parametrize("read_ago", [-60, 60])
def test_files_that_came_after_systemd_read_them_are_seen(
    load: Load, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, read_ago: int
) -> None:
    (tmp_path / "paquet-dav@.service").touch()
    systemd = load("module_utils/paquet_systemd.py")["Systemd"]
    read_at = int((tmp_path / "paquet-dav@.service").stat().st_ctime) - read_ago
    told = CompletedProcess([], 0, f"@{read_at}\n", "")
    monkeypatch.setattr(systemd, "call", lambda *_words: told)
    monkeypatch.setitem(systemd.has_newer_files.__globals__, "FILES", tmp_path)
    assert systemd().has_newer_files() is (read_ago > 0)
