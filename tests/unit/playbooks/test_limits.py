"""The limits of the file system: what one bundle does keeps no other from its own."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    Load = Callable[[str], dict[str, Any]]

LIMITS = "roles/room/files/paquet-limits.py"
GOOD = {"all": 1 << 30, "mail": "/nowhere/mail", "users": {}, "database": False}
BAD = {
    "not JSON": "{",
    "no room": json.dumps({"mail": "/nowhere/mail"}),
    "no such Unix user": json.dumps(GOOD),
}


@pytest.mark.parametrize("bad", BAD)
def test_a_bundle_that_is_not_measured_keeps_no_other_from_its_limits(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str], bad: str
) -> None:
    limits = load(LIMITS)
    settings, told = tmp_path / "settings", tmp_path / "room.json"
    settings.mkdir()
    name = "nosuchuser" if bad == "no such Unix user" else "nobody"
    (settings / f"{name}.json").write_text(BAD[bad])
    (settings / "root.json").write_text(json.dumps(GOOD))
    here = limits["main"].__globals__
    here |= {"SETTINGS": settings, "BUNDLES": tmp_path, "TOLD": told}
    here["tell_dovecot"] = lambda _limits: None
    limits["main"]()
    assert list(json.loads(told.read_text())) == ["root"]
    assert f"{name} was not measured" in capsys.readouterr().err


def test_what_comes_while_a_folder_is_adopted_is_found(tmp_path: Path, load: Load) -> None:
    """It did not inherit the project, and nobody could move it into a folder that has it."""
    new = tmp_path / "new"
    new.mkdir()
    program = load(LIMITS)["adopt"].__globals__
    theirs: list[int] = []

    def adopt_one(descriptor: int, _project: int) -> None:
        theirs.append(os.fstat(descriptor).st_ino)
        if len(theirs) == 1:  # the folder has been listed
            (new / "late").touch()

    program["set_project"] = adopt_one
    program["adopt"](tmp_path, 7)
    assert (new / "late").stat().st_ino in theirs[: theirs.index(tmp_path.stat().st_ino)]


def test_a_run_that_is_ended_has_told_of_all_that_it_came_to(tmp_path: Path, load: Load) -> None:
    """And those that it did not come to are not the same the next time."""
    settings, told = tmp_path / "settings", tmp_path / "room.json"
    settings.mkdir()
    names = {"one", "two", "three", "four"}
    for name in names:
        (settings / f"{name}.json").touch()
    told.write_text(json.dumps({name: {"measured": "before"} for name in [*names, "erased"]}))
    here = load(LIMITS)["main"].__globals__
    here |= {"SETTINGS": settings, "TOLD": told}
    first: set[str] = set()

    def look(path: Path, _before: object) -> dict[str, str]:
        if reached:
            raise SystemExit
        reached.append(path.stem)
        return {"measured": "now"}

    here["look_at_bundle"] = look
    for _ in range(50):
        reached: list[str] = []
        with pytest.raises(SystemExit):
            here["main"]()
        now = json.loads(told.read_text())
        assert now.keys() == names
        assert now[reached[0]] == {"measured": "now"}
        first |= set(reached)
    assert len(first) > 1
