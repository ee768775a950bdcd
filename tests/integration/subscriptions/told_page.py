"""A page that tells commands with what they answer: read into steps, run, and compared.

A block of code is commands (each line begins with a program) or what one of the commands above it
said. A table on the page may leave columns out, never rows. `<!-- le 2026-01-15 -->` before a block
is the day on which its commands, and those after it, are typed.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from datetime import date

FENCE = "```"
DAY = re.compile(r"^<!-- le (\d{4}-\d{2}-\d{2}) -->$")
PROGRAMS = ("paquet ", "mkdir ")
HEAD = re.compile(r"[a-z_]+(?: {2,}[a-z_]+)+")
GAP = re.compile(r" {2,}")
# An amount of the page: with cents, or with the sign of the euro.
FIGURE = re.compile(r"[−-]?\d+(?:[\u202f ]\d{3})*(?:,\d+|(?=[\u202f\xa0 ]€))")
SPACES = str.maketrans("\u202f\xa0", "  ")


@dataclass(frozen=True)
class Step:
    """Commands as they stand in a block, the day on which they are typed, what the page answers."""

    line: int
    day: date
    commands: tuple[tuple[str, ...], ...]
    answers: list[list[str]] = field(default_factory=list)


def steps(page: str, first_day: date) -> list[Step]:
    """Return the blocks of a page as steps, in its order."""
    found: list[Step] = []
    day = first_day
    block: list[str] | None = None
    for number, line in enumerate(page.splitlines(), start=1):
        if line.startswith(FENCE):
            if block is not None:
                _add(found, number, day, block)
            block = [] if block is None else None
        elif block is not None:
            block.append(line)
        elif said := DAY.match(line):
            day = date.fromisoformat(said.group(1))
    return found


def _add(found: list[Step], line: int, day: date, block: list[str]) -> None:
    if all(one.startswith(PROGRAMS) for one in block):
        commands = tuple(tuple(shlex.split(one)) for one in block)
        found.append(Step(line, day, commands))
    else:
        found[-1].answers.append(block)


def prose(page: str) -> str:
    """Return the page without its blocks of code, spaces made plain, on one line."""
    parts = page.split(f"\n{FENCE}")
    return " ".join(" ".join(parts[::2]).translate(SPACES).split())


def table(said: str, *names: str) -> list[dict[str, str]]:
    """Return the rows of the first table of an answer that has these columns."""
    lines = [line.translate(SPACES).rstrip() for line in said.splitlines()]
    for at, line in enumerate(lines):
        if HEAD.fullmatch(line) and set(names) <= set(GAP.split(line)):
            return _rows(lines[at:])
    raise AssertionError(f"no table with {names} in: {said}")


def agrees(told: list[str], said: str) -> bool:
    """Tell whether a block of the page is what a command said."""
    lines = [line.translate(SPACES).rstrip() for line in said.splitlines()]
    told = [line.translate(SPACES).rstrip() for line in told]
    if HEAD.fullmatch(told[0]):
        return any(_same_table(told, lines[at:]) for at in range(len(lines)))
    return all(line in lines for line in told)


def _same_table(told: list[str], said: list[str]) -> bool:
    """Compare a table with the one that begins here, in the columns that are told."""
    names, all_names = GAP.split(told[0]), GAP.split(said[0])
    if not set(names) <= set(all_names):
        return False
    rows = _rows(said)
    wanted = _rows(told)
    plain = [line for line in told[1 + len(wanted) :] if line]
    cut = [{name: row[name] for name in names} for row in rows]
    return cut == wanted and all(line in said for line in plain)


def _rows(lines: list[str]) -> list[dict[str, str]]:
    """Return the rows below a head, up to the first line that is no row of it."""
    names = GAP.split(lines[0])
    starts = [re.search(rf"(?:^|  ){name}(?: |$)", lines[0]) for name in names]
    places = [found.start() + 2 * bool(found.start()) for found in starts if found]
    rows = []
    for line in lines[1:]:
        aligned = all(line[place - 1 : place] in {"", " "} for place in places[1:])
        if len(GAP.split(line.strip())) < 2 or not aligned:
            break
        ends = [*places[1:], len(line)]
        cells = [line[one:end].strip() for one, end in zip(places, ends, strict=True)]
        rows.append(dict(zip(names, cells, strict=True)))
    return rows
