from __future__ import annotations

import grp
import os
import pwd
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    RunModule = Callable[..., dict[str, Any]]


def item(path: Path, line: str | None, beginning: str = "b2:") -> dict[str, object]:
    owner, group = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
    wish = {"path": str(path), "beginning": beginning, "owner": owner, "group": group}
    return {**wish, "line": line, "mode": "0640"}


def test_a_line_is_added_changed_and_removed_and_the_others_stay(
    run_module: RunModule, tmp_path: Path
) -> None:
    path = tmp_path / "htpasswd"
    path.write_text("b1:x\nb3:z\n")
    for line, text in (
        ("b2:one", "b1:x\nb3:z\nb2:one\n"),
        ("b2:two", "b1:x\nb3:z\nb2:two\n"),
        (None, "b1:x\nb3:z\n"),
    ):
        assert run_module("paquet_lines", items=[item(path, line)])["changed"]
        assert not run_module("paquet_lines", items=[item(path, line)])["changed"]
        assert path.read_text() == text


def test_a_line_that_is_two_is_refused(run_module: RunModule, tmp_path: Path) -> None:
    result = run_module("paquet_lines", items=[item(tmp_path / "f", "b2:one\nb1:stolen")])
    assert "not one line" in result["msg"]
    assert not (tmp_path / "f").exists()


def test_check_mode_writes_nothing(run_module: RunModule, tmp_path: Path) -> None:
    result = run_module("paquet_lines", items=[item(tmp_path / "f", "b2:one")], check=True)
    assert (result["changed"], list(tmp_path.iterdir())) == (True, [])
