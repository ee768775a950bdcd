"""The limits of the file system: what one bundle does keeps no other from its own."""

from __future__ import annotations

import json
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
