"""The operator's own names on a real Knot: published once, and nothing of others changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from provision import settings
from provision.dns.changes import ChangeSet
from provision.dns.lookup import ask
from provision.dns.records import Record
from provision.workflows import names, zones
from tests.integration.dns.knot_server import ZONE, running_knot

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from provision.settings import Settings
    from tests.integration.dns.knot_server import Running

INVENTORY = """
all: {children: {
  bundles: {hosts: {bundles1: {ansible_host: 203.0.113.10, server_name: bundles1.paquet.test}}},
  backup: {hosts: {backup1: {ansible_host: 203.0.113.20, server_name: backup1.elsewhere.test}}}}}
"""
NOBODY = ('"v=spf1 -all"',)


@pytest.fixture
def knot(tmp_path: Path) -> Iterator[Running]:
    with running_knot(tmp_path) as running:
        yield running


@pytest.fixture
def known(knot: Running, tmp_path: Path) -> Settings:
    (tmp_path / "inventory.yml").write_text(INVENTORY)
    (tmp_path / "secret").write_text(knot.secret)
    operator = {"name": "x", "zone": "paquet.test", "contact": "aide@ailleurs.test"}
    told = {"provider": "knot", "server": "127.0.0.1", "port": knot.port, "key_name": "paquet"}
    words = {"operator": operator, "names": {**told, "key_file": "secret"}}
    return settings.parse(words, tmp_path / "paquet.toml")


def answers(knot: Running, name: str, kind: str = "TXT") -> tuple[str, ...]:
    return ask(name, kind, knot.asked).values


def test_own_names_are_published_once(knot: Running, known: Settings) -> None:
    published = zones.publish_own(known)
    assert {record.name for record in published.creates} == {
        "bundles1.paquet.test.",
        "_dmarc.bundles1.paquet.test.",
        ZONE,
        f"_dmarc.{ZONE}",
    }
    assert answers(knot, "bundles1.paquet.test.", "A") == ("203.0.113.10",)
    assert answers(knot, ZONE) == NOBODY
    assert answers(knot, f"_dmarc.{ZONE}") == ('"v=DMARC1; p=reject"',)
    assert answers(knot, "neighbour.paquet.test.") == ('"left alone"',)
    assert zones.publish_own(known).is_empty


def test_what_the_operator_wrote_stays(knot: Running, known: Settings) -> None:
    theirs = (
        Record(ZONE, "TXT", 60, ('"v=spf1 include:ailleurs.test ~all"', '"verified=1"')),
        Record("_dmarc.bundles1.paquet.test.", "TXT", 60, ('"v=DMARC1; p=none"',)),
        Record("bundles1.paquet.test.", "AAAA", 60, ("2001:db8::10",)),
        Record(f"_dmarc.{ZONE}", "TXT", 60, ('"v=DMARC1; p=none"',)),
    )
    knot.provider().apply(ZONE, ChangeSet(theirs, (), (), 0))
    zones.publish_own(known)
    for record in theirs:
        assert answers(knot, record.name, record.type) == record.values
    assert answers(knot, "bundles1.paquet.test.") == ('"v=spf1 a -all"',)


def test_a_zone_that_takes_mail_is_left_alone(knot: Running, known: Settings) -> None:
    mail = Record(ZONE, "MX", 60, ("10 mail.ailleurs.test.",))
    knot.provider().apply(ZONE, ChangeSet((mail,), (), (), 0))
    zones.publish_own(known)
    assert answers(knot, ZONE) == answers(knot, f"_dmarc.{ZONE}") == ()


@pytest.mark.parametrize(
    ("domain", "acme_key", "proven"),
    [
        ("jeanne.paquet.test", "acme", True),
        ("jeanne.paquet.test", "", False),
        ("exemple.test", "acme", False),
    ],
)
def test_the_wildcard_serves_bundles_of_a_zone_that_servers_may_prove(
    known: Settings, domain: str, acme_key: str, *, proven: bool
) -> None:
    told = known.names.model_copy(update={"acme_key_name": acme_key})
    assert names.has_wildcard(domain, known.model_copy(update={"names": told})) is proven
