from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import click
import pytest

from cli import paquet
from provision.commands.shared.sections import COMMANDS

TOP = Path(__file__).parents[2]
ARCHITECTURE = (TOP / "docs/architecture.md").read_text(encoding="utf-8")
HOUSE = TOP / "provision"
# Folders within a room that hold one kind of thing, not a subject of their own.
SHELVES = {"dns/providers", "migrations/versions"}
ROOMS = {
    str(path.relative_to(HOUSE).with_suffix(""))
    for path in (*HOUSE.glob("*.py"), *(init.parent for init in HOUSE.glob("*/**/__init__.py")))
    if path.name != "__init__.py"
} - SHELVES
LARGEST = 0.15  # of all lines
LONGEST = 400  # lines
HALLS = ("subscriptions", "formats", "commands")  # which hold rooms only


def every_command(
    command: click.Command = paquet, words: tuple[str, ...] = ("paquet",)
) -> dict[str, click.Command]:
    found = {" ".join(words): command}
    if isinstance(command, click.Group):
        context = click.Context(command)
        for name in command.list_commands(context):
            child = command.get_command(context, name)
            assert child is not None
            found |= every_command(child, (*words, name))
    return found


def test_the_architecture_names_every_room_and_no_other() -> None:
    assert set(re.findall(r"^\| `provision/([\w/]+)` \|", ARCHITECTURE, re.MULTILINE)) == ROOMS


def test_every_room_is_told_in_one_line() -> None:
    for room in ROOMS:
        line = rf"^\| `provision/{room}` \| .+ \|$"
        assert len(re.findall(line, ARCHITECTURE, re.MULTILINE)) == 1


def test_no_room_holds_more_than_its_part_of_the_code() -> None:
    lines: Counter[str] = Counter()
    for path in HOUSE.rglob("*.py"):
        parts = path.relative_to(HOUSE).with_suffix("").parts
        room = "/".join(parts[:2] if parts[0] in HALLS else parts[:1])
        lines[room] += len(path.read_text(encoding="utf-8").splitlines())
    largest, most = lines.most_common(1)[0]
    assert most <= LARGEST * lines.total(), largest


@pytest.mark.parametrize("folder", ["provision", "playbooks", "tests"])
def test_no_file_is_longer_than_a_reader_holds_in_mind(folder: str) -> None:
    lines = {
        path: len(path.read_text("utf-8").splitlines()) for path in TOP.glob(f"{folder}/**/*.py")
    }
    assert {path.name: count for path, count in lines.items() if count >= LONGEST} == {}


def test_nothing_lies_in_the_hall() -> None:
    for hall in HALLS:
        assert [path.name for path in (HOUSE / hall).glob("*.*")] == ["__init__.py"]


def test_the_command_list_is_true() -> None:
    listed = set(re.findall(r"^\| `(paquet \w+)` \|", ARCHITECTURE, re.MULTILINE))
    assert listed == {f"paquet {name}" for name in COMMANDS}


@pytest.mark.parametrize("words", every_command())
def test_every_command_has_help(words: str) -> None:
    command = every_command()[words]
    assert command.help
    assert command.help.split("\n")[0].endswith(".")


@pytest.mark.parametrize("words", every_command())
def test_every_number_that_is_typed_has_bounds(words: str) -> None:
    for one in every_command()[words].params:
        assert one.type is not click.INT, one.name
        assert not isinstance(one.type, click.IntRange) or one.type.max is not None, one.name


@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_every_group_has_a_place_in_the_docs(name: str) -> None:
    pages = [*(TOP / "docs").glob("*.md"), TOP / "README.md"]
    pages = [page for page in pages if page.name != "architecture.md"]
    assert any(f"paquet {name}" in page.read_text(encoding="utf-8") for page in pages)


@pytest.mark.parametrize("page", sorted((TOP / "docs").glob("*.md")), ids=lambda page: page.name)
def test_every_command_in_the_docs_exists(page: Path) -> None:
    known = every_command()
    for line in re.findall(r"`paquet ((?:[a-z]+ ?)+)", page.read_text(encoding="utf-8")):
        group, *verbs = line.split()
        assert f"paquet {group}" in known, line
        if verbs and isinstance(known[f"paquet {group}"], click.Group):
            assert f"paquet {group} {verbs[0]}" in known, line


def test_init_files_are_one_sentence() -> None:
    for room in (TOP / "provision").glob("**/__init__.py"):
        lines = [line for line in room.read_text(encoding="utf-8").splitlines() if line]
        assert len(lines) == 1, room
        assert lines[0].startswith('"""'), room
