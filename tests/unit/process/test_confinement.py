"""Confinement, with real processes that try to survive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision.process import cgroups, supervisor
from provision.process.confinement import Confinement, Overdue, confined

if TYPE_CHECKING:
    from collections.abc import Callable

SURVIVOR = """
import os, sys, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        open(sys.argv[1], "w").write(str(os.getpid()))
        while True:
            time.sleep(0.05)
    os._exit(0)
while not os.path.exists(sys.argv[1]) or not open(sys.argv[1]).read():
    time.sleep(0.01)
print("ready", flush=True)
"""
STAYS = SURVIVOR + "time.sleep(60)\n"


def words(program: str, *arguments: str) -> list[str]:
    return [sys.executable, "-c", program, *arguments]


def run(command: list[str], on_line: Callable[[str], None], seconds: float = 30) -> int:
    """Run a confined program to its end and return its code."""
    with confined(command, Confinement(dict(os.environ))) as running:
        return running.follow(on_line, seconds)


def is_gone(marker: Path, patience: float = 2.0) -> bool:
    """Whether the process whose id `marker` holds is dead within `patience` seconds."""
    stat = Path(f"/proc/{marker.read_text()}/stat")
    deadline = time.monotonic() + patience
    while time.monotonic() < deadline:
        try:
            state = stat.read_text().rpartition(")")[2].split()[0]
        except (FileNotFoundError, ProcessLookupError):  # the second: it ended once opened
            return True
        if state in "ZX":
            return True
        time.sleep(0.02)
    return False


@pytest.fixture(params=["cgroup", "subreaper"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both ways of ending a program; the first needs a cgroup2 that we may write."""
    if request.param == "subreaper":
        monkeypatch.setattr(cgroups, "make_cgroup", lambda: None)
    else:
        cgroup = cgroups.make_cgroup()
        if cgroup is None:
            pytest.skip("no cgroup2 that we may write is mounted here")
        cgroup.rmdir()
    return str(request.param)


def test_the_output_and_the_code_come_back() -> None:
    lines: list[str] = []
    program = "import sys; print('one'); print('two', file=sys.stderr, end=''); sys.exit(7)"
    assert run(words(program), lines.append) == 7
    assert sorted(lines) == ["one", "two"]


def test_a_program_that_is_missing_ends_with_127() -> None:
    assert run(["/nowhere/at/all"], lambda _: None) == 127


@pytest.mark.usefixtures("way")
def test_a_survivor_of_a_finished_program_is_ended(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    assert run(words(SURVIVOR, str(marker)), lambda _: None) == 0
    assert is_gone(marker)


@pytest.mark.usefixtures("way")
def test_a_survivor_of_a_timeout_is_ended(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with pytest.raises(Overdue):
        run(words(STAYS, str(marker)), lambda _: None, seconds=4)
    assert is_gone(marker)


@pytest.mark.usefixtures("way")
def test_a_program_that_nobody_follows_is_ended(tmp_path: Path) -> None:
    marker = tmp_path / "pid"
    with confined(words(STAYS, str(marker)), Confinement(dict(os.environ))):
        while not marker.exists() or not marker.read_text():
            time.sleep(0.01)
    assert is_gone(marker)


@pytest.mark.usefixtures("way")
def test_a_survivor_of_a_cancelled_run_is_ended(tmp_path: Path) -> None:
    marker = tmp_path / "pid"

    def cancel(_: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(words(STAYS, str(marker)), cancel)
    assert is_gone(marker)


PARENT = """
import os, sys
from provision.process import cgroups, confinement
if sys.argv[2] == "subreaper":
    cgroups.make_cgroup = lambda: None
from pathlib import Path
kept = confinement.Confinement(dict(os.environ), [Path(sys.argv[3])])
with confinement.confined([sys.executable, "-c", sys.argv[4], sys.argv[1]], kept) as running:
    running.follow(print, 60)
"""


def start_a_parent(marker: Path, way: str, folder: Path) -> subprocess.Popen[bytes]:
    parent = subprocess.Popen(words(PARENT, str(marker), way, str(folder), STAYS))
    while not marker.exists() or not marker.read_text():
        assert parent.poll() is None
        time.sleep(0.01)
    return parent


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_nothing_is_left_two_seconds_after_its_parent_was_killed(
    tmp_path: Path, way: str, number: int
) -> None:
    marker, folder = tmp_path / "pid", tmp_path / "private"
    folder.mkdir()
    parent = start_a_parent(marker, way, folder)
    parent.send_signal(number)
    parent.wait()
    assert is_gone(marker)
    deadline = time.monotonic() + 2
    while (folder.exists() or list_cgroups_of(parent.pid)) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not folder.exists()
    assert not list_cgroups_of(parent.pid)


def test_cgroups_of_a_dead_owner_are_swept_at_the_next_start(tmp_path: Path) -> None:
    if (cgroup := cgroups.make_cgroup()) is None:
        pytest.skip("no cgroup2 that we may write is mounted here")
    cgroup.rmdir()
    ended = subprocess.Popen(["/bin/true"])
    world = cgroups.process_world()
    stale = cgroup.with_name(f"{cgroups.PREFIX}.{world}.{ended.pid}.12345.1")
    ended.wait()
    stale.mkdir()
    marker = tmp_path / "pid"
    sleeper = subprocess.Popen(["/bin/sleep", "60"])
    marker.write_text(str(sleeper.pid))
    (stale / "cgroup.procs").write_text(str(sleeper.pid))
    assert stale.name in cgroups.sweep_stale()
    assert sleeper.wait() == -signal.SIGKILL
    assert not stale.exists()


def test_a_running_neighbour_is_not_swept() -> None:
    assert not cgroups.is_stale(cgroups.name_cgroup(os.getpid()))
    assert not cgroups.is_stale("paquet-run.what")
    assert not cgroups.is_stale(f"{cgroups.PREFIX}.1.99999999.1.1"), "another world"


def test_the_supervisor_killed_first_leaves_nothing_either(tmp_path: Path) -> None:
    """With a cgroup, the parent sweeps for a supervisor that was killed."""
    if (cgroup := cgroups.make_cgroup()) is None:
        pytest.skip("no cgroup2 that we may write is mounted here")
    cgroup.rmdir()
    marker = tmp_path / "pid"

    def kill_the_supervisor(_: str) -> None:
        children = Path("/proc/thread-self/children").read_text().split()
        lines = {child: Path(f"/proc/{child}/cmdline").read_text() for child in children}
        (found,) = [child for child, line in lines.items() if supervisor.__file__ in line]
        os.kill(int(found), signal.SIGKILL)

    run(words(STAYS, str(marker)), kill_the_supervisor)
    assert is_gone(marker)


def test_cgroup2_is_found_on_hybrid_and_unified_hosts() -> None:
    hybrid = (
        "30 25 0:26 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n"
        "31 25 0:27 / /sys/fs/cgroup/unified rw,relatime - cgroup2 cgroup2 rw\n"
    )
    unified = "31 25 0:27 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
    assert cgroups.find_cgroup2_mount(hybrid) == Path("/sys/fs/cgroup/unified")
    assert cgroups.find_cgroup2_mount(unified) == Path("/sys/fs/cgroup")
    assert cgroups.find_cgroup2_mount(hybrid.splitlines()[0]) is None


def test_our_own_cgroup_is_read_from_the_line_of_version_two() -> None:
    mount = Path("/sys/fs/cgroup")
    text = "8:pids:/\n0::/user.slice/session-3.scope\n"
    assert cgroups.find_own_cgroup(mount, text) == mount / "user.slice/session-3.scope"
    assert cgroups.find_own_cgroup(mount, "0::/../other\n") is None


def list_cgroups_of(owner: int) -> list[Path]:
    mount = cgroups.find_cgroup2_mount(Path("/proc/self/mountinfo").read_text())
    ours = [] if mount is None else cgroups.find_ours(mount)
    return [folder for folder in ours if f".{owner}." in folder.name]
