"""What an upload to the light cloud may say of itself, before its file is looked at."""

from __future__ import annotations

import io
import socket
import threading
import tracemalloc
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Load = Callable[[str], dict[str, Any]]

UPLOADS = "roles/cloud_light/files/paquet_light_uploads.py"


@pytest.fixture
def uploads(load: Load) -> dict[str, Any]:
    return load(UPLOADS)


TIMES = {"1600000000": "1600000000", "1600000000.75": "1600000000", "0": "0"}
NO_TIMES = ["", "-1", "0x5F5E1000", "1e9", "99999999999", " 1", "1\r\n", "١"]


@pytest.mark.parametrize(("said", "seconds"), TIMES.items())
def test_a_time_is_told_in_whole_seconds(uploads: dict[str, Any], said: str, seconds: str) -> None:
    told = uploads["described"]({"HTTP_X_OC_MTIME": said}, uploads["FileServer"]("/nowhere"))
    assert told == {"X-Paquet-Mtime": seconds}


@pytest.mark.parametrize("said", NO_TIMES)
def test_what_is_no_time_is_passed_over(uploads: dict[str, Any], said: str) -> None:
    assert uploads["described"]({"HTTP_X_OC_MTIME": said}, uploads["FileServer"]("/nowhere")) == {}


PLACES = {
    ("bytes 10-9/*", "0"): "400",
    ("bytes 0-9", "10"): "400",
    ("bytes 0-9/*", "11"): "400",
    ("bytes 0-9/*", ""): "400",
    ("bytes -9-0/*", "10"): "400",
    ("bytes 0-9/*, 10-19/*", "10"): "400",
    ("bytes 1-٩/*", "9"): "400",
    (f"bytes 0-{128 << 20}/*", str((128 << 20) + 1)): "413",
}


@pytest.mark.parametrize(("said", "status"), PLACES.items())
def test_a_piece_that_cannot_be_one_is_refused(
    uploads: dict[str, Any], said: tuple[str, str], status: str
) -> None:
    environ = {"HTTP_CONTENT_RANGE": said[0], "HTTP_CONTENT_LENGTH": said[1]}
    with pytest.raises(uploads["RequestRefused"]) as refused:
        uploads["described"](environ, uploads["FileServer"]("/nowhere"))
    assert refused.value.status == status


@pytest.mark.parametrize(("status", "seconds"), [("201", 7), ("204 : 200", 7), ("409", None)])
def test_a_file_gets_its_time_when_it_was_kept(
    uploads: dict[str, Any], tmp_path: Path, status: str, seconds: int | None
) -> None:
    file = tmp_path / "file"
    file.touch()
    before = file.stat().st_mtime
    said, headers = uploads["date"]({"PAQUET_STATUS": status, "PAQUET_MTIME": "7"}, file)
    assert said[:3] == status[:3]
    assert file.stat().st_mtime == (before if seconds is None else seconds)
    assert bool(headers) == (seconds is not None)


def test_a_link_that_stands_in_its_place_leads_nowhere(
    uploads: dict[str, Any], tmp_path: Path
) -> None:
    (tmp_path / "theirs").touch()
    before = (tmp_path / "theirs").stat().st_mtime
    (tmp_path / "link").symlink_to(tmp_path / "theirs")
    uploads["date"]({"PAQUET_STATUS": "201", "PAQUET_MTIME": "7"}, tmp_path / "link")
    for gone in ("gone", "theirs/gone"):
        uploads["date"]({"PAQUET_STATUS": "201", "PAQUET_MTIME": "7"}, tmp_path / gone)
    assert (tmp_path / "theirs").stat().st_mtime == before


@contextmanager
def serving(path: Path, said: bytes) -> Iterator[list[bytes]]:
    """Give one answer at a socket, and what was asked."""
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))
        listening.listen()
        asked: list[bytes] = []

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, suppress(BrokenPipeError, ConnectionResetError):
                asked.append(connection.recv(4096))
                connection.sendall(said)

        thread = threading.Thread(target=serve)
        thread.start()
        yield asked
        thread.join()


def test_a_name_reaches_the_file_server_as_it_was_sent(
    uploads: dict[str, Any], tmp_path: Path
) -> None:
    sent = "/files/a@b.test/Été%20?x=%C3%A9".encode().decode("latin-1")
    said = b'HTTP/1.1 200 OK\r\nContent-Length: 7\r\nETag: "e"\r\n\r\n'
    with serving(tmp_path / "sock", said) as asked:
        assert uploads["FileServer"](str(tmp_path / "sock")).look(sent) == (7, '"e"')
    assert asked[0].startswith(b"HEAD /files/a@b.test/%C3%89t%C3%A9%20?x=%C3%A9 HTTP/1.1\r\n")


@pytest.mark.parametrize(("more", "fits"), [(0, True), (1, False)])
def test_an_answer_that_a_user_made_too_long_is_not_kept(
    uploads: dict[str, Any], tmp_path: Path, more: int, *, fits: bool
) -> None:
    """The properties of a file are the user's own, and the memory is everybody's."""
    body = bytes(uploads["LARGEST_ANSWER"] + more)
    said = b"HTTP/1.1 207 Multi-Status\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(tmp_path / "sock", said + body):
        server = uploads["FileServer"](str(tmp_path / "sock"))
        if fits:
            assert server.ask("PROPFIND", "/files/a").body == body
            return
        with pytest.raises(uploads["RequestRefused"]) as refused:
            server.ask("PROPFIND", "/files/a")
        assert refused.value.status == "503"


def test_what_a_refused_request_carries_is_read_and_not_kept(uploads: dict[str, Any]) -> None:
    """Thirty-two megabytes of each of forty at once would be the end of all calendars."""
    length, most = 10 << 20, 1 << 20
    carried = io.BytesIO(bytes(length + 1))
    tracemalloc.start()
    try:
        uploads["pass_over"]({"wsgi.input": carried, "CONTENT_LENGTH": str(length)})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert carried.tell() == length
    assert peak < most
    uploads["pass_over"]({"wsgi.input": carried, "CONTENT_LENGTH": ""})
    uploads["pass_over"]({"wsgi.input": carried, "CONTENT_LENGTH": "9"})  # nginx went away


def test_a_file_server_that_is_away_is_said_to_be(uploads: dict[str, Any]) -> None:
    environ = {
        "HTTP_CONTENT_RANGE": "bytes 0-0/*",
        "HTTP_CONTENT_LENGTH": "1",
        "REQUEST_URI": "/files/a",
    }
    with pytest.raises(uploads["RequestRefused"]) as refused:
        uploads["described"](environ, uploads["FileServer"]("/nowhere"))
    assert refused.value.status == "503"


def test_a_piece_for_a_file_that_has_a_copy_is_refused(
    uploads: dict[str, Any], tmp_path: Path
) -> None:
    """The file server copies by a second link, and all of the file when one of them is changed."""
    file = tmp_path / "file"
    uploads["refuse_shared"](file)
    file.touch()
    uploads["refuse_shared"](file)
    (tmp_path / "copy").hardlink_to(file)
    with pytest.raises(uploads["RequestRefused"]) as refused:
        uploads["refuse_shared"](file)
    assert refused.value.status == "409"
