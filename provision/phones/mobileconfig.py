"""Apple's configuration profile: calendars, contacts and mail of one device, signed."""

from __future__ import annotations

import plistlib
import uuid
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import pkcs7

from provision.errors import PaquetError
from provision.rendering import render

if TYPE_CHECKING:
    from provision.phones.devices import Sync

HTTPS_PORT = 443
IMAPS_PORT = 993
SUBMISSIONS_PORT = 465
PASSWORD = "EmailAuthPassword"  # noqa: S105 -- the name of a method, not a password


@dataclass(frozen=True)
class Signer:
    """A certificate, the intermediates that lead to its root, and its private key."""

    certificate: x509.Certificate
    intermediates: tuple[x509.Certificate, ...]
    key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


def read_signer(chain_pem: bytes, key_pem: bytes) -> Signer:
    """Given `fullchain.pem` (leaf first) and `key.pem`, return what signs profiles.

    Raises PaquetError when either cannot be read, or when they do not belong together.
    """
    try:
        leaf, *others = x509.load_pem_x509_certificates(chain_pem)
        key = serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError) as wrong:
        raise PaquetError(
            f"The certificate or its key cannot be read: {wrong}",
            "Give a chain and an unencrypted key in PEM form, as an ACME client writes them.",
        ) from wrong
    if not isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey):
        raise PaquetError(
            "Profiles are signed with an RSA or an elliptic-curve key only",
            "Use the certificate of the server's web site.",
        )
    if key.public_key() != leaf.public_key():
        raise PaquetError(
            "The key is not the key of the first certificate of the chain",
            "Give the chain and the key of the same name, the server's certificate first.",
        )
    return Signer(leaf, tuple(others), key)


def profile_plist(sync: Sync) -> bytes:
    """Return the profile as an XML property list (apple/device-management, mdm/profiles).

    The password is inside: without it an iPhone asks three times for 28 characters, and it is
    of this device only and can be revoked (Apple advises encryption, which needs a managed
    device). Identifiers come from the address, so that a later profile replaces this one.
    """
    identifier = ".".join([*reversed(sync.domain.split(".")), "paquet", _uuid(sync, "identifier")])
    payloads = [
        _dav_payload(sync, "CalDAV", "com.apple.caldav.account"),
        _dav_payload(sync, "CardDAV", "com.apple.carddav.account"),
        _mail_payload(sync),
    ]
    for payload in payloads:
        kind = str(payload["PayloadType"])
        payload["PayloadIdentifier"] = f"{identifier}.{kind.split('.')[2]}"
        payload["PayloadUUID"] = _uuid(sync, kind)
        payload["PayloadVersion"] = 1
    profile = {
        "PayloadType": "Configuration",
        "PayloadVersion": 1,
        "PayloadIdentifier": identifier,
        "PayloadUUID": _uuid(sync, "Configuration"),
        "PayloadDisplayName": f"{sync.operator_name} ({sync.address})",
        "PayloadOrganization": sync.operator_name,
        "PayloadDescription": _description(sync, sync.language),
        "ConsentText": {
            "default": _description(sync, sync.language),
            "fr": _description(sync, "fr"),
            "en": _description(sync, "en"),
        },
        "PayloadContent": payloads,
    }
    return plistlib.dumps(profile)


def sign_profile(plist: bytes, signer: Signer) -> bytes:
    """Return the profile inside its signature: CMS SignedData, DER, intermediates included.

    Same as `openssl cms -sign -binary -nodetach -outform DER -certfile intermediates.pem`.
    """
    builder = (
        pkcs7.PKCS7SignatureBuilder()
        .set_data(plist)
        .add_signer(signer.certificate, signer.key, hashes.SHA256())
    )
    for intermediate in signer.intermediates:
        builder = builder.add_certificate(intermediate)
    return builder.sign(serialization.Encoding.DER, [pkcs7.PKCS7Options.Binary])


def _dav_payload(sync: Sync, prefix: str, kind: str) -> dict[str, object]:
    # No PrincipalURL: iOS ignores it for calendars, and iOS and macOS read it differently for
    # contacts. Both ask /.well-known on the host instead.
    return {
        "PayloadType": kind,
        f"{prefix}AccountDescription": sync.operator_name,
        f"{prefix}HostName": sync.cloud_host,
        f"{prefix}Port": HTTPS_PORT,
        f"{prefix}UseSSL": True,
        f"{prefix}Username": sync.address,
        f"{prefix}Password": sync.secret.get_secret_value(),
    }


def _mail_payload(sync: Sync) -> dict[str, object]:
    # UseSSL is false by default, and no key asks for STARTTLS: the TLS ports, said explicitly.
    servers: dict[str, object] = {
        f"{way}MailServer{key}": value
        for way, port in (("Incoming", IMAPS_PORT), ("Outgoing", SUBMISSIONS_PORT))
        for key, value in (
            ("HostName", sync.mail_host),
            ("PortNumber", port),
            ("UseSSL", True),
            ("Authentication", PASSWORD),
            ("Username", sync.address),
        )
    }
    return servers | {
        "PayloadType": "com.apple.mail.managed",
        "EmailAccountType": "EmailTypeIMAP",
        "EmailAccountDescription": sync.operator_name,
        "EmailAccountName": sync.display_name,
        "EmailAddress": sync.address,
        "IncomingPassword": sync.secret.get_secret_value(),
        "OutgoingPassword": sync.secret.get_secret_value(),
    }


def _description(sync: Sync, language: str) -> str:
    words = {"operator": sync.operator_name, "support": sync.support.contact}
    return render(f"phones/consent.{language}.txt", words).strip()


def _uuid(sync: Sync, part: str) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{sync.address}#{part}")).upper()
