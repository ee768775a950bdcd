"""What modules do when a bundle leaves a server: users, what units remember, the cache."""

from __future__ import annotations

import grp
import pwd
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from jinja2 import Environment

if TYPE_CHECKING:
    from collections.abc import Callable

    Load = Callable[[str], dict[str, Any]]

PLAYBOOKS = Path(__file__).parents[3] / "playbooks"
UP = {
    "LoadState": "loaded",
    "ActiveState": "active",
    "SubState": "running",
    "UnitFileState": "enabled",
    "ConditionResult": "yes",
    "ConditionTimestampMonotonic": "5",
}


def absent(name: str) -> dict[str, Any]:
    return {"name": name, "state": "absent", "group": None}


def test_a_user_goes_once_and_a_group_that_stayed_behind_goes_alone(load: Load) -> None:
    commands_for = load("module_utils/paquet_users.py")["commands_for"]
    user = pwd.getpwuid(0).pw_name
    alone = next(
        one.gr_name
        for one in grp.getgrall()
        if one.gr_name not in {u.pw_name for u in pwd.getpwall()}
    )
    assert commands_for(absent(user)) == [["userdel", user]]
    assert commands_for(absent(alone)) == [["groupdel", alone]]
    assert commands_for(absent("bnobodyhere")) == []


class Shown:
    """A systemd that shows every unit running."""

    def show(self, names: list[str]) -> dict[str, dict[str, str]]:
        return dict.fromkeys(names, UP)


def test_a_unit_hears_once_that_files_are_gone_and_then_they_are_forgotten(
    load: Load, tmp_path: Path
) -> None:
    functions = load("module_utils/paquet_systemd.py")
    (tmp_path / "b1.conf").write_text("here")
    unit = {
        "name": "nginx.service",
        "enabled": None,
        "state": None,
        "restart_on": [],
        "reload_on": [f"{tmp_path}/b1.*"],
        "gone": False,
    }
    stamps = str(tmp_path / "stamps")
    others = {"reload /etc/b2": "its digest"}
    functions["keep_stamp"](stamps, "nginx.service", functions["wanted_stamp"](unit) | others)
    (tmp_path / "b1.conf").unlink()

    def planned() -> dict[str, Any]:
        told: dict[str, Any] = functions["plan"]([{**unit, "gone": True}], Shown(), stamps)
        return dict(told["nginx.service"])

    assert planned() == {"due": ["reload"], "stamp": others}
    functions["keep_stamp"](stamps, "nginx.service", others)
    assert planned() == {"due": [], "stamp": None}


@pytest.mark.parametrize(
    ("state", "title", "never"),
    [("closed", "fermé", "Rien n’est perdu"), ("suspended", "suspendu", "effacés")],
)
def test_a_page_promises_only_what_holds_for_its_bundle(state: str, title: str, never: str) -> None:
    template = (PLAYBOOKS / "roles/bundle/templates/suspended.html.j2").read_text(encoding="utf-8")
    words = {"bundle_suspended_title": "suspendu", "bundle_closed_title": "fermé"}
    bundle = {"state": state, "domain": "<b>exemple.test"}
    page = Environment(autoescape=True).from_string(template).render(bundle=bundle, **words)
    assert f"<title>{title}</title>" in page
    assert f"<h1>Service {title}</h1>" in page
    assert "&lt;b&gt;exemple.test" in page
    assert never not in page
