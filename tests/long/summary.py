"""The results of long tests as one text: a line per part, what failed, and what was measured."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from tests.long.parts import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.long.parts import Part

COUNTS = ("tests", "failures", "errors", "skipped")
CELL_WIDTH = 100


def result(folder: Path, part: Part) -> Path:
    """Return where the result of a part is kept, as pytest writes it (JUnit's XML)."""
    return folder / f"{part.name}.xml"


def is_good(folder: Path, part: Part) -> bool:
    """Whether the part ran whole at this commit, and nothing in it failed."""
    suite = _read(folder, part)
    if suite is None:
        return False
    counts = _counts(suite)
    return counts["tests"] > 0 and counts["failures"] + counts["errors"] == 0


def tell(folder: Path, commit: str) -> str:
    """Return the summary of all parts at `commit`."""
    suites = {part.name: _read(folder, part) for part in PARTS}
    rows = [["part", "passed", "failed", "skipped", "seconds"]]
    rows += [_row(name, suite) for name, suite in suites.items()]
    text = f"\nLong tests at {commit}\n\n{_table(rows)}\n"
    for name, suite in suites.items():
        lines = [] if suite is None else list(_lines(suite))
        if lines:
            text += f"\n{name}\n{_table([['what', 'seen', 'wanted'], *lines])}\n"
    told = [one for suite in suites.values() if suite is not None for one in _troubles(suite)]
    return text + "".join(f"\n{one}" for one in told) + "\n"


def _read(folder: Path, part: Part) -> ET.Element | None:
    path = result(folder, part)
    # Written by the pytest that we started: no stranger's XML.
    return ET.parse(path).getroot().find("testsuite") if path.exists() else None  # noqa: S314


def _counts(suite: ET.Element) -> dict[str, int]:
    return {name: int(suite.get(name, "0")) for name in COUNTS}


def _row(name: str, suite: ET.Element | None) -> list[str]:
    if suite is None:
        return [name, "not run", "", "", ""]
    counts = _counts(suite)
    bad = counts["failures"] + counts["errors"]
    passed = counts["tests"] - bad - counts["skipped"]
    seconds = round(float(suite.get("time", "0")))
    return [name, *map(str, (passed, bad, counts["skipped"], seconds))]


def _lines(suite: ET.Element) -> Iterator[list[str]]:
    for noted in suite.iter("property"):
        if noted.get("name") == "line":
            cells = json.loads(noted.get("value", ""))
            yield [textwrap.shorten(cell, CELL_WIDTH, placeholder="…") for cell in cells]


def _troubles(suite: ET.Element) -> Iterator[str]:
    for case in suite.iter("testcase"):
        for trouble in case:
            if trouble.tag in ("failure", "error", "skipped"):
                said = (trouble.get("message") or "").splitlines()
                yield f"{trouble.tag}: {case.get('name')}: {said[0] if said else ''}"


def _table(rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in rows
    )
