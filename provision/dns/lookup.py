"""Ask name servers, and tell what they answered as data."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING

import dns.exception
import dns.flags
import dns.name
import dns.resolver
import dns.reversename

from provision.dns.records import SPF
from provision.dns.zone import from_rrset
from provision.errors import PaquetError

if TYPE_CHECKING:
    from provision.dns.records import Record

SECONDS_PER_TRY = 1.0
SECONDS = 3.0


@dataclass(frozen=True)
class NameServer:
    """A server to ask: its IP address and port."""

    address: str
    port: int = 53


class Outcome(StrEnum):
    """How a question ended: with values, with the certainty that there are none, or not at all."""

    FOUND = "found"
    ABSENT = "absent"
    FAILED = "failed"


@dataclass(frozen=True)
class Answer:
    """What was said about one name and type; `values` are written as in a Record."""

    name: str
    type: str
    outcome: Outcome
    values: tuple[str, ...] = ()
    is_authoritative: bool = False
    reason: str = ""


def ask(name: str, record_type: str, server: NameServer | None = None) -> Answer:
    """Ask `server`, or the servers that this machine uses, and return the answer; never raises.

    It takes at most three seconds.
    """
    try:
        reply = _resolver(server).resolve(
            dns.name.from_text(name), record_type, raise_on_no_answer=False, search=False
        )
    except dns.resolver.NXDOMAIN:
        return Answer(name, record_type, Outcome.ABSENT, reason="the name does not exist")
    except (dns.exception.DNSException, OSError) as wrong:
        return Answer(name, record_type, Outcome.FAILED, reason=_first_line(wrong))
    authoritative = bool(reply.response.flags & dns.flags.AA)
    if reply.rrset is None:
        reason = f"the name has no {record_type}"
        return Answer(name, record_type, Outcome.ABSENT, (), authoritative, reason)
    values = from_rrset(reply.rrset).values
    return Answer(name, record_type, Outcome.FOUND, values, authoritative)


def ask_reverse(address: str, server: NameServer | None = None) -> Answer:
    """Return the names that an IP address points back to (PTR)."""
    return ask(dns.reversename.from_address(address).to_text(), "PTR", server)


def authoritative_servers(name: str, server: NameServer | None = None) -> list[NameServer]:
    """Return the servers that decide about `name`: those of the nearest zone above it.

    Empty when none is known. `server` is whom to ask for them.
    """
    labels = dns.name.from_text(name)
    while len(labels) > 1:
        answer = ask(labels.to_text(), "NS", server)
        if answer.outcome is Outcome.FOUND:
            hosts = (ask(host, "A", server) for host in answer.values)
            return [NameServer(address) for host in hosts for address in host.values]
        labels = labels.parent()
    return []


def mismatch(record: Record, answer: Answer) -> str:
    """Return in which way the answer is not the record, empty when it is.

    Other texts may stand beside ours, such as the verification of a web site, but no second SPF
    record: two of them void both (RFC 7208 §3.2).
    """
    if answer.outcome is not Outcome.FOUND:
        return f"{record.name} {record.type} is {answer.outcome}: {answer.reason}"
    lacking = set(record.values) - set(answer.values)
    others = set(answer.values) - set(record.values)
    if record.type == "TXT":
        others = {value for value in others if value.startswith(SPF)}
    if lacking or others:
        return f"{record.name} {record.type} is {', '.join(answer.values)[:200]}"
    return ""


def address_of(host: str, server: NameServer | None = None) -> str:
    """Return an IP address of `host`, which may already be one. Raises PaquetError without one."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    if server is None:
        return _system_address(host)
    answers = [ask(host, record_type, server) for record_type in ("A", "AAAA")]
    for answer in answers:
        if answer.values:
            return answer.values[0]
    raise _unknown(host, answers[0].reason)


def _system_address(host: str) -> str:
    try:
        addresses = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as wrong:
        raise _unknown(host, str(wrong)) from None
    return str(addresses[0][4][0])


def _unknown(host: str, reason: str) -> PaquetError:
    return PaquetError(f"{host} has no address: {reason}", "See `paquet dns check`.")


def _resolver(server: NameServer | None) -> dns.resolver.Resolver:
    resolver = dns.resolver.Resolver(configure=server is None)
    if server:
        resolver.nameservers = [server.address]
        resolver.port = server.port
    resolver.timeout = SECONDS_PER_TRY
    resolver.lifetime = SECONDS
    resolver.retry_servfail = True
    return resolver


def _first_line(wrong: Exception) -> str:
    return (str(wrong).splitlines() or [type(wrong).__name__])[0]
