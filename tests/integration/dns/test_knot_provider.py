"""Publishing to a real Knot: what is planned is what is there afterwards."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from provision.dns.changes import UNTOUCHED, ChangeSet, Update, ZoneScope, bundle_scope, plan
from provision.dns.lookup import NameServer, Outcome, address_of, ask, authoritative_servers
from provision.dns.providers.printed import Printed, RecordsToEnter
from provision.dns.records import BundleNames, Record, bundle_records
from provision.errors import PaquetError
from tests.integration.dns.knot_server import ZONE, Running, running_knot

if TYPE_CHECKING:
    from collections.abc import Iterator

ALICE = BundleNames(
    domain="alice.paquet.test",
    zone="paquet.test",
    host="alice.paquet.test",
    mail_host="bundles1.paquet.test",
    address="203.0.113.10",
    dkim_selector="paquet",
    dkim_public_key="QUJD" * 98,
    dav_path="/dav/",
)
HOST = Record("bob.paquet.test.", "A", 300, ("203.0.113.1",))
MOVED = Record("bob.paquet.test.", "A", 300, ("203.0.113.2",))
OTHER = Record("bob.paquet.test.", "A", 300, ("203.0.113.3",))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running_knot(tmp_path_factory.mktemp("knot")) as running:
        yield running


@pytest.fixture
def knot(server: Running) -> Iterator[Running]:
    """The same server, with nothing left in the zone from another test."""
    provider = server.provider()
    first = [record for record in provider.fetch(ZONE) if record.type not in UNTOUCHED]
    yield server
    actual = provider.fetch(ZONE)
    everything = ZoneScope(frozenset(record.name for record in (*actual, *first)))
    provider.apply(ZONE, plan(first, actual, everything))


def only(name: str) -> ZoneScope:
    return ZoneScope(frozenset({name}))


def created(*records: Record) -> ChangeSet:
    return ChangeSet(records, (), (), 0)


def test_a_bundle_is_published_and_a_second_plan_is_empty(knot: Running) -> None:
    provider, desired, scope = knot.provider(), bundle_records(ALICE), bundle_scope(ALICE)
    changes = plan(desired, provider.fetch(ZONE), scope)
    provider.apply(ZONE, changes)
    assert changes.creates == tuple(desired)
    assert plan(desired, provider.fetch(ZONE), scope).is_empty
    for record in desired:
        assert ask(record.name, record.type, knot.asked).values == record.values


def test_what_is_published_can_be_withdrawn_and_the_neighbour_stays(knot: Running) -> None:
    provider = knot.provider()
    before = {record.key: record for record in provider.fetch(ZONE) if record.type != "SOA"}
    provider.apply(ZONE, created(*bundle_records(ALICE)))
    provider.apply(ZONE, plan([], provider.fetch(ZONE), bundle_scope(ALICE)))
    after = {record.key: record for record in provider.fetch(ZONE) if record.type != "SOA"}
    assert ("neighbour.paquet.test.", "TXT") in after
    assert after == before


def test_a_change_made_meanwhile_by_someone_else_is_not_overwritten(knot: Running) -> None:
    provider = knot.provider()
    provider.apply(ZONE, created(HOST))
    seen = plan([MOVED], provider.fetch(ZONE), only(HOST.name))
    provider.apply(ZONE, ChangeSet((), (Update(HOST, OTHER),), (), 1))
    with pytest.raises(PaquetError, match="same time; nothing was published"):
        provider.apply(ZONE, seen)
    assert ask(HOST.name, "A", knot.asked).values == OTHER.values


def test_one_refused_record_holds_back_the_whole_message(knot: Running) -> None:
    provider = knot.provider()
    provider.apply(ZONE, created(HOST))
    with pytest.raises(PaquetError, match="same time"):
        provider.apply(ZONE, created(Record("new.paquet.test.", "A", 60, ("203.0.113.5",)), HOST))
    assert ask("new.paquet.test.", "A", knot.asked).outcome is Outcome.ABSENT


def test_of_two_who_publish_the_same_name_at_once_one_is_told(knot: Running) -> None:
    refusals: list[PaquetError] = []

    def publish(record: Record) -> None:
        try:
            knot.provider().apply(ZONE, created(record))
        except PaquetError as refused:
            refusals.append(refused)

    threads = [threading.Thread(target=publish, args=(each,)) for each in (HOST, MOVED)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(refusals) == 1
    assert len(ask(HOST.name, "A", knot.asked).values) == 1


def test_a_cname_gives_way_to_an_address_in_one_message(knot: Running) -> None:
    provider = knot.provider()
    alias = Record(HOST.name, "CNAME", 60, ("neighbour.paquet.test.",))
    provider.apply(ZONE, created(alias))
    provider.apply(ZONE, plan([HOST], provider.fetch(ZONE), only(HOST.name)))
    assert ask(HOST.name, "A", knot.asked).values == HOST.values


def test_a_new_lifetime_is_a_change_and_is_published(knot: Running) -> None:
    provider = knot.provider()
    provider.apply(ZONE, created(HOST))
    longer = Record(HOST.name, "A", 7200, HOST.values)
    provider.apply(ZONE, plan([longer], provider.fetch(ZONE), only(HOST.name)))
    assert longer in provider.fetch(ZONE)


def test_what_a_person_has_entered_is_not_asked_for_again(knot: Running) -> None:
    by_hand, wanted = Printed(knot.asked), created(*bundle_records(ALICE))
    knot.provider().apply(ZONE, created(*bundle_records(ALICE)[:-1]))
    with pytest.raises(RecordsToEnter) as told:
        by_hand.apply(ZONE, wanted)
    assert [row.host for row in told.value.rows] == ["paquet._domainkey.alice"]
    knot.provider().apply(ZONE, created(bundle_records(ALICE)[-1]))
    by_hand.apply(ZONE, wanted)


def test_a_wrong_secret_is_named(server: Running) -> None:
    provider = server.provider(secret="d3Jvbmcgc2VjcmV0")
    with pytest.raises(PaquetError, match="another secret for the key paquet"):
        provider.fetch(ZONE)
    with pytest.raises(PaquetError, match="another secret for the key paquet"):
        provider.apply(ZONE, created(HOST))


def test_an_unknown_key_is_named(server: Running) -> None:
    provider = server.provider("stranger")
    with pytest.raises(PaquetError, match="does not accept the key stranger"):
        provider.fetch(ZONE)
    with pytest.raises(PaquetError, match="does not accept the key stranger"):
        provider.apply(ZONE, created(HOST))


def test_a_key_that_may_only_read_cannot_publish(server: Running) -> None:
    provider = server.provider("reader")
    assert provider.fetch(ZONE)
    with pytest.raises(PaquetError, match="does not accept the key reader") as refused:
        provider.apply(ZONE, created(HOST))
    assert "`update`" in refused.value.hint


def test_a_zone_of_someone_else_is_refused_with_a_hint(server: Running) -> None:
    with pytest.raises(PaquetError, match=r"the zone elsewhere\.test") as refused:
        server.provider().fetch("elsewhere.test")
    assert "elsewhere.test really a zone" in refused.value.hint
    with pytest.raises(PaquetError, match=r"the zone elsewhere\.test"):
        server.provider().apply("elsewhere.test", created(HOST))


def test_a_server_that_is_down_is_named_with_its_port(server: Running) -> None:
    provider = Running(1, server.secret).provider()
    with pytest.raises(PaquetError, match=r"127\.0\.0\.1 port 1 does not answer"):
        provider.fetch(ZONE)


def test_a_lookup_tells_found_from_absent_from_failed(server: Running) -> None:
    found = ask("neighbour.paquet.test", "A", server.asked)
    assert (found.outcome, found.values) == (Outcome.FOUND, ("203.0.113.99",))
    assert found.is_authoritative
    assert ask("nobody.paquet.test", "A", server.asked).outcome is Outcome.ABSENT
    no_mail = ask("neighbour.paquet.test", "MX", server.asked)
    assert (no_mail.outcome, no_mail.reason) == (Outcome.ABSENT, "the name has no MX")
    assert ask("elsewhere.test", "A", server.asked).outcome is Outcome.FAILED
    assert ask("x.test", "A", NameServer("127.0.0.1", 1)).outcome is Outcome.FAILED


def test_the_servers_that_decide_about_a_name_are_those_of_its_zone(server: Running) -> None:
    found = authoritative_servers("deep.below.paquet.test", server.asked)
    assert found == [NameServer("127.0.0.1")]


def test_an_address_is_looked_up_at_the_given_server(server: Running) -> None:
    assert address_of("neighbour.paquet.test", server.asked) == "203.0.113.99"
    assert address_of("198.18.0.1", server.asked) == "198.18.0.1"
    with pytest.raises(PaquetError, match="has no address: the name does not exist"):
        address_of("nobody.paquet.test", server.asked)
