"""One idea, one shape: what stood several times in the code stands once."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

HOUSE = Path(__file__).parents[2] / "provision"

# An idea as code writes it, and the only file that may.
SHAPES = {
    r"gross\s*(-|>)\s*(\w+\.)*(set_against|open_units|func\.)": (
        "subscriptions/documents/open_items.py"
    ),
    r'Literal\["fr", "en"\]': "languages.py",
    r"(?<!exact\.)\bshow\((money\.)?euros\(": "money.py",
    r"func\.lower\(Subscriber\.email|Subscriber\.email ==": "registry/subscribers.py",
    r"(?<!class )\bAllocation\($": "subscriptions/documents/allocating.py",
    r"entry_number: Mapped\[int\]$": "subscriptions/ledger/models.py",
    r"\.sign\}|\} (EUR|€)|100:\.2f": "money.py",
    r"def \w*half_up\(|// \(2 \*": "money.py",
}


@pytest.mark.parametrize("idea", SHAPES)
def test_an_idea_has_one_home(idea: str) -> None:
    homes = {
        str(path.relative_to(HOUSE))
        for path in HOUSE.rglob("*.py")
        if re.search(idea, path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    assert homes == {SHAPES[idea]}


def test_no_two_classes_have_the_same_name() -> None:
    homes: dict[str, list[str]] = {}
    for path in HOUSE.rglob("*.py"):
        for name in re.findall(r"^class (\w+)", path.read_text(encoding="utf-8"), re.MULTILINE):
            homes.setdefault(name, []).append(str(path.relative_to(HOUSE)))
    assert {name: files for name, files in homes.items() if len(files) > 1} == {}
