"""The files of the lab's internet, read by others than those who wrote them."""

from __future__ import annotations

import json
from pathlib import Path

import dns.zone
import pytest
import yaml

from provision.lab import internet, zones
from provision.lab.internet import World
from provision.lab.plan import LabPlan

PLAN = LabPlan("lab", 7)
WORLD = World(
    paquet_secret="cGFxdWV0",
    acme_secret="YWNtZQ==",
    dkim_key="DKIM KEY\n",
    dkim_record="v=DKIM1; k=rsa; p=" + "A" * 392,
    authority="AUTHORITY\n",
    certificate="CERTIFICATE\n",
    key="KEY\n",
    password="secret",
)
GOLDEN = Path(__file__).parent / "golden"


def _text(path: str) -> str:
    return internet.files(PLAN, WORLD)[path].text


@pytest.mark.parametrize("path", ["etc/knot/knot.conf", "etc/unbound/unbound.conf"])
def test_the_name_servers_are_configured_as_recorded(path: str) -> None:
    assert _text(path) == (GOLDEN / Path(path).name).read_text(encoding="utf-8")


def test_knot_lets_the_key_of_servers_change_challenges_only() -> None:
    knot = yaml.safe_load(_text("etc/knot/knot.conf"))
    rule = next(rule for rule in knot["acl"] if rule["id"] == "acme")
    assert rule["update-type"] == "TXT"
    assert all(name.startswith("_acme-challenge") for name in rule["update-owner-name"])


def test_knot_serves_every_zone() -> None:
    knot = yaml.safe_load(_text("etc/knot/knot.conf"))
    assert {zone["domain"] for zone in knot["zone"]} == set(zones.all_zones(PLAN, "x"))


def test_pebble_reads_its_settings() -> None:
    pebble = json.loads(_text("etc/pebble.json"))["pebble"]
    assert pebble["listenAddress"] == "198.18.7.2:14000"
    assert (pebble["httpPort"], pebble["tlsPort"]) == (80, 443)


@pytest.mark.parametrize("zone", sorted(zones.all_zones(PLAN, WORLD.dkim_record)))
def test_a_zone_is_one_that_a_name_server_loads(zone: str) -> None:
    text = _text(f"var/lib/knot/zones/{zone}.zone")
    dns.zone.from_text(text, origin=zone).check_origin()


def test_the_key_of_the_foreign_mail_server_is_published_whole() -> None:
    zone = dns.zone.from_text(_text("var/lib/knot/zones/ailleurs.test.zone"), "ailleurs.test")
    record = zone.find_rdataset("lab._domainkey", "TXT")[0]
    assert b"".join(record.strings).decode() == WORLD.dkim_record


def test_secrets_are_readable_by_nobody_else() -> None:
    files = internet.files(PLAN, WORLD)
    secrets = (WORLD.paquet_secret, WORLD.acme_secret, WORLD.password, "KEY\n")
    open_to_all = [path for path, file in files.items() if file.mode & 0o007]
    assert not [path for path in open_to_all if any(s in files[path].text for s in secrets)]


def test_the_world_of_a_lab_is_made_once(tmp_path: Path) -> None:
    first = internet.world(tmp_path, PLAN)
    assert internet.world(tmp_path, PLAN) == first
    assert (tmp_path / "world.json").stat().st_mode & 0o077 == 0
