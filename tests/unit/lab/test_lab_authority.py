"""The certificates of the lab's own authority, judged by a verifier."""

from __future__ import annotations

import datetime as dt
import ipaddress

import pytest
from cryptography import x509
from cryptography.x509 import verification

from provision.lab import authority

NOW = dt.datetime(2030, 1, 1, tzinfo=dt.UTC)
ISSUED = authority.issue(["acme.ailleurs.test", "198.18.7.2"], NOW)


def _verifier(subject: x509.DNSName | x509.IPAddress) -> verification.ServerVerifier:
    trusted = verification.Store([x509.load_pem_x509_certificate(ISSUED.authority.encode())])
    return verification.PolicyBuilder().store(trusted).time(NOW).build_server_verifier(subject)


@pytest.mark.parametrize(
    "subject",
    [
        x509.DNSName("acme.ailleurs.test"),
        x509.IPAddress(ipaddress.ip_address("198.18.7.2")),
    ],
)
def test_a_client_trusts_the_certificate(subject: x509.DNSName | x509.IPAddress) -> None:
    leaf = x509.load_pem_x509_certificate(ISSUED.certificate.encode())
    assert _verifier(subject).verify(leaf, [])[0] == leaf


def test_a_client_refuses_it_for_another_name() -> None:
    leaf = x509.load_pem_x509_certificate(ISSUED.certificate.encode())
    with pytest.raises(verification.VerificationError):
        _verifier(x509.DNSName("bank.test")).verify(leaf, [])


def test_every_tsig_secret_is_another() -> None:
    assert authority.new_tsig_secret() != authority.new_tsig_secret()
