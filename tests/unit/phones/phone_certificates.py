"""A root, an intermediate and a server's certificate, as an ACME authority would give them."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

Key = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
BEGINS = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@dataclass(frozen=True)
class Authority:
    """A certificate that signs others."""

    certificate: x509.Certificate
    key: Key


@dataclass(frozen=True)
class Chain:
    """What `fullchain.pem`, `key.pem` and the root hold, in PEM."""

    fullchain: bytes
    key: bytes
    root: bytes


def make_chain(key: Key, *, until: int = 2100) -> Chain:
    """Return the chain of `key`, its leaf valid until the first day of that year."""
    root_key, middle_key = (
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP256R1()),
    )
    root = _issue("Root", root_key, None, until=2100)
    middle = _issue("Middle", middle_key, Authority(root, root_key), until=2100)
    leaf = _issue("bundles1.paquet.test", key, Authority(middle, middle_key), until=until)
    return Chain(_pem(leaf) + _pem(middle), private_pem(key), _pem(root))


def private_pem(key: Key) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )


def _issue(name: str, key: Key, issuer: Authority | None, *, until: int) -> x509.Certificate:
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    signs = issuer is None or name == "Middle"
    usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer.certificate.subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(BEGINS)
        .not_valid_after(dt.datetime(until, 1, 1, tzinfo=dt.UTC))
        .add_extension(x509.BasicConstraints(ca=signs, path_length=None), critical=True)
    )
    if not signs:
        builder = builder.add_extension(usage, critical=False)
    return builder.sign(issuer.key if issuer else key, hashes.SHA256())


def _pem(certificate: x509.Certificate) -> bytes:
    return certificate.public_bytes(serialization.Encoding.PEM)
