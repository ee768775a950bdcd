from __future__ import annotations

import base64
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.dns.records import BundleNames, Record, bundle_records, text
from provision.dns.zone import parse_zone, registrar_rows, registrar_table, zone_text
from provision.errors import PaquetError

GOLDEN = Path(__file__).parent / "golden"
IN_OUR_ZONE = BundleNames(
    domain="alice.paquet.test",
    zone="paquet.test",
    host="alice.paquet.test",
    mail_host="bundles1.paquet.test",
    address="203.0.113.10",
    dkim_selector="paquet",
    dkim_public_key=base64.b64encode(bytes(range(256)) + bytes(38)).decode(),
    dav_path="/dav/",
)
OWN_DOMAIN = replace(
    IN_OUR_ZONE,
    domain="exemple.test",
    zone="exemple.test",
    host="cloud.exemple.test",
    address6="2001:db8::10",
    certificate_issuer="letsencrypt.org",
    dav_path="/remote.php/dav/",
)

LABELS = st.from_regex(r"[a-z0-9]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
HOSTS = st.builds("{}.{}.".format, LABELS, LABELS)
PORTS = st.integers(0, 65535)
VALUES = st.one_of(
    st.tuples(st.just("A"), st.ip_addresses(v=4).map(str)),
    st.tuples(st.just("AAAA"), st.ip_addresses(v=6).map(str)),
    st.tuples(st.just("MX"), st.builds("{} {}".format, PORTS, HOSTS)),
    st.tuples(st.just("SRV"), st.builds("{} {} {} {}".format, PORTS, PORTS, PORTS, HOSTS)),
    st.tuples(st.just("TXT"), st.text(st.characters(exclude_categories=["Cs"])).map(text)),
    st.tuples(st.just("CAA"), st.builds('0 issue "{}"'.format, LABELS)),
)
OWNERS = st.builds("{}.paquet.test.".format, LABELS)


@st.composite
def zones(draw: st.DrawFn) -> list[Record]:
    rows = draw(st.lists(st.tuples(OWNERS, VALUES, st.integers(0, 2**31 - 1)), max_size=12))
    found = {(name, kind): Record(name, kind, ttl, (value,)) for name, (kind, value), ttl in rows}
    return sorted(found.values(), key=lambda record: record.key)


def golden(name: str, written: str) -> str:
    """The expected text; a missing golden file is written and the test fails once."""
    file = GOLDEN / name
    if not file.exists():
        file.write_text(written, encoding="utf-8")
        pytest.fail(f"{file} was written: read it, then run again")
    return file.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("names", "slug"), [(IN_OUR_ZONE, "in-our-zone"), (OWN_DOMAIN, "own-domain")]
)
def test_a_bundle_is_printed_as_a_zone_and_as_a_table(names: BundleNames, slug: str) -> None:
    records = bundle_records(names)
    zone = zone_text(records)
    assert zone == golden(f"{slug}.zone", zone)
    table = registrar_table(records, names.zone)
    assert table == golden(f"{slug}.table", table)


@pytest.mark.parametrize("names", [IN_OUR_ZONE, OWN_DOMAIN])
def test_a_printed_bundle_is_read_back_as_it_was(names: BundleNames) -> None:
    records = bundle_records(names)
    assert parse_zone(zone_text(records), names.zone) == records


@given(zones())
def test_any_zone_is_read_back_as_it_was(records: list[Record]) -> None:
    assert parse_zone(zone_text(records), "paquet.test") == records


def test_a_broken_zone_file_is_refused_with_its_place() -> None:
    with pytest.raises(PaquetError, match="no zone file"):
        parse_zone("alice 60 IN A 203.0.113.300\n", "paquet.test")


def test_a_form_gets_priority_apart_and_text_without_quotes() -> None:
    rows = {
        (row.host, row.type): row
        for row in registrar_rows(bundle_records(OWN_DOMAIN), OWN_DOMAIN.zone)
    }
    assert (rows["@", "MX"].priority, rows["@", "MX"].value) == ("10", "bundles1.paquet.test.")
    service = rows["_imaps._tcp", "SRV"]
    assert (service.priority, service.value) == ("0", "1 993 bundles1.paquet.test.")
    assert rows["@", "TXT"].value == "v=spf1 mx -all"
    assert " " not in rows["paquet._domainkey", "TXT"].value.split("p=")[1]


def test_nothing_to_print_is_an_empty_zone() -> None:
    assert zone_text([]) == ""
