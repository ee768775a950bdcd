"""The keys that the lab's world is built on: its certificate authority, DKIM and TSIG secrets."""

from __future__ import annotations

import base64
import datetime as dt
import ipaddress
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

if TYPE_CHECKING:
    from collections.abc import Sequence

VALID = dt.timedelta(days=800)  # clients refuse leaves that live longer than 825
EARLIER = dt.timedelta(days=1)
TSIG_BYTES = 32


@dataclass(frozen=True)
class Issued:
    """A certificate of the lab's own authority: three texts in PEM."""

    authority: str
    certificate: str
    key: str


def issue(names: Sequence[str], now: dt.datetime) -> Issued:
    """Make an authority and one certificate for `names` (host names and addresses).

    The key of the authority is forgotten: it signs nothing else, ever.
    """
    authority_key, key = ec.generate_private_key(ec.SECP256R1()), _new_key()
    authority_name = _named("Paquet lab")
    authority = (
        _begun(authority_name, authority_name, authority_key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_AUTHORITY_USE, critical=True)
        .sign(authority_key, hashes.SHA256())
    )
    identifier = x509.AuthorityKeyIdentifier.from_issuer_public_key(authority_key.public_key())
    alternatives = [_general(name) for name in names]
    certificate = (
        _begun(_named(names[0]), authority_name, key.public_key(), now)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
        .add_extension(identifier, critical=False)
        .sign(authority_key, hashes.SHA256())
    )
    return Issued(_pem(authority), _pem(certificate), _private_pem(key))


def new_dkim_key() -> tuple[str, str]:
    """Return a DKIM key: the private part in PEM, and the TXT that publishes it (RFC 6376 §3.6)."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return _private_pem(key), f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}"


def new_tsig_secret() -> str:
    """Return a secret for hmac-sha256 in base64, as knot.conf(5) and RFC 8945 keys want it."""
    return base64.b64encode(secrets.token_bytes(TSIG_BYTES)).decode()


_AUTHORITY_USE = x509.KeyUsage(
    digital_signature=False,
    content_commitment=False,
    key_encipherment=False,
    data_encipherment=False,
    key_agreement=False,
    key_cert_sign=True,
    crl_sign=True,
    encipher_only=False,
    decipher_only=False,
)


def _begun(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: dt.datetime
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + VALID)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _new_key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _named(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])


def _general(name: str) -> x509.GeneralName:
    try:
        return x509.IPAddress(ipaddress.ip_address(name))
    except ValueError:
        return x509.DNSName(name)


def _pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _private_pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
