"""What modules were asked at the last visit of a role is kept, and asked again in one call."""

from __future__ import annotations

import grp
import importlib
import os
import pwd
import runpy
from contextlib import nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

import ansible.module_utils
import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
OWNER, GROUP = pwd.getpwuid(os.geteuid()).pw_name, grp.getgrgid(os.getegid()).gr_name
SECRET = "correct horse battery staple"


class Server:
    """A server in a folder: what is kept there, and whether it still stands."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
        known = [*ansible.module_utils.__path__, str(PLAYBOOKS / "module_utils")]
        monkeypatch.setattr(ansible.module_utils, "__path__", known)
        self.calls: Any = importlib.import_module("ansible.module_utils.paquet_calls")
        self.files: Any = importlib.import_module("ansible.module_utils.paquet_files")
        monkeypatch.setattr(self.calls, "KEPT", folder / "calls")
        monkeypatch.setattr(self.calls, "alone", lambda _name: nullcontext())
        self.stands: Callable[[str], bool] = runpy.run_path(
            str(PLAYBOOKS / "library/paquet_again.py")
        )["stands"]
        self.monkeypatch = monkeypatch

    def visit(self, role: str, number: int, path: Path, **wishes: object) -> None:
        """Have a role bring one file, in a visit of this number; 0: by hand."""
        item = {"state": "file", "replace": True, "validate": None, "mode": None, "target": None}
        item |= {"path": str(path), "owner": OWNER, "group": GROUP, "secret": False, **wishes}
        params = {"items": [item], "users": [], "units": [], "verify": [], "stamps": ""}
        self.monkeypatch.setenv("PAQUET_VISIT", f"{role} {number}" if number else "")
        self.calls.keep(self.files, params)
        self.files.bring(params, check=False)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Server:
    return Server(monkeypatch, tmp_path)


def test_what_a_role_brought_stands_until_somebody_changes_it(
    server: Server, tmp_path: Path
) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    server.visit("web", 7, first, content="one")
    server.visit("web", 7, second, content="two")
    server.visit("web", 7, second, content="two")
    assert server.stands("web")
    assert len(server.calls.read("web")) == 2
    first.write_text("by hand")
    assert not server.stands("web")
    assert first.read_text() == "by hand", "a look changes nothing"


def test_a_newer_visit_takes_the_place_of_the_older_one(server: Server, tmp_path: Path) -> None:
    server.visit("web", 7, tmp_path / "old", content="one")
    (tmp_path / "old").unlink()
    server.visit("web", 8, tmp_path / "new", content="two")
    assert server.stands("web")


def test_what_is_done_by_hand_is_not_kept(server: Server, tmp_path: Path) -> None:
    server.visit("web", 7, tmp_path / "file", content="ours")
    server.visit("web", 0, tmp_path / "file", content="by hand")
    assert not server.stands("web")


def test_a_role_that_was_never_visited_or_is_not_known_whole_does_not_stand(
    server: Server, tmp_path: Path
) -> None:
    assert not server.stands("web")
    server.visit("web", 7, tmp_path / "file", content="ours")
    kept = tmp_path / "calls/web"
    kept.write_text(kept.read_text()[:-20])
    assert not server.stands("web")


def test_of_a_secret_only_its_digest_is_kept(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "key"
    server.visit("web", 7, path, content=SECRET, secret=True)
    kept = tmp_path / "calls/web"
    assert path.read_text() == SECRET
    assert SECRET not in kept.read_text()
    assert kept.stat().st_mode & 0o777 == 0o600
    assert kept.parent.stat().st_mode & 0o777 == 0o700
    assert server.stands("web")
    path.write_text("another one")
    assert not server.stands("web")
    path.unlink()
    assert not server.stands("web")
