"""Room is a limit that holds while bytes stream, whatever an upload says of itself."""

from __future__ import annotations

import secrets
import shutil
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from tests.lab import quota_attacks as attacks
from tests.lab.contract.clients import Clients
from tests.lab.quota_attacks import MIB, TOO_MUCH, Attacker, narrow

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
NO_SPACE = 507
WAYS = {
    "without a length": (),
    "in chunks": ("http1.1",),
    "with a small length announced": ("http1.1", 'header = "X-Expected-Entity-Length: 1"'),
}


@pytest.fixture
def attacker(delivered_bundle: Delivered, tmp_path: Path) -> Iterator[Attacker]:
    """A user of each cloud who has twelve megabytes left."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    clients = Clients(delivered_bundle, delivered_bundle.secret, tmp_path)
    made = Attacker(delivered_bundle, clients, tmp_path)
    with narrow(made):
        yield made


def test_an_upload_ends_where_the_room_ends(attacker: Attacker) -> None:
    before = attacker.taken()
    for way, lines in WAYS.items():
        body = attacker.zeros(TOO_MUCH)
        assert attacker.send("PUT", attacker.files + "big", body, *lines) == NO_SPACE, way
        assert attacker.taken() - before < MIB, way
    small = attacker.zeros(MIB)
    assert attacker.send("PUT", attacker.files + "small", small) in (201, 204)
    assert attacker.send("DELETE", attacker.files + "small") == 204


def test_uploads_side_by_side_share_the_room(attacker: Attacker) -> None:
    before, body = attacker.taken(), attacker.zeros(5 * MIB)
    said = attacker.many(8, lambda n: attacker.send("PUT", f"{attacker.files}part{n}", body))
    assert set(said) <= {201, NO_SPACE}
    assert said.count(201) <= 2
    assert attacker.taken() - before < attacks.ROOM + MIB
    attacker.many(8, lambda n: attacker.send("DELETE", f"{attacker.files}part{n}"))


def test_calendars_count_for_the_same_room(attacker: Attacker) -> None:
    before = attacker.taken()

    def item(number: int) -> int:
        text = secrets.token_hex(MIB)  # PostgreSQL packs what repeats itself
        body = attacker.text(attacks.CALENDAR.format(uid=f"room{number}", text=text))
        return attacker.send("PUT", f"{attacker.calendar}room{number}.ics", body)

    said = [item(number) for number in range(18)]
    assert said[0] == 201
    assert said[-1] == NO_SPACE
    assert attacker.taken() - before < attacks.ROOM + 10 * MIB
    for number in range(said.count(201)):
        attacker.send("DELETE", f"{attacker.calendar}room{number}.ics")


def test_a_copy_counts_before_it_is_made(attacker: Attacker) -> None:
    before, folder = attacker.taken(), f"{attacker.files}copied"
    assert attacker.send("MKCOL", folder) == 201
    assert attacker.send("PUT", f"{folder}/one", attacker.zeros(4 * MIB)) == 201
    said = attacker.many(8, lambda n: attacker.copy(f"{folder}/", f"{folder}{n}/"))
    assert set(said) in ({200, NO_SPACE}, {201, NO_SPACE})
    assert attacker.taken() - before < attacks.ROOM + MIB
    attacker.many(9, lambda n: attacker.send("DELETE", folder + (str(n) if n < 8 else "")))


def test_pieces_are_put_together_while_there_is_room_for_the_whole(
    nextcloud: Delivered, tmp_path: Path
) -> None:
    one = Attacker(nextcloud, Clients(nextcloud, nextcloud.secret, tmp_path), tmp_path)
    pieces, whole = one.uploads("whole"), one.files + "whole"
    assert one.send("MKCOL", pieces) == 201
    for number in range(2):
        assert one.send("PUT", f"{pieces}/{number:05}", one.zeros(5 * MIB)) == 201
    with narrow(one, 9 * MIB):
        assert one.copy(f"{pieces}/.file", whole, "MOVE") == NO_SPACE
    assert one.copy(f"{pieces}/.file", whole, "MOVE") == 201
    assert one.copy(whole + "-not", whole + "-never") == 404
    assert one.send("DELETE", whole) == 204


def test_a_preview_is_made_while_there_is_room(nextcloud: Delivered, tmp_path: Path) -> None:
    one = Attacker(nextcloud, Clients(nextcloud, nextcloud.secret, tmp_path), tmp_path)
    Image.new("RGB", (64, 64), "green").save(tmp_path / "green.png")
    assert one.send("PUT", one.files + "green.png", tmp_path / "green.png") in (201, 204)
    assert one.send("GET", one.preview("green.png")) == 200
    card = f"{one.book}nobody.vcf?photo&size=4096"
    assert one.send("GET", card) == 404
    with narrow(one):
        assert one.send("GET", one.preview("green.png")) == NO_SPACE
        assert one.send("GET", card) == NO_SPACE
    bulk = f"https://{nextcloud.host}/remote.php/dav/bulk"
    assert one.send("POST", bulk, tmp_path / "green.png") == 404


def test_a_copy_that_brings_a_body_is_refused(nextcloud: Delivered, tmp_path: Path) -> None:
    one = Attacker(nextcloud, Clients(nextcloud, nextcloud.secret, tmp_path), tmp_path)
    there = f'header = "Destination: {one.files}never"'
    bodies = {(): one.zeros(1), ("http1.1",): one.zeros(1), ('data = "x"',): None}
    for lines, body in bodies.items():
        assert one.send("COPY", one.files + "none", body, there, *lines) == 413
    assert one.send("COPY", one.files + "none", one.zeros(0), there) == 404
