"""The fences around what runs for a bundle, and around what root runs for it."""

from __future__ import annotations

import base64
import json
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from provision.workflows import bundles, upkeep
from tests.lab import reach
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.region import Delivered, Region

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
ANSWERS = 207
EXPOSURE = 4.0
# Where every Unix user may make a name.
WORLD = "/run/lock /tmp /var/tmp /dev/shm"
# Laid into config.php, which the bundle itself may write.
PLANTED = "\nforeach (explode(' ', '{folders}') as $folder) @touch(\"$folder/{name}\");\n"

# What leads somewhere, of the names given; it waits for its end if it is told to.
LOOK = """
import json, os, sys, time
def leads(path):
    try:
        return bool(os.listdir(path) if os.path.isdir(path) else open(path, "rb").read(1))
    except OSError:
        return False
print(json.dumps([path for path in sys.argv[2:] if leads(path)]), flush=True)
time.sleep(float(sys.argv[1]))
"""


@pytest.fixture(scope="module")
def doors(region: Region, light: Delivered, nextcloud: Delivered) -> reach.Doors:
    """All doors of the server while a bundle of each cloud runs."""
    for bundle in (light, nextcloud):
        bundle.server.run(["systemctl", "start", *reach.services(bundle)])
    return reach.doors_of(region)


@pytest.mark.parametrize(("cloud", "place"), [("nextcloud", "php"), ("light", "dav")])
def test_no_door_is_open_that_a_sandbox_does_not_need(
    request: pytest.FixtureRequest, doors: reach.Doors, cloud: str, place: str
) -> None:
    bundle: Delivered = request.getfixturevalue(cloud)
    (other,) = {"light", "nextcloud"} - {cloud}
    neighbour: Delivered = request.getfixturevalue(other)
    walked = ("/srv", "/run", "/dev", "/etc/nginx", "/etc/paquet", "/etc/systemd")
    reached = reach.walk(place, bundle, doors, walked=walked, words=neighbour.domain)
    assert len(doors) > 50
    assert (reached.open, reached.writable, reached.telling) == ([], [], [])


def test_code_that_a_bundle_planted_runs_in_its_sandbox_only(nextcloud: Delivered) -> None:
    config = f"/srv/bundles/{nextcloud.name}/config/config.php"
    server, right = nextcloud.server, nextcloud.server.run(["cat", config]).stdout
    try:
        server.run(["tee", "-a", config], given=PLANTED.format(folders=WORLD, name="escaped"))
        server.run(["systemctl", "start", f"paquet-backup@{nextcloud.name}.service"])
        control = nextcloud.region.control
        upkeep.deploy(control, bundles.find(control, nextcloud.domain))
        found = server.run(["find", *WORLD.split(), "-maxdepth", "1", "-name", "escaped"]).stdout
    finally:
        server.run(["tee", config], given=right)
        server.run(["rm", "-f", *[f"{folder}/escaped" for folder in WORLD.split()]])
    assert found == ""


def in_php(bundle: Delivered, code: str) -> list[str]:
    """Return what runs PHP code in the sandbox of a bundle."""
    unit = f"--unit=paquet-occ@{bundle.name}.service"
    return ["systemd-run", "--quiet", "--pipe", "--wait", "--collect", unit, "php8.4", "-r", code]


def test_php_of_a_bundle_starts_no_other_program(nextcloud: Delivered) -> None:
    """It answers what a module asks for, as every module does, and what exec() gave."""
    said = nextcloud.server.run(in_php(nextcloud, 'echo json_encode([getmyuid(), exec("id")]);'))
    assert json.loads(said.stdout.splitlines()[-1])[1] is False


def test_what_php_of_a_bundle_puts_into_tmp_takes_room_from_nobody(nextcloud: Delivered) -> None:
    own = nextcloud.server.run(in_php(nextcloud, 'echo stat("/tmp")["dev"];')).stdout
    shared = nextcloud.server.run(["sh", "-c", "stat --format=%d /tmp"]).stdout
    assert int(own.splitlines()[-1]) != int(shared)


def test_a_link_that_a_bundle_plants_leads_its_backup_nowhere(
    light: Delivered, nextcloud: Delivered
) -> None:
    """Restic opens by its path what it listed before: a folder may be a link by then."""
    server, home = light.server, f"/srv/bundles/{light.name}"
    mail, neighbour = "/srv/mail/{}".format, nextcloud.name
    with backup_that_looks(nextcloud, 60) as (_, process):
        kept = f"/proc/{process}/root/srv/bundles/{neighbour}"
        targets = [f"/srv/bundles/{neighbour}", mail(nextcloud.domain), kept, *SECRETS]
        targets += [one.format(neighbour) for one in NEIGHBOURS_SECRETS]
        links = {f"{home}/leads{number}": target for number, target in enumerate(targets)}
        standing = server.run(["sh", "-c", 'ls -dL "$@"', "sh", *targets]).stdout.split()
        assert sorted(standing) == sorted(targets)
        try:
            for link, target in links.items():
                server.run(["runuser", "-u", light.name, "--", "ln", "-s", target, link])
            own = [home, mail(light.domain), f"/var/lib/paquet/backup/{light.name}"]
            with backup_that_looks(light, 0, *own, *links) as (led, _):
                assert [links.get(path, path) for path in led] == own
        finally:
            server.run(["rm", "-f", *links])


SECRETS = [
    *("/etc/paquet/certificates", "/etc/shadow", "/etc/ssh/ssh_host_ed25519_key", "/etc/postfix"),
    *("/var/lib/postgresql", "/var/lib/dovecot", "/var/spool", "/var/log", "/root", "/home"),
    *("/proc/1/root/etc/shadow", "/run/credentials", "/run/paquet"),
]
NEIGHBOURS_SECRETS = ["/etc/paquet/backup/{}", "/var/lib/paquet/backup/{}"]


@contextmanager
def backup_that_looks(
    bundle: Delivered, seconds: int, *paths: str
) -> Iterator[tuple[list[str], str]]:
    """Run LOOK in the very unit of the backup; give what led somewhere, and its process."""
    unit, said = f"paquet-backup@{bundle.name}.service", f"/run/looked-{bundle.name}"
    folder, code = f"/run/systemd/system/{unit}.d", base64.b64encode(LOOK.encode()).decode()
    words = " ".join([str(seconds), *paths])
    lines = ["[Service]", "ExecStart=", "ExecStopPost=", f"StandardOutput=truncate:{said}"]
    lines += [f'ExecStart=/usr/bin/python3 -c "{reach.RUN.format(code)}" {words}', ""]
    try:
        bundle.server.run(["mkdir", "-p", folder])
        bundle.server.run(["tee", f"{folder}/looks.conf"], given="\n".join(lines))
        bundle.server.run(["systemctl", "daemon-reload"])
        bundle.server.run(["systemctl", "start", *(["--no-block"] if seconds else []), unit])
        while not (told := bundle.server.run(["cat", said], check=False).stdout):
            time.sleep(0.2)
        shown = ["systemctl", "show", "--value", "--property=MainPID", unit]
        yield json.loads(told), bundle.server.run(shown).stdout.strip()
    finally:
        bundle.server.run(["systemctl", "kill", "--signal=KILL", unit], check=False)
        bundle.server.run(["rm", "-rf", folder, said])
        bundle.server.run(["systemctl", "daemon-reload"])
        bundle.server.run(["systemctl", "reset-failed", unit], check=False)


@pytest.mark.parametrize("name", ["paquet-backup-{name}.lock", "paquet-certificate.lock"])
def test_nobody_can_prepare_a_name_that_root_opens(
    light: Delivered, nextcloud: Delivered, name: str
) -> None:
    planted = f"/run/lock/{name.format(name=light.name)}"
    user = [f"--reuid={nextcloud.name}", f"--regid={nextcloud.name}", "--clear-groups"]
    light.server.run(["rm", "-rf", planted])
    light.server.run(["setpriv", *user, "mkdir", planted])
    try:
        units = [f"paquet-backup@{light.name}.service", "paquet-certificates.service"]
        light.server.run(["systemctl", "start", *units])
    finally:
        light.server.run(["rmdir", planted])


@pytest.mark.parametrize("machine", ["bundles1", "backup1"])
def test_every_unit_of_ours_has_a_time_limit_and_few_rights(
    region: Region, light: Delivered, nextcloud: Delivered, machine: str
) -> None:
    units = reach.units(region.machine(machine), [light.name, nextcloud.name])
    assert len(units) > (2 if machine == "backup1" else 10)
    limits = reach.time_limits(region.machine(machine), units)
    assert {unit: found for unit, found in limits.items() if "infinity" in found} == {}
    exposed = reach.exposure(region.machine(machine), units)
    assert {unit: found for unit, found in exposed.items() if found > EXPOSURE} == {}


@pytest.fixture
def answering(delivered_bundle: Delivered, tmp_path: Path) -> Iterator[Clients]:
    """A client of a bundle that answers, before and after."""
    clients = Clients(delivered_bundle, delivered_bundle.secret, tmp_path)
    assert clients.status("PROPFIND", files_url(delivered_bundle)) == ANSWERS
    yield clients
    assert clients.status("PROPFIND", files_url(delivered_bundle)) == ANSWERS


def test_a_cloud_answers_after_its_units_were_restarted_and_killed(
    delivered_bundle: Delivered, answering: Clients
) -> None:
    server, place = delivered_bundle.server, files_url(delivered_bundle)
    units = reach.services(delivered_bundle)
    if delivered_bundle.cloud == "nextcloud":
        units.append(f"paquet-cache@{delivered_bundle.name}.service")
    for words in (("restart",), ("try-reload-or-restart",), ("kill", "--signal=KILL")):
        server.run(["systemctl", *words, *units])
        time.sleep(1.5)  # a second until the cache begins again
        assert answering.status("PROPFIND", place) == ANSWERS, words
