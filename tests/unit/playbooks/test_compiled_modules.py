"""The start-up file of a server's Python, which keeps Ansible's modules compiled."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable

STARTUP = Path(__file__).parents[3] / "playbooks/guard/sitecustomize.py"
TEXT = "import sys; print(__file__)"


@pytest.fixture
def startup(load: Callable[[str], dict[str, Any]]) -> dict[str, Any]:
    return load("guard/sitecustomize.py")


def payload(folder: Path, text: str = TEXT, own: str = "1") -> Path:
    """Make a zip as Ansible sends it; `own` stands for what differs at each call."""
    folder.mkdir(exist_ok=True)
    path = folder / "ansible_x_payload.zip"
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("deep/__init__.py", "")
        made.writestr("deep/inside.py", text)
        made.writestr("sitecustomize.py", own)
    return path


def imported_from(startup: dict[str, Any], path: Path, cache: Path) -> Path:
    """Return the folder that modules of the zip are found in."""
    return Path(startup["hook"](str(path), cache).path)


def test_what_differs_at_each_call_only_is_unpacked_once(
    startup: dict[str, Any], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    first = imported_from(startup, payload(tmp_path / "1", own="1"), cache)
    again = imported_from(startup, payload(tmp_path / "2", own="2"), cache)
    other = imported_from(startup, payload(tmp_path / "3", text="x = 1"), cache)
    assert first == again != other
    assert (first / "deep/inside.py").read_text() == TEXT
    assert not (first / "sitecustomize.py").exists()
    assert sorted(cache.iterdir()) == sorted([first, other])
    assert cache.stat().st_mode & 0o777 == 0o700


def test_a_folder_that_lost_something_is_made_anew(startup: dict[str, Any], tmp_path: Path) -> None:
    first = imported_from(startup, payload(tmp_path / "1"), tmp_path / "cache")
    (first / "deep/inside.py").write_text("")
    (first / "deep/__init__.py").unlink()
    assert imported_from(startup, payload(tmp_path / "2"), tmp_path / "cache") == first
    assert (first / "deep/inside.py").read_text() == TEXT
    assert (first / "deep/__init__.py").exists()


@pytest.mark.parametrize("name", ["ansible_x_payload.zip", "module.zip"])
def test_what_is_no_zip_of_ansible_is_left_to_python(
    startup: dict[str, Any], tmp_path: Path, name: str
) -> None:
    (tmp_path / name).write_text("no zip")
    with pytest.raises(ImportError):
        startup["hook"](str(tmp_path / name), tmp_path / "cache")


def test_what_nobody_uses_goes_and_what_is_used_stays(
    startup: dict[str, Any], tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    used = imported_from(startup, payload(tmp_path / "1"), cache)
    unused = imported_from(startup, payload(tmp_path / "2", text="y = 1"), cache)
    (cache / "left by a killed call").mkdir()
    for folder in cache.iterdir():
        os.utime(folder, (0, 0))
    assert imported_from(startup, payload(tmp_path / "3"), cache) == used
    imported_from(startup, payload(tmp_path / "4", text="z = 1"), cache)
    assert used.is_dir()
    assert not unused.exists()
    assert len(list(cache.iterdir())) == 2


def run_python(startup: Path, path: Path) -> str:
    """Run a Python that begins with the start-up file and imports out of the zip; what it says."""
    words = f"import sys; sys.path.insert(0, {str(path)!r}); import deep.inside, os"
    words += "; print(os.environ.get('PYTHONPATH'))"
    given = {"PATH": os.environ["PATH"], "PYTHONPATH": str(startup)}
    return subprocess.run(
        [sys.executable, "-c", words], env=given, capture_output=True, text=True, check=True
    ).stdout


def test_python_imports_compiled_files_and_hands_nothing_on(tmp_path: Path) -> None:
    cache = tmp_path / "cache"
    text = STARTUP.read_text().replace("/var/cache/paquet/modules", str(cache))
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup/sitecustomize.py").write_text(text)
    file, python_path = run_python(tmp_path / "startup", payload(tmp_path / "1")).splitlines()
    assert Path(file).is_relative_to(cache)
    assert python_path == "None"
    assert list(cache.glob("*/deep/__pycache__/inside.*.pyc"))


def test_without_a_place_for_them_modules_come_from_the_zip(tmp_path: Path) -> None:
    (tmp_path / "in the way").write_text("")
    text = STARTUP.read_text().replace("/var/cache/paquet", str(tmp_path / "in the way"))
    (tmp_path / "startup").mkdir()
    (tmp_path / "startup/sitecustomize.py").write_text(text)
    path = payload(tmp_path / "1")
    assert run_python(tmp_path / "startup", path).startswith(str(path))
