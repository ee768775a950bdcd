"""Several steps in one call: their order, their refusals, and what none of their words shows."""

from __future__ import annotations

import grp
import json
import os
import pwd
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.unit.playbooks.conftest import RunModule

OWNER, GROUP = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
SECRET = "correct horse battery staple"


def step(name: str, path: Path, **wishes: object) -> dict[str, Any]:
    item = {"path": str(path), "owner": OWNER, "group": GROUP, "content": "x", **wishes}
    return {"name": name, "files": {"items": [item]}}


def test_steps_are_done_in_their_order_and_told_by_their_names(
    run_module: RunModule, tmp_path: Path
) -> None:
    steps = [
        step("Folder", tmp_path / "folder", state="directory"),
        step("File", tmp_path / "folder/file"),
    ]
    assert run_module("paquet_steps", check=True, steps=steps[:1])["changed_steps"] == ["Folder"]
    assert not (tmp_path / "folder").exists()
    done = run_module("paquet_steps", steps=steps)
    assert done["changed_steps"] == ["Folder", "File"]
    assert [one["after_header"] for one in done["diff"]] == [
        str(tmp_path / "folder"),
        str(tmp_path / "folder/file"),
    ]
    assert run_module("paquet_steps", steps=steps)["changed"] is False


def test_the_first_that_fails_ends_all_and_is_named(run_module: RunModule, tmp_path: Path) -> None:
    steps = [
        step("First", tmp_path / "first"),
        step("Second", tmp_path / "nowhere/file"),
        step("Third", tmp_path / "third"),
    ]
    done = run_module("paquet_steps", steps=steps)
    assert done["failed"]
    assert done["msg"].startswith("Second: ")
    assert done["changed_steps"] == ["First"]
    assert (tmp_path / "first").exists()
    assert not (tmp_path / "third").exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": {"items": []}},
        {"name": "Two", "files": {"items": []}, "rows": {}},
        {"name": "Unknown", "shell": {"command": "true"}},
        {"name": "Misspelt", "files": {"item": []}},
        {"name": "Wrong", "files": {"items": [{"path": "/x", "state": "gone"}]}},
    ],
)
def test_a_step_that_is_none_is_refused_before_anything_of_it_is_done(
    run_module: RunModule, wrong: dict[str, Any]
) -> None:
    done = run_module("paquet_steps", steps=[wrong])
    assert done["failed"]
    assert done["changed_steps"] == []
    assert "Traceback" not in json.dumps(done)


def test_no_word_of_a_result_shows_a_secret(run_module: RunModule, tmp_path: Path) -> None:
    """Neither what a file holds, nor an argument that its module keeps silent about."""
    enrolling = {
        "bundle": "bnobodyxx",
        "action": "enrol",
        "id": "d1",
        "name": "Phone",
        "address": "a@b.test",
        "secret": SECRET,
    }
    steps = [
        step("File", tmp_path / "file", content=SECRET, secret=True),
        {"name": "Device", "nextcloud_device": enrolling},
    ]
    done = run_module("paquet_steps", steps=steps)
    assert (tmp_path / "file").read_text() == SECRET
    assert done["failed"]
    assert done["msg"].startswith("Device: device d1 of bnobodyxx")
    assert SECRET not in json.dumps(done)
    assert SECRET not in json.dumps(run_module("paquet_steps", steps=steps[:1]))
