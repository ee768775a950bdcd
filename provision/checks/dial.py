"""Connections: to the address that the resolver tells, with TLS from the start or by STARTTLS."""

from __future__ import annotations

import smtplib
import socket
import ssl
from dataclasses import dataclass
from typing import TYPE_CHECKING

from provision.dns.lookup import address_of
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Callable

    from provision.checks.target import Target

# Dovecot lets an address from which wrong logins came wait up to 15 seconds.
SECONDS = 20.0
GREETS_AS = "checks.invalid"  # RFC 2606: certainly nobody's name
READY = 220


@dataclass(frozen=True)
class Service:
    """A door of a server: what it is called, where it is, and how TLS begins there."""

    name: str
    host: str
    port: int
    prelude: Callable[[socket.socket], None] | None = None


def dial(target: Target, service: Service) -> socket.socket:
    """Connect in clear, up to where TLS begins. Raises OSError or PaquetError."""
    address = address_of(service.host, target.resolver)
    connected = socket.create_connection((address, service.port), timeout=SECONDS)
    if service.prelude:
        try:
            service.prelude(connected)
        except BaseException:
            connected.close()
            raise
    return connected


def secure(target: Target, service: Service) -> ssl.SSLSocket:
    """Connect with TLS, the certificate verified. Raises ssl.SSLError, OSError or PaquetError."""
    connected = dial(target, service)
    try:
        return context(target).wrap_socket(connected, server_hostname=service.host)
    except BaseException:
        connected.close()
        raise


def context(target: Target) -> ssl.SSLContext:
    """Return what verifies certificates: the system's authorities, or only the target's own."""
    return ssl.create_default_context(cafile=str(target.ca_file) if target.ca_file else None)


def smtp_over(connected: socket.socket) -> smtplib.SMTP:
    """Return an SMTP client on a connection, its greeting still unread."""
    client = smtplib.SMTP(local_hostname=GREETS_AS, timeout=SECONDS)
    client.sock = connected
    return client


def smtp_starts_tls(connected: socket.socket) -> None:
    """Say what comes before TLS in SMTP (RFC 3207)."""
    client = smtp_over(connected)
    code, words = client.getreply()
    if code == READY:
        client.ehlo()
        code, words = client.docmd("STARTTLS")
    if code != READY:
        raise PaquetError(f"STARTTLS is refused: {code} {words.decode(errors='replace')}")


def sieve_starts_tls(connected: socket.socket) -> None:
    """Say what comes before TLS in ManageSieve (RFC 5804 §2.2)."""
    with connected.makefile("rwb") as lines:
        for said in (b"", b"STARTTLS\r\n"):
            lines.write(said)
            lines.flush()
            while not (line := lines.readline()).upper().startswith(b"OK"):
                if not line or line.upper().startswith((b"NO", b"BYE")):
                    raise PaquetError(f"STARTTLS is refused: {line.decode(errors='replace')}")
