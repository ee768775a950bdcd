"""Looking at the backup server before restic does, which tries long and silently."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Any

import pytest

from tests.unit.checks.loopback import Authority, Reply, web_server

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable
    from pathlib import Path

PROGRAM = "roles/backup_client/files/backup.py"
NAME = "b00000001"


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """The authority that the bundle server knows."""
    (tmp_path / "mine").mkdir()
    return Authority(tmp_path / "mine")


@pytest.fixture
def look(
    tmp_path: Path,
    load: Callable[[str], dict[str, Any]],
    authority: Authority,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[[int], None]:
    """Return `look` for a repository on a port of this computer, without any patience."""
    program = load(PROGRAM)
    told = {"ETC": tmp_path, "AUTHORITY": authority.file, "PATIENCE": 1}
    for name, value in told.items():
        monkeypatch.setitem(program["look"].__globals__, name, value)

    def at(port: int) -> None:
        (tmp_path / NAME).mkdir()
        url = f"rest:https://{NAME}:secret@localhost:{port}/{NAME}/\n"
        (tmp_path / NAME / "repository").write_text(url, "utf-8")
        program["look"](NAME)

    return at


def serving(tls: ssl.SSLContext) -> Any:  # noqa: ANN401 (a context manager of a port)
    return web_server(lambda _request: Reply(), tls)


def test_a_backup_server_with_its_certificate_is_fine(
    look: Callable[[int], None], authority: Authority
) -> None:
    with serving(authority.server("localhost")) as port:
        look(port)


@pytest.mark.parametrize("names", [("localhost",), ("elsewhere.test",)])
def test_a_certificate_that_nobody_vouches_for_is_told_at_once(
    look: Callable[[int], None], tmp_path: Path, names: tuple[str, ...]
) -> None:
    """A placeholder, or the certificate of somebody else: restic tries 15 minutes."""
    (tmp_path / "other").mkdir()
    with (
        serving(Authority(tmp_path / "other").server(*names)) as port,
        pytest.raises(Exception, match="certificate that nobody vouches for") as refused,
    ):
        look(port)
    assert "paquet server check" in str(refused.value)
    assert "secret" not in str(refused.value)


def test_another_hosts_certificate_is_told_at_once(
    look: Callable[[int], None], authority: Authority
) -> None:
    with (
        serving(authority.server("elsewhere.test")) as port,
        pytest.raises(Exception, match="localhost shows a certificate that nobody vouches for"),
    ):
        look(port)


def test_a_backup_server_that_is_down_is_told_with_its_port(look: Callable[[int], None]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(Exception, match=rf"localhost does not answer: .*port {port}"):
            look(port)


def test_a_bundle_without_a_backup_says_so(
    load: Callable[[str], dict[str, Any]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = load(PROGRAM)
    monkeypatch.setitem(program["look"].__globals__, "ETC", tmp_path)
    with pytest.raises(Exception, match="has no backup on this server"):
        program["look"](NAME)
