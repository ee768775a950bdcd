from __future__ import annotations

import grp
import json
import os
import pwd
import stat
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    RunModule = Callable[..., dict[str, Any]]

OWNER, GROUP = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
ACCEPT, REFUSE = ["/bin/grep", "-q", "good", "%s"], ["/bin/false"]


def item(path: Path, **wishes: object) -> dict[str, object]:
    return {"path": str(path), "owner": OWNER, "group": GROUP, **wishes}


def tree(folder: Path) -> dict[str, Any]:
    return {
        str(path.relative_to(folder)): (
            stat.S_IMODE(path.lstat().st_mode),
            path.read_text() if path.is_file() else "",
        )
        for path in folder.rglob("*")
    }


@pytest.fixture
def wishes(tmp_path: Path) -> list[dict[str, object]]:
    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "inside").write_text("x")
    return [
        item(tmp_path / "folder", state="directory", mode="0750"),
        item(tmp_path / "folder" / "ümlaut", content='{"a": 1}\n', mode="0600"),
        item(tmp_path / "link", state="link", target="folder"),
        item(tmp_path / "old", state="absent"),
    ]


def test_all_kinds_are_made_in_one_call(
    run_module: RunModule, tmp_path: Path, wishes: list[dict[str, object]]
) -> None:
    result = run_module("paquet_files", items=wishes)
    assert result["changed_paths"] == [wish["path"] for wish in wishes]
    assert tree(tmp_path)["folder/ümlaut"] == (0o600, '{"a": 1}\n')
    assert stat.S_IMODE((tmp_path / "folder").stat().st_mode) == 0o750
    assert (tmp_path / "link").readlink().name == "folder"
    assert not (tmp_path / "old").exists()


def test_a_second_run_changes_nothing(
    run_module: RunModule, wishes: list[dict[str, object]]
) -> None:
    run_module("paquet_files", items=wishes)
    result = run_module("paquet_files", items=wishes)
    assert (result["changed"], result["diff"]) == (False, [])


def test_check_mode_tells_the_change_and_touches_nothing(
    run_module: RunModule, tmp_path: Path, wishes: list[dict[str, object]]
) -> None:
    before = tree(tmp_path)
    result = run_module("paquet_files", items=wishes, check=True)
    assert len(result["changed_paths"]) == 4
    assert '{"a": 1}' in result["diff"][1]["after"]
    assert tree(tmp_path) == before


def test_a_secret_text_is_written_and_told_to_nobody(run_module: RunModule, tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("0ld-5ecret")
    wish = item(path, content="n3w-5ecret", secret=True)
    foreseen = run_module("paquet_files", items=[wish], check=True)
    refused = run_module("paquet_files", items=[wish], verify=[REFUSE])
    assert path.read_text() == "0ld-5ecret"
    done = run_module("paquet_files", items=[wish])
    assert path.read_text() == "n3w-5ecret"
    assert refused["failed"]
    assert foreseen["diff"][0]["after"].endswith("(secret)\n")
    assert "5ecret" not in json.dumps([foreseen, refused, done])


@pytest.mark.parametrize(("field", "value"), [("mode", "0640"), ("content", "new")])
def test_a_drifted_file_is_brought_back(
    run_module: RunModule, tmp_path: Path, field: str, value: str
) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    wish = item(path, **{"content": "old", "mode": "0644", field: value})
    assert run_module("paquet_files", items=[wish])["changed"]
    assert not run_module("paquet_files", items=[wish])["changed"]


def test_a_refused_file_leaves_the_old_one(run_module: RunModule, tmp_path: Path) -> None:
    path = tmp_path / "conf"
    path.write_text("good old")
    wish = item(path, content="bad", validate=ACCEPT)
    result = run_module("paquet_files", items=[wish])
    assert result["failed"]
    assert str(path) in result["msg"]
    assert tree(tmp_path).keys() == {"conf"}
    assert path.read_text() == "good old"
    assert run_module("paquet_files", items=[{**wish, "content": "good new"}])["changed"]


def test_a_refused_whole_goes_back_to_what_it_was(run_module: RunModule, tmp_path: Path) -> None:
    (tmp_path / "a").write_text("old")
    (tmp_path / "gone").write_text("kept")
    before = tree(tmp_path)
    wishes = [
        item(tmp_path / "a", content="new"),
        item(tmp_path / "b", content="new"),
        item(tmp_path / "gone", state="absent"),
    ]
    result = run_module("paquet_files", items=wishes, verify=[REFUSE])
    assert result["failed"]
    assert tree(tmp_path) == before


def test_an_unchanged_whole_is_not_verified_again(run_module: RunModule, tmp_path: Path) -> None:
    wish = item(tmp_path / "a", content="x", mode="0644")
    run_module("paquet_files", items=[wish])
    assert not run_module("paquet_files", items=[wish], verify=[REFUSE]).get("failed")


def test_a_file_that_may_not_be_replaced_keeps_its_text(
    run_module: RunModule, tmp_path: Path
) -> None:
    wish = item(tmp_path / "once", content="first", replace=False)
    run_module("paquet_files", items=[wish])
    assert not run_module("paquet_files", items=[{**wish, "content": "second"}])["changed"]
    assert (tmp_path / "once").read_text() == "first"


def test_a_killed_run_leaves_nothing_in_the_way(run_module: RunModule, tmp_path: Path) -> None:
    (tmp_path / ".file.paquet-new").write_text("half")
    run_module("paquet_files", items=[item(tmp_path / "file", content="whole")])
    assert {path.name for path in tmp_path.iterdir()} == {"file"}


def test_a_final_link_is_replaced_and_its_target_untouched(
    run_module: RunModule, tmp_path: Path
) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "file").symlink_to(tmp_path / "precious")
    run_module("paquet_files", items=[item(tmp_path / "file", content="new")])
    assert (tmp_path / "precious").read_text() == "precious"
    assert not (tmp_path / "file").is_symlink()


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to plant a link of another user")
def test_a_link_that_a_user_planted_on_the_way_is_refused(
    run_module: RunModule, tmp_path: Path
) -> None:
    (tmp_path / "etc").mkdir()
    planted = tmp_path / "home"
    planted.symlink_to(tmp_path / "etc")
    os.chown(planted, 65534, 65534, follow_symlinks=False)
    result = run_module("paquet_files", items=[item(planted / "passwd", content="x")])
    assert "did not make" in result["msg"]
    assert list((tmp_path / "etc").iterdir()) == []


@pytest.mark.parametrize(
    ("wish", "complaint"),
    [
        ({"path": "relative/x"}, "absolute"),
        ({"path": "/tmp/../etc/x"}, "plain"),  # noqa: S108 (a path that must be refused)
        ({"owner": "nobody-has-this-name"}, "does not exist"),
        ({"state": "link", "path": "{folder}"}, "is a directory"),
    ],
)
def test_impossible_wishes_are_refused(
    run_module: RunModule, tmp_path: Path, wish: dict[str, str], complaint: str
) -> None:
    wanted = item(tmp_path / "file", content="x", target="x") | wish
    wanted["path"] = str(wanted["path"]).format(folder=tmp_path)
    result = run_module("paquet_files", items=[wanted])
    assert complaint in result["msg"]


def test_folders_in_folders_are_removed_at_any_depth(run_module: RunModule, tmp_path: Path) -> None:
    here = os.open(tmp_path, os.O_RDONLY)
    for name in ["deep", *["d"] * 3000]:
        os.mkdir(name, dir_fd=here)
        below = os.open(name, os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (tmp_path / "deep" / "link").symlink_to(tmp_path / "kept")
    (tmp_path / "kept").write_text("x")
    result = run_module("paquet_files", items=[item(tmp_path / "deep", state="absent")])
    assert result["changed"], result
    assert [path.name for path in tmp_path.iterdir()] == ["kept"]


def test_a_file_too_large_to_be_ours_is_refused_unread(
    run_module: RunModule, tmp_path: Path
) -> None:
    with (tmp_path / "planted").open("wb") as planted:
        planted.truncate(1 << 40)
    result = run_module("paquet_files", items=[item(tmp_path / "planted", content="x")])
    assert "larger than any file of ours" in result["msg"]


def test_a_pipe_planted_where_a_file_belongs_is_replaced(
    run_module: RunModule, tmp_path: Path
) -> None:
    os.mkfifo(tmp_path / "planted")
    assert run_module("paquet_files", items=[item(tmp_path / "planted", content="x")])["changed"]
    assert (tmp_path / "planted").read_text() == "x"
