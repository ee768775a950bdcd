from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.dns.changes import (
    ChangeSet,
    Limits,
    Update,
    ZoneScope,
    bundle_scope,
    describe,
    own_scope,
    plan,
    raise_if_unsafe,
)
from provision.dns.records import BundleNames, Record, bundle_records
from provision.errors import UnsafeChange

OWN = BundleNames(
    domain="exemple.test",
    zone="exemple.test",
    host="cloud.exemple.test",
    mail_host="bundles1.paquet.test",
    address="203.0.113.10",
    dkim_selector="paquet",
    dkim_public_key=base64.b64encode(bytes(294)).decode(),
    dav_path="/dav/",
)
IN_OUR_ZONE = replace(OWN, domain="alice.paquet.test", zone="paquet.test", host="alice.paquet.test")
VERIFICATION = '"some-verification=1234"'

RECORDS = st.builds(
    lambda name, kind, number, ttl: Record(
        f"{name}.test.", kind, ttl, (f"203.0.113.{number}" if kind == "A" else f'"{number}"',)
    ),
    st.sampled_from("abcdef"),
    st.sampled_from(["A", "TXT"]),
    st.integers(0, 255),
    st.sampled_from([60, 3600]),
)
ZONES = st.lists(RECORDS, max_size=12, unique_by=lambda record: record.key)


def applied(actual: list[Record], changes: ChangeSet) -> set[Record]:
    """What a name server has after the changes."""
    gone = {*changes.deletes, *(update.before for update in changes.updates)}
    assert gone <= set(actual)
    return (set(actual) - gone) | {*changes.creates, *(each.after for each in changes.updates)}


@given(ZONES, ZONES, st.frozensets(st.sampled_from("abcdef")))
def test_a_plan_makes_its_scope_as_desired_and_leaves_the_rest(
    wished: list[Record], actual: list[Record], letters: frozenset[str]
) -> None:
    scope = ZoneScope(frozenset(f"{letter}.test." for letter in letters))
    desired = [record for record in wished if scope.covers(record)]
    after = applied(actual, plan(desired, actual, scope))
    assert {record for record in after if scope.covers(record)} == set(desired)
    assert {r for r in after if not scope.covers(r)} == {r for r in actual if not scope.covers(r)}
    assert plan(desired, after, scope).is_empty


@given(ZONES)
def test_what_is_as_desired_needs_no_change(records: list[Record]) -> None:
    scope = ZoneScope(frozenset(record.name for record in records))
    assert plan(records, records, scope).is_empty


def test_the_web_site_of_an_own_domain_is_left_alone() -> None:
    site = Record("exemple.test.", "A", 300, ("192.0.2.80",))
    shop = Record("shop.exemple.test.", "CNAME", 300, ("shops.example.",))
    changes = plan([], [site, shop, *bundle_records(OWN)], bundle_scope(OWN))
    assert set(changes.deletes) == set(bundle_records(OWN))


def test_a_verification_beside_the_spf_record_stays() -> None:
    before = Record("exemple.test.", "TXT", 300, (VERIFICATION, '"v=spf1 include:old.test ~all"'))
    (update,) = plan(bundle_records(OWN), [before], bundle_scope(OWN)).updates
    assert set(update.after.values) == {VERIFICATION, '"v=spf1 mx -all"'}
    (goodbye,) = plan([], [update.after], bundle_scope(OWN)).updates
    assert goodbye.after.values == (VERIFICATION,)


def test_a_second_spf_record_is_not_created_beside_ours() -> None:
    """RFC 7208 §3.2: two SPF records are a permanent error."""
    both = Record("exemple.test.", "TXT", 3600, ('"v=spf1 a -all"', '"v=spf1 mx -all"'))
    (update,) = plan(bundle_records(OWN), [both], bundle_scope(OWN)).updates
    assert update.after.values == ('"v=spf1 mx -all"',)


def test_the_servers_own_records_of_a_zone_are_never_touched() -> None:
    kept = [
        Record("exemple.test.", "NS", 300, ("ns.exemple.test.",)),
        Record("cloud.exemple.test.", "DS", 300, (f"1 13 2 {'AB' * 32}",)),
    ]
    assert plan([], kept, bundle_scope(OWN)).is_empty


def test_a_bundle_does_not_touch_its_neighbour_or_its_server() -> None:
    neighbour = replace(IN_OUR_ZONE, domain="bob.paquet.test", host="bob.paquet.test")
    actual = [*bundle_records(neighbour), Record("bundles1.paquet.test.", "A", 60, ("192.0.2.1",))]
    changes = plan(bundle_records(IN_OUR_ZONE), actual, bundle_scope(IN_OUR_ZONE))
    assert (changes.updates, changes.deletes, changes.existing) == ((), (), 0)


def test_own_names_change_only_what_they_need() -> None:
    spf = Record("bundles1.paquet.test.", "TXT", 60, ('"v=spf1 a -all"',))
    address = Record("bundles1.paquet.test.", "AAAA", 60, ("2001:db8::1",))
    note = Record("bundles1.paquet.test.", "TXT", 60, ('"a note"', '"v=spf1 mx"'))
    desired = [spf, Record("paquet.test.", "TXT", 60, ('"v=spf1 -all"',))]
    changes = plan(desired, [address, note], own_scope(desired))
    (update,) = changes.updates
    assert set(update.after.values) == {'"a note"', '"v=spf1 a -all"'}
    assert (changes.creates, changes.deletes) == ((desired[1],), ())


def numbered(count: int, octet: int = 1) -> list[Record]:
    return [Record(f"n{n}.test.", "A", 60, (f"203.0.113.{octet}",)) for n in range(count)]


def changed(existing: int, updates: int, deletes: int) -> ChangeSet:
    before, after = numbered(updates), numbered(updates, 2)
    pairs = tuple(Update(*pair) for pair in zip(before, after, strict=True))
    return ChangeSet((), pairs, tuple(numbered(deletes)), existing)


@pytest.mark.parametrize(
    ("existing", "updates", "deletes"),
    [(10, 3, 3), (9, 9, 0), (9, 0, 9), (0, 0, 0), (100, 30, 30)],
)
def test_a_careful_change_passes(existing: int, updates: int, deletes: int) -> None:
    raise_if_unsafe(changed(existing, updates, deletes))


@pytest.mark.parametrize(
    ("updates", "deletes", "word"), [(4, 0, "change 4 of 10"), (0, 4, "delete 4 of 10")]
)
def test_a_change_of_more_than_a_third_must_be_forced(
    updates: int, deletes: int, word: str
) -> None:
    with pytest.raises(UnsafeChange, match=word) as refused:
        raise_if_unsafe(changed(10, updates, deletes))
    assert "--force" in refused.value.hint
    assert refused.value.exit_code == 4


def test_whoever_means_it_can_raise_the_limits() -> None:
    raise_if_unsafe(changed(10, 0, 10), Limits(deletes=1.0))


def test_a_plan_is_told_as_rows() -> None:
    scope = ZoneScope(frozenset({"a.test.", "b.test.", "c.test."}))
    before = Record("b.test.", "A", 60, ("203.0.113.1",))
    after = Record("b.test.", "A", 60, ("203.0.113.2",))
    new = Record("a.test.", "A", 60, ("203.0.113.3",))
    old = Record("c.test.", "A", 60, ("203.0.113.4",))
    rows = describe(plan([new, after], [before, old], scope))
    assert [(row["action"], row["name"]) for row in rows] == [
        ("create", "a.test."),
        ("update", "b.test."),
        ("delete", "c.test."),
    ]
    assert rows[1]["before"] == ["203.0.113.1"]
    assert rows[1]["values"] == ["203.0.113.2"]
