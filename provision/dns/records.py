"""The records that a server and a bundle need, as plain data."""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rdtypes.ANY.TXT

from provision.dns.hostnames import absolute, address_type
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

TTL = 3600
LONGEST_TTL = 2**31 - 1  # RFC 2181 §8
CHUNK = 255  # RFC 1035 §3.3: one character-string has one length octet
SPF = '"v=spf1'  # how the TXT value begins, RFC 7208 §4.5
DMARC = '"v=DMARC'  # RFC 7489 §6.3
NULL_MX = "0 ."  # RFC 7505: the domain takes no mail
NOT_OFFERED = "0 0 0 ."  # RFC 6186 §3.4 and RFC 2782: the service is decidedly absent


@dataclass(frozen=True)
class Record:
    """All values of one type at one name (an RRset), in one canonical way of writing.

    `name` is absolute, `ttl` in seconds, `values` in the presentation format of RFC 1035 §5,
    sorted. Raises PaquetError for what cannot be a record.
    """

    name: str
    type: str
    ttl: int
    values: tuple[str, ...]

    def __post_init__(self) -> None:
        if not 0 <= self.ttl <= LONGEST_TTL:
            raise PaquetError(f"{self.ttl} seconds cannot be the TTL of {self.name}")
        if not self.values:
            raise PaquetError(f"{self.type} of {self.name} has no value")
        # Frozen, yet written in one way only, so that equal records compare as equal.
        object.__setattr__(self, "name", _owner(self.name))
        object.__setattr__(self, "type", self.type.upper())
        object.__setattr__(
            self, "values", tuple(sorted({_value(self.type, value) for value in self.values}))
        )
        if self.type == "CNAME" and len(self.values) > 1:
            raise PaquetError(f"{self.name} can have only one CNAME")

    @property
    def key(self) -> tuple[str, str]:
        """What identifies it in a zone: name and type."""
        return self.name, self.type


@dataclass(frozen=True)
class BundleNames:
    """What the records of one bundle are made from.

    `domain` is what stands behind the @; `zone` is where the records are entered (the operator's,
    or the domain itself); `host` serves the cloud; `mail_host` is the server's own name;
    `dkim_public_key` is the base64 of the public key (DER, SubjectPublicKeyInfo) or its PEM;
    `dav_path` is where CalDAV and CardDAV start; `certificate_issuer` is the CAA identity of the
    authority (RFC 8659), empty when unknown.
    """

    domain: str
    zone: str
    host: str
    mail_host: str
    address: str
    dkim_selector: str
    dkim_public_key: str
    dav_path: str
    address6: str = ""
    certificate_issuer: str = ""

    @property
    def is_own_domain(self) -> bool:
        """Whether the subscriber brought the domain, so that the cloud has a name below it."""
        return absolute(self.host) != absolute(self.domain)

    @property
    def web_hosts(self) -> tuple[str, ...]:
        """The names that need a certificate and an address."""
        domain, host = absolute(self.domain), absolute(self.host)
        return (host, f"autoconfig.{domain}") if self.is_own_domain else (host,)


def server_records(server_name: str, address: str, address6: str = "") -> list[Record]:
    """Return what a server's own name needs: addresses, and who may send in that name.

    A bounce has no sender address; receivers then judge the greeting name (RFC 7208 §2.3). What
    the server writes to the operator is not signed, and may be forwarded: hence not `reject`.
    """
    name = absolute(server_name)
    return [
        *_addresses(name, address, address6),
        Record(name, "TXT", TTL, (text("v=spf1 a -all"),)),
        Record(f"_dmarc.{name}", "TXT", TTL, (text("v=DMARC1; p=quarantine"),)),
    ]


def zone_records(zone: str, actual: Iterable[Record]) -> list[Record]:
    """Return what the operator's zone itself needs: that nobody sends mail in its name.

    Nothing where it takes mail, for then it sends some. A name below the zone that has no DMARC of
    its own is judged by this one.
    """
    top = absolute(zone)
    if any(record.key == (top, "MX") and set(record.values) != {NULL_MX} for record in actual):
        return []
    return [
        Record(top, "TXT", TTL, (text("v=spf1 -all"),)),
        Record(f"_dmarc.{top}", "TXT", TTL, (text("v=DMARC1; p=reject"),)),
    ]


def has_policy(record: Record, actual: Iterable[Record]) -> bool:
    """Whether there is an SPF or DMARC policy already where `record` would put one."""
    start = next((start for start in (SPF, DMARC) if record.values[0].startswith(start)), "")
    return bool(start) and any(
        value.startswith(start)
        for other in actual
        if other.key == record.key
        for value in other.values
    )


def bundle_records(names: BundleNames) -> list[Record]:
    """Return every record of one bundle, sorted by name and type."""
    records = [*_web(names), *_mail(names), *_mail_services(names), *_dav_services(names)]
    return sorted(records, key=lambda record: record.key)


def text(words: str) -> str:
    """Return `words` as a TXT value: quoted, in chunks of at most 255 octets."""
    octets = words.encode()
    chunks = [octets[at : at + CHUNK] for at in range(0, len(octets), CHUNK)] or [b""]
    return dns.rdtypes.ANY.TXT.TXT(dns.rdataclass.IN, dns.rdatatype.TXT, chunks).to_text()


def plain_text(value: str) -> str:
    """Given a TXT value, return its words: chunks joined, without quotes and escapes."""
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.TXT, value)
    strings: tuple[bytes, ...] = rdata.strings  # type: ignore[attr-defined]
    return b"".join(strings).decode(errors="backslashreplace")


def certificate_issuer(acme_directory: str) -> str:
    """Return the CAA identity of an ACME authority, empty for one that is not known here.

    Let's Encrypt documents `letsencrypt.org` for all its directories.
    """
    return "letsencrypt.org" if ".letsencrypt.org/" in acme_directory else ""


def _web(names: BundleNames) -> Iterator[Record]:
    for host in names.web_hosts:
        yield from _addresses(host, names.address, names.address6)
        if names.certificate_issuer:
            # Only on names that we get certificates for: the rest of an own domain may use others.
            yield Record(host, "CAA", TTL, (f'0 issue "{names.certificate_issuer}"',))


def _mail(names: BundleNames) -> Iterator[Record]:
    domain = absolute(names.domain)
    selector = f"{names.dkim_selector}._domainkey.{domain}"
    yield Record(domain, "MX", TTL, (f"10 {absolute(names.mail_host)}",))
    yield Record(domain, "TXT", TTL, (text("v=spf1 mx -all"),))
    yield Record(absolute(selector), "TXT", TTL, (text(_dkim(names.dkim_public_key)),))
    # Quarantine from the first day: all mail of the domain leaves signed, through this server, so
    # no honest mail fails. Not `reject`: forwarders break signatures. No `rua`: nobody reads them.
    yield Record(f"_dmarc.{domain}", "TXT", TTL, (text("v=DMARC1; p=quarantine"),))


def _mail_services(names: BundleNames) -> Iterator[Record]:
    """Tell mail clients what is offered (RFC 6186, RFC 8314), and what they must not try."""
    domain, target = absolute(names.domain), absolute(names.mail_host)
    offered = {"_imaps": f"0 1 993 {target}", "_submissions": f"0 1 465 {target}"}
    # 587 is for clients that know no implicit TLS, hence the worse priority.
    offered["_submission"] = f"10 1 587 {target}"
    refused = dict.fromkeys(("_imap", "_pop3", "_pop3s"), NOT_OFFERED)
    for service, value in {**offered, **refused}.items():
        yield Record(f"{service}._tcp.{domain}", "SRV", TTL, (value,))


def _dav_services(names: BundleNames) -> Iterator[Record]:
    """Tell DAV clients that know only the domain where to start (RFC 6764)."""
    domain, target = absolute(names.domain), absolute(names.host)
    for service in ("_caldavs", "_carddavs"):
        name = f"{service}._tcp.{domain}"
        yield Record(name, "SRV", TTL, (f"0 1 443 {target}",))
        yield Record(name, "TXT", TTL, (text(f"path={names.dav_path}"),))


def _addresses(name: str, address: str, address6: str) -> Iterator[Record]:
    for each in filter(None, (address, address6)):
        yield Record(name, address_type(each), TTL, (each,))


def _dkim(public_key: str) -> str:
    """Return the text of RFC 6376 §3.6.1 for a public key in base64 or PEM."""
    lines = [line.strip() for line in public_key.strip().splitlines() if "-----" not in line]
    key = "".join(lines)
    try:
        base64.b64decode(key, validate=True)
    except binascii.Error:
        key = ""
    if not key:
        raise PaquetError("The DKIM public key is not base64", "Make the bundle's key again.")
    return f"v=DKIM1; k=rsa; p={key}"


def _owner(name: str) -> str:
    try:
        parsed = dns.name.from_text(name, None)
    except (dns.exception.DNSException, UnicodeError) as wrong:
        raise PaquetError(f"{name[:80]!r} cannot own a record: {wrong}") from None
    if not (parsed.is_absolute() and name.isascii()):
        raise PaquetError(f"{name[:80]!r} is not absolute: it must be A-labels and end with a dot")
    return parsed.to_text().lower()


def _value(record_type: str, value: str) -> str:
    if not value.isprintable():
        raise PaquetError(f"{value[:80]!r} has a line break or control character in it")
    try:
        rdata = dns.rdata.from_text("IN", record_type, value)
    except (dns.exception.DNSException, ValueError) as wrong:
        raise PaquetError(
            f"{value[:80]!r} is no value of a {record_type} record: {wrong}"
        ) from None
    for field in ("exchange", "target"):
        target = getattr(rdata, field, None)
        if isinstance(target, dns.name.Name):
            if not target.is_absolute():
                raise PaquetError(f"{value!r} names a host without its last dot")
            rdata = rdata.replace(**{field: target.canonicalize()})
    return rdata.to_text()
