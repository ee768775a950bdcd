"""One call at a time: the second waits for the first."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

HELPERS = Path(__file__).parents[3] / "playbooks/module_utils"
WORK = """
import sys, pathlib
sys.path.insert(0, sys.argv[1])
from paquet_alone import alone
folder = pathlib.Path(sys.argv[2])
with alone("work", folder / "locks"):
    if (folder / "done").exists():
        print("found")
    else:
        (folder / "begun").touch()
        sys.stdin.read()
        (folder / "done").touch()
"""


def begin(folder: Path) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WORK, str(HELPERS), str(folder)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def test_who_comes_second_waits_and_finds_the_work_done(tmp_path: Path) -> None:
    with begin(tmp_path) as first:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        with begin(tmp_path) as second:
            first.communicate("")
            assert second.communicate("")[0] == "found\n"
    assert (tmp_path / "locks/work.lock").stat().st_mode & 0o777 == 0o600


def test_a_killed_one_is_in_nobodys_way(tmp_path: Path) -> None:
    with begin(tmp_path) as first:
        while not (tmp_path / "begun").exists():
            time.sleep(0.01)
        first.kill()
    with begin(tmp_path) as second:
        second.communicate("")
    assert (tmp_path / "done").exists()
