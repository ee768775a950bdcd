"""What bundles share (PostgreSQL, the web server, backups) is not one bundle's to use up."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from provision.workflows import safekeeping
from tests.lab import neighbours
from tests.lab.contract.clients import Clients, files_url

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.lab.region import Delivered

pytestmark = [pytest.mark.lab, pytest.mark.timeout(900)]
UNAVAILABLE, MULTISTATUS = 503, 207
TRANSPORT, NOSNIFF = "Strict-Transport-Security", "X-Content-Type-Options"


def test_a_script_that_loops_in_a_cache_stops_its_own_bundle_alone(nextcloud: Delivered) -> None:
    shared = nextcloud.server.run(["systemctl", "is-active", "paquet-cache.service"], check=False)
    assert shared.stdout.strip() == "inactive"
    socket = f"/run/paquet-cache/{nextcloud.name}/cache.sock"
    listed = nextcloud.server.run(["stat", "--format=%U:%a", socket]).stdout.strip()
    assert listed == f"{nextcloud.name}:600"
    assert nextcloud.server.run(neighbours.redis(nextcloud, "PING")).stdout.strip() == "PONG"


def test_one_bundle_cannot_hold_the_connections_of_postgresql(nextcloud: Delivered) -> None:
    said = neighbours.held_connections(nextcloud)
    assert "too many connections for role" in said
    assert int(said.split()[0]) <= 16


def test_one_bundle_cannot_fill_the_table_of_locks_or_the_disk_by_a_sort(
    nextcloud: Delivered,
) -> None:
    locks = "select count(pg_advisory_lock(n)) from generate_series(1, 100000) n"
    assert "permission denied for function pg_advisory_lock" in neighbours.psql(nextcloud, locks)
    raised = neighbours.psql(nextcloud, "set temp_file_limit = -1")
    assert "permission denied to set parameter" in raised
    sort = "select count(*) from (select n from generate_series(1, 60000000) n order by -n) x"
    assert "temporary file size exceeds" in neighbours.psql(nextcloud, sort)


def test_a_session_with_thousands_of_locks_is_ended(nextcloud: Delivered) -> None:
    many = "do $$ begin for n in 1..2500 loop execute 'create temp table t' || n || ' (x int)'; "
    many += "end loop; perform pg_sleep(20); end $$"
    begun = time.monotonic()
    assert "terminating connection" in neighbours.psql(nextcloud, many)
    assert time.monotonic() - begun < 20


@pytest.mark.parametrize("port", [80, 443, 465])
def test_one_bundle_cannot_hold_a_door_from_within(nextcloud: Delivered, port: int) -> None:
    assert 0 < neighbours.held_at(nextcloud, port) <= 20


def test_mail_has_connections_that_no_bundle_gets(nextcloud: Delivered) -> None:
    ask = "select pg_has_role(rolname, 'pg_use_reserved_connections', 'usage') from pg_roles"
    ask += " where rolname in ('dovecot', 'postfix')"
    psql = ["runuser", "-u", "postgres", "--", "psql", "-Atc", ask]
    assert nextcloud.server.run(psql).stdout.split() == ["t", "t"]


def test_a_file_of_holes_makes_no_backup_last(light: Delivered) -> None:
    home = f"/srv/bundles/{light.name}/webdav/files/{light.address}"
    names = ["trou [1]*", "trou $HOME"]
    for name in names:
        make = ["truncate", "--size=40G", f"{home}/{name}"]
        light.server.run(neighbours.as_user(light, *make))
    try:
        begun = time.monotonic()
        safekeeping.run(light.region.control, light.domain)
        assert time.monotonic() - begun < 60
        left_out = neighbours.last_backup(light)["left_out"]
        assert sorted(left_out) == sorted(f"{home}/{name}" for name in names)
    finally:
        for name in names:
            light.server.run(["rm", f"{home}/{name}"])


def test_a_file_with_some_holes_is_backed_up(light: Delivered) -> None:
    file = f"/srv/bundles/{light.name}/webdav/files/{light.address}/presque.img"
    light.server.run(neighbours.as_user(light, "truncate", "--size=200M", file))
    light.server.run(neighbours.as_user(light, "fallocate", "--length=120M", file))
    try:
        safekeeping.run(light.region.control, light.domain)
        assert neighbours.last_backup(light)["left_out"] == []
    finally:
        light.server.run(["rm", file])


def test_no_second_repository_is_made_inside_of_one(light: Delivered) -> None:
    """The backup server would take it, two folders deep, with the bundle's own login."""
    folder = f"/etc/paquet/backup/{light.name}"
    make = f'restic --repo "$(cat {folder}/repository)x" --password-file {folder}/password'
    make += " --cacert /etc/paquet/acme-ca.pem init"
    done = light.server.run(["timeout", "10", "sh", "-c", make], check=False)
    listed = light.region.machine("backup1").run(["ls", f"/srv/backup/{light.name}"]).stdout
    assert (done.returncode != 0, "x" in listed.split()) == (True, False)
    assert safekeeping.run(light.region.control, light.domain)


def test_a_repository_beyond_its_room_is_closed_for_all_that_adds(light: Delivered) -> None:
    backup = light.region.machine("backup1")
    line = f"{light.name}:"
    rooms = "/etc/paquet/backup-server/room"
    before = backup.run(["cat", rooms]).stdout
    assert line in before

    def size() -> str:
        du = ["du", "--summarize", "--exclude=locks", f"/srv/backup/{light.name}"]
        return backup.run(du).stdout

    standing = size()
    small = "".join(
        f"{line}1000\n" if one.startswith(line) else f"{one}\n" for one in before.split()
    )
    try:
        backup.run(["tee", rooms], given=small)
        time.sleep(4)
        # restic asks again and again for a quarter of an hour
        again = ["timeout", "10", "/usr/local/lib/paquet/backup", light.name]
        assert light.server.run(again, check=False).returncode
        assert size() == standing
        assert safekeeping.snapshots(light.region.control, light.domain)
    finally:
        backup.run(["tee", rooms], given=before)
        time.sleep(4)
    safekeeping.run(light.region.control, light.domain)


@pytest.fixture
def without_database(light: Delivered, nextcloud: Delivered) -> Iterator[tuple[Delivered, ...]]:
    """A bundle of each cloud, on a server that has lost PostgreSQL for a moment."""
    light.server.run(["systemctl", "stop", "postgresql@17-main"])
    try:
        yield light, nextcloud
    finally:
        light.server.run(["systemctl", "start", "postgresql@17-main"])
        light.server.run(["postfix", "reload"])  # it would remember for a minute


def test_a_database_that_is_away_is_no_wrong_password(
    without_database: tuple[Delivered, ...], tmp_path: Path
) -> None:
    begun = int(time.time())
    for bundle in without_database:
        clients = Clients(bundle, bundle.secret, tmp_path)
        dav = [f"https://{bundle.host}/dav/"] if bundle.cloud == "light" else []
        for url in [files_url(bundle), *dav]:
            assert clients.status("PROPFIND", url) == UNAVAILABLE
            assert "retry-after: " in neighbours.headers(clients, url)
    log = without_database[0].server.run(["journalctl", f"--since=@{begun}", "-t", "paquet_web"])
    assert "refused" not in log.stdout


def test_every_answer_has_its_headers_and_the_journal_no_address(
    delivered_bundle: Delivered, tmp_path: Path
) -> None:
    begun = int(time.time())
    clients = Clients(delivered_bundle, delivered_bundle.secret, tmp_path)
    paths = ["/", "/dav/", "/files/", "/nowhere", "/remote.php/dav/", "/status.php", "/robots.txt"]
    for path in paths:
        for one in (clients, Clients(delivered_bundle, "wrong", tmp_path)):
            head = neighbours.headers(one, f"https://{delivered_bundle.host}{path}")
            assert head.count(f"{TRANSPORT}: ".lower()) == 1, path
            assert head.count(f"{NOSNIFF}: nosniff".lower()) == 1, path
    (tmp_path / "secret-name").write_bytes(bytes(1 << 20))
    url = files_url(delivered_bundle) + "secret-name"
    assert clients.status("PUT", url, upload=tmp_path / "secret-name") in (201, 204)
    assert clients.status("DELETE", url) == 204
    log = delivered_bundle.server.run(["journalctl", f"--since=@{begun}", "--output=cat"]).stdout
    assert "secret-name" not in log
