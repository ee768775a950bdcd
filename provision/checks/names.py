"""Names: is every record answered as it should be, and does the address point back."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from provision.checks.findings import Check, error, ok, warning
from provision.dns.hostnames import absolute
from provision.dns.lookup import ask, ask_reverse, authoritative_servers, mismatch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from provision.checks.findings import Finding
    from provision.checks.target import Target
    from provision.dns.lookup import NameServer
    from provision.dns.records import Record

# Without the others there is no mail or no cloud; without these a client needs more typing, and
# some receivers trust less.
RECOMMENDED_TYPES = ("SRV", "CAA", "AAAA")
RECOMMENDED_LABELS = ("_dmarc", "_caldavs", "_carddavs")
PUBLISH = "`paquet dns diff` shows what differs, `paquet dns publish` mends it."


def name_checks(target: Target) -> list[Check]:
    """Return one check per record that should be there, and one for the way back."""
    asked = target.resolver or _decider(target)
    return [
        *(
            Check(_title(record), partial(look_at_record, record, asked))
            for record in target.records
        ),
        Check("dns PTR", partial(look_at_reverse, target)),
    ]


def is_required(record: Record) -> bool:
    """Whether mail or cloud do not work without the record."""
    return not (record.type in RECOMMENDED_TYPES or record.name.split(".")[0] in RECOMMENDED_LABELS)


def look_at_record(record: Record, asked: NameServer | None) -> Iterator[Finding]:
    """Yield whether the record is answered with its values."""
    check, answer = _title(record), ask(record.name, record.type, asked)
    problem = mismatch(record, answer)
    if not problem:
        yield ok(check, ", ".join(record.values)[:80])
    elif is_required(record):
        yield error(check, problem, PUBLISH)
    else:
        yield warning(check, problem, PUBLISH)


def look_at_reverse(target: Target) -> Iterator[Finding]:
    """Yield whether the address points back to the name that the mail server greets with."""
    answer = ask_reverse(target.address, target.resolver)
    if absolute(target.mail_host) in answer.values:
        yield ok("dns PTR", f"{target.address} is {target.mail_host}")
    else:
        there = ", ".join(answer.values) or answer.reason
        yield warning(
            "dns PTR",
            f"{target.address} does not point back to {target.mail_host}: {there}",
            "Large providers refuse such mail. Set the reverse name where the server is rented.",
        )


def _title(record: Record) -> str:
    return f"dns {record.type} {record.name.rstrip('.')}"


def _decider(target: Target) -> NameServer | None:
    """Return a server that decides about the domain: its answers are not from a cache."""
    if not target.records:
        return None
    return next(iter(authoritative_servers(target.domain)), None)
