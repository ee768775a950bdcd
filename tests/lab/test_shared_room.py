"""People of a bundle share one room: files, calendars and mail of them all, whatever they use."""

from __future__ import annotations

import imaplib
import json
import shutil
import smtplib
import socket
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from provision.workflows import capacity
from tests.lab import mail_clients as mail
from tests.lab.contract.clients import Clients
from tests.lab.mail_clients import Device, tell_names
from tests.lab.quota_attacks import MIB, Attacker

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
NO_SPACE = 507
ROOM = 60 * MIB
LETTER = "17000.M1P1.here,S={0},W={0}:2,S"
FILES = {"light": "webdav/files/{}", "nextcloud": "data/{}/files"}


@pytest.fixture
def person(
    delivered_bundle: Delivered, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Attacker]:
    """A person in each cloud, whose neighbour takes nothing yet; they have 60 MiB together."""
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    monkeypatch.setattr(socket, "getaddrinfo", tell_names(delivered_bundle, socket.getaddrinfo))
    clients = Clients(delivered_bundle, delivered_bundle.secret, tmp_path)
    made = Attacker(delivered_bundle, clients, tmp_path)
    with shared(made):
        yield made


@contextmanager
def shared(person: Attacker) -> Iterator[None]:
    """Leave all people of the bundle ROOM together beside what they have."""
    server, name = person.delivered.server, person.delivered.name
    path = f"/etc/paquet/room/{name}.json"
    before = server.run(["cat", path]).stdout
    room = measured(person)["taken"] + ROOM
    settings = json.loads(before)
    users = dict.fromkeys(settings["users"], room)
    server.run(["tee", path], given=json.dumps({**settings, "people": room, "users": users}))
    measured(person)
    try:
        yield
    finally:
        server.run(["tee", path], given=before)
        measured(person)


def measured(person: Attacker) -> Any:  # noqa: ANN401 (JSON is anything)
    """Let the server measure, and return what it tells of the bundle."""
    person.delivered.server.run(["systemctl", "start", "paquet-limits.service"])
    told = person.delivered.server.run(["cat", "/var/lib/paquet/room.json"]).stdout
    return json.loads(told)[person.delivered.name]


@contextmanager
def neighbours_file(person: Attacker, size: int) -> Iterator[None]:
    """Let the neighbour keep a file."""
    one = person.delivered
    folder = f"/srv/bundles/{one.name}/{FILES[one.cloud].format(one.neighbour)}"
    file = f"{folder}/room-of-two"
    one.server.run(["mkdir", "--parents", folder])
    one.server.run(["dd", "if=/dev/zero", f"of={file}", "bs=1M", f"count={size // MIB}"])
    one.server.run(["chown", "--recursive", f"{one.name}:{one.name}", folder])
    try:
        yield
    finally:
        one.server.run(["rm", file])


@contextmanager
def letter(person: Attacker, address: str, size: int) -> Iterator[None]:
    """Let somebody keep a letter."""
    one = person.delivered
    top = f"/srv/mail/{one.domain}/{address.partition('@')[0]}"
    kept = f"{top}/Maildir/cur/{LETTER.format(size)}"
    lay = 'mkdir -p "${1%/*}"; head -c "$2" /dev/zero >"$1"; chown -R vmail:vmail "$3"'
    one.server.run(["sh", "-ec", lay, "sh", kept, str(size), top])
    try:
        yield
    finally:
        one.server.run(["rm", kept])


def about(person: Attacker) -> dict[str, int]:
    """Return what a file manager shows of the room, once what was kept of it has grown old."""
    for kept in ("meter", "php"):
        unit = f"paquet-{kept}@{person.delivered.name}.service"
        person.delivered.server.run(["systemctl", "stop", unit], check=False)
    told: dict[str, int] = json.loads(person.clients.rclone("about", "--json", "cloud:").stdout)
    return told


def mailbox_room(person: Attacker) -> int:
    """Return the bytes that a mail program shows as left."""
    one = person.delivered
    with mail.imap(one, Device("", one.address, one.secret)) as session:
        (storage,) = [each for each in session.get_quota() if each.resource == "STORAGE"]
    return int(storage.limit - storage.usage) * 1024


def test_a_file_manager_shows_the_room_that_is_left(person: Attacker) -> None:
    before = about(person)
    assert ROOM - 2 * MIB < before["free"] <= ROOM
    assert person.send("PUT", person.files + "mine", person.zeros(20 * MIB)) in (201, 204)
    after = about(person)
    assert 20 * MIB <= before["free"] - after["free"] < 22 * MIB
    assert 20 * MIB <= after["used"] - before["used"] < 22 * MIB
    assert person.send("DELETE", person.files + "mine") == 204


def test_what_a_neighbour_keeps_is_not_there_for_me(person: Attacker) -> None:
    with neighbours_file(person, 45 * MIB):
        assert person.send("PUT", person.files + "big", person.zeros(20 * MIB)) == NO_SPACE
        measured(person)
        assert ROOM - 47 * MIB < about(person)["free"] < ROOM - 44 * MIB
        assert ROOM - 47 * MIB < mailbox_room(person) < ROOM - 44 * MIB
        assert person.send("PUT", person.files + "small", person.zeros(5 * MIB)) in (201, 204)
    assert person.send("DELETE", person.files + "small") == 204


def test_mail_waits_outside_of_a_room_that_files_fill(person: Attacker) -> None:
    """A mailbox with less than ten megabytes is the exception: so much may come to any."""
    one = person.delivered
    me = Device("", one.address, one.secret)
    with letter(person, one.address, 15 * MIB):
        with neighbours_file(person, ROOM):
            measured(person)
            with (
                mail.submission(one, me) as session,
                pytest.raises(smtplib.SMTPRecipientsRefused, match="full"),
            ):
                session.send_message(mail.message(one.address, one.address, mail.mark()))
        measured(person)
        subject = mail.mark()
        mail.send(one, me, one.address, subject)
        mail.received(one, me, subject)


def test_mail_takes_room_from_files(person: Attacker) -> None:
    one = person.delivered
    with letter(person, one.neighbour, 45 * MIB):
        assert measured(person)["people"][one.neighbour]["mail"] >= 45 * MIB
        assert person.send("PUT", person.files + "big", person.zeros(20 * MIB)) == NO_SPACE
        shown = capacity.describe(one.region.control, one.domain)
        assert f"{one.neighbour} 45 MiB (mail 45 MiB, files 0 MiB" in str(shown["room_taken_by"])


def test_an_open_mail_session_ends_where_mail_passes_the_room(person: Attacker) -> None:
    """It would keep the limit that it began with; a new one has the new limit."""
    one = person.delivered
    me = Device("", one.address, one.secret)
    with mail.imap(one, me) as session:
        with letter(person, one.neighbour, 45 * MIB):
            measured(person)
            session.noop()
        with letter(person, one.neighbour, ROOM + MIB):
            measured(person)
            with pytest.raises((imaplib.IMAP4.error, OSError)):
                session.noop()
            assert mailbox_room(person) < MIB
