"""Uploads to the light cloud that go on where they broke off, and properties of files."""

from __future__ import annotations

import html
import secrets
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.lab.contract.clients import Clients
from tests.lab.quota_attacks import MIB, PROPERTY, Attacker, narrow

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
CREATED, DONE, LISTED, NO_SPACE, BROKE_OFF = 201, 204, 207, 507, 0
BAD, FORBIDDEN, CONFLICT, CHANGED, TOO_LARGE, AWAY = 400, 403, 409, 412, 413, 503


@pytest.fixture
def attacker(light: Delivered, tmp_path: Path) -> Iterator[Attacker]:
    """A user with curl, whose file `pieces` is gone afterwards."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    made = Attacker(light, Clients(light, light.secret, tmp_path), tmp_path)
    yield made
    made.send("DELETE", made.files + "pieces")


def piece(attacker: Attacker, content: bytes, place: str, *lines: str) -> int:
    """Send some bytes, and say where they belong."""
    path = attacker.folder / f"piece{secrets.token_hex(4)}"
    path.write_bytes(content)
    said = [f'upload-file = "{path}"', *lines]
    if place:
        said.append(f'header = "Content-Range: bytes {place}"')
    return attacker.send("PUT", attacker.files + "pieces", None, *said)


def standing(attacker: Attacker, *lines: str) -> bytes:
    """Return what the file holds now, or what is answered to another question about it."""
    said = [
        f'user = "{attacker.delivered.address}:{attacker.clients.secret}"',
        f'cacert = "{attacker.delivered.authority}"',
        f'url = "{attacker.files}pieces"',
        f'output = "{attacker.folder}/back"',
        *lines,
    ]
    attacker.clients.run(["curl", "--silent", "--config", "-"], given="\n".join(said))
    return (attacker.folder / "back").read_bytes()


def test_an_upload_goes_on_where_it_broke_off(attacker: Attacker) -> None:
    content = secrets.token_bytes(3 * MIB)
    assert piece(attacker, content[:MIB], "") == CREATED
    second = content[MIB : 2 * MIB], f"{MIB}-{2 * MIB - 1}/{3 * MIB}"
    slow = ('limit-rate = "200k"', "max-time = 2")
    assert piece(attacker, *second, *slow) == BROKE_OFF
    assert standing(attacker) == content[:MIB]
    assert piece(attacker, *second) == DONE
    assert piece(attacker, content[2 * MIB :], f"{2 * MIB}-{3 * MIB - 1}/*") == DONE
    assert standing(attacker) == content


def test_the_script_of_our_page_goes_on_where_an_upload_broke_off(attacker: Attacker) -> None:
    begin, end = "      # Again and again", "      done\n"
    page = (Path(__file__).parents[2] / "docs" / "clouds.md").read_text("utf-8")
    script = begin + page.partition(begin)[2].partition(end)[0] + end
    for named, here in {
        "https://HOST/files/ADDRESS/film.mp4": attacker.files + "pieces",
        "most=64M": "most=1M",
    }.items():
        assert named in script
        script = script.replace(named, here)
    content = secrets.token_bytes(5 * MIB // 2)
    (attacker.folder / "film.mp4").write_bytes(content)
    bundle = attacker.delivered
    login = f"machine {bundle.host} login {bundle.address} password {attacker.clients.secret}\n"
    (attacker.folder / ".netrc").write_text(login, "utf-8")
    for standing_already in (b"", content[: MIB // 2]):
        if standing_already:
            assert piece(attacker, standing_already, "") == DONE
        attacker.clients.run(["sh", "-eu", "-c", script], CURL_CA_BUNDLE=str(bundle.authority))
        assert standing(attacker) == content


def test_a_piece_belongs_to_the_end_of_its_file(attacker: Attacker) -> None:
    assert piece(attacker, b"x", "0-0/1") == CONFLICT
    assert piece(attacker, b"0123456789", "") == CREATED
    wrong = {
        "9-9/*": CONFLICT,
        "11-11/*": CONFLICT,
        "1099511627776-1099511627776/*": CONFLICT,
        "10-11/*": BAD,
        "10-9/*": BAD,
        "-10-10/*": BAD,
        "10-10": BAD,
    }
    for place, status in wrong.items():
        assert piece(attacker, b"x", place) == status, place
    star = 'header = "If-Match: *"'
    assert piece(attacker, b"x", "10-10/*", star) == CONFLICT
    large = attacker.zeros((128 << 20) + 1)
    place = f'header = "Content-Range: bytes 10-{10 + (128 << 20)}/*"'
    url = attacker.files + "pieces"
    assert attacker.send("PUT", url, None, f'upload-file = "{large}"', place) == TOO_LARGE
    assert (
        attacker.send("PUT", url, attacker.zeros(1), 'header = "Content-Range: bytes 10-10/*"')
        == BAD
    )
    theirs = attacker.files.replace(attacker.delivered.address, attacker.delivered.neighbour)
    assert attacker.send("PUT", theirs, None, f'upload-file = "{large}"', place) == FORBIDDEN
    assert standing(attacker) == b"0123456789"


def test_a_piece_is_refused_while_its_file_has_a_copy(attacker: Attacker) -> None:
    """The file server copies by a second link: it would copy all of the file at each piece."""
    there = attacker.files + "copied"
    assert piece(attacker, b"0123456789", "") == CREATED
    assert attacker.copy(attacker.files + "pieces", there) == CREATED
    try:
        assert piece(attacker, b"x", "10-10/*") == CONFLICT
        assert standing(attacker) == b"0123456789"
    finally:
        attacker.send("DELETE", there)
    assert piece(attacker, b"x", "10-10/*") == DONE
    assert standing(attacker) == b"0123456789x"


def test_pieces_end_where_the_room_ends(attacker: Attacker) -> None:
    with narrow(attacker, 16 * MIB) as limit:
        assert piece(attacker, bytes(2 * MIB), "") == CREATED
        place = f"{2 * MIB}-{4 * MIB - 1}/*"
        said = attacker.many(6, lambda _: piece(attacker, bytes(2 * MIB), place))
        assert said.count(DONE) == 1
        assert set(said) <= {DONE, CONFLICT, CHANGED}
        place = f"{4 * MIB}-{24 * MIB - 1}/*"
        assert piece(attacker, bytes(20 * MIB), place) == NO_SPACE
        assert attacker.taken() <= limit
    assert len(standing(attacker)) == 4 * MIB


def test_a_property_is_kept_also_of_who_does_not_say_that_it_is_xml(attacker: Attacker) -> None:
    assert piece(attacker, b"x", "") == CREATED
    lines = ['header = "Content-Type:"', 'header = "Depth: 0"']
    body = attacker.text(PROPERTY.format(uid="paquet:test", text="Été"))
    assert attacker.send("PROPPATCH", attacker.files + "pieces", body, *lines) == DONE
    asked = '<propfind xmlns="DAV:"><prop><x xmlns="urn:paquet:test"/></prop></propfind>'
    lines += ['request = "PROPFIND"', f'upload-file = "{attacker.text(asked)}"']
    assert "Été" in html.unescape(standing(attacker, *lines).decode())


def test_what_a_user_hangs_on_a_file_fills_nobodys_memory(attacker: Attacker) -> None:
    assert piece(attacker, b"x", "") == CREATED
    url, one_of_many = attacker.files + "pieces", 'header = "Depth: 0"'
    for number in range(20):
        body = attacker.text(PROPERTY.format(uid=f"paquet:{number}", text="x" * 60_000))
        assert attacker.send("PROPPATCH", url, body) == DONE
    assert attacker.send("PROPFIND", url, None, one_of_many) == AWAY
    assert attacker.send("PROPFIND", attacker.files, None, one_of_many) == LISTED
    assert attacker.send("DELETE", url) == DONE
    assert piece(attacker, b"x", "") == CREATED
    assert attacker.send("PROPFIND", url, None, one_of_many) == LISTED
