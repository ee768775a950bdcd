"""Ways to bring more onto a server than a bundle has room for, with curl, and how far they came."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.lab.contract.clients import files_url

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.lab.contract.clients import Clients
    from tests.lab.region import Delivered

MIB = 1 << 20
ROOM = 12 * MIB
TOO_MUCH = 40 * MIB
CALENDAR = (
    "BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nBEGIN:VEVENT\nUID:{uid}\nDTSTAMP:20260101T000000Z\n"
)
CALENDAR += "DTSTART:20260101T000000Z\nSUMMARY:x\nDESCRIPTION:{text}\nEND:VEVENT\nEND:VCALENDAR\n"
CARD = "BEGIN:VCARD\nVERSION:3.0\nUID:{uid}\nFN:x\nN:x;;;;\nNOTE:{text}\nEND:VCARD\n"
PROPERTY = '<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:"><D:set><D:prop>'
PROPERTY += '<x xmlns="urn:{uid}">{text}</x></D:prop></D:set></D:propertyupdate>'
LOCK = '<?xml version="1.0"?><D:lockinfo xmlns:D="DAV:"><D:lockscope><D:exclusive/></D:lockscope>'
LOCK += "<D:locktype><D:write/></D:locktype><D:owner>{text}</D:owner></D:lockinfo>"


@dataclass(frozen=True)
class Attacker:
    """A user of one bundle, whose room was made small."""

    delivered: Delivered
    clients: Clients
    folder: Path

    @property
    def files(self) -> str:
        """Where the files of the user are."""
        return files_url(self.delivered)

    def uploads(self, name: str) -> str:
        """Where Nextcloud gathers the pieces of an upload."""
        return self.files.replace("/files/", "/uploads/") + name

    @property
    def calendar(self) -> str:
        """A calendar that every user has."""
        kinds = {"light": "/dav/{}/agenda/", "nextcloud": "/remote.php/dav/calendars/{}/personal/"}
        return self._of_user(kinds)

    @property
    def book(self) -> str:
        """An address book that every user has."""
        kinds = {
            "light": "/dav/{}/contacts/",
            "nextcloud": "/remote.php/dav/addressbooks/users/{}/contacts/",
        }
        return self._of_user(kinds)

    def preview(self, name: str) -> str:
        """Where Nextcloud shows the picture of that name, which it makes when it is first asked."""
        path = f"/index.php/core/preview.png?x=2048&y=2048&a=1&forceIcon=0&file=/{name}"
        return f"https://{self.delivered.host}{path}"

    def _of_user(self, kinds: dict[str, str]) -> str:
        path = kinds[self.delivered.cloud].format(self.delivered.address)
        return f"https://{self.delivered.host}{path}"

    def zeros(self, size: int) -> Path:
        """Return a file of `size` bytes that cost this computer nothing."""
        path = self.folder / f"zeros-{size}"
        with path.open("wb") as opened:
            opened.truncate(size)
        return path

    def text(self, content: str) -> Path:
        """Return a file with `content`."""
        path = self.folder / f"text-{abs(hash(content))}"
        path.write_text(content, "utf-8")
        return path

    def send(self, method: str, url: str, body: Path | None = None, *lines: str) -> int:
        """Send one request, its body without a length, and return the status."""
        config = self.folder / f"curl-{abs(hash((method, url, lines)))}"
        said = [
            f'user = "{self.delivered.address}:{self.clients.secret}"',
            f'cacert = "{self.delivered.authority}"',
            f'request = "{method}"',
            f'url = "{url}"',
            'output = "/dev/null"',
            'write-out = "%{http_code}"',
            "silent",
            "max-time = 120",
            *(['upload-file = "-"'] if body else []),
            *lines,
        ]
        config.write_text("\n".join(said), "utf-8")
        config.chmod(0o600)
        words = ["sh", "-c", 'exec curl --config "$1" <"$2"', "sh", str(config)]
        answer = self.clients.run([*words, str(body or "/dev/null")], check=False)
        return int(answer.stdout[-3:] or 0)

    def copy(self, here: str, there: str, method: str = "COPY") -> int:
        """Copy, or move, one resource."""
        return self.send(method, here, None, f'header = "Destination: {there}"')

    def many(self, times: int, one: Callable[[int], int]) -> list[int]:
        """Do `one` so many times, eight at once, and return what each was answered."""
        with ThreadPoolExecutor(8) as pool:
            return list(pool.map(one, range(times)))

    def taken(self) -> int:
        """Return the bytes that the bundle takes on the disk, what nginx keeps for it included."""
        name = self.delivered.name
        du = ["du", "--summarize", "--block-size=1", f"/srv/bundles/{name}", "/var/lib/nginx/body"]
        said = self.delivered.server.run(du, check=False).stdout.splitlines()
        files = sum(int(line.split()[0]) for line in said)
        if self.delivered.cloud == "light":
            return files
        ask = f"select pg_database_size('{name}')"
        psql = ["runuser", "-u", "postgres", "--", "psql", "-Atc", ask]
        return files + int(self.delivered.server.run(psql).stdout)


@contextmanager
def narrow(attacker: Attacker, room: int = ROOM) -> Iterator[int]:
    """Leave the bundle and its user `room` bytes more than they have; yield what may be taken."""
    server = attacker.delivered.server
    path = f"/etc/paquet/room/{attacker.delivered.name}.json"
    before = server.run(["cat", path]).stdout
    limit = attacker.taken() + room
    user = attacker.delivered.address
    settings = json.loads(before)
    settings["all"] = limit
    settings["users"] = {**settings["users"], user: _standing(attacker) + room}
    server.run(["tee", path], given=json.dumps(settings))
    try:
        yield limit
    finally:
        server.run(["tee", path], given=before)


def _standing(attacker: Attacker) -> int:
    home, user = f"/srv/bundles/{attacker.delivered.name}", attacker.delivered.address
    folders = [f"{home}/webdav/files/{user}", f"{home}/dav/collection-root/{user}"]
    du = ["du", "--summarize", "--block-size=1", *folders]
    said = attacker.delivered.server.run(du, check=False).stdout.splitlines()
    return sum(int(line.split()[0]) for line in said)
