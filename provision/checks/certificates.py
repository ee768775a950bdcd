"""Certificates and TLS, at every door that offers them."""

from __future__ import annotations

import ssl
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, cast

from provision.checks.dial import Service, dial, secure, sieve_starts_tls, smtp_starts_tls
from provision.checks.findings import Check, error, ok, warning
from provision.checks.old_tls import accepts_old_tls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from provision.checks.findings import Finding
    from provision.checks.target import Target

SOON = timedelta(days=14)
EXPIRED, WRONG_NAME = 10, 62  # X509_V_ERR_CERT_HAS_EXPIRED, X509_V_ERR_HOSTNAME_MISMATCH
RENEW = "See `systemctl status` of the renewal timer on the server, then `paquet server deploy`."


def certificate_checks(target: Target, doors: Iterable[Service], now: datetime) -> list[Check]:
    """Return the checks of the certificate and of old TLS at each door."""
    return [
        check
        for door in doors
        for check in (
            Check(f"certificate {door.name}", partial(look_at_certificate, target, door, now=now)),
            Check(f"old TLS {door.name}", partial(look_for_old_tls, target, door)),
        )
    ]


def web_doors(target: Target) -> list[Service]:
    """Return the cloud's names with their port."""
    doors = [Service("https", target.host, target.ports.https)]
    if target.is_own_domain:
        name = f"autoconfig.{target.domain}"
        doors.append(Service("https autoconfig", name, target.ports.https))
    return doors


def mail_doors(target: Target) -> list[Service]:
    """Return the ports of the mail server."""
    ports, host = target.ports, target.mail_host
    return [
        Service("smtp", host, ports.smtp, smtp_starts_tls),
        Service("submissions", host, ports.submissions),
        Service("submission", host, ports.submission, smtp_starts_tls),
        Service("imaps", host, ports.imaps),
        Service("sieve", host, ports.sieve, sieve_starts_tls),
    ]


def look_at_certificate(target: Target, service: Service, *, now: datetime) -> Iterator[Finding]:
    """Yield whether the chain verifies, the name matches, and enough days are left."""
    check = f"certificate {service.name}"
    try:
        with secure(target, service) as tls:
            # Never None: the certificate was asked for and verified.
            certificate = cast("dict[str, str]", tls.getpeercert())
            version = tls.version()
    except ssl.SSLCertVerificationError as wrong:
        yield error(check, _why(wrong, service), RENEW)
    except ssl.SSLError as wrong:
        yield error(check, f"{service.host} does not agree on TLS: {wrong.reason}", RENEW)
    else:
        yield _lifetime(check, f"{service.host} with {version}", certificate, now)


def look_for_old_tls(target: Target, service: Service) -> Iterator[Finding]:
    """Yield whether TLS 1.0 and 1.1 are refused (RFC 8996)."""
    check = f"old TLS {service.name}"
    with dial(target, service) as connected:
        if accepts_old_tls(connected, service.host):
            hint = "Set the lowest version of this service to TLS 1.2."
            yield error(check, "The server still speaks TLS 1.0 or 1.1", hint)
        else:
            yield ok(check, "TLS 1.0 and 1.1 are refused")


def _lifetime(check: str, where: str, certificate: dict[str, str], now: datetime) -> Finding:
    start, end = (_moment(certificate[field]) for field in ("notBefore", "notAfter"))
    left = end - now
    # Authorities also give certificates for six days, which are never "soon" in the same way.
    if left < min(SOON, (end - start) / 3):
        return warning(check, f"The certificate of {where} ends in {left.days} days", RENEW)
    return ok(check, f"{where}, {left.days} days left")


def _why(wrong: ssl.SSLCertVerificationError, service: Service) -> str:
    if wrong.verify_code == EXPIRED:
        return f"The certificate of {service.host} has expired"
    if wrong.verify_code == WRONG_NAME:
        return f"The certificate shown is not for {service.host}"
    return f"The certificate of {service.host} is not trusted: {wrong.verify_message}"


def _moment(written: str) -> datetime:
    return datetime.fromtimestamp(ssl.cert_time_to_seconds(written), UTC)
