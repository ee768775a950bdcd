"""The wheel: what is installed elsewhere finds its playbooks and templates."""

from __future__ import annotations

import sys
import zipfile
from pathlib import Path

import pytest

from provision.process.commands import Surroundings, run

ROOT = Path(__file__).parents[2]
SHARED = ("playbooks", "templates")
FIND = "from provision.shipped import share; print(*map(share, ['playbooks', 'templates']))"


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the wheel holds."""
    folder = tmp_path_factory.mktemp("wheel")
    build = ["-m", "pip", "wheel", "--quiet", "--no-deps", "--no-build-isolation"]
    run([sys.executable, *build, "--wheel-dir", str(folder), str(ROOT)])
    (wheel,) = folder.glob("paquet-*.whl")
    with zipfile.ZipFile(wheel) as opened:
        opened.extractall(folder / "site")
    return folder / "site"


def files_below(folder: Path) -> set[str]:
    found = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    return {path for path in found if "__pycache__" not in path}


@pytest.mark.parametrize("name", SHARED)
def test_the_wheel_carries_all_that_servers_and_people_get(installed: Path, name: str) -> None:
    assert files_below(installed / "provision" / "_share" / name) == files_below(ROOT / name)


def test_an_installed_paquet_uses_what_the_wheel_carries(installed: Path, tmp_path: Path) -> None:
    there = Surroundings(folder=tmp_path)
    isolated = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(installed)!r}); {FIND}"]
    said = run(isolated, surroundings=there).stdout.split()
    assert said == [str(installed / "provision" / "_share" / name) for name in SHARED]
