"""The limits of the file system: what one bundle does keeps no other from its own."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path
    from typing import Any

    import pytest

    Load = Callable[[str], dict[str, Any]]

LIMITS = "roles/room/files/paquet-limits.py"


def test_a_bundle_of_which_du_says_nothing_keeps_no_other_from_its_limits(
    load: Load, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    limits = load(LIMITS)
    settings, told = tmp_path / "settings", tmp_path / "room.json"
    settings.mkdir()
    for name in ("nobody", "root"):
        words = {"all": 1 << 30, "mail": str(tmp_path / "mail")}
        (settings / f"{name}.json").write_text(json.dumps(words))
        (tmp_path / name).mkdir()
    here = limits["main"].__globals__
    here |= {"SETTINGS": settings, "BUNDLES": tmp_path, "TOLD": told}
    taken = here["taken"]

    def vanishing(folder: Path) -> object:
        if folder.name == "nobody":
            folder.rmdir()
        return taken(folder)

    here["taken"] = vanishing
    limits["main"]()
    assert list(json.loads(told.read_text())) == ["root"]
    assert "nobody was not measured" in capsys.readouterr().err
