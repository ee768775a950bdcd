"""Publishing to a name server by signed messages: AXFR to read, RFC 2136 updates to write."""

from __future__ import annotations

import base64
import binascii
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

import dns.exception
import dns.name
import dns.query
import dns.rcode
import dns.rrset
import dns.tsig
import dns.update
import dns.xfr
import dns.zone
from pydantic import SecretStr

from provision.dns.hostnames import absolute
from provision.dns.lookup import address_of
from provision.dns.zone import from_rrset
from provision.errors import PaquetError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from contextlib import AbstractContextManager
    from pathlib import Path

    from dns.rdataset import Rdataset

    from provision.dns.changes import ChangeSet
    from provision.dns.records import Record

SECONDS = 10.0
ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
# RFC 2136 §3.2.5: what the server says when a prerequisite does not hold.
OVERTAKEN = (dns.rcode.YXDOMAIN, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.NXRRSET)


@dataclass(frozen=True)
class Key:
    """A TSIG key (RFC 8945): its name, its algorithm such as `hmac-sha256`, its secret."""

    name: str
    algorithm: str
    secret: SecretStr

    @classmethod
    def read(cls, name: str, algorithm: str, file: Path) -> Key:
        """Return the key whose base64 secret is the only content of `file`."""
        try:
            return cls(name, algorithm, SecretStr(file.read_text(encoding="ascii").strip()))
        except (OSError, UnicodeDecodeError) as wrong:
            raise PaquetError(
                f"The key file {file} cannot be read: {wrong}",
                "It holds the base64 secret of the TSIG key and nothing else.",
            ) from None

    def signing(self) -> dns.tsig.Key:
        """Return dnspython's form of the key. Raises PaquetError when it cannot sign."""
        if self.algorithm not in ALGORITHMS:
            raise PaquetError(
                f"{self.algorithm!r} is no algorithm for a TSIG key",
                f"Choose one of {', '.join(ALGORITHMS)}.",
            )
        try:
            secret = base64.b64decode(self.secret.get_secret_value(), validate=True)
        except binascii.Error:
            raise PaquetError(
                f"The secret of the key {self.name} is not base64",
                "Copy it again from the name server (`keymgr -t` prints it).",
            ) from None
        return dns.tsig.Key(absolute(self.name), secret, absolute(self.algorithm))


@dataclass(frozen=True)
class Knot:
    """A name server that is authoritative for the zone and knows our key."""

    server: str
    port: int
    key: Key

    def fetch(self, zone: str) -> list[Record]:
        """Return all records of the zone, by a signed transfer (RFC 5936)."""
        copy = dns.zone.Zone(absolute(zone), relativize=False)
        query, _ = dns.xfr.make_query(copy, keyring=self.key.signing())
        with self._explained(zone):
            dns.query.inbound_xfr(
                address_of(self.server), copy, query, port=self.port, lifetime=SECONDS
            )
        records = (
            from_rrset(_rrset(name, rdataset)) for name, rdataset in copy.iterate_rdatasets()
        )
        return sorted(records, key=lambda record: record.key)

    def apply(self, zone: str, changes: ChangeSet) -> None:
        """Send all changes as one message: all happen, or none.

        Its prerequisites are what the change set saw; when someone changed one of these records
        since, the server refuses the message and PaquetError says so.
        """
        if changes.is_empty:
            return
        message = update_message(absolute(zone), changes)
        message.use_tsig(self.key.signing())
        with self._explained(zone):
            answer = dns.query.tcp(message, address_of(self.server), SECONDS, self.port)
        raise_if_refused(self.server, zone, answer.rcode())

    def _explained(self, zone: str) -> AbstractContextManager[None]:
        return explained(f"{self.server} port {self.port}", zone, self.key.name)


def update_message(zone: str, changes: ChangeSet) -> dns.update.UpdateMessage:
    """Return the changes as one RFC 2136 message, whose prerequisites are what was seen."""
    message = dns.update.UpdateMessage(zone)
    # Deletes first: an address is silently ignored while a CNAME stands at its name (§3.4.2.2).
    for record in changes.deletes:
        message.present(record.name, record.type, *record.values)
        message.delete(record.name, record.type)
    for update in changes.updates:
        before, after = update.before, update.after
        message.present(before.name, before.type, *before.values)
        message.replace(after.name, after.ttl, after.type, *after.values)
    for record in changes.creates:
        message.absent(record.name, record.type)
        message.add(record.name, record.ttl, record.type, *record.values)
    return message


@contextmanager
def explained(server: str, zone: str, key_name: str) -> Iterator[None]:
    """Turn what can go wrong between us and the name server into one sentence and a hint."""
    try:
        yield
    except dns.tsig.PeerBadKey:
        raise PaquetError(
            f"{server} does not accept the key {key_name} for the zone {zone}",
            "Compare [names] key_name with the name server, and let its acl give that key the "
            "actions `transfer` and `update` on the zone.",
        ) from None
    except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature):
        raise PaquetError(
            f"{server} has another secret for the key {key_name}",
            "Compare key_algorithm and the content of key_file with the name server.",
        ) from None
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
        raise PaquetError(
            f"The clocks of this machine and of {server} differ",
            "A signed message lives five minutes: set both clocks by NTP.",
        ) from None
    except dns.xfr.TransferError as wrong:
        raise _refused(server, zone, dns.rcode.to_text(wrong.rcode)) from None
    except (dns.exception.Timeout, OSError, EOFError) as wrong:
        raise PaquetError(
            f"The name server {server} does not answer: {str(wrong) or 'it closed the connection'}",
            "Is it running, and does its firewall let TCP port 53 through from here?",
        ) from None
    except dns.exception.FormError:
        # A server leaves a refusal unsigned when it has no such zone, so none can be trusted.
        raise PaquetError(
            f"{server} refuses to speak about the zone {zone} without signing its answer",
            f"Is {zone} really a zone of this server?",
        ) from None
    except dns.exception.DNSException as wrong:
        raise PaquetError(f"{server} gave an answer that cannot be used: {wrong}") from None


def raise_if_refused(server: str, zone: str, code: dns.rcode.Rcode) -> None:
    """Raise PaquetError when the answer to an update is not `NOERROR`."""
    if code == dns.rcode.NOERROR:
        return
    if code in OVERTAKEN:
        raise PaquetError(
            f"Someone changed the zone {zone} at the same time; nothing was published",
            "Look at the difference again with `paquet dns diff`, then publish again.",
        )
    raise _refused(server, zone, dns.rcode.to_text(code))


def _refused(server: str, zone: str, code: str) -> PaquetError:
    if code == "NOTAUTH":
        hint = f"Is {zone} really a zone of this server, and may the key read and update it?"
    elif code == "REFUSED":
        hint = "Give the key the actions `transfer` and `update` on this zone."
    else:
        hint = "See the journal of the name server."
    return PaquetError(f"{server} refuses for the zone {zone}: {code}", hint)


def _rrset(name: dns.name.Name, rdataset: Rdataset) -> dns.rrset.RRset:
    return dns.rrset.from_rdata_list(name, rdataset.ttl, list(rdataset))
