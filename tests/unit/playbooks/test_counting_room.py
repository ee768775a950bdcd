"""Counting what a bundle takes: while it streams, and in a repository of backups."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import os
import stat
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Load = Callable[[str], dict[str, Any]]

METER = "roles/room/files/meter"
ROOMS = f"{METER}/rooms.py"
# A pack of a hundred bytes, the folder that it lies in, and the five: a block of the disk each.
BLOCKS = 7 * 4096
CLOSER = "roles/backup_server/files/paquet-backup-room.py"
BLOCK = 4096
COOKIES = ["Cookie: a=1", "Cookie: a=2"]


def test_what_passes_counts_until_it_is_measured(load: Load) -> None:
    standing = [100]

    async def story() -> None:
        room = load(ROOMS)["Room"](lambda: standing[0])
        with room.passage() as one, room.passage() as other:
            assert await room.holds(900, 1000)
            one.carried, other.carried = 500, 400
            assert await room.holds(0, 1000)
            assert not await room.holds(1, 1000)
        standing[0] = 200  # one of them broke off
        assert await room.holds(800, 1000)
        assert not await room.holds(801, 1000)

    asyncio.run(story())


def test_the_less_is_free_the_sooner_a_measure_is_old(load: Load) -> None:
    standing, now, measured = [100], [0.0], []

    def measure() -> int:
        measured.append(now[0])
        return standing[0]

    async def story() -> None:
        kind = load(ROOMS)["Room"]
        kind.__init__.__globals__["time"] = SimpleNamespace(monotonic=lambda: now[0])
        room = kind(measure)
        assert await room.holds(0, 1 << 40)
        standing[0] = 2000  # written by what stands behind, unseen
        now[0] = 0.1
        assert await room.holds(0, 1 << 40)
        assert measured == [0.0]
        assert not await room.holds(0, 1000)
        assert measured == [0.0, 0.1]

    asyncio.run(story())


COPIES = [
    "COPY /remote.php/dav/files/jeanne/a",
    "COPY /remote.php/dav/files/jeanne/a?b=/c",
    "MOVE /remote.php/dav//uploads/jeanne/1/.file",
    "MOVE /remote.php/dav/x/../%75ploads/jeanne/1/.file",
    "MOVE /remote.php/dav/versions/jeanne/versions/7/1",
    "MOVE /public.php/dav/uploads/token/1/.file",
]
OTHERS = [
    "MOVE /remote.php/dav/files/jeanne/uploads/a",
    "PUT /remote.php/dav/uploads/jeanne/1/00001",
]


@pytest.mark.parametrize("first", COPIES + OTHERS)
def test_the_size_of_what_is_copied_is_asked_for(load: Load, first: str) -> None:
    bundle = SimpleNamespace(rooms=lambda _user: [])
    lines = [f"{first} HTTP/1.1", "Host: a.test", "Depth: infinity", *COOKIES, "", ""]
    with contextlib.ExitStack() as stack:
        request = load(METER)["Request"]("\r\n".join(lines).encode(), bundle, stack)
    assert request.copies == (first in COPIES)
    asked = request.question().decode().split("\r\n")
    assert asked[0] == f"PROPFIND {first.partition(' ')[2]} HTTP/1.0"
    assert asked[1:5] == ["Host: a.test", *COOKIES, "Depth: 0"]


@pytest.mark.parametrize("first", ["BOOK /", "PUT /a", "COPY /a", "ROOMS /"])
def test_php_may_ask_for_room_and_do_nothing_else(load: Load, first: str) -> None:
    async def story() -> bytes:
        reader = asyncio.StreamReader()
        reader.feed_data(f"{first} HTTP/1.1\r\nX-Paquet-Growth: -1\r\n\r\n".encode())
        meter = load(METER)["Meter"](SimpleNamespace())
        async with contextlib.AsyncExitStack() as stack:
            return bytes(await meter._tell(reader, None, stack))  # noqa: SLF001 -- a socket's own

    assert asyncio.run(story()).startswith(b"HTTP/1.1 405 ")


def test_nobody_brings_less_than_nothing(load: Load) -> None:
    async def story() -> None:
        program = load(METER)
        room = program["MeteredBundle"].__init__.__globals__["Room"](int)
        limited = room.__init__.__globals__["Limited"](room, 1000, 0)
        bundle = SimpleNamespace(rooms=lambda _user: [limited])
        lines = ["BOOK / HTTP/1.1", "X-Paquet-Growth: -1000000", "", ""]
        with contextlib.ExitStack() as stack:
            request = program["Request"]("\r\n".join(lines).encode(), bundle, stack)
            await request.begin(b"")
            with pytest.raises(program["Full"]):
                await request.take(2000)

    asyncio.run(story())


def test_a_measure_that_fails_lets_nothing_in(load: Load) -> None:
    meter = load(ROOMS)

    def too_long() -> int:
        raise OSError(errno.ENAMETOOLONG, "File name too long")

    async def story() -> None:
        room = meter["Room"](too_long)
        for _ in range(2):
            with pytest.raises(meter["Unmeasured"]):
                await room.holds(0, 1 << 60)

    asyncio.run(story())


def test_folders_of_any_depth_are_measured(load: Load, tmp_path: Path) -> None:
    deep = str(tmp_path)
    for _ in range(1500):
        deep += "/a"
        Path(deep).mkdir()
    assert load(ROOMS)["size_of"](tmp_path) == 1501 * BLOCK
    os.removedirs(deep)


def test_an_empty_file_and_a_folder_take_a_block(load: Load, tmp_path: Path) -> None:
    size_of = load(ROOMS)["size_of"]
    assert size_of(tmp_path / "absent") == 0
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "empty").touch()
    (tmp_path / "upload").mkdir()
    (tmp_path / "upload" / "passing").write_bytes(bytes(BLOCK))
    assert size_of(tmp_path, without="upload") == 3 * BLOCK


def test_a_repository_closes_beyond_its_room_and_opens_again(load: Load, tmp_path: Path) -> None:
    pack = tmp_path / "data" / "00" / "pack"
    for folder in ("data/00", "index", "keys", "snapshots", "locks"):
        (tmp_path / folder).mkdir(parents=True)
    pack.write_bytes(bytes(100))
    repository = load(CLOSER)["LimitedRepository"](tmp_path)

    def modes() -> set[int]:
        return {stat.S_IMODE((tmp_path / one).stat().st_mode) for one in ("data/00", "index")}

    repository.keep_within(BLOCKS)
    assert modes() == {0o700}
    repository.keep_within(BLOCKS - 1)
    assert modes() == {0o500}
    assert stat.S_IMODE((tmp_path / "locks").stat().st_mode) == 0o700
    repository.keep_within(BLOCKS)
    assert modes() == {0o700}


def test_a_repository_in_a_repository_counts_and_stays_closed(load: Load, tmp_path: Path) -> None:
    for folder in ("data/00", "index", "x/data/00", "x/locks"):
        (tmp_path / folder).mkdir(parents=True)
    repository, second = load(CLOSER)["LimitedRepository"](tmp_path), tmp_path / "x/data/00"
    (second / "pack").write_bytes(bytes(100 * BLOCK))

    def mode(folder: str) -> int:
        return stat.S_IMODE((tmp_path / folder).stat().st_mode)

    repository.keep_within(200 * BLOCK)
    assert (mode("."), mode("data/00"), mode("x/data/00"), mode("x/locks")) == (
        *(0o700, 0o700),
        *(0o500, 0o500),
    )
    repository.keep_within(100 * BLOCK)
    assert mode("data/00") == 0o500
    (tmp_path / "config").touch()
    repository.keep_within(200 * BLOCK)
    assert (mode("."), mode("index")) == (0o500, 0o700)
