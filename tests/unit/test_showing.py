from __future__ import annotations

from typing import TYPE_CHECKING

from provision.commands.shared.context import show

if TYPE_CHECKING:
    import pytest


def test_what_holds_others_is_told_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    where = {"lines": ("9 rue Haute", "B"), "note": "", "postcode": "14400", "none": None}
    show({"address": where, "days": ("2026-11-28",), "nobody": {"kind": ""}}, as_json=False)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert lines == [
        "address  lines: 9 rue Haute, B, postcode: 14400",
        "days     2026-11-28",
        "nobody",
    ]
