"""Names in a lab: published to its real Knot, seen through its real unbound, withdrawn again."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from provision import settings
from provision.checks.findings import Result, run
from provision.checks.names import name_checks
from provision.checks.target import Target
from provision.commands.begin import lab as lab_command
from provision.commands.shared.context import Context
from provision.dns.changes import ChangeSet, bundle_scope, plan
from provision.dns.lookup import NameServer, Outcome, ask, authoritative_servers
from provision.dns.providers.choice import provider
from provision.dns.records import BundleNames, Record, bundle_records, server_records
from provision.errors import PaquetError
from provision.lab.lab import what_this_computer_lacks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.dns.providers.choice import Provider

pytestmark = pytest.mark.lab

SERVER = "bundles1.paquet.test"
KEY = "QUJD" * 98


@dataclass(frozen=True)
class World:
    """What these tests need of a lab."""

    names: settings.Names
    resolver: NameServer
    address: str

    @property
    def provider(self) -> Provider:
        return provider(self.names)


@pytest.fixture(scope="module")
def world() -> Iterator[World]:
    if lacking := what_this_computer_lacks():
        pytest.skip(f"No lab can run here: {lacking}")
    # Not the lab of the other tests: these take whole domains away.
    lab = lab_command.chosen(Context(Path("paquet.toml")), f"tn{os.getpid() % 100_000}")
    try:
        lab.up()
        told = lab.facts()
        names = settings.Names.model_validate(told["names"])
        yield World(names, NameServer(str(told["resolver"])), lab.address("bundles1"))
    finally:
        lab.down()


def bundle(world: World, domain: str) -> BundleNames:
    own = not domain.endswith(".paquet.test")
    return BundleNames(
        domain=domain,
        zone=domain if own else "paquet.test",
        host=f"cloud.{domain}" if own else domain,
        mail_host=SERVER,
        address=world.address,
        dkim_selector="paquet",
        dkim_public_key=KEY,
        dav_path="/dav/",
    )


@pytest.mark.parametrize("domain", ["alice.paquet.test", "exemple.test", "exémple.test"])
def test_a_bundle_is_seen_by_the_world_and_leaves_no_trace(world: World, domain: str) -> None:
    names = bundle(world, domain)
    before = [r for r in world.provider.fetch(names.zone) if r.type != "SOA"]
    desired = bundle_records(names)

    publish(world, names, desired)
    assert plan(desired, world.provider.fetch(names.zone), bundle_scope(names)).is_empty
    assert complaints(world, names) == []

    publish(world, names, [])
    assert [r for r in world.provider.fetch(names.zone) if r.type != "SOA"] == before
    assert len(complaints(world, names)) == len(desired)


def test_a_moved_bundle_is_seen_at_once(world: World) -> None:
    names = bundle(world, "moving.paquet.test")
    publish(world, names, bundle_records(names))
    here = Record("moving.paquet.test.", "A", 3600, ("203.0.113.7",))
    elsewhere = [here if r.key == here.key else r for r in bundle_records(names)]
    publish(world, names, elsewhere)
    assert ask("moving.paquet.test", "A", world.resolver).values == ("203.0.113.7",)
    assert [finding.split(":")[0] for finding in complaints(world, names)] == [
        "dns A moving.paquet.test"
    ]


def test_twenty_bundles_stand_beside_each_other(world: World) -> None:
    many = [bundle(world, f"many{number}.paquet.test") for number in range(20)]
    for names in many:
        publish(world, names, bundle_records(names))
    for names in many:
        assert ask(names.domain, "MX", world.resolver).outcome is Outcome.FOUND


def test_the_servers_name_is_kept_and_points_both_ways(world: World) -> None:
    target = Target(
        SERVER,
        SERVER,
        SERVER,
        world.address,
        resolver=world.resolver,
        records=(server_records(SERVER, world.address)[0],),
    )
    assert {finding.result for finding in run(name_checks(target))} == {Result.OK}


def test_the_zone_is_decided_by_the_labs_knot(world: World) -> None:
    deciding = authoritative_servers("deep.alice.paquet.test", world.resolver)
    assert deciding == [NameServer(world.names.server)]
    assert ask("paquet.test", "NS", deciding[0]).is_authoritative


def test_a_servers_own_key_cannot_change_a_bundle(world: World) -> None:
    limited = world.names.model_copy(
        update={"key_name": world.names.acme_key_name, "key_file": world.names.acme_key_file}
    )
    thief = Record("alice.paquet.test.", "A", 60, ("203.0.113.66",))
    with pytest.raises(PaquetError):
        provider(limited).apply("paquet.test", ChangeSet((thief,), (), (), 0))
    assert ask("alice.paquet.test", "A", world.resolver).outcome is Outcome.ABSENT


def publish(world: World, names: BundleNames, desired: list[Record]) -> None:
    actual = world.provider.fetch(names.zone)
    world.provider.apply(names.zone, plan(desired, actual, bundle_scope(names)))


def complaints(world: World, names: BundleNames) -> list[str]:
    target = Target(
        domain=names.domain,
        host=names.host,
        mail_host=SERVER,
        address=world.address,
        resolver=world.resolver,
        records=tuple(bundle_records(names)),
    )
    found = run(name_checks(target))
    return [f"{each.check}: {each.message}" for each in found if each.result is not Result.OK]
