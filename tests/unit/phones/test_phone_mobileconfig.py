from __future__ import annotations

import plistlib
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs7
from hypothesis import given, settings
from lxml import etree
from pydantic import SecretStr

from provision.errors import PaquetError
from provision.phones.mobileconfig import profile_plist, read_signer, sign_profile
from provision.process.commands import is_installed, run
from tests.unit.phones.phone_certificates import make_chain, private_pem
from tests.unit.phones.phone_examples import LIGHT, NEXTCLOUD, PLAIN_SECRET, assert_golden, syncs

if TYPE_CHECKING:
    from pathlib import Path

    from provision.phones.devices import Sync
    from tests.unit.phones.phone_certificates import Chain

needs_openssl = pytest.mark.skipif(not is_installed("openssl"), reason="openssl is not installed")

# Required keys and the type of every key that is used: apple/device-management, mdm/profiles.
ALWAYS = {
    "PayloadType": str,
    "PayloadVersion": int,
    "PayloadIdentifier": str,
    "PayloadUUID": str,
}
DAV = {
    "AccountDescription": str,
    "HostName": str,
    "Port": int,
    "UseSSL": bool,
    "Username": str,
    "Password": str,
}
SERVER = {
    "MailServerAuthentication": str,
    "MailServerHostName": str,
    "MailServerPortNumber": int,
    "MailServerUseSSL": bool,
    "MailServerUsername": str,
    "Password": str,
}
MAIL = {
    "EmailAccountDescription": str,
    "EmailAccountName": str,
    "EmailAccountType": str,
    "EmailAddress": str,
}
SCHEMA = {
    "com.apple.caldav.account": ALWAYS | {f"CalDAV{key}": kind for key, kind in DAV.items()},
    "com.apple.carddav.account": ALWAYS | {f"CardDAV{key}": kind for key, kind in DAV.items()},
    "com.apple.mail.managed": ALWAYS
    | MAIL
    | {f"{way}{key}": kind for way in ("Incoming", "Outgoing") for key, kind in SERVER.items()},
}


@pytest.fixture(scope="session", params=["ec", "rsa"])
def chain(request: pytest.FixtureRequest) -> Chain:
    if request.param == "ec":
        return make_chain(ec.generate_private_key(ec.SECP256R1()))
    return make_chain(rsa.generate_private_key(65537, 2048))


def payloads(sync: Sync) -> dict[str, dict[str, Any]]:
    profile = plistlib.loads(profile_plist(sync))
    return {payload["PayloadType"]: payload for payload in profile["PayloadContent"]}


def verify(signed: bytes, chain: Chain, folder: Path) -> int:
    """Ask openssl whether the signature leads to the root; the profile is left in `out`."""
    (folder / "in").write_bytes(signed)
    (folder / "root.pem").write_bytes(chain.root)
    command = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-purpose", "any"]
    command += ["-in", str(folder / "in"), "-CAfile", str(folder / "root.pem")]
    return run([*command, "-out", str(folder / "out")], check=False).returncode


@pytest.mark.parametrize("sync", [NEXTCLOUD, LIGHT], ids=lambda sync: sync.cloud)
def test_the_profile_is_the_golden_one(sync: Sync) -> None:
    assert_golden(f"{sync.cloud}.mobileconfig", profile_plist(sync).decode())


def test_every_key_is_one_of_apples_with_its_type() -> None:
    found = payloads(NEXTCLOUD)
    assert set(found) == set(SCHEMA)
    for kind, payload in found.items():
        assert {key: type(value) for key, value in payload.items()} == SCHEMA[kind]
        assert payload["PayloadVersion"] == 1


def test_tls_is_said_explicitly_because_apples_default_is_none() -> None:
    mail = payloads(NEXTCLOUD)["com.apple.mail.managed"]
    assert mail["IncomingMailServerUseSSL"] is True
    assert mail["OutgoingMailServerUseSSL"] is True
    assert (mail["IncomingMailServerPortNumber"], mail["OutgoingMailServerPortNumber"]) == (
        993,
        465,
    )


def test_ports_are_integers_because_a_real_damages_the_whole_profile() -> None:
    text = profile_plist(NEXTCLOUD).decode()
    assert "<real" not in text
    assert text.count("<integer>443</integer>") == 2


def test_there_is_no_principal_url_and_no_lock() -> None:
    text = profile_plist(NEXTCLOUD).decode()
    for trap in ("PrincipalURL", "SMIME", "RemovalDisallowed"):
        assert trap not in text


def test_a_later_profile_replaces_this_one_whatever_its_secret_or_name() -> None:
    later = replace(
        NEXTCLOUD, secret=SecretStr("z" * 28), display_name="Alice B.", device_name="Other"
    )
    first, second = payloads(NEXTCLOUD), payloads(later)
    for kind, payload in first.items():
        for key in ("PayloadIdentifier", "PayloadUUID"):
            assert second[kind][key] == payload[key]
    assert (
        plistlib.loads(profile_plist(later))["PayloadUUID"]
        == (plistlib.loads(profile_plist(NEXTCLOUD))["PayloadUUID"])
    )


def test_two_people_have_nothing_in_common_and_one_profile_no_twice() -> None:
    profiles = [plistlib.loads(profile_plist(sync)) for sync in (NEXTCLOUD, LIGHT)]
    parts = [part for profile in profiles for part in (profile, *profile["PayloadContent"])]
    for key in ("PayloadIdentifier", "PayloadUUID"):
        assert len({part[key] for part in parts}) == 8
    assert profiles[0]["PayloadIdentifier"].startswith("test.exemple.paquet.")


def test_consent_is_asked_in_french_and_english() -> None:
    consent = plistlib.loads(profile_plist(LIGHT))["ConsentText"]
    assert set(consent) == {"default", "fr", "en"}
    assert consent["default"] == consent["en"]
    assert "04 76 00 00 00" in consent["fr"]


@settings(deadline=None)
@given(syncs())
def test_plistlib_and_lxml_read_back_what_was_written(sync: Sync) -> None:
    mail = payloads(sync)["com.apple.mail.managed"]
    assert mail["EmailAccountName"] == sync.display_name
    assert mail["EmailAccountDescription"] == sync.operator_name
    assert mail["EmailAddress"] == mail["IncomingMailServerUsername"] == sync.address
    assert mail["IncomingPassword"] == mail["OutgoingPassword"] == sync.secret.get_secret_value()
    root = etree.fromstring(profile_plist(sync))
    (name,) = root.xpath("//key[.='EmailAccountName']/following-sibling::string[1]")
    assert (name.text or "") == sync.display_name
    assert len(list(root.iter())) == len(list(etree.fromstring(profile_plist(NEXTCLOUD)).iter()))


@needs_openssl
def test_openssl_verifies_the_signature_and_gives_the_profile_back(
    chain: Chain, tmp_path: Path
) -> None:
    plist = profile_plist(NEXTCLOUD)
    signed = sign_profile(plist, read_signer(chain.fullchain, chain.key))
    assert verify(signed, chain, tmp_path) == 0
    assert (tmp_path / "out").read_bytes() == plist
    assert plistlib.loads((tmp_path / "out").read_bytes())["PayloadType"] == "Configuration"


@needs_openssl
@pytest.mark.parametrize("part", ["secret", "host"])
def test_a_changed_profile_is_not_verified(chain: Chain, tmp_path: Path, part: str) -> None:
    old = {"secret": PLAIN_SECRET, "host": NEXTCLOUD.cloud_host}[part].encode()
    signed = sign_profile(profile_plist(NEXTCLOUD), read_signer(chain.fullchain, chain.key))
    assert old in signed
    assert verify(signed.replace(old, old[::-1]), chain, tmp_path) != 0


@needs_openssl
def test_without_the_intermediate_the_signature_would_lead_nowhere(
    chain: Chain, tmp_path: Path
) -> None:
    signer = read_signer(chain.fullchain, chain.key)
    alone = sign_profile(profile_plist(NEXTCLOUD), replace(signer, intermediates=()))
    assert verify(alone, chain, tmp_path) != 0
    assert len(signer.intermediates) == 1


def test_the_profile_inside_the_signature_is_byte_for_byte_the_profile(chain: Chain) -> None:
    """Options.Binary: without it line ends become CRLF."""
    plist = profile_plist(NEXTCLOUD)
    signed = sign_profile(plist, read_signer(chain.fullchain, chain.key))
    assert plist in signed
    assert len(pkcs7.load_der_pkcs7_certificates(signed)) == 2


@pytest.mark.parametrize("wrong", ["key of another", "not a key", "not a chain", "odd key"])
def test_what_cannot_sign_is_refused_with_a_hint(chain: Chain, wrong: str) -> None:
    fullchain, key = chain.fullchain, chain.key
    if wrong == "key of another":
        key = private_pem(ec.generate_private_key(ec.SECP256R1()))
    elif wrong == "not a key":
        key = b"-----BEGIN PRIVATE KEY-----\n"
    elif wrong == "not a chain":
        fullchain = b""
    else:
        key = private_pem(ed25519.Ed25519PrivateKey.generate())  # type: ignore[arg-type]
    with pytest.raises(PaquetError) as refused:
        read_signer(fullchain, key)
    assert refused.value.hint
