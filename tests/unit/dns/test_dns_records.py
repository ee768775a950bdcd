from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from provision.dns.hostnames import absolute, address_type, is_within, relative
from provision.dns.records import (
    BundleNames,
    Record,
    bundle_records,
    certificate_issuer,
    has_policy,
    plain_text,
    server_records,
    text,
    zone_records,
)
from provision.errors import PaquetError

KEY = base64.b64encode(bytes(range(256)) + bytes(38)).decode()
ALICE = BundleNames(
    domain="alice.paquet.test",
    zone="paquet.test",
    host="alice.paquet.test",
    mail_host="bundles1.paquet.test",
    address="203.0.113.10",
    dkim_selector="paquet",
    dkim_public_key=KEY,
    dav_path="/remote.php/dav/",
)
OWN = replace(ALICE, domain="exemple.test", zone="exemple.test", host="cloud.exemple.test")


def values(names: BundleNames, name: str, record_type: str) -> tuple[str, ...]:
    found = {record.key: record.values for record in bundle_records(names)}
    return found.get((name, record_type), ())


@pytest.mark.parametrize(
    ("written", "absolute_name"),
    [
        ("Alice.Paquet.Test", "alice.paquet.test."),
        ("bücher.example", "xn--bcher-kva.example."),
        ("MÜNCHEN.de.", "xn--mnchen-3ya.de."),
        ("_imaps._tcp.alice.test", "_imaps._tcp.alice.test."),
        ("*.paquet.test", "*.paquet.test."),
    ],
)
def test_a_name_becomes_absolute_and_ascii(written: str, absolute_name: str) -> None:
    assert absolute(written) == absolute_name


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a..b",
        "-a.test",
        "a_b.test",
        "a b.test",
        "a\nb.test",
        "x" * 64 + ".test",
        "a." * 130 + "test",
        "{{ lookup('pipe','id') }}.test",
        "a;drop.test",
        "\u202eevil.test",
    ],
)
def test_what_is_no_name_is_refused(name: str) -> None:
    with pytest.raises(PaquetError, match="is not a DNS name"):
        absolute(name)


def test_a_name_is_told_relative_to_its_zone() -> None:
    assert relative("exemple.test", "exemple.test") == "@"
    assert relative("_dmarc.exemple.test.", "exemple.test") == "_dmarc"
    assert not is_within("notexemple.test.", "exemple.test.")
    with pytest.raises(PaquetError, match="is not a name in the zone"):
        relative("notexemple.test", "exemple.test")


def test_an_address_tells_its_record_type() -> None:
    assert address_type("203.0.113.1") == "A"
    assert address_type("2001:db8::1") == "AAAA"
    with pytest.raises(PaquetError, match="is not an IP address"):
        address_type("203.0.113.256")


def test_two_ways_of_writing_one_record_are_equal() -> None:
    one = Record("Mail.Example.", "mx", 60, ("10 MX.Example.", "20 b.example."))
    other = Record("mail.example.", "MX", 60, ("20  B.example.", "10 mx.example."))
    assert one == other
    assert one.key == ("mail.example.", "MX")


@pytest.mark.parametrize(
    ("record_type", "value"),
    [
        ("A", "203.0.113.256"),
        ("A", "2001:db8::1"),
        ("AAAA", "203.0.113.1"),
        ("MX", "70000 mx.example."),
        ("MX", "mx.example."),
        ("MX", "10 mx.example"),
        ("SRV", "0 1 99999 a.example."),
        ("SRV", "0 1 443 a"),
        ("CAA", "issue letsencrypt.org"),
        ("TXT", '"two\nlines"'),
        ("A", "203.0.113.1\nother.example. A 203.0.113.2"),
        ("NOSUCH", "x"),
    ],
)
def test_a_value_that_its_type_forbids_is_refused(record_type: str, value: str) -> None:
    with pytest.raises(PaquetError):
        Record("x.example.", record_type, 60, (value,))


@pytest.mark.parametrize(
    ("name", "ttl", "given_values"),
    [
        ("x.example", 60, ("203.0.113.1",)),
        ("bücher.example.", 60, ("203.0.113.1",)),
        ("x.example.", -1, ("203.0.113.1",)),
        ("x.example.", 2**31, ("203.0.113.1",)),
        ("x.example.", 60, ()),
    ],
)
def test_a_record_needs_name_lifetime_and_value(
    name: str, ttl: int, given_values: tuple[str, ...]
) -> None:
    with pytest.raises(PaquetError):
        Record(name, "A", ttl, given_values)


def test_a_name_has_at_most_one_cname() -> None:
    with pytest.raises(PaquetError, match="only one CNAME"):
        Record("x.example.", "CNAME", 60, ("a.example.", "b.example."))


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=700))
def test_any_text_survives_quoting_and_chunking(words: str) -> None:
    value = Record("x.example.", "TXT", 60, (text(words),)).values[0]
    assert plain_text(value) == words


def test_a_long_text_is_cut_into_chunks_of_255() -> None:
    assert text("a" * 256) == f'"{"a" * 255}" "a"'


def test_a_bundle_in_our_zone_answers_at_the_domain_itself() -> None:
    assert values(ALICE, "alice.paquet.test.", "A") == ("203.0.113.10",)
    assert values(ALICE, "autoconfig.alice.paquet.test.", "A") == ()
    assert ALICE.web_hosts == ("alice.paquet.test.",)


def test_an_own_domain_keeps_its_web_site_and_gets_a_cloud_beside_it() -> None:
    assert values(OWN, "exemple.test.", "A") == ()
    assert values(OWN, "cloud.exemple.test.", "A") == ("203.0.113.10",)
    assert values(OWN, "autoconfig.exemple.test.", "A") == ("203.0.113.10",)
    assert values(OWN, "_caldavs._tcp.exemple.test.", "SRV") == ("0 1 443 cloud.exemple.test.",)


def test_mail_is_signed_and_only_our_server_may_send_it() -> None:
    assert values(OWN, "exemple.test.", "MX") == ("10 bundles1.paquet.test.",)
    assert values(OWN, "exemple.test.", "TXT") == ('"v=spf1 mx -all"',)
    assert values(OWN, "_dmarc.exemple.test.", "TXT") == ('"v=DMARC1; p=quarantine"',)
    (dkim,) = values(OWN, "paquet._domainkey.exemple.test.", "TXT")
    assert plain_text(dkim) == f"v=DKIM1; k=rsa; p={KEY}"


def test_a_key_may_be_given_as_pem() -> None:
    pem = f"-----BEGIN PUBLIC KEY-----\n{KEY[:64]}\n{KEY[64:]}\n-----END PUBLIC KEY-----\n"
    assert bundle_records(replace(OWN, dkim_public_key=pem)) == bundle_records(OWN)


@pytest.mark.parametrize("key", ["", "not base64!", '"; p=evil'])
def test_a_broken_key_is_refused(key: str) -> None:
    with pytest.raises(PaquetError, match="not base64"):
        bundle_records(replace(OWN, dkim_public_key=key))


def test_phones_learn_where_dav_starts_and_that_plain_imap_and_pop_are_absent() -> None:
    for service in ("_caldavs", "_carddavs"):
        name = f"{service}._tcp.alice.paquet.test."
        assert values(ALICE, name, "TXT") == ('"path=/remote.php/dav/"',)
    for service in ("_imap", "_pop3", "_pop3s"):
        assert values(ALICE, f"{service}._tcp.alice.paquet.test.", "SRV") == ("0 0 0 .",)


def test_caa_stands_only_on_names_that_we_certify() -> None:
    names = replace(OWN, certificate_issuer="letsencrypt.org")
    owners = [record.name for record in bundle_records(names) if record.type == "CAA"]
    assert owners == ["autoconfig.exemple.test.", "cloud.exemple.test."]


def test_only_a_known_authority_has_a_caa_identity() -> None:
    assert certificate_issuer("https://acme-v02.api.letsencrypt.org/directory") == "letsencrypt.org"
    assert certificate_issuer("https://198.18.0.4:14000/dir") == ""


def test_a_second_address_is_published_beside_the_first() -> None:
    names = replace(ALICE, address6="2001:db8::10")
    assert values(names, "alice.paquet.test.", "AAAA") == ("2001:db8::10",)


def test_a_server_may_greet_with_its_own_name() -> None:
    assert server_records("bundles1.paquet.test", "203.0.113.10") == [
        Record("bundles1.paquet.test.", "A", 3600, ("203.0.113.10",)),
        Record("bundles1.paquet.test.", "TXT", 3600, ('"v=spf1 a -all"',)),
        Record("_dmarc.bundles1.paquet.test.", "TXT", 3600, ('"v=DMARC1; p=quarantine"',)),
    ]


NOBODY_SENDS = Record("paquet.test.", "TXT", 3600, ('"v=spf1 -all"',))
REJECTED = Record("_dmarc.paquet.test.", "TXT", 3600, ('"v=DMARC1; p=reject"',))


@pytest.mark.parametrize(
    ("actual", "wanted"),
    [
        ([], [NOBODY_SENDS, REJECTED]),
        ([Record("paquet.test.", "MX", 60, ("0 .",))], [NOBODY_SENDS, REJECTED]),
        ([Record("paquet.test.", "MX", 60, ("10 mail.ailleurs.test.",))], []),
        ([Record("jeanne.paquet.test.", "MX", 60, ("10 x.test.",))], [NOBODY_SENDS, REJECTED]),
    ],
)
def test_a_zone_that_takes_no_mail_says_that_nobody_sends_in_its_name(
    actual: list[Record], wanted: list[Record]
) -> None:
    assert zone_records("paquet.test", actual) == wanted


@pytest.mark.parametrize(
    ("value", "has_one"),
    [('"v=spf1 include:x.test ~all"', True), ('"verification=1"', False), ('"v=DMARC1"', False)],
)
def test_a_policy_that_stands_is_seen(value: str, *, has_one: bool) -> None:
    assert has_policy(NOBODY_SENDS, [replace(NOBODY_SENDS, values=(value,))]) is has_one
    assert not has_policy(REJECTED, [replace(NOBODY_SENDS, values=(value,))])
