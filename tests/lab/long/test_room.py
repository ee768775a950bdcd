"""Filling a server from inside one bundle, and starving its neighbour."""

from __future__ import annotations

import secrets
import shutil
import threading
import time
from typing import TYPE_CHECKING

import pytest
from PIL import Image

from provision.workflows import safekeeping
from tests.lab import neighbours
from tests.lab import quota_attacks as attacks
from tests.lab.conftest import fresh
from tests.lab.contract.clients import Clients, files_url
from tests.lab.neighbours import meanwhile, served
from tests.lab.quota_attacks import MIB, ROOM, TOO_MUCH, Attacker, narrow

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tests.lab.region import Delivered, Region

    Tell = Callable[[str, object, object], None]
    Attack = Callable[[Attacker], object]

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
MEGABYTES = 10_000_000
HTTP1 = "http1.1"
TEXT = 60_000
SIDE = 3000


def upload(attacker: Attacker, *lines: str, size: int = TOO_MUCH) -> list[int]:
    """Send eight files at once, each of which is too large."""
    body = attacker.zeros(size)
    to = f"{attacker.files}{secrets.token_hex(4)}"
    return attacker.many(8, lambda n: attacker.send("PUT", f"{to}{n}", body, *lines))


def announced(attacker: Attacker) -> int:
    """Send one file that says how long it is."""
    body = attacker.zeros(TOO_MUCH)
    return attacker.clients.status("PUT", attacker.files + "announced", upload=body)


def broken_off(attacker: Attacker) -> list[int]:
    """Send files of five megabytes that break off before they end, thirty times."""
    body = attacker.zeros(TOO_MUCH)
    lines = (HTTP1, "max-time = 2", 'limit-rate = "3M"')
    return attacker.many(16, lambda n: attacker.send("PUT", f"{attacker.files}b{n}", body, *lines))


def copied(attacker: Attacker) -> list[int]:
    """Copy a file of four megabytes twenty times, eight at once."""
    body = attacker.zeros(4 * MIB)
    one = attacker.files + "one"
    attacker.send("PUT", one, body)
    return attacker.many(20, lambda n: attacker.copy(one, f"{attacker.files}copy{n}"))


def copied_when_swapped(attacker: Attacker) -> list[int]:
    """Copy while a small file and a large one change places under the same name."""
    small, large, name = (attacker.files + one for one in ("small", "large", "swapped"))
    attacker.send("PUT", small, attacker.zeros(1))
    attacker.send("PUT", large, attacker.zeros(4 * MIB))

    def swap(number: int) -> int:
        if number % 4:
            return attacker.copy(name, f"{attacker.files}copy{number}")
        said = 0
        for one in (small, large):
            said = attacker.copy(one, name, "MOVE")
            attacker.copy(name, one, "MOVE")
        return said

    return attacker.many(40, swap)


def moved_over(attacker: Attacker) -> list[int]:
    """Move a new file over an old one, again and again: the old one goes."""
    body = attacker.zeros(3 * MIB)

    def again(number: int) -> int:
        attacker.send("PUT", f"{attacker.files}new{number}", body)
        return attacker.copy(f"{attacker.files}new{number}", attacker.files + "old", "MOVE")

    return [again(number) for number in range(8)]


def empty_files(attacker: Attacker) -> list[int]:
    """Make four thousand empty files, eight at once."""
    lines = ('upload-file = "/dev/null"', "max-time = 300")
    url = f"{attacker.files}empty"
    return attacker.many(8, lambda n: attacker.send("PUT", f"{url}{n}-[1-500]", None, *lines))


def items(attacker: Attacker, where: str, text: str, ending: str) -> list[int]:
    """Put items of two megabytes into a calendar or an address book."""

    def item(number: int) -> int:
        content = text.format(uid=f"item{number}", text=secrets.token_hex(MIB))
        return attacker.send("PUT", f"{where}item{number}.{ending}", attacker.text(content))

    return attacker.many(24, item)


def events(attacker: Attacker) -> list[int]:
    """Put large events into a calendar."""
    return items(attacker, attacker.calendar, attacks.CALENDAR, "ics")


def cards(attacker: Attacker) -> list[int]:
    """Put large contacts into an address book."""
    return items(attacker, attacker.book, attacks.CARD, "vcf")


def properties(attacker: Attacker) -> list[int]:
    """Give a file hundreds of properties, each with a long value."""
    attacker.send("PUT", attacker.files + "with-properties", attacker.zeros(1))

    def one(number: int) -> int:
        text = secrets.token_hex(TEXT // 2)
        body = attacker.text(attacks.PROPERTY.format(uid=f"p{number}", text=text))
        return attacker.send("PROPPATCH", attacker.files + "with-properties", body)

    return attacker.many(400, one)


def locks(attacker: Attacker) -> list[int]:
    """Lock names that do not exist, each for an owner with a long name."""
    body = attacker.text(attacks.LOCK.format(text="x" * TEXT))
    return attacker.many(400, lambda n: attacker.send("LOCK", f"{attacker.files}lock{n}", body))


def bodies(attacker: Attacker) -> list[int]:
    """Send large bodies where none belongs, without and with a login."""
    body = attacker.zeros(TOO_MUCH)
    methods = ["GET", "PROPFIND", "REPORT", "DELETE", "OPTIONS", "POST", "SEARCH", "MOVE"]
    said = attacker.many(8, lambda n: attacker.send(methods[n], attacker.files + "body", body))
    stranger = Attacker(
        attacker.delivered, Clients(attacker.delivered, "wrong", attacker.folder), attacker.folder
    )
    urls = [attacker.files + "stranger", attacker.calendar + "stranger.ics"]
    return said + attacker.many(4, lambda n: stranger.send("PUT", urls[n % 2], body, HTTP1))


def pieces(attacker: Attacker) -> list[int]:
    """Leave pieces in the folder of Nextcloud's uploads, where no quota of a user counts."""
    url = attacker.uploads("attack")
    attacker.send("MKCOL", url)
    body = attacker.zeros(5 * MIB)
    return attacker.many(16, lambda n: attacker.send("PUT", f"{url}/{n:05}", body))


def copied_with_versions(attacker: Attacker) -> list[int]:
    """Copy a file of one byte, again and again, that was one of four megabytes."""
    name = attacker.files + "shrunk"
    for size in (4 * MIB, 1):
        attacker.send("PUT", name, attacker.zeros(size))
        time.sleep(1.1)  # a version each second
    return attacker.many(20, lambda n: attacker.copy(name, f"{attacker.files}shrunk{n}"))


def put_together(attacker: Attacker) -> int:
    """Have two pieces put together to a file while they are still there."""
    url = attacker.uploads("together").replace("/uploads/", "/%75ploads/")
    attacker.send("MKCOL", url)
    for number in range(2):
        attacker.send("PUT", f"{url}/{number:05}", attacker.zeros(5 * MIB))
    return attacker.copy(f"{url}/.file", attacker.files + "together", "MOVE")


def from_templates(attacker: Attacker) -> list[int]:
    """Make files from a template of the user's own: a POST that carries its name alone."""
    attacker.send("MKCOL", attacker.files + "Templates")
    attacker.send("PUT", attacker.files + "Templates/large.txt", attacker.zeros(4 * MIB))
    api = f"https://{attacker.delivered.host}/ocs/v2.php/apps/files/api/v1/templates"
    ocs = 'header = "OCS-APIRequest: true"'
    attacker.send("POST", f"{api}/path?templatePath=Templates", None, ocs)
    create = f"{api}/create?templatePath=Templates/large.txt&templateType=user&filePath=made"
    return attacker.many(20, lambda n: attacker.send("POST", f"{create}{n}.txt", None, ocs))


ATTACKS: dict[str, Attack] = {
    "with its length": announced,
    "without a length (HTTP/2)": upload,
    "in chunks (HTTP/1.1)": lambda one: upload(one, HTTP1),
    "lying about its length": lambda one: upload(
        one, HTTP1, 'header = "X-Expected-Entity-Length: 1"'
    ),
    "many that fit alone": lambda one: upload(one, size=5 * MIB),
    "uploads that break off": broken_off,
    "copies": copied,
    "copies of what was swapped": copied_when_swapped,
    "moves over a file": moved_over,
    "empty files": empty_files,
    "events": events,
    "contacts": cards,
    "dead properties": properties,
    "locks": locks,
    "bodies where none belongs": bodies,
}


def previewed(attacker: Attacker) -> list[int]:
    """Have previews made of pictures that are packed small: each line is the last one, moved."""
    line, made = secrets.token_bytes(SIDE), attacker.folder / "noise.png"
    lines = (line[(37 * n) % SIDE :] + line[: (37 * n) % SIDE] for n in range(SIDE))
    Image.frombytes("L", (SIDE, SIDE), b"".join(lines)).save(made, optimize=True)

    def one(number: int) -> int:
        attacker.send("PUT", f"{attacker.files}noise{number}.png", made)
        return attacker.send("GET", attacker.preview(f"noise{number}.png"))

    return attacker.many(24, one)


OF_NEXTCLOUD: dict[str, Attack] = {
    "pieces of uploads": pieces,
    "pieces put together": put_together,
    "copies with old versions": copied_with_versions,
    "files from a template": from_templates,
    "previews": previewed,
}
WAYS = [
    *(("light", name) for name in ATTACKS),
    *(("nextcloud", name) for name in ATTACKS | OF_NEXTCLOUD),
]


def highest(attacker: Attacker, attack: Attack) -> int:
    """Return the most that the bundle took while it was attacked, and at the end."""
    seen, over = [0], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            seen.append(attacker.taken())

    looking = threading.Thread(target=look)
    looking.start()
    try:
        attack(attacker)
    finally:
        over.set()
        looking.join()
    return max(*seen, attacker.taken())


def attacker_of(delivered: Delivered, folder: Path) -> Attacker:
    if shutil.which("curl") is None:
        pytest.skip("curl is not installed")
    return Attacker(delivered, Clients(delivered, delivered.secret, folder), folder)


@pytest.mark.parametrize(("cloud", "name"), WAYS)
def test_no_way_leads_past_the_room(
    cloud: str, name: str, request: pytest.FixtureRequest, tmp_path: Path, tell: Tell
) -> None:
    attacker = attacker_of(request.getfixturevalue(cloud), tmp_path)
    with narrow(attacker) as limit:
        over = max(0, highest(attacker, (ATTACKS | OF_NEXTCLOUD)[name]) - limit)
    tell(f"{cloud}, {name}: bytes over {ROOM >> 20} MiB", over, f"<= {MEGABYTES}")
    assert over <= MEGABYTES


@pytest.fixture(scope="module")
def neighbour(region: Region) -> Delivered:
    """Another bundle of the same server."""
    return region.order(f"paisible{fresh()}.paquet.test")


def loop_in_redis(one: Delivered) -> list[Sequence[str]]:
    return [neighbours.redis(one, "EVAL", "while true do end", "0")]


def fill_redis(one: Delivered) -> list[Sequence[str]]:
    fill = "for n = 1, 1e7 do redis.call('set', n, string.rep('x', 4096)) end"
    return [neighbours.redis(one, "EVAL", fill, "0")]


def hold_connections(one: Delivered) -> list[Sequence[str]]:
    hold = neighbours.HOLD.replace("sys.stdin.read()", "import time; time.sleep(600)")
    return [neighbours.as_user(one, "python3", "-c", f"exec({hold!r})")]


def count_in_postgresql(one: Delivered) -> list[Sequence[str]]:
    count = "select sum(sqrt(n)) from generate_series(1, 1000000000) n"
    return [neighbours.as_user(one, "psql", "-h", "/run/postgresql", "-c", count)] * 8


def count_in_php(one: Delivered) -> list[Sequence[str]]:
    return [neighbours.as_user(one, "php", "-r", "while (true);")] * 8


WORST: dict[str, tuple[Callable[[Delivered], list[Sequence[str]]], str]] = {
    "a loop in Redis": (loop_in_redis, "cpu"),
    "a full Redis": (fill_redis, "cpu"),
    "all its connections to PostgreSQL": (hold_connections, ""),
    "sums in PostgreSQL": (count_in_postgresql, "cpu"),
    "loops in PHP": (count_in_php, "cpu"),
}


def compare(quiet: neighbours.Quiet, loud: neighbours.Quiet, tell: Tell, what: str) -> None:
    """Tell how a neighbour was served, and judge it."""
    said = f"{quiet.median * 1000:.0f} ms, then {loud.median * 1000:.0f} ms, {loud.wrong} wrong"
    tell(f"a neighbour beside {what}: median", said, "<= 2 x, 0 wrong")
    assert loud.wrong == 0
    assert loud.median <= 2 * quiet.median


@pytest.mark.parametrize("what", WORST)
def test_a_neighbour_is_served_beside_the_worst_in_its_own_programs(
    what: str, nextcloud: Delivered, neighbour: Delivered, tmp_path: Path, tell: Tell
) -> None:
    attack, controller = WORST[what]
    clients, url = Clients(neighbour, neighbour.secret, tmp_path), files_url(neighbour)
    quiet = served(clients, url)
    try:
        with meanwhile(nextcloud, *attack(nextcloud)):
            loud = served(clients, url)
    finally:
        nextcloud.server.run(["systemctl", "restart", f"paquet-cache@{nextcloud.name}"])
    bounded = nextcloud.server.run(["cat", "/sys/fs/cgroup/cgroup.controllers"], check=False).stdout
    if controller and controller not in bounded and loud.median > 2 * quiet.median:
        tell(f"a neighbour beside {what}: times slower", f"{loud.median / quiet.median:.1f}", "")
        pytest.skip(f"no {controller} controller here: processes share as they like")
    compare(quiet, loud, tell, what)


def test_a_neighbour_is_served_beside_floods(
    light: Delivered, neighbour: Delivered, tmp_path: Path, tell: Tell
) -> None:
    attacker = attacker_of(light, tmp_path)
    clients, url = Clients(neighbour, neighbour.secret, tmp_path), files_url(neighbour)
    body, slow = attacker.zeros(TOO_MUCH), 'limit-rate = "500k"'
    floods: dict[str, Callable[[int], int]] = {
        "sixteen slow uploads": lambda n: attacker.send(
            "PUT", f"{attacker.files}f{n}", body, slow, "max-time = 20"
        ),
        "sixteen slow calendars": lambda n: attacker.send(
            "PUT", f"{attacker.calendar}f{n}.ics", body, slow, "max-time = 20"
        ),
    }
    for what, flood in floods.items():
        quiet = served(clients, url)
        flooding = threading.Thread(target=attacker.many, args=(16, flood))
        flooding.start()
        loud = served(clients, url, times=200)  # some seconds of it, not its beginning alone
        flooding.join()
        compare(quiet, loud, tell, what)


def test_a_neighbour_is_backed_up_beside_files_of_holes(
    light: Delivered, neighbour: Delivered, tell: Tell
) -> None:
    home = f"/srv/bundles/{light.name}/webdav/files/{light.address}"
    names = [f"{home}/hole{number}" for number in range(20)]
    for name in names:
        light.server.run(neighbours.as_user(light, "truncate", "--size=40G", name))
    try:
        for one in (light, neighbour):
            safekeeping.run(one.region.control, one.domain)
        took = [neighbours.last_backup(one)["seconds"] for one in (light, neighbour)]
    finally:
        light.server.run(["rm", *names])
    tell("backups beside 20 files of 40 GiB of holes: seconds", took, "each < 60")
    assert max(took) < 60
