"""Every module of the product is reached from the command: what only tests call is dead."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = Path(__file__).parents[2]
# Alembic imports these by their place.
BY_PLACE = ("provision.migrations.env", "provision.migrations.versions.")


def modules(top: Path) -> dict[str, Path]:
    """Return every file of the package by the name of its module."""
    found = {}
    for path in (top / "provision").rglob("*.py"):
        parts = path.relative_to(top).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def named(path: Path) -> Iterator[str]:
    """Yield what a file imports, and what its strings may name: commands wait as strings."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from (node.value, f"provision.commands.{node.value}")


def unreached(top: Path) -> set[str]:
    """Return the modules that `cli.py` does not lead to, however long the way."""
    every = modules(top)
    reached: set[str] = set()
    placed = {name for name in every if name.startswith(BY_PLACE)}
    coming = [top / "cli.py", *(every[name] for name in placed)]
    while coming:
        new = {name for name in named(coming.pop()) if name in every} - reached
        reached |= new
        coming += [every[name] for name in new]
    rooms = {name for name, path in every.items() if path.name == "__init__.py"}
    return set(every) - reached - placed - rooms


def test_no_module_is_called_by_tests_only() -> None:
    assert unreached(TOP) == set()


def test_a_dead_room_is_found_however_alive_it_looks_inside(tmp_path: Path) -> None:
    """Two modules that lean on each other are dead when nobody else calls them."""
    for name, text in {
        "cli.py": "from provision.alive import x\nCOMMANDS = {'y': 'waits'}",
        "provision/__init__.py": "",
        "provision/alive.py": "x = 1",
        "provision/dead.py": "import provision.asleep",
        "provision/asleep.py": "from provision import dead",
        "provision/commands/__init__.py": "",
        "provision/commands/waits.py": "",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    assert unreached(tmp_path) == {"provision.dead", "provision.asleep"}
